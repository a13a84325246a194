//! A wire of its own: two network namespaces joined by a veth pair, and real peers on it.
//!
//! Enters: root's right to make namespaces. Leaves: a wire that `vigie up` can watch.
//! Refuses: to go on without root. Source: `ip-netns(8)`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Running, binary, run, stdout, wait};

/// Where the web server answers.
pub(crate) const SERVER: &str = "10.77.0.2";
/// Its port.
pub(crate) const PORT: u16 = 8000;

/// Answers every request with a short text; closes after each.
const SERVER_CODE: &str = r#"
import http.server, sys
class Answer(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
Server((sys.argv[1], int(sys.argv[2])), Answer).serve_forever()
"#;

/// One exchange after the other, each with a `Host` of its own, until standard input ends; then
/// says how many. Arguments: address, port, name, pause in seconds, most exchanges (0: no end).
const CLIENT_CODE: &str = r#"
import http.client, select, sys
address, port, name, pause, most = sys.argv[1:6]
done = 0
while not (int(most) and done >= int(most)):
    if select.select([sys.stdin], [], [], float(pause))[0]:
        break
    connection = http.client.HTTPConnection(address, int(port), timeout=20)
    connection.request("GET", "/", headers={"Host": f"{name}-{done}.test", "Connection": "close"})
    connection.getresponse().read()
    connection.close()
    done += 1
print(done)
"#;

/// Two namespaces joined by a veth pair; removed when dropped.
pub(crate) struct Wire {
    pub(crate) near: String,
    far: String,
    children: Vec<Child>,
}

impl Wire {
    /// Makes the namespaces; `tag` keeps tests of one process apart.
    pub(crate) fn make(tag: &str) -> Self {
        let id = std::process::id();
        let wire = Self {
            near: format!("vg{tag}a{id}"),
            far: format!("vg{tag}b{id}"),
            children: Vec::new(),
        };
        for space in [&wire.near, &wire.far] {
            ip(&["netns", "add", space]);
            ip(&["-n", space, "link", "set", "lo", "up"]);
        }
        let pair = ["link", "add", "near0", "netns", &wire.near, "type", "veth"];
        ip(&[&pair[..], &["peer", "name", "far0", "netns", &wire.far][..]].concat());
        for (space, device, address) in [
            (&wire.near, "near0", "10.77.0.1/24"),
            (&wire.far, "far0", "10.77.0.2/24"),
        ] {
            ip(&["-n", space, "addr", "add", address, "dev", device]);
            ip(&["-n", space, "link", "set", device, "up"]);
        }
        for (space, device) in [(&wire.near, "near0"), (&wire.far, "far0")] {
            let off = [
                "tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off",
            ];
            let mut command = inside(space, "ethtool");
            run(command.args(["-K", device]).args(off));
        }
        wire
    }

    /// A web server of Python's in the far namespace.
    pub(crate) fn serve(&mut self, folder: &Path) {
        let mut command = inside(&self.far, "python3");
        command
            .args(["-c", SERVER_CODE, SERVER, &PORT.to_string()])
            .current_dir(folder);
        self.children.push(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let near = self.near.clone();
        wait("the web server", Duration::from_secs(20), || {
            let mut probe = inside(&near, "bash");
            let open = probe.args(["-c", &format!("exec 3<>/dev/tcp/{SERVER}/{PORT}")]);
            run(open).status.success().then_some(())
        });
    }

    /// Fetches a path once.
    pub(crate) fn fetch(&self, path: &str) {
        let mut command = inside(&self.near, "curl");
        let url = format!("http://{SERVER}:{PORT}/{path}");
        stdout(
            command.args(["-sS", "--max-time", "10", "-o", "/dev/null", &url]),
            0,
        );
    }

    /// Starts exchanges whose `Host` is `name-0.test`, `name-1.test` and so on.
    pub(crate) fn traffic(&self, name: &str, pause: Duration, most: u64) -> Traffic {
        let mut command = inside(&self.near, "python3");
        let pause = pause.as_secs_f64().to_string();
        command.args(["-c", CLIENT_CODE, SERVER, &PORT.to_string(), name]);
        command.args([&pause, &most.to_string()]);
        Traffic(
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap(),
        )
    }

    /// `vigie up` inside the namespace, capturing `near0`, once it really captures.
    pub(crate) fn watch(&self, dir: &Path, global: &[&str]) -> Running {
        let program = binary();
        let mut command = inside(&self.near, program.to_str().unwrap());
        command.env_remove("XDG_STATE_HOME").env("NO_COLOR", "1");
        let before = captures(dir);
        let running = Running::start_by(command, dir, global, &["--interface", "near0"]);
        capturing(&running, before + 1);
        running
    }

    /// The metrics page of a Vigie that runs in the near namespace.
    pub(crate) fn metrics(&self, running: &Running) -> String {
        self.page(running, "metrics")
    }

    /// A page of the console of a Vigie that runs in the near namespace.
    pub(crate) fn page(&self, running: &Running, path: &str) -> String {
        let run = std::fs::read(running.dir.join("run.json")).unwrap();
        let run: serde_json::Value = serde_json::from_slice(&run).unwrap();
        let url = format!("{}{path}", run["console_url"].as_str().unwrap());
        let mut curl = inside(&self.near, "curl");
        stdout(curl.args(["-sS", "--fail", "--max-time", "20", &url]), 0)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        for space in [&self.near, &self.far] {
            let _ = Command::new("ip").args(["netns", "del", space]).status();
        }
    }
}

/// Exchanges under way.
pub(crate) struct Traffic(Child);

impl Traffic {
    /// Ends after the exchange under way; how many there were.
    pub(crate) fn finish(mut self) -> u64 {
        if let Some(mut input) = self.0.stdin.take() {
            let _ = input.write_all(b"\n");
        }
        self.count()
    }

    /// Waits until all are done; how many there were.
    pub(crate) fn wait(mut self) -> u64 {
        let open = self.0.stdin.take();
        let count = self.count();
        drop(open);
        count
    }

    fn count(mut self) -> u64 {
        let out = self.0.stdout.take().unwrap();
        let text = std::io::read_to_string(out).unwrap();
        assert!(self.0.wait().unwrap().success(), "the client of the test");
        text.trim().parse().unwrap()
    }
}

/// How often the log of this folder says that the interface is being captured.
pub(crate) fn captures(dir: &Path) -> usize {
    let log = std::fs::read_to_string(dir.with_extension("log")).unwrap_or_default();
    log.lines()
        .filter(|line| line.contains(" capturing "))
        .count()
}

/// Waits until the log says `times` times that the interface is being captured.
pub(crate) fn capturing(running: &Running, times: usize) {
    wait("the sensor to capture", Duration::from_secs(60), || {
        (captures(&running.dir) >= times).then_some(())
    });
}

/// Figures of metrics whose line holds all of these words.
pub(crate) fn figures(metrics: &str, words: &[&str]) -> Vec<u64> {
    metrics
        .lines()
        .filter(|line| !line.starts_with('#') && words.iter().all(|word| line.contains(word)))
        .map(|line| {
            let figure = line.rsplit(' ').next().and_then(|n| n.parse::<f64>().ok());
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a counter"
            )]
            let figure = figure.expect("a figure") as u64;
            figure
        })
        .collect()
}

fn ip(arguments: &[&str]) {
    let out = run(Command::new("ip").args(arguments));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success(),
        "ip {arguments:?} (needs root): {said}"
    );
}

/// A command inside a namespace.
pub(crate) fn inside(space: &str, program: &str) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", space, program]);
    command
}
