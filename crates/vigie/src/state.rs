//! The state of one machine: its folder, its lock, its sockets.
//!
//! Enters: `--data-dir`, the environment. Leaves: a [`DataDir`]. Refuses: two writers.
//! Source: `DESIGN.md` section 3, State on one machine.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::cli::Cli;
use crate::exit::Usage;

/// How long the roles of a killed supervisor get to end.
const ORPHANS_MAX: Duration = Duration::from_secs(30);
/// Roles that hold a lock of their own while they live.
const ROLES: &[&str] = &["core", "sensor"];

/// The folder of all state.
#[derive(Clone)]
pub(crate) struct DataDir(PathBuf);

/// While this lives, the holder is the one writer.
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock only")] File);

/// `run.json`: how to reach a running Vigie.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Process of the supervisor.
    pub(crate) pid: u32,
    /// Address of the console.
    pub(crate) console_url: String,
    /// Address of the forward door; absent until it exists.
    pub(crate) proxy: Option<String>,
    /// Address of the metrics.
    pub(crate) metrics: String,
    /// True once core answers and the sensor, if any, captures.
    pub(crate) ready: bool,
}

impl DataDir {
    /// Where the state is or would be.
    pub(crate) fn locate(cli: &Cli) -> PathBuf {
        if let Some(path) = &cli.data_dir {
            return path.clone();
        }
        if rustix::process::geteuid().is_root() {
            return PathBuf::from("/var/lib/vigie");
        }
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/state"));
        std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(home)
            .unwrap_or_else(|| PathBuf::from("/var/lib"))
            .join("vigie")
    }

    /// The folder, made if it is missing, readable by its owner only.
    pub(crate) fn open(cli: &Cli) -> Result<Self> {
        let path = Self::locate(cli);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("{}: cannot be made; use --data-dir", path.display()))?;
        Ok(Self(path))
    }

    /// The folder if it exists.
    pub(crate) fn existing(cli: &Cli) -> Option<Self> {
        let path = Self::locate(cli);
        path.is_dir().then_some(Self(path))
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The socket on which core takes events of roles.
    pub(crate) fn link_socket(&self) -> PathBuf {
        self.0.join("link.sock")
    }

    /// The socket on which core takes commands.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.0.join("vigie.sock")
    }

    /// Takes the lock of the one writer, once every role of an earlier, killed one has ended: two
    /// sensors would report each conversation twice.
    ///
    /// # Errors
    /// Another process holds it.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let lock = self.try_lock("lock")?.ok_or_else(|| {
            Usage(format!(
                "{}: another Vigie runs on this folder; end it, or use another --data-dir",
                self.0.display()
            ))
        })?;
        for role in ROLES {
            drop(self.role_lock(role)?);
        }
        Ok(lock)
    }

    /// Takes the lock that a role holds while it lives; waits for an earlier one to end.
    ///
    /// # Errors
    /// The earlier one does not end.
    pub(crate) fn role_lock(&self, role: &str) -> Result<Lock> {
        let name = format!("{role}.lock");
        let until = Instant::now() + ORPHANS_MAX;
        loop {
            if let Some(lock) = self.try_lock(&name)? {
                return Ok(lock);
            }
            anyhow::ensure!(
                Instant::now() < until,
                "{}: the {role} of an earlier Vigie does not end; roles.json names its process",
                self.0.display()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Takes a lock; `None` when another process holds it.
    fn try_lock(&self, name: &str) -> Result<Option<Lock>> {
        let path = self.0.join(name);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("{}: cannot be opened", path.display()))?;
        match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => {
                Err(anyhow::Error::new(error)
                    .context(format!("{}: cannot be locked", path.display())))
            }
        }
    }

    /// Writes a small file whole or not at all.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let part = self.0.join(format!("{name}.part"));
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&part)
            .with_context(|| format!("{}: cannot be written", part.display()))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, self.0.join(name))?;
        File::open(&self.0)?.sync_all()?;
        Ok(())
    }

    /// A small JSON file of the folder, if it is there and whole.
    pub(crate) fn json<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Option<T> {
        let bytes = fs::read(self.0.join(name)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes a small JSON file.
    pub(crate) fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        self.replace(name, &serde_json::to_vec_pretty(value)?)
    }

    /// The node number of this installation's sensors: drawn once, then kept.
    pub(crate) fn node(&self) -> Result<u32> {
        if let Some(node) = self.json::<u32>("node.json") {
            return Ok(node);
        }
        let mut octets = [0u8; 4];
        getrandom::fill(&mut octets).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
        // The low byte is left to the queues of this node; 0 is for files.
        let node = u32::from_be_bytes(octets) | 0x8000_0000;
        let node = node & 0xffff_ff00;
        self.write_json("node.json", &node)?;
        Ok(node)
    }
}
