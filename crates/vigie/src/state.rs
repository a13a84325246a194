//! The state of one machine: its folder, its lock, its sockets.
//!
//! Enters: `--data-dir`, the environment. Leaves: a [`DataDir`]. Refuses: two writers.
//! Source: `DESIGN.md` section 3, State on one machine.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::cli::Cli;
use crate::exit::Usage;

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

    /// Takes the lock of the one writer.
    ///
    /// # Errors
    /// Another process holds it.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let path = self.0.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("{}: cannot be opened", path.display()))?;
        let held = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
        held.map_err(|_| {
            Usage(format!(
                "{}: another Vigie runs on this folder; end it, or use another --data-dir",
                self.0.display()
            ))
        })?;
        Ok(Lock(file))
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
