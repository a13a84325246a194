//! Clean Debian roots: what a newcomer and a machine without network see.
//!
//! Enters: this checkout; for the package, `VIGIE_BIN`. Leaves: a root below
//! `VIGIE_DEV_CACHE/roots`, a summary with times. Refuses: without root rights or debootstrap.
//! Programs of a root live in a process namespace of their own and end with it.
//! Source: debootstrap(8), unshare(1).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::{package, run};

/// Longest wait for a populated demo: the promise.
const DEMO_MAX: Duration = Duration::from_secs(120);
/// Longest wait for a console after `./dev up`, build included.
const UP_MAX: Duration = Duration::from_secs(90 * 60);
/// Release that a newcomer has.
const SUITE: &str = "bookworm";

/// Enters a root: process, mount and, with `offline`, network namespaces of its own.
const ENTER: &str = r#"
mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev"
root=$1; shift
[ -z "${OFFLINE:-}" ] || ip link set lo up
authorities=/etc/ssl/certs/ca-certificates.crt
exec chroot "$root" /usr/bin/env -i HOME=/srv PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    CI=1 TERM=dumb SSL_CERT_FILE=$authorities NODE_EXTRA_CA_CERTS=$authorities "$@""#;

/// The .deb in a root without network, up to a populated demo.
pub fn install(root: &Path) -> Result<()> {
    let deb = package::build(root)?;
    let clean = fresh_root("package")?;
    std::fs::copy(&deb, clean.join("srv/vigie.deb"))?;
    let started = Instant::now();
    let mut dpkg = enter(&clean, true, &["dpkg", "-i", "/srv/vigie.deb"]);
    ensure!(
        run::streamed(&mut dpkg, |_| ())?,
        "the package does not install"
    );
    let installed = started.elapsed();
    let demo = [
        "vigie",
        "--quiet",
        "--data-dir",
        "/srv/demo",
        "demo",
        "--console",
        "127.0.0.1:0",
    ];
    let running = Running(enter(&clean, true, &demo).stdin(Stdio::null()).spawn()?);
    let populated = wait(DEMO_MAX, || clean.join("srv/demo/demo.json").exists());
    let took = started.elapsed();
    ensure!(populated, "no populated demo within {DEMO_MAX:?}");
    drop(running);
    let count = "select count(*) as events from events";
    let mut query = enter(
        &clean,
        true,
        &[
            "vigie",
            "--data-dir",
            "/srv/demo",
            "query",
            "--format",
            "csv",
            count,
        ],
    );
    let mut events = 0_u64;
    run::streamed(&mut query, |line| {
        events = line.trim().parse().unwrap_or(events);
    })?;
    ensure!(events > 10_000, "only {events} events in the demo");
    println!(
        "package: installed in {:.1} s, populated demo of {events} events {:.1} s after 'dpkg -i', \
         no network",
        installed.as_secs_f64(),
        took.as_secs_f64()
    );
    Ok(())
}

/// The reduced run of CI: the .deb of the test binary, unpacked, reaches the demo without network.
pub fn unpacked(root: &Path, binary: &Path) -> Result<()> {
    let (deb, stage) = package::build_deb(root, binary, "none")?;
    let folder = stage.with_extension("unpacked");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("-x").arg(&deb).arg(&folder);
    ensure!(unpack.status()?.success(), "the package does not unpack");
    let state = folder.join("state");
    let started = Instant::now();
    let typed = r#"ip link set lo up; exec "$1/usr/bin/vigie" --quiet --data-dir "$2" demo \
        --console 127.0.0.1:0"#;
    let mut demo = Command::new("unshare");
    demo.args(["--net", "--pid", "--fork", "--kill-child"]);
    demo.args(["sh", "-c", typed, "sh"])
        .arg(&folder)
        .arg(&state);
    let running = Running(demo.stdin(Stdio::null()).spawn()?);
    let populated = wait(DEMO_MAX, || state.join("demo.json").exists());
    drop(running);
    ensure!(populated, "no populated demo within {DEMO_MAX:?}");
    println!(
        "package: unpacked, populated demo after {:.1} s, no network",
        started.elapsed().as_secs_f64()
    );
    for made in [&folder, &stage] {
        std::fs::remove_dir_all(made)?;
    }
    Ok(std::fs::remove_file(deb)?)
}

/// `./dev up` or `./dev test` as the only command typed in a clean root.
pub fn newcomer(root: &Path, command: &str) -> Result<()> {
    let clean = fresh_root(command)?;
    let target = clean.join("srv/vigie");
    let mut clone = Command::new("git");
    clone
        .args(["clone", "-q", "--no-hardlinks"])
        .arg(root)
        .arg(&target);
    ensure!(run::streamed(&mut clone, |_| ())?, "git clone failed");
    let started = Instant::now();
    let typed = format!("cd /srv/vigie && exec ./dev {command}");
    let mut inside = enter(&clean, false, &["sh", "-c", &typed]);
    if command != "up" {
        ensure!(
            run::streamed(&mut inside, |_| ())?,
            "./dev {command} failed"
        );
    } else {
        let mut running = Running(inside.stdin(Stdio::null()).spawn()?);
        let run = clean.join("srv/.local/state/vigie/run.json");
        let system = clean.join("var/lib/vigie/run.json");
        let ready = wait(UP_MAX, || {
            let ready = |file: &PathBuf| {
                let text = std::fs::read_to_string(file).unwrap_or_default();
                let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
                json["ready"] == true
            };
            [&run, &system].into_iter().any(ready)
                || running.0.try_wait().is_ok_and(|ended| ended.is_some())
        });
        ensure!(
            ready && running.0.try_wait()?.is_none(),
            "./dev up brought no console"
        );
    }
    println!(
        "clean root: './dev {command}' took {:.1} min",
        started.elapsed().as_secs_f64() / 60.0
    );
    Ok(())
}

/// A child that ends with this program; its namespace takes everything in it along.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait(longest: Duration, mut done: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + longest;
    while Instant::now() < until {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    false
}

fn enter(clean: &Path, offline: bool, command: &[&str]) -> Command {
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "--pid", "--fork", "--kill-child"]);
    if offline {
        inside.arg("--net").env("OFFLINE", "1");
    }
    inside
        .args(["sh", "-c", ENTER, "sh"])
        .arg(clean)
        .args(command);
    inside
}

/// A minimal Debian root, made anew.
fn fresh_root(name: &str) -> Result<PathBuf> {
    let cache = std::env::var("VIGIE_DEV_CACHE").context("start it through ./dev")?;
    let base = Path::new(&cache).join("roots");
    std::fs::create_dir_all(&base)?;
    let clean = base.join(name);
    let mounts = std::fs::read_to_string("/proc/mounts")?;
    if mounts.contains(&*clean.to_string_lossy()) {
        bail!("{}: still mounted, not removed", clean.display());
    }
    if clean.exists() {
        std::fs::remove_dir_all(&clean)?;
    }
    let sources = sources()?;
    let mirror = sources.iter().find(|(_, suite)| suite == SUITE);
    let (mirror, _) = mirror.context("this machine has no package source of that release")?;
    let mut make = Command::new("debootstrap");
    make.args(["--variant=minbase", "--include=ca-certificates", SUITE])
        .arg(&clean)
        .arg(mirror)
        .stdout(Stdio::null());
    ensure!(make.status()?.success(), "debootstrap failed (needs root)");
    let lines: Vec<String> = sources
        .iter()
        .map(|(uri, suite)| format!("deb {uri} {suite} main\n"))
        .collect();
    std::fs::write(clean.join("etc/apt/sources.list"), lines.concat())?;
    // The machine's own view of the network and of whom to trust: a private CA, a proxy's name.
    for file in [
        "etc/resolv.conf",
        "etc/hosts",
        "etc/ssl/certs/ca-certificates.crt",
    ] {
        let _ = std::fs::copy(Path::new("/").join(file), clean.join(file));
    }
    Ok(clean)
}

/// The package sources of this machine for that release: address and suite.
fn sources() -> Result<Vec<(String, String)>> {
    let mut ask = Command::new("apt-get");
    ask.args(["indextargets", "--format", "$(REPO_URI) $(RELEASE)"]);
    let told = String::from_utf8(ask.arg("Created-By: Packages").output()?.stdout)?;
    let mut found: Vec<(String, String)> = told
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, suite)| suite.starts_with(SUITE))
        .map(|(uri, suite)| (uri.to_owned(), suite.to_owned()))
        .collect();
    found.sort();
    found.dedup();
    Ok(found)
}
