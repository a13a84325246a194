//! Which part of which vault file can hold an event.
//!
//! Enters: vault files, which only grow. Leaves: blocks of about [`BLOCK_BYTES`] with the spans of
//! sequences in them, kept beside the file (`.idx`) and, as one span a node, in memory: an opening
//! reads only blocks that can hold its event. An index covers a beginning of its file and stays
//! right for ever; what came behind it is looked at when asked.
//! Refuses: indexes that are damaged or newer: they are made again from the file, whose frames stay
//! the truth. Limits: [`SPANS_MAX`] a block, [`FILES_MAX`] files in memory.
//! Source: own format, version 1: `magic[8] version:u32 covered:u64`, one frame of blocks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::EventUid;

use super::{FILE_BYTES_MAX, VERSION as FILE_VERSION, pages};
use crate::disk;
use crate::error::StoreError;
use crate::frame::{self, Found};

/// What an index starts with.
const MAGIC: &[u8; 8] = b"VIGIEVIX";
/// Newest version that this program writes and reads.
const VERSION: u32 = 1;
/// Frame kind: blocks.
const KIND_BLOCKS: u8 = 1;
/// Bytes of frames after which a block ends.
const BLOCK_BYTES: u64 = 256 * 1024;
/// Most spans of a block; one of more nodes may hold anything.
const SPANS_MAX: usize = 256;
/// An index that lags behind its file by this much is written again.
const LAG_BYTES_MAX: u64 = 1024 * 1024;
/// Most files whose spans are in memory.
const FILES_MAX: usize = 4096;
/// Longest index that is read.
const INDEX_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Smallest and largest sequence of each node; `None` means anything.
type Spans = Option<BTreeMap<u32, (u64, u64)>>;

/// The index of one file.
#[derive(Clone, Default)]
struct Index {
    /// Bytes of the file that it covers.
    covered: u64,
    blocks: Vec<(Block, Spans)>,
}

/// What memory keeps of a file.
struct Summary {
    covered: u64,
    spans: Spans,
    /// All of it, for the file looked at last.
    whole: Option<Arc<Index>>,
}

/// All indexes of one vault.
#[derive(Default)]
pub(super) struct Indexes {
    files: BTreeMap<PathBuf, Summary>,
}

impl Indexes {
    /// The blocks of a file that can hold an event.
    pub(super) fn candidates(
        &mut self,
        path: &Path,
        uid: EventUid,
    ) -> Result<Vec<Block>, StoreError> {
        let size = size_of(path)?;
        if let Some(known) = self.files.get(path)
            && known.covered == size
            && !may_hold(&known.spans, uid)
        {
            return Ok(Vec::new());
        }
        let index = self.up_to_date(path, size)?;
        let blocks = index.blocks.iter();
        let mut found: Vec<Block> = blocks
            .filter(|(_, spans)| may_hold(spans, uid))
            .map(|(block, _)| *block)
            .collect();
        if index.covered < size {
            let (from, to) = (index.covered, size);
            found.push(Block { from, to });
        }
        Ok(found)
    }

    /// Brings one index up to date.
    pub(super) fn refresh(&mut self, path: &Path) -> Result<(), StoreError> {
        let size = size_of(path)?;
        let lag = match self.files.get(path) {
            Some(known) => size - known.covered.min(size),
            None => u64::MAX,
        };
        if lag >= LAG_BYTES_MAX {
            self.up_to_date(path, size)?;
        }
        Ok(())
    }

    /// Forgets the files of a directory.
    pub(super) fn forget(&mut self, dir: &Path) {
        self.files.retain(|path, _| !path.starts_with(dir));
    }

    fn up_to_date(&mut self, path: &Path, size: u64) -> Result<Arc<Index>, StoreError> {
        let known = self.files.get(path).and_then(|known| known.whole.clone());
        let (mut index, mut stored) = match known {
            Some(index) if index.covered <= size => (Index::clone(&index), index.covered),
            _ => match Index::load(path) {
                Some(index) if index.covered <= size => (index.clone(), index.covered),
                _ => (Index::default(), 0),
            },
        };
        index.extend(path, size)?;
        if size - stored.min(size) >= LAG_BYTES_MAX {
            index.save(path);
            stored = size;
        }
        // Only the file looked at last keeps its blocks in memory, or one that is not on disk yet.
        self.files.values_mut().for_each(|one| one.whole = None);
        while self.files.len() >= FILES_MAX {
            self.files.pop_first();
        }
        let index = Arc::new(index);
        let summary = Summary {
            covered: index.covered,
            spans: index.summary(),
            whole: (stored < size).then(|| Arc::clone(&index)),
        };
        self.files.insert(path.to_owned(), summary);
        Ok(index)
    }
}

impl Index {
    /// Looks at what came behind `covered`, up to `size`.
    fn extend(&mut self, path: &Path, size: u64) -> Result<(), StoreError> {
        if self.covered == 0 {
            let head = disk::read_span(path, 0, frame::FILE_HEAD_BYTES as u64)?;
            let Some((found, _)) = frame::read_file_head(&head, pages::MAGIC) else {
                // Not one of ours: nothing of it can be found.
                self.covered = size;
                return Ok(());
            };
            if found > FILE_VERSION {
                return Err(StoreError::NewerFormat {
                    path: path.to_owned(),
                    found,
                    known: FILE_VERSION,
                });
            }
            self.covered = frame::FILE_HEAD_BYTES as u64;
        }
        let to = size.min(self.covered.saturating_add(FILE_BYTES_MAX * 2));
        let bytes = disk::read_span(path, self.covered, to)?;
        let mut at = 0usize;
        while let Some(rest) = bytes.get(at..) {
            match frame::read(rest) {
                Found::End => break,
                Found::Frame(_, payload, len) => {
                    self.add(len as u64, pages::spans(payload).map(Iterator::collect));
                    at += len;
                }
                Found::Bad => {
                    // A tail may still be growing: it is covered when frames stand behind it.
                    let Some(skip) = frame::resync(rest) else {
                        break;
                    };
                    // Damage: what stands here is read whenever something is looked for.
                    self.add(skip as u64, None);
                    at += skip;
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, bytes: u64, spans: Option<Vec<(u32, u64, u64)>>) {
        let (from, to) = (self.covered, self.covered + bytes);
        self.covered = to;
        let fits = |block: &Block, known: &Spans| {
            to - block.from <= BLOCK_BYTES && known.is_some() == spans.is_some()
        };
        if !matches!(self.blocks.last(), Some((block, known)) if fits(block, known)) {
            let empty = spans.is_some().then(BTreeMap::new);
            self.blocks.push((Block { from, to: from }, empty));
        }
        let Some((block, known)) = self.blocks.last_mut() else {
            return;
        };
        block.to = to;
        for (node, low, high) in spans.into_iter().flatten() {
            widen(known, node, low, high);
        }
    }

    fn summary(&self) -> Spans {
        let mut all = Some(BTreeMap::new());
        for (_, spans) in &self.blocks {
            let Some(spans) = spans else {
                return None;
            };
            for (node, (low, high)) in spans {
                widen(&mut all, *node, *low, *high);
            }
        }
        all
    }

    fn save(&self, path: &Path) {
        let mut payload = Vec::new();
        for (block, spans) in &self.blocks {
            payload.extend_from_slice(&block.from.to_le_bytes());
            payload.extend_from_slice(&block.to.to_le_bytes());
            // One more than the spans; 0 for a block that may hold anything.
            let count = spans.as_ref().map_or(0, |spans| spans.len() + 1);
            payload.extend_from_slice(&u32::try_from(count).unwrap_or(0).to_le_bytes());
            for (node, (low, high)) in spans.iter().flatten() {
                payload.extend_from_slice(&node.to_le_bytes());
                payload.extend_from_slice(&low.to_le_bytes());
                payload.extend_from_slice(&high.to_le_bytes());
            }
        }
        let mut bytes = frame::file_head(MAGIC, VERSION, self.covered);
        if !frame::push(&mut bytes, KIND_BLOCKS, &[&payload]) {
            return;
        }
        if let Err(error) = disk::write_atomic(&path.with_extension("idx"), &bytes) {
            let _ = std::fs::remove_file(path.with_extension("part"));
            tracing::debug!(%error, "no index beside a vault file");
        }
    }

    /// The index beside a file; `None` when there is none that can be used.
    fn load(path: &Path) -> Option<Self> {
        let bytes = disk::read(&path.with_extension("idx"), INDEX_BYTES_MAX).ok()?;
        let (version, covered) = frame::read_file_head(&bytes, MAGIC)?;
        let Found::Frame(KIND_BLOCKS, mut rest, _) =
            frame::read(bytes.get(frame::FILE_HEAD_BYTES..)?)
        else {
            return None;
        };
        if version != VERSION {
            return None;
        }
        let mut index = Self {
            covered,
            blocks: Vec::new(),
        };
        while !rest.is_empty() {
            let from = take_u64(&mut rest)?;
            let to = take_u64(&mut rest)?;
            let count = take_u32(&mut rest)?;
            let mut spans = (count > 0).then(BTreeMap::new);
            for _ in 1..count {
                let node = take_u32(&mut rest)?;
                let low = take_u64(&mut rest)?;
                let high = take_u64(&mut rest)?;
                widen(&mut spans, node, low, high);
            }
            index.blocks.push((Block { from, to }, spans));
        }
        let whole = index
            .blocks
            .last()
            .is_none_or(|(block, _)| block.to == covered);
        whole.then_some(index)
    }
}

fn may_hold(spans: &Spans, uid: EventUid) -> bool {
    spans.as_ref().is_none_or(|spans| {
        spans
            .get(&uid.node.0)
            .is_some_and(|(low, high)| (*low..=*high).contains(&uid.seq))
    })
}

fn widen(spans: &mut Spans, node: u32, low: u64, high: u64) {
    let Some(known) = spans else {
        return;
    };
    let span = known.entry(node).or_insert((low, high));
    *span = (span.0.min(low), span.1.max(high));
    if known.len() > SPANS_MAX {
        *spans = None;
    }
}

fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    let (octets, after) = rest.split_first_chunk::<8>()?;
    *rest = after;
    Some(u64::from_le_bytes(*octets))
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (octets, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_le_bytes(*octets))
}

fn size_of(path: &Path) -> Result<u64, StoreError> {
    let meta = std::fs::metadata(path).map_err(|e| StoreError::io(path, "size", e))?;
    Ok(meta.len())
}

#[cfg(test)]
mod tests;
