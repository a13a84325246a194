//! The supervisor: starts the roles, starts them again, ends them in order.
//!
//! Enters: `vigie up`. Leaves: running roles, `roles.json`, `run.json`. Refuses: a second
//! supervisor on the same folder. Source: `DESIGN.md` section 3.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use model::port::RoleStatus;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, setrlimit};
use tracing::{info, warn};

use crate::cli::{Cli, RoleName, Up};
use crate::config::Config;
use crate::exit::Done;
use crate::output::say;
use crate::state::{DataDir, Run};
use crate::{stop, time};

/// Shortest and longest pause before a role is started again.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A role that lived this long starts again without delay.
const STEADY: Duration = Duration::from_secs(30);
/// How long the roles get to end in order.
const GRACE: Duration = Duration::from_secs(15);

/// Runs the roles until Ctrl-C.
pub(crate) fn run(cli: &Cli, up: &Up) -> Result<Done> {
    let config = Config::load(cli.config.as_deref())?;
    let dir = DataDir::open(cli)?;
    let _lock = dir.lock()?;
    let stop = stop::flag()?;
    let mut names = vec![RoleName::Core];
    let captures = config.capture.enabled && !up.no_capture;
    if captures || !config.source.is_empty() {
        names.push(RoleName::Sensor);
    }
    dir.write_json(
        "run.json",
        &Run {
            pid: std::process::id(),
            ..Run::default()
        },
    )?;
    let mut roles: Vec<Role> = names.into_iter().map(Role::new).collect();
    let arguments = arguments(cli, &dir, up);
    let mut announced = false;
    while !stop.load(Ordering::Relaxed) {
        let mut changed = false;
        for role in &mut roles {
            let moved = role.watch(&arguments)?;
            if moved && role.name == RoleName::Core && role.child.is_none() {
                not_ready(&dir)?;
            }
            changed |= moved;
        }
        if changed {
            publish(&dir, &roles)?;
        }
        announced = announced || announce(&dir);
        std::thread::sleep(Duration::from_millis(50));
    }
    say("vigie: ending; what was acknowledged is on disk");
    // The sensor goes first, so that core can take its last events.
    for role in roles.iter_mut().rev() {
        role.end(&stop);
    }
    let _ = std::fs::remove_file(dir.path().join("run.json"));
    publish(&dir, &roles)?;
    Ok(Done::Fully)
}

/// Nobody answers until core has started again.
fn not_ready(dir: &DataDir) -> Result<()> {
    let run: Run = dir.json("run.json").unwrap_or_default();
    dir.write_json(
        "run.json",
        &Run {
            ready: false,
            ..run
        },
    )
}

/// Says where the console is, once core is ready.
fn announce(dir: &DataDir) -> bool {
    let Some(run) = dir.json::<Run>("run.json") else {
        return false;
    };
    if run.ready {
        say(&format!(
            "vigie: console at {} - Ctrl-C ends Vigie",
            run.console_url
        ));
        if let Ok(link) = std::fs::read_to_string(dir.path().join("first-run.url")) {
            say(&format!(
                "vigie: first start: make the first account at {}",
                link.trim()
            ));
        }
    }
    run.ready
}

fn publish(dir: &DataDir, roles: &[Role]) -> Result<()> {
    let list: Vec<RoleStatus> = roles.iter().map(Role::status).collect();
    dir.write_json("roles.json", &list)
}

/// Arguments that every role gets.
fn arguments(cli: &Cli, dir: &DataDir, up: &Up) -> Vec<std::ffi::OsString> {
    let mut list: Vec<std::ffi::OsString> =
        vec!["--data-dir".into(), dir.path().as_os_str().to_owned()];
    if let Some(config) = &cli.config {
        list.extend(["--config".into(), config.as_os_str().to_owned()]);
    }
    if cli.json_logs {
        list.push("--json-logs".into());
    }
    if cli.quiet {
        list.push("--quiet".into());
    }
    list.push("role".into());
    for interface in &up.interface {
        list.extend(["--interface".into(), interface.into()]);
    }
    if up.no_capture {
        list.push("--no-capture".into());
    }
    if let Some(console) = &up.console {
        list.extend(["--console".into(), console.into()]);
    }
    list
}

struct Role {
    name: RoleName,
    child: Option<Child>,
    started: Instant,
    since: i64,
    restarts: u64,
    pause: Duration,
    not_before: Instant,
}

impl Role {
    fn new(name: RoleName) -> Self {
        let now = Instant::now();
        Self {
            name,
            child: None,
            started: now,
            since: 0,
            restarts: 0,
            pause: PAUSE_MIN,
            not_before: now,
        }
    }

    const fn word(&self) -> &'static str {
        match self.name {
            RoleName::Core => "core",
            RoleName::Sensor => "sensor",
        }
    }

    /// Starts it if it does not run; true when something changed.
    fn watch(&mut self, arguments: &[std::ffi::OsString]) -> Result<bool> {
        let Some(child) = &mut self.child else {
            if Instant::now() < self.not_before {
                return Ok(false);
            }
            return self.start(arguments).map(|()| true);
        };
        let Some(status) = child.try_wait().context("a role cannot be watched")? else {
            return Ok(false);
        };
        self.ended(status);
        Ok(true)
    }

    fn start(&mut self, arguments: &[std::ffi::OsString]) -> Result<()> {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
        let child = Command::new(program)
            .args(arguments)
            .arg(self.word())
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("role {} could not be started", self.word()))?;
        info!(role = self.word(), pid = child.id(), "role started");
        self.child = Some(child);
        self.started = Instant::now();
        self.since = time::now().0;
        Ok(())
    }

    fn ended(&mut self, status: ExitStatus) {
        self.child = None;
        self.restarts += 1;
        model::metric::ROLE_RESTARTS.add(1);
        // A role that was killed is not at fault: it starts again at once.
        if self.started.elapsed() >= STEADY || was_killed(status) {
            self.pause = PAUSE_MIN;
        }
        self.not_before = Instant::now() + self.pause;
        let pause_ms = u64::try_from(self.pause.as_millis()).unwrap_or(0);
        warn!(role = self.word(), %status, pause_ms, "role ended; it is started again");
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    fn end(&mut self, stop: &AtomicBool) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
        let until = Instant::now() + GRACE;
        while Instant::now() < until && stop.load(Ordering::Relaxed) {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        warn!(role = self.word(), "role did not end in time; it is killed");
        let _ = child.kill();
        let _ = child.wait();
    }

    fn status(&self) -> RoleStatus {
        let pid = self.child.as_ref().map(Child::id);
        RoleStatus {
            role: self.word().to_owned(),
            pid,
            state: if pid.is_some() { "running" } else { "stopped" }.to_owned(),
            restarts: self.restarts,
            memory_bytes: pid.map_or(0, resident_bytes),
            since: self.since,
        }
    }
}

/// Resident memory of a process, from `/proc`; 0 when it is gone.
pub(crate) fn resident_bytes(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let pages: u64 = text
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(0);
    pages * u64::try_from(rustix::param::page_size()).unwrap_or(4096)
}

/// True when somebody else ended the role: a person, or the system short of memory.
fn was_killed(status: ExitStatus) -> bool {
    let by = |signal: Signal| status.signal() == Some(signal.as_raw());
    by(Signal::KILL) || by(Signal::TERM)
}

/// A role never outlives its supervisor, even a killed one.
///
/// # Errors
/// The supervisor has ended already.
pub(crate) fn die_with_parent(dir: &DataDir) -> Result<()> {
    if rustix::process::set_parent_process_death_signal(Some(Signal::TERM)).is_err() {
        warn!("this role may outlive a killed supervisor");
    }
    // The signal tells of a later death only; a supervisor that is gone has another's number here.
    let parent = rustix::process::getppid().and_then(|pid| u32::try_from(pid.as_raw_pid()).ok());
    let supervisor = dir.json::<Run>("run.json").map(|run| run.pid);
    anyhow::ensure!(
        supervisor.is_none() || supervisor == parent,
        "the supervisor of this role has ended"
    );
    Ok(())
}

/// Caps the data segment: beyond it allocations fail and the role ends, alone.
pub(crate) fn limit_memory(bytes: u64) {
    let now = getrlimit(Resource::Data);
    let ceiling = now.maximum.map_or(bytes, |hard| hard.min(bytes));
    let wanted = Rlimit {
        current: Some(ceiling),
        maximum: now.maximum,
    };
    if setrlimit(Resource::Data, wanted).is_err() {
        warn!(bytes, "the memory ceiling could not be set");
    }
}
