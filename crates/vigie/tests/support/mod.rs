//! What the end-to-end tests share: a running Vigie on its own folder, and small captures.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) mod day;
pub(crate) mod talk;
pub(crate) mod wire;

/// The binary under test: the one that `VIGIE_BIN` names (soaks: the release build), else cargo's.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("VIGIE_BIN")
        .filter(|path| !path.is_empty())
        .map_or_else(|| env!("CARGO_BIN_EXE_vigie").into(), PathBuf::from)
}

/// A command of the binary under test.
pub(crate) fn vigie() -> Command {
    let mut command = Command::new(binary());
    command.env_remove("XDG_STATE_HOME").env("NO_COLOR", "1");
    command
}

/// Rounds of a test that kills: few in CI, `VIGIE_KILL_ROUNDS` in `./dev soak kill`.
pub(crate) fn rounds(few: u64) -> u64 {
    std::env::var("VIGIE_KILL_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(few)
}

/// Moments that nobody planned, the same in every run (xorshift64).
pub(crate) struct Moments(pub(crate) u64);

impl Moments {
    /// The next one, below `most`.
    pub(crate) fn below(&mut self, most: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let most = u64::try_from(most.as_micros()).unwrap().max(1);
        Duration::from_micros(self.0 % most)
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Runs to the end and returns what it said.
pub(crate) fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

/// Standard output as text, after checking the exit code.
pub(crate) fn stdout(command: &mut Command, code: i32) -> String {
    let out = run(command);
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{command:?}: {stderr}");
    String::from_utf8(out.stdout).unwrap()
}

/// Every line as JSON.
pub(crate) fn ndjson(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The recorded day as a plain pcap in `folder`.
pub(crate) fn recorded_day(folder: &Path) -> PathBuf {
    let path = folder.join("day.pcap");
    day::unpack(&path).unwrap();
    path
}

/// A running `vigie up` on its own folder; ended when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) dir: PathBuf,
    pub(crate) console: String,
}

impl Running {
    /// Starts without capture and waits until core answers.
    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &["--no-capture"])
    }

    /// Starts with these options of `up`.
    pub(crate) fn start_with(dir: &Path, options: &[&str]) -> Self {
        Self::start_by(vigie(), dir, &[], options)
    }

    /// Starts by this command (the binary, perhaps inside a namespace), with options for every
    /// command and options of `up`, and waits until core answers.
    pub(crate) fn start_by(
        mut command: Command,
        dir: &Path,
        global: &[&str],
        options: &[&str],
    ) -> Self {
        let log = dir.with_extension("log");
        let log = fs::OpenOptions::new().create(true).append(true).open(log);
        let child = command
            .args(["--data-dir", dir.to_str().unwrap()])
            .args(global)
            .args(["up", "--console", "127.0.0.1:0"])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        let mut running = Self {
            child,
            dir: dir.to_owned(),
            console: String::new(),
        };
        let run = running.until_ready();
        running.console = run["console_url"].as_str().unwrap().to_owned();
        running
    }

    /// Waits for `run.json` to say that core is ready.
    pub(crate) fn until_ready(&mut self) -> Value {
        let path = self.dir.join("run.json");
        let pid = self.child.id();
        wait("core to be ready", Duration::from_secs(60), || {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("vigie up ended with {status}: {}", self.log());
            }
            let run: Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
            // The file of a killed supervisor still says what was true of that one.
            (run["ready"] == true && run["pid"] == pid).then_some(run)
        })
    }

    /// What it said so far, of all starts on this folder.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.with_extension("log")).unwrap_or_default()
    }

    /// Kills a role, waits until another process has its place; how long that took.
    pub(crate) fn kill_role(&self, name: &str) -> Duration {
        let limit = Duration::from_secs(60);
        let old = wait("the role to run", limit, || self.role(name));
        let killed = Instant::now();
        signal(old, "KILL");
        wait("the role to be started again", limit, || {
            self.role(name).filter(|pid| *pid != old)
        });
        killed.elapsed()
    }

    /// Kills the supervisor; its roles are left to end by themselves.
    pub(crate) fn kill_supervisor(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Dropping would only send a signal to a process that is gone.
        std::mem::forget(self);
    }

    /// The process of a role, from `roles.json`.
    pub(crate) fn role(&self, name: &str) -> Option<u32> {
        let roles: Value =
            serde_json::from_slice(&fs::read(self.dir.join("roles.json")).ok()?).ok()?;
        let role = roles.as_array()?.iter().find(|role| role["role"] == name)?;
        u32::try_from(role["pid"].as_u64()?).ok()
    }

    /// Answers of `vigie query --format ndjson`.
    pub(crate) fn query(&self, text: &str) -> Vec<Value> {
        query(&self.dir, text)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        signal(self.child.id(), "TERM");
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Answers of the store of this folder.
pub(crate) fn query(dir: &Path, text: &str) -> Vec<Value> {
    let mut command = vigie();
    command.args([
        "--quiet",
        "--data-dir",
        dir.to_str().unwrap(),
        "query",
        text,
    ]);
    command.args(["--format", "ndjson", "--limit", "1000000"]);
    ndjson(&stdout(&mut command, 0))
}

/// Sends a signal to a process that this test started.
pub(crate) fn signal(pid: u32, name: &str) {
    let _ = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
}

/// Waits for a condition, never for a time.
pub(crate) fn wait<T>(what: &str, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + limit;
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < until, "waited {limit:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    found
}

/// A session of the console's interface, of the first account.
pub(crate) struct Session {
    base: String,
    jar: PathBuf,
    csrf: String,
}

impl Session {
    /// Makes the first account of a running Vigie; `folder` keeps the cookies.
    pub(crate) fn first(running: &Running, folder: &Path) -> Self {
        let link = fs::read_to_string(running.dir.join("first-run.url")).unwrap();
        let token = link.trim().rsplit("token=").next().unwrap();
        let account = serde_json::json!({
            "token": token, "name": "tester", "password": "correct horse battery"
        });
        let mut session = Self {
            base: format!("{}api/v1/", running.console),
            jar: folder.join("cookies"),
            csrf: String::new(),
        };
        let said = session.post("first-account", &account);
        let said: Value = serde_json::from_str(&said).unwrap();
        session.csrf = said["csrf"].as_str().unwrap_or_default().to_owned();
        session
    }

    /// The body of an address below `/api/v1/`.
    pub(crate) fn read(&self, path: &str) -> String {
        self.curl(path, &[])
    }

    /// The answer to a body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> String {
        let (body, csrf) = (body.to_string(), format!("X-Vigie-CSRF: {}", self.csrf));
        let kind = "content-type: application/json";
        self.curl(path, &["-H", kind, "-H", &csrf, "-d", &body])
    }

    fn curl(&self, path: &str, options: &[&str]) -> String {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail-with-body", "--max-time", "30"]);
        curl.arg("-b").arg(&self.jar).arg("-c").arg(&self.jar);
        stdout(curl.args(options).arg(format!("{}{path}", self.base)), 0)
    }
}

/// The body of a console address, fetched with curl.
pub(crate) fn fetch(url: &str) -> String {
    let mut command = Command::new("curl");
    command.args(["-sS", "--max-time", "20", url]);
    stdout(&mut command, 0)
}

/// Reads a file whole.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    fs::File::open(path).unwrap().read_to_end(&mut out).unwrap();
    out
}
