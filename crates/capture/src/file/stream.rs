//! The octets of a file or of standard input, decompressed, through one reused buffer.
//!
//! Enters: a file or standard input, compressed (told by content) or not. Leaves: contiguous octets
//! at a cursor, the cursor's offset, a digest. Refuses: requests beyond [`BUFFER_BYTES`]; growth
//! of the buffer: memory is constant (1 MiB, for compressed input 2 MiB and one window).
//! Source: RFC 1952 and 8878 by `codec::compress`.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;

use codec::compress::{self, Caps, Decompressor};
use model::NodeId;

use super::error::{CaptureError, Damage, Place};

/// A cursor over the decompressed octets of a file: of a capture, or of a log by [`BufRead`].
pub struct Stream {
    name: String,
    source: Box<dyn Read + Send>,
    decode: Option<Decode>,
    digest: [u8; 32],
    buffer: Box<[u8]>,
    /// The cursor, in `buffer`.
    at: usize,
    /// The end of what was read, in `buffer`. Invariant: `at <= end <= buffer.len()`.
    end: usize,
    /// Octets that left the buffer.
    before: u64,
    over: Option<Over>,
}

/// Why no more octets come.
#[derive(Debug)]
enum Over {
    End,
    Io(io::Error),
    Compression(compress::Error),
}

struct Decode {
    stream: Decompressor,
    format: compress::Format,
    packed: Box<[u8]>,
    at: usize,
    end: usize,
    source_over: bool,
}

impl Stream {
    /// Opens a file, or standard input when `path` is `-`.
    ///
    /// # Errors
    /// [`CaptureError::Open`].
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        if path == Path::new("-") {
            return Ok(Self::of("standard input", Box::new(io::stdin())));
        }
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Ok(Self::of(&name, Box::new(file))),
            Err(source) => Err(CaptureError::Open { name, source }),
        }
    }

    /// Begins to read `source`, which messages call `name`. It reads until [`DIGEST_BYTES`] or the
    /// end: a slow pipe holds the caller that long. What fails is told when its octets are asked.
    #[must_use]
    pub fn of(name: &str, source: Box<dyn Read + Send>) -> Self {
        let mut stream = Self {
            name: name.to_owned(),
            source,
            decode: None,
            digest: [0; 32],
            buffer: new_buffer(),
            at: 0,
            end: 0,
            before: 0,
            over: None,
        };
        stream.need(MAGIC_BYTES);
        if let Some(format) = compress::Format::sniff(stream.rest()) {
            stream.decompress(format);
        }
        stream.need(DIGEST_BYTES);
        stream.digest = *blake3::hash(stream.head()).as_bytes();
        stream
    }

    /// The first octets, up to [`DIGEST_BYTES`], until the cursor moves.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        let rest = self.rest();
        rest.get(..DIGEST_BYTES).unwrap_or(rest)
    }

    /// The path as given, or `standard input`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The compression around the octets.
    #[must_use]
    pub fn compression(&self) -> Option<compress::Format> {
        self.decode.as_ref().map(|decode| decode.format)
    }

    /// BLAKE3 of the first [`DIGEST_BYTES`] decompressed octets. Known before the first event, from
    /// a pipe too; the same for a capture, its compressed form and a longer copy of it, so that
    /// the same packet keeps its event identities. Captures of different packets differ in it, as
    /// the times of their first packets do.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The node that events of this source carry: the first four octets of the digest.
    #[must_use]
    pub const fn node(&self) -> NodeId {
        let [a, b, c, d, ..] = self.digest;
        NodeId(u32::from_be_bytes([a, b, c, d]))
    }

    /// Octets before the cursor.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.before.saturating_add(self.at as u64)
    }

    /// Makes `count` octets contiguous at the cursor; false when the input is over before.
    #[inline]
    pub(super) fn need(&mut self, count: usize) -> bool {
        self.end.saturating_sub(self.at) >= count || self.fill(count)
    }

    /// All octets at hand.
    #[inline]
    pub(super) fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..self.end).unwrap_or(&[])
    }

    /// The `len` octets that begin `back` octets before the cursor; valid until the next `need`.
    #[inline]
    pub(super) fn behind(&self, back: usize, len: usize) -> &[u8] {
        let start = self.at.saturating_sub(back);
        self.buffer
            .get(start..start.saturating_add(len))
            .unwrap_or(&[])
    }

    /// Moves the cursor over `count` octets that are at hand.
    #[inline]
    pub(super) fn advance(&mut self, count: usize) {
        debug_assert!(count <= self.end.saturating_sub(self.at));
        self.at = self.at.saturating_add(count).min(self.end);
    }

    /// Moves the cursor over `count` octets, however many; gives those that were missing.
    pub(super) fn skip(&mut self, mut count: u64) -> u64 {
        while count > 0 {
            if !self.need(1) {
                return count;
            }
            let step = usize::try_from(count).unwrap_or(usize::MAX);
            let step = step.min(self.rest().len());
            self.advance(step);
            count = count.saturating_sub(step as u64);
        }
        0
    }

    /// True at the sound end of the input, after `need` said that it is over.
    pub(super) fn ended_here(&self) -> bool {
        self.rest().is_empty() && matches!(self.over, Some(Over::End))
    }

    /// What to say when `need` failed at the cursor for want of `need` octets of `part`.
    pub(super) fn shortage(&mut self, part: &'static str, need: u64) -> CaptureError {
        let have = self.rest().len() as u64;
        let place = self.place(self.offset());
        match self.over.replace(Over::End) {
            Some(Over::Io(source)) => CaptureError::Read { place, source },
            Some(Over::Compression(error)) => CaptureError::Broken {
                place,
                damage: Damage::Compression(error),
            },
            Some(Over::End) | None => CaptureError::Broken {
                place,
                damage: Damage::Truncated { part, need, have },
            },
        }
    }

    /// The damage at `offset` as an error.
    pub(super) fn broken(&self, offset: u64, damage: Damage) -> CaptureError {
        CaptureError::Broken {
            place: self.place(offset),
            damage,
        }
    }

    fn place(&self, offset: u64) -> Place {
        Place {
            name: self.name.clone(),
            offset,
            compression: self.compression(),
        }
    }

    fn decompress(&mut self, format: compress::Format) {
        // What was read is compressed: the buffer goes to the decoder, and a new one takes over.
        match Decompressor::new(format, Caps::streaming()) {
            Ok(stream) => {
                self.decode = Some(Decode {
                    stream,
                    format,
                    packed: std::mem::replace(&mut self.buffer, new_buffer()),
                    at: 0,
                    end: self.end,
                    source_over: false,
                });
                self.over = None;
            }
            Err(error) => self.over = Some(Over::Compression(error)),
        }
        self.end = 0;
    }

    #[cold]
    #[inline(never)]
    fn fill(&mut self, count: usize) -> bool {
        debug_assert!(count <= BUFFER_BYTES);
        if self.over.is_some() {
            return false;
        }
        self.buffer.copy_within(self.at..self.end, 0);
        self.before = self.before.saturating_add(self.at as u64);
        self.end = self.end.saturating_sub(self.at);
        self.at = 0;
        while self.end < count && self.over.is_none() {
            let Some(room) = self.buffer.get_mut(self.end..) else {
                break;
            };
            let outcome = match &mut self.decode {
                None => read(&mut *self.source, room).map_err(Over::Io),
                Some(decode) => decode.read(&mut *self.source, room),
            };
            match outcome {
                Ok(0) => self.over = Some(Over::End),
                Ok(got) => self.end = self.end.saturating_add(got).min(self.buffer.len()),
                Err(over) => self.over = Some(over),
            }
        }
        self.end >= count
    }
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut rest = self.fill_buf()?;
        let got = rest.read(out)?;
        self.advance(got);
        Ok(got)
    }
}

impl BufRead for Stream {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !self.need(1) {
            match self.over.replace(Over::End) {
                Some(Over::Io(error)) => return Err(error),
                Some(Over::Compression(error)) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
                Some(Over::End) | None => {}
            }
        }
        Ok(self.rest())
    }

    fn consume(&mut self, count: usize) {
        self.advance(count);
    }
}

impl Decode {
    /// Gives at least one octet; 0 at the sound end of the compressed data.
    fn read(&mut self, source: &mut dyn Read, out: &mut [u8]) -> Result<usize, Over> {
        loop {
            let packed = self.packed.get(self.at..self.end).unwrap_or(&[]);
            let step = self.stream.step(packed, out).map_err(Over::Compression)?;
            self.at = self.at.saturating_add(step.read);
            if step.written > 0 {
                return Ok(step.written);
            }
            if step.read > 0 {
                continue;
            }
            if self.source_over || self.at < self.end {
                // A decoder that leaves octets unread is at the end of its format.
                let end = self.stream.finish().map_err(Over::Compression);
                return end.map(|()| 0);
            }
            self.at = 0;
            self.end = read(source, &mut self.packed).map_err(Over::Io)?;
            self.source_over = self.end == 0;
        }
    }
}

fn read(source: &mut dyn Read, out: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(out) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn new_buffer() -> Box<[u8]> {
    vec![0; BUFFER_BYTES].into_boxed_slice()
}

/// Octets that the digest covers, and that are read before the first frame is given.
pub const DIGEST_BYTES: usize = 64 * 1024;
/// Octets of the buffer; more than the largest record (256 KiB and its header).
pub(super) const BUFFER_BYTES: usize = 1 << 20;
/// Octets that tell one format from another.
const MAGIC_BYTES: usize = 8;
