//! The writer: from records to blocks on disk, within the size.
//!
//! Enters: records, the clock. Leaves: block files, each whole or not there; the oldest go when
//! there is no room. Refuses: to exceed the size or the disk's floor: a block that finds no room is
//! dropped and counted. A crash costs the open block and nothing else, and the next start says so.
//! Source: `DESIGN.md` section 1; POSIX `rename`, `fsync`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

use model::{Millis, Nanos};
use wire::{Conversation, Frame, Namer};

use super::cut::Cut;
use super::layout::{self, HEAD_BYTES, Head, NoHead};
use super::open::{Open, Sealed};
use super::pins::Pins;
use super::read::index_of;
use super::record::Records;
use super::{Config, Filter, Keys, RingError, SIZE_BYTES_MIN, Status};

/// What a file takes on disk is a multiple of this.
const SECTOR_BYTES: u64 = 4096;
/// Room for what is no block: pins, marks, the folder itself.
const OTHER_BYTES: u64 = 512 * 1024;
/// Most blocks, so that a quiet network does not fill the folder with small files.
const BLOCKS_MAX: usize = 64 * 1024;
/// Least blocks of a ring.
const BLOCKS_MIN: u64 = 16;
/// There while a writer lives: it was not ended in order when a start finds it.
pub(super) const RUNNING: &str = "running";
/// Whoever wants the latest packets on disk makes this file; the writer closes its block.
pub(super) const CLOSE: &str = "close";
const DAY_MS: i64 = 86_400_000;

/// What a start found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Blocks that are there.
    pub blocks: u64,
    /// The last writer was killed: its open block, the packets after `newest`, is lost.
    pub killed: bool,
    /// Blocks that were being written, removed.
    pub torn: u64,
    /// Files that are no blocks any more, removed.
    pub unreadable: u64,
    /// Time of the latest packet that is there.
    pub newest: Option<Nanos>,
}

struct Block {
    cost: u64,
    first: Nanos,
    last: Nanos,
    /// Hashes of pinned flows that it has packets of.
    held: BTreeSet<u64>,
}

/// Writes one ring; one at a time.
pub struct Writer {
    config: Config,
    keys: Arc<dyn Keys>,
    blocks: BTreeMap<u64, Block>,
    bytes: u64,
    pinned_bytes: u64,
    next: u64,
    open: Open,
    opened: Option<Millis>,
    namer: Namer,
    cut: Option<Cut>,
    pinned: BTreeSet<u64>,
    status: Status,
    error: Option<String>,
}

impl Writer {
    /// Opens a ring, or begins one; brings it within its size.
    ///
    /// # Errors
    /// The size is below [`SIZE_BYTES_MIN`]; the folder cannot be used.
    pub fn open(
        mut config: Config,
        keys: Arc<dyn Keys>,
        now: Millis,
    ) -> Result<(Self, Recovered), RingError> {
        if config.size_bytes < SIZE_BYTES_MIN {
            return Err(RingError::Size {
                size: config.size_bytes,
                least: SIZE_BYTES_MIN,
            });
        }
        // However small the ring, a block is a small part of it.
        let part = usize::try_from(config.size_bytes / BLOCKS_MIN).unwrap_or(usize::MAX);
        config.block_bytes = config.block_bytes.min(part);
        let dir = config.dir.clone();
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir);
        made.map_err(|error| RingError::disk(&dir, "making the folder", error))?;
        let cut = config.keep_bytes_per_flow.map(Cut::new);
        let mut writer = Self {
            config,
            keys,
            blocks: BTreeMap::new(),
            bytes: 0,
            pinned_bytes: 0,
            next: 1,
            open: Open::default(),
            opened: None,
            namer: Namer::default(),
            cut,
            pinned: BTreeSet::new(),
            status: Status::default(),
            error: None,
        };
        let recovered = writer.recover()?;
        let running = dir.join(RUNNING);
        fs::write(&running, b"").map_err(|error| RingError::disk(&running, "writing", error))?;
        writer.look_at_pins(now);
        writer.expire(now);
        writer.make_room(0);
        Ok((writer, recovered))
    }

    /// Takes records as [`super::Tap`] makes them.
    pub fn take(&mut self, records: &[u8], now: Millis) {
        for (frame, _) in Records::new(records) {
            self.packet(&frame, now);
        }
    }

    /// Lets time pass: closes a block that is old or asked for.
    pub fn tick(&mut self, now: Millis) {
        let old = |opened: Millis| now.0.saturating_sub(opened.0) >= self.config.block_age_ms;
        if self.opened.is_some_and(old) {
            self.close(now);
        }
        let asked = self.config.dir.join(CLOSE);
        if asked.exists() {
            self.close(now);
            // Whoever asked waits for the file to be gone.
            let _ = fs::remove_file(asked);
        }
    }

    /// Closes the open block.
    pub fn close(&mut self, now: Millis) {
        self.look_at_pins(now);
        self.expire(now);
        self.opened = None;
        let packets = self.open.packets();
        if packets == 0 {
            return;
        }
        let written = self.seal(now).and_then(|sealed| self.write(&sealed));
        self.open.clear();
        match written {
            Ok(()) => {
                self.status.packets += packets;
                self.error = None;
            }
            Err(error) => {
                self.status.dropped_disk += packets;
                self.error = Some(error.to_string());
            }
        }
    }

    /// Ends in order: nothing is lost.
    pub fn finish(mut self, now: Millis) {
        self.close(now);
        let _ = fs::remove_file(self.config.dir.join(RUNNING));
    }

    /// The ring now.
    #[must_use]
    pub fn status(&self) -> Status {
        Status {
            bytes: self.bytes,
            size_bytes: self.config.size_bytes,
            blocks: u64::try_from(self.blocks.len()).unwrap_or(u64::MAX),
            oldest: self.blocks.values().map(|block| block.first).min(),
            newest: self.blocks.values().map(|block| block.last).max(),
            pinned_bytes: self.pinned_bytes,
            ..self.status.clone()
        }
    }

    /// Why the last block could not be written; `None` when it could.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    fn packet(&mut self, frame: &Frame<'_>, now: Millis) {
        let names = self.namer.name(frame);
        let Some(flow) = names.innermost() else {
            // ARP and the like are of no flow: nobody could ask for them.
            return;
        };
        let bytes = u64::try_from(frame.bytes.len()).unwrap_or(0);
        let cut = self.cut.as_mut();
        if cut.is_some_and(|cut| !cut.keep(flow, frame.time, bytes)) {
            self.status.skipped += 1;
            return;
        }
        let filter = &self.config.filter;
        if !self.open.push(frame, names, |flows| filter.keeps(flows)) {
            self.status.skipped += 1;
            return;
        }
        self.opened.get_or_insert(now);
        if self.open.bytes() >= self.config.block_bytes || self.open.is_full() {
            self.close(now);
        }
    }

    fn seal(&mut self, now: Millis) -> io::Result<Sealed> {
        let cipher = self.keys.present(now)?;
        self.open.seal(self.next, &*cipher, &*self.keys)
    }

    fn write(&mut self, sealed: &Sealed) -> io::Result<()> {
        let cost = cost_of(u64::try_from(sealed.bytes.len()).unwrap_or(u64::MAX));
        if !self.make_room(cost) {
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "there is no room for a block of the packet ring",
            ));
        }
        let number = self.next;
        let path = self.config.dir.join(layout::name(number));
        let part = path.with_extension("part");
        if let Err(error) = put(&part, &path, &sealed.bytes) {
            let _ = fs::remove_file(&part);
            return Err(error);
        }
        self.next += 1;
        let held: BTreeSet<u64> = self
            .pinned
            .iter()
            .filter(|hash| sealed.hashes.binary_search(hash).is_ok())
            .copied()
            .collect();
        let block = Block {
            cost,
            first: sealed.head.first,
            last: sealed.head.last,
            held,
        };
        self.add(number, block);
        Ok(())
    }

    fn add(&mut self, number: u64, block: Block) {
        self.bytes = self.bytes.saturating_add(block.cost);
        if !block.held.is_empty() {
            self.pinned_bytes = self.pinned_bytes.saturating_add(block.cost);
        }
        self.blocks.insert(number, block);
    }

    /// Removes the oldest blocks until `cost` more bytes fit; false when they do not.
    fn make_room(&mut self, cost: u64) -> bool {
        let room = self.config.size_bytes.saturating_sub(OTHER_BYTES);
        if cost > room {
            return false;
        }
        loop {
            let fits = self.bytes.saturating_add(cost) <= room && self.blocks.len() < BLOCKS_MAX;
            let free = (self.config.free_bytes)(&self.config.dir);
            let floor = self.config.free_bytes_min.saturating_add(cost);
            let above = self.config.free_bytes_min == 0 || free.is_none_or(|free| free >= floor);
            if fits && above {
                return true;
            }
            if !self.evict() {
                return false;
            }
        }
    }

    /// Removes the oldest block that may go; false when there is none or it stays on disk.
    fn evict(&mut self) -> bool {
        let share = self.config.size_bytes / 100 * u64::from(self.config.pinned_percent.min(100));
        let over = self.pinned_bytes > share;
        let free = |block: &&Block| over || block.held.is_empty();
        let oldest = self.blocks.iter().find(|(_, block)| free(block));
        let Some((&number, block)) = oldest.or_else(|| self.blocks.first_key_value()) else {
            return false;
        };
        let pinned = !block.held.is_empty();
        let gone = self.remove(number);
        self.status.unpinned += u64::from(gone && pinned);
        gone
    }

    fn remove(&mut self, number: u64) -> bool {
        match fs::remove_file(self.config.dir.join(layout::name(number))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.error = Some(error.to_string());
                return false;
            }
            Ok(()) | Err(_) => {}
        }
        if let Some(block) = self.blocks.remove(&number) {
            self.bytes = self.bytes.saturating_sub(block.cost);
            if !block.held.is_empty() {
                self.pinned_bytes = self.pinned_bytes.saturating_sub(block.cost);
            }
        }
        true
    }

    /// Removes blocks that are too old to be kept at all, and those that somebody else removed.
    fn expire(&mut self, now: Millis) {
        let days = i64::from(self.config.days_max).saturating_mul(DAY_MS);
        let limit = now.0.saturating_sub(days);
        let dir = &self.config.dir;
        let old = self.blocks.iter().filter(|(number, block)| {
            block.last.millis().0 < limit || !dir.join(layout::name(**number)).exists()
        });
        let old: Vec<u64> = old.map(|(number, _)| *number).collect();
        for number in old {
            self.remove(number);
        }
    }

    /// Reads the pins, and finds the blocks that new ones hold.
    fn look_at_pins(&mut self, now: Millis) {
        // Pins that cannot be read now are kept as they were.
        let Ok(pins) = Pins::load(&self.config.dir) else {
            return;
        };
        let active: BTreeSet<u64> = pins.hashes(now).into_iter().collect();
        if active == self.pinned {
            return;
        }
        let fresh: Vec<u64> = active.difference(&self.pinned).copied().collect();
        let dir = &self.config.dir;
        for (number, block) in &mut self.blocks {
            block.held.retain(|hash| active.contains(hash));
            if fresh.is_empty() {
                continue;
            }
            if let Ok(index) = index_of(&dir.join(layout::name(*number)), &*self.keys) {
                block
                    .held
                    .extend(fresh.iter().filter(|hash| index.has(**hash)));
            }
        }
        let held = self.blocks.values().filter(|block| !block.held.is_empty());
        self.pinned_bytes = held.map(|block| block.cost).sum();
        self.pinned = active;
    }

    /// Takes stock of the folder.
    fn recover(&mut self) -> Result<Recovered, RingError> {
        let dir = self.config.dir.clone();
        let mut found = Recovered {
            killed: dir.join(RUNNING).exists(),
            ..Recovered::default()
        };
        let failed = |error| RingError::disk(&dir, "reading the folder", error);
        for entry in fs::read_dir(&dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_str().unwrap_or_default();
            let Some(number) = layout::number(name) else {
                if name.ends_with(".part") {
                    found.torn += u64::from(fs::remove_file(entry.path()).is_ok());
                }
                continue;
            };
            self.next = self.next.max(number.saturating_add(1));
            let bytes = entry.metadata().map_err(failed)?.len();
            let (first, last) = match head_of(&entry.path()) {
                Ok(head) => (head.first, head.last),
                // A later program's block: it counts, and goes in its turn.
                Err(NoHead::Newer) => (Nanos(i64::MAX), Nanos(i64::MAX)),
                Err(NoHead::Foreign) => {
                    found.unreadable += u64::from(fs::remove_file(entry.path()).is_ok());
                    continue;
                }
            };
            let block = Block {
                cost: cost_of(bytes),
                first,
                last,
                held: BTreeSet::new(),
            };
            self.add(number, block);
        }
        found.blocks = u64::try_from(self.blocks.len()).unwrap_or(u64::MAX);
        let known = self.blocks.values().map(|block| block.last);
        found.newest = known.filter(|last| last.0 != i64::MAX).max();
        Ok(found)
    }
}

impl Filter {
    fn keeps(&self, flows: &[Conversation]) -> bool {
        let skipped = |flow: &Conversation| {
            flow.ports()
                .is_some_and(|ports| ports.iter().any(|port| self.skip_ports.contains(port)))
        };
        let inside = |flow: &Conversation| match &self.inside {
            Some(inside) => flow.ends().iter().any(|(ip, _)| inside(*ip)),
            None => true,
        };
        !flows.iter().any(skipped) && flows.iter().any(inside)
    }
}

/// What a file of so many bytes takes on disk.
fn cost_of(bytes: u64) -> u64 {
    bytes.div_ceil(SECTOR_BYTES).saturating_mul(SECTOR_BYTES)
}

/// The head of a block file.
pub(super) fn head_of(path: &Path) -> Result<Head, NoHead> {
    let mut bytes = [0; HEAD_BYTES];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|_| NoHead::Foreign)?;
    Head::decode(&bytes)
}

/// Writes a file that is there whole or not at all.
fn put(part: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(part)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    fs::rename(part, path)?;
    path.parent()
        .map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}
