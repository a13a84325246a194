//! The packet ring: the latest packets of all flows on disk, within a hard size, sealed.
//!
//! Enters: frames of the capture threads, through a bounded queue. Leaves: blocks of sealed packets
//! on disk, and out of them one flow at a time as a capture file. Refuses: to slow a capture thread
//! (the ring drops, counted by reason), to exceed its size on disk, packets without a flow.
//! Source: `DESIGN.md` sections 1 (the ring is vault storage) and 3; `docs/adr/0012`.
//!
//! ```text
//! Tap (one a queue) ─batches─► Keeper's thread: Writer ─► open block ─full─► NNN.blk, oldest goes
//! Reader: heads ─► index of each block in the time asked for ─► chunks of the flow ─► pcap
//! ```
//! What seals is given by the caller ([`Keys`]): this crate holds no key.

mod cut;
mod index;
mod keeper;
mod layout;
mod open;
mod pins;
mod read;
mod record;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Millis, Nanos};

pub use index::flow_hash;
pub use keeper::{Keeper, Tap, ask_to_close};
pub use layout::VERSION;
pub use pins::{PINS_MAX, Pin, Pins, WHY_BYTES_MAX};
pub use read::{Ask, Extracted, Reader, Skipped};
pub use record::push as record_of;
pub use writer::{Recovered, Writer};

/// Octets of a nonce: random for each block, then the number of the part.
pub const NONCE_BYTES: usize = 24;
/// Least size of a ring: a few blocks, and room for what is no block.
pub const SIZE_BYTES_MIN: u64 = 8 * 1024 * 1024;

/// Keys that seal blocks, by epoch; destroying one destroys the packets of its epoch.
pub trait Keys: Send + Sync {
    /// The key of the epoch of `now`; made when there is none.
    ///
    /// # Errors
    /// It can neither be read nor made.
    fn present(&self, now: Millis) -> io::Result<Arc<dyn Cipher>>;

    /// The key that a block names; `None` when it was destroyed.
    ///
    /// # Errors
    /// It cannot be read.
    fn of(&self, epoch: u32, id: u64) -> io::Result<Option<Arc<dyn Cipher>>>;

    /// Fills `out` with random octets.
    ///
    /// # Errors
    /// The system gives none.
    fn random(&self, out: &mut [u8]) -> io::Result<()>;
}

/// One key, ready to use: authenticated encryption with associated data.
pub trait Cipher: Send + Sync {
    /// Which epoch it is of, as year times 100 plus month.
    fn epoch(&self) -> u32;

    /// Tells keys of one epoch apart; says nothing of the key.
    fn id(&self) -> u64;

    /// Puts the sealed form in the place of `text`.
    ///
    /// # Errors
    /// It cannot be sealed.
    fn seal(&self, nonce: &[u8; NONCE_BYTES], about: &[u8], text: &mut Vec<u8>) -> io::Result<()>;

    /// Puts the text back; false, and nothing usable, when a bit changed.
    fn open(&self, nonce: &[u8; NONCE_BYTES], about: &[u8], sealed: &mut Vec<u8>) -> bool;
}

/// Which packets are kept, and within what.
pub struct Config {
    /// Folder of the ring; nothing else is in it.
    pub dir: PathBuf,
    /// Most bytes on disk, everything in the folder counted.
    pub size_bytes: u64,
    /// Bytes of packets at which a block is closed.
    pub block_bytes: usize,
    /// A block that is open for longer is closed, in milliseconds.
    pub block_age_ms: i64,
    /// Bytes of disk that stay free; the oldest blocks go first.
    pub free_bytes_min: u64,
    /// Blocks whose packets are older go, pinned or not, in days.
    pub days_max: u32,
    /// Only the first bytes of a flow are kept; `None`: all.
    pub keep_bytes_per_flow: Option<u64>,
    /// Share of the size that pinned blocks may hold, in percent.
    pub pinned_percent: u8,
    /// Which flows are kept.
    pub filter: Filter,
    /// Bytes free on the disk of a folder; `None` when the system does not say.
    pub free_bytes: fn(&Path) -> Option<u64>,
}

impl Config {
    /// The defaults: blocks of 8 MiB or a minute, 25 % for pins, no filter, no floor.
    #[must_use]
    pub fn of(dir: &Path, size_bytes: u64) -> Self {
        Self {
            dir: dir.to_owned(),
            size_bytes,
            block_bytes: BLOCK_BYTES,
            block_age_ms: BLOCK_AGE_MS,
            free_bytes_min: 0,
            days_max: u32::MAX,
            keep_bytes_per_flow: None,
            pinned_percent: PINNED_PERCENT,
            filter: Filter::default(),
            free_bytes: |_| None,
        }
    }
}

/// Bytes of packets of one block.
pub const BLOCK_BYTES: usize = 8 * 1024 * 1024;
/// Longest that a block stays open: what a crash may cost on a quiet network.
pub const BLOCK_AGE_MS: i64 = 60_000;
/// Share of the size for pinned blocks.
pub const PINNED_PERCENT: u8 = 25;

/// Which flows are kept.
#[derive(Default)]
pub struct Filter {
    /// Flows with one of these ports are left out.
    pub skip_ports: Vec<u16>,
    /// Only flows with an end for which this says true; `None`: all.
    pub inside: Option<Inside>,
}

/// Tells whether an address is of a network whose packets are kept.
pub type Inside = Box<dyn Fn(std::net::IpAddr) -> bool + Send>;

/// The ring now, and what happened to packets since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Bytes on disk.
    pub bytes: u64,
    /// Most bytes on disk.
    pub size_bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// Time of the oldest packet; `None` without a block.
    pub oldest: Option<Nanos>,
    /// Time of the latest packet of a closed block.
    pub newest: Option<Nanos>,
    /// Bytes of pinned blocks.
    pub pinned_bytes: u64,
    /// Packets written.
    pub packets: u64,
    /// Packets that the queue had no room for.
    pub dropped_queue: u64,
    /// Packets of blocks that could not be written.
    pub dropped_disk: u64,
    /// Packets left out by configuration: ports, zones, beyond a flow's first bytes.
    pub skipped: u64,
    /// Pinned blocks that went because pins held more than their share.
    pub unpinned: u64,
}

/// Why the ring does not work.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The disk refused.
    #[error("packet ring {path}: {step} failed: {source}")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What was asked.
        step: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// The size holds no ring.
    #[error("packet ring: a size of {size} bytes is too small; at least {least} bytes are needed")]
    Size {
        /// The size asked for.
        size: u64,
        /// The least that works.
        least: u64,
    },
    /// A name of a flow that is none.
    #[error("'{0}' is not a Community ID such as 1:wCb3OG7yAFWelaUydu0D+125CLM=")]
    Flow(String),
    /// More pins than there may be.
    #[error("{PINS_MAX} flows are pinned already; release one first")]
    Pins,
    /// The output takes no more.
    #[error("the capture file cannot be written: {0}")]
    Output(io::Error),
}

impl RingError {
    fn disk(path: &Path, step: &'static str, source: io::Error) -> Self {
        Self::Disk {
            path: path.to_owned(),
            step,
            source,
        }
    }
}

#[cfg(test)]
mod tests;
