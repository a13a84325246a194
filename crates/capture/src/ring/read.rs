//! The reader: one flow out of the ring.
//!
//! Enters: a flow, a span of time. Leaves: a capture file, and what could not be read. Refuses: to
//! open more than it needs: heads, then indexes of the span, then the flow's own chunks. Blocks
//! that are damaged, cut off or sealed with a destroyed key are skipped and said, at most
//! [`SKIPPED_MAX`] by name. Reads beside a writer: a block that goes meanwhile is one that had
//! gone.
//! Source: `layout.rs`, `index.rs`; draft-ietf-opsawg-pcap.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Nanos;
use wire::{Frame, LinkType};

use super::index::{Group, Index, flow_hash};
use super::layout::{self, HEAD_BYTES, Head, NoHead, RAW_BYTES_MAX, identity};
use super::pins::is_community_id;
use super::record::Records;
use super::writer::head_of;
use super::{Cipher, Keys, RingError, Status};
use crate::file::{self, Resolution};

/// Most skipped blocks that are told by name.
pub(super) const SKIPPED_MAX: usize = 16;

/// What to extract.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// Community ID of the flow.
    pub flow: &'a str,
    /// Earliest packet; `None`: from the beginning of the ring.
    pub from: Option<Nanos>,
    /// Latest packet, inclusive; `None`: up to now.
    pub to: Option<Nanos>,
    /// Most bytes of the capture file.
    pub bytes_max: u64,
}

/// Why a block, or a part of it, was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// Its octets are not those that were written.
    Damaged,
    /// Its key was destroyed.
    KeyGone,
    /// A later program wrote it.
    Newer,
}

impl Skipped {
    /// For messages.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Damaged => "damaged or cut off",
            Self::KeyGone => "sealed with a key that was destroyed",
            Self::Newer => "written by a later version",
        }
    }
}

/// What was extracted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Packets in the capture file.
    pub packets: u64,
    /// Bytes of the capture file.
    pub bytes: u64,
    /// Blocks that had packets of the flow.
    pub blocks: u64,
    /// Time of the first packet.
    pub first: Option<Nanos>,
    /// Time of the last packet.
    pub last: Option<Nanos>,
    /// Blocks left out, wholly or in part.
    pub skipped_blocks: u64,
    /// The first of them: file and why.
    pub skipped: Vec<(String, Skipped)>,
    /// Packets of another link type than the first one's: a capture file holds one.
    pub other_link: u64,
    /// True when `bytes_max` ended it.
    pub limited: bool,
}

/// Reads a ring.
pub struct Reader {
    dir: PathBuf,
    keys: Arc<dyn Keys>,
}

impl Reader {
    /// A reader of the ring in `dir`.
    #[must_use]
    pub fn new(dir: &Path, keys: Arc<dyn Keys>) -> Self {
        Self {
            dir: dir.to_owned(),
            keys,
        }
    }

    /// Writes the packets of one flow, block by block in the order of time. Without a packet,
    /// nothing is written.
    ///
    /// # Errors
    /// The name is no Community ID; the folder cannot be read; the output takes no more.
    pub fn extract(&self, ask: &Ask<'_>, out: &mut dyn Write) -> Result<Extracted, RingError> {
        if !is_community_id(ask.flow) {
            return Err(RingError::Flow(ask.flow.to_owned()));
        }
        let mut sink = Sink {
            out: Some(out),
            file: None,
            bytes_max: ask.bytes_max,
            said: Extracted::default(),
        };
        for number in self.numbers()? {
            if sink.said.limited {
                break;
            }
            let name = layout::name(number);
            match self.block(&self.dir.join(&name), ask, &mut sink) {
                Ok(true) => {}
                Ok(false) => sink.said.skip(&name, Skipped::Damaged),
                Err(Trouble::Skip(why)) => sink.said.skip(&name, why),
                Err(Trouble::Gone) => {}
                Err(Trouble::Output(error)) => return Err(RingError::Output(error)),
            }
        }
        sink.finish()
    }

    /// The ring by its files alone, for when no writer runs.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn status(&self) -> Result<Status, RingError> {
        let mut status = Status::default();
        for number in self.numbers()? {
            let path = self.dir.join(layout::name(number));
            status.blocks += 1;
            status.bytes += fs::metadata(&path).map_or(0, |meta| meta.len());
            if let Ok(head) = head_of(&path) {
                status.oldest = Some(status.oldest.map_or(head.first, |at| at.min(head.first)));
                status.newest = Some(status.newest.map_or(head.last, |at| at.max(head.last)));
                status.packets += u64::from(head.packets);
            }
        }
        Ok(status)
    }

    /// Removes the blocks of an epoch whose key was destroyed; how many.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn forget(&self, epoch: u32) -> Result<u64, RingError> {
        let mut gone = 0;
        for number in self.numbers()? {
            let path = self.dir.join(layout::name(number));
            if head_of(&path).is_ok_and(|head| head.epoch == epoch) {
                gone += u64::from(fs::remove_file(&path).is_ok());
            }
        }
        Ok(gone)
    }

    fn numbers(&self) -> Result<Vec<u64>, RingError> {
        let failed = |error| RingError::disk(&self.dir, "reading the folder", error);
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            numbers.extend(name.to_str().and_then(layout::number));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Packets of a block; false when a part of it was damaged.
    fn block(&self, path: &Path, ask: &Ask<'_>, sink: &mut Sink<'_>) -> Result<bool, Trouble> {
        let mut file = open(path)?;
        let head = head(&mut file)?;
        let before = ask.to.is_some_and(|to| head.first > to);
        if before || ask.from.is_some_and(|from| head.last < from) {
            return Ok(true);
        }
        let sealed = Block::open(file, head, &*self.keys)?;
        let mut groups = sealed.index.of(flow_hash(ask.flow));
        groups.retain(|group| {
            ask.to.is_none_or(|to| group.first <= to)
                && ask.from.is_none_or(|from| group.last >= from)
        });
        if groups.is_empty() {
            return Ok(true);
        }
        sink.said.blocks += 1;
        sealed.packets(&groups, ask, sink)
    }
}

/// What ends the reading of a block.
enum Trouble {
    Skip(Skipped),
    Gone,
    Output(io::Error),
}

/// The index of a block file.
pub(super) fn index_of(path: &Path, keys: &dyn Keys) -> Result<Index, Skipped> {
    let read = || {
        let mut file = open(path)?;
        let head = head(&mut file)?;
        Block::open(file, head, keys).map(|block| block.index)
    };
    read().map_err(|trouble| match trouble {
        Trouble::Skip(why) => why,
        Trouble::Gone | Trouble::Output(_) => Skipped::Damaged,
    })
}

fn open(path: &Path) -> Result<File, Trouble> {
    File::open(path).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return Trouble::Gone;
        }
        Trouble::Skip(Skipped::Damaged)
    })
}

fn head(file: &mut File) -> Result<Head, Trouble> {
    let mut bytes = [0; HEAD_BYTES];
    let damaged = |_| Trouble::Skip(Skipped::Damaged);
    file.read_exact(&mut bytes).map_err(damaged)?;
    Head::decode(&bytes).map_err(|why| {
        Trouble::Skip(match why {
            NoHead::Foreign => Skipped::Damaged,
            NoHead::Newer => Skipped::Newer,
        })
    })
}

/// A block whose index was opened.
struct Block {
    file: File,
    head: Head,
    index: Index,
    cipher: Arc<dyn Cipher>,
}

impl Block {
    fn open(mut file: File, head: Head, keys: &dyn Keys) -> Result<Self, Trouble> {
        let damaged = Trouble::Skip(Skipped::Damaged);
        let Ok(cipher) = keys.of(head.epoch, head.key) else {
            return Err(damaged);
        };
        let cipher = cipher.ok_or(Trouble::Skip(Skipped::KeyGone))?;
        let mut text = Vec::new();
        let wanted = u64::from(head.index_bytes);
        let read = (&mut file).take(wanted).read_to_end(&mut text);
        let whole = read.is_ok_and(|octets| u64::try_from(octets) == Ok(wanted));
        if !whole || !cipher.open(&head.nonce(0), &head.encode(), &mut text) {
            return Err(damaged);
        }
        let index = unpack(&text, head.index_raw).and_then(|plain| Index::decode(&plain));
        Ok(Self {
            file,
            head,
            index: index.ok_or(damaged)?,
            cipher,
        })
    }

    /// Hands the packets of these groups on; false when a chunk of them is damaged.
    fn packets(
        mut self,
        groups: &[Group],
        ask: &Ask<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<bool, Trouble> {
        let mut whole = self.head.file_bytes() == self.file.metadata().map_or(0, |meta| meta.len());
        let mut chunks = Chunks::default();
        let mut raw = Vec::new();
        for group in groups {
            let start = raw.len();
            whole &= self.group(group, &mut chunks, &mut raw).is_some() || {
                // A broken tail does not cost the good head.
                let read = Records::new(raw.get(start..).unwrap_or(&[]));
                let octets: usize = read.map(|(_, octets)| octets).sum();
                raw.truncate(start + octets);
                false
            };
        }
        let mut frames: Vec<Frame<'_>> = Records::new(&raw).map(|(frame, _)| frame).collect();
        frames.retain(|frame| {
            ask.from.is_none_or(|from| frame.time >= from)
                && ask.to.is_none_or(|to| frame.time <= to)
        });
        frames.sort_by_key(|frame| frame.time);
        for frame in &frames {
            sink.frame(frame).map_err(Trouble::Output)?;
        }
        Ok(whole)
    }

    /// Appends the octets of a group.
    fn group(&mut self, group: &Group, chunks: &mut Chunks, raw: &mut Vec<u8>) -> Option<()> {
        let size = usize::try_from(self.head.chunk_bytes).ok()?;
        let mut at = usize::try_from(group.offset).ok()?;
        let end = at.checked_add(usize::try_from(group.bytes).ok()?)?;
        if u32::try_from(end).ok()? > self.head.raw_bytes {
            return None;
        }
        while at < end {
            let number = at / size;
            let chunk = chunks.load(self, number)?;
            let from = at - number * size;
            let to = (end - number * size).min(chunk.len());
            let part = chunk.get(from..to).filter(|part| !part.is_empty())?;
            raw.extend_from_slice(part);
            at += part.len();
        }
        Some(())
    }
}

/// The chunk that was opened last: groups come by offset.
#[derive(Default)]
struct Chunks {
    last: Option<(usize, Vec<u8>)>,
}

impl Chunks {
    fn load(&mut self, block: &mut Block, number: usize) -> Option<&[u8]> {
        if self.last.as_ref().is_none_or(|(known, _)| *known != number) {
            self.last = None;
            self.last = Some((number, read_chunk(block, number)?));
        }
        self.last.as_ref().map(|(_, bytes)| bytes.as_slice())
    }
}

fn read_chunk(block: &mut Block, number: usize) -> Option<Vec<u8>> {
    let before = block.index.chunks.get(..number)?;
    let before: u64 = before.iter().map(|bytes| u64::from(*bytes)).sum();
    let sealed = u64::from(*block.index.chunks.get(number)?);
    if before + sealed > block.head.data_bytes {
        return None;
    }
    let start = u64::try_from(HEAD_BYTES).ok()? + u64::from(block.head.index_bytes) + before;
    block.file.seek(SeekFrom::Start(start)).ok()?;
    let mut text = Vec::new();
    (&mut block.file).take(sealed).read_to_end(&mut text).ok()?;
    let part = u64::try_from(number).ok()?.checked_add(1)?;
    let about = block.head.encode();
    let opened = block
        .cipher
        .open(&block.head.nonce(part), identity(&about), &mut text);
    opened.then(|| unpack(&text, block.head.chunk_bytes))?
}

/// Decompresses at most `bytes_max` octets, and no more than a block may hold.
fn unpack(text: &[u8], bytes_max: u32) -> Option<Vec<u8>> {
    let most = usize::try_from(bytes_max.min(RAW_BYTES_MAX)).ok()?;
    zstd::bulk::decompress(text, most).ok()
}

impl Extracted {
    fn skip(&mut self, name: &str, why: Skipped) {
        self.skipped_blocks += 1;
        if self.skipped.len() < SKIPPED_MAX {
            self.skipped.push((name.to_owned(), why));
        }
    }
}

/// The capture file being made.
struct Sink<'a> {
    out: Option<&'a mut dyn Write>,
    file: Option<(LinkType, file::Writer<&'a mut dyn Write>)>,
    bytes_max: u64,
    said: Extracted,
}

impl Sink<'_> {
    fn frame(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let frame = &Frame {
            bytes: &tagged(frame),
            wire_len: frame.wire_len + if has_tag(frame) { 4 } else { 0 },
            ..*frame
        };
        let cost = u64::try_from(frame.bytes.len()).unwrap_or(u64::MAX) + 16;
        if self.said.limited || self.said.bytes + cost > self.bytes_max {
            self.said.limited = true;
            return Ok(());
        }
        if let Some(out) = self.out.take() {
            let writer = file::Writer::new(out, frame.link, Resolution::Nanoseconds)?;
            self.file = Some((frame.link, writer));
            self.said.bytes += 24;
        }
        let Some((link, writer)) = &mut self.file else {
            return Ok(());
        };
        if *link != frame.link {
            self.said.other_link += 1;
            return Ok(());
        }
        writer.write(frame)?;
        self.said.bytes += cost;
        self.said.packets += 1;
        self.said.first = Some(self.said.first.map_or(frame.time, |at| at.min(frame.time)));
        self.said.last = Some(self.said.last.map_or(frame.time, |at| at.max(frame.time)));
        Ok(())
    }

    fn finish(self) -> Result<Extracted, RingError> {
        if let Some((_, writer)) = self.file {
            writer.finish().map_err(RingError::Output)?;
        }
        Ok(self.said)
    }
}

/// True when the kernel took a VLAN tag off that can be put back.
fn has_tag(frame: &Frame<'_>) -> bool {
    frame.vlan.is_some() && frame.link == LinkType::ETHERNET && frame.bytes.len() >= 12
}

/// The octets with the VLAN tag that the kernel took off.
fn tagged<'a>(frame: &Frame<'a>) -> Cow<'a, [u8]> {
    let (Some(vlan), Some((addresses, rest))) = (frame.vlan, frame.bytes.split_at_checked(12))
    else {
        return Cow::Borrowed(frame.bytes);
    };
    if !has_tag(frame) {
        return Cow::Borrowed(frame.bytes);
    }
    Cow::Owned([addresses, &[0x81, 0], &vlan.to_be_bytes(), rest].concat())
}
