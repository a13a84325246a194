//! Capture files: pcap and pcapng, plain, gzip or zstd, from a path or standard input.
//!
//! Enters: octets of a file. Leaves: borrowed frames, numbered from 1, without an allocation each;
//! what was skipped, counted; then the end or one error with name, offset and reason. Refuses:
//! frames over [`FRAME_BYTES_MAX`]; other formats, by name. Link types are the caller's matter.
//! Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.

mod error;
mod pcap;
mod pcapng;
mod stream;
mod writer;

use std::path::Path;
use std::sync::Arc;

use model::{Nanos, NodeId};
use wire::{Frame, Growing, LinkType};

pub use error::{CaptureError, Damage, Place};
pub use stream::{DIGEST_BYTES, Stream};
pub use writer::{Resolution, Writer};

/// A capture file being read.
pub struct Source {
    stream: Stream,
    format: Format,
    frames: u64,
    frame_bytes: u64,
    over: bool,
}

enum Format {
    Pcap(pcap::Pcap),
    PcapNg(Box<pcapng::PcapNg>),
}

/// What was read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames given.
    pub frames: u64,
    /// Octets of those frames.
    pub frame_bytes: u64,
    /// Blocks without a frame that were skipped: names, statistics, unknown ones, secrets that
    /// nobody wants.
    pub skipped_blocks: u64,
    /// Malformed blocks after which reading went on.
    pub damaged_blocks: u64,
    /// Offset and cause of the first of those.
    pub first_damage: Option<(u64, Damage)>,
}

impl Source {
    /// Opens a capture, or standard input when `path` is `-`.
    ///
    /// # Errors
    /// Any [`CaptureError`]: the file cannot be opened, or its header is not one of a capture.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        Self::of(Stream::open(path)?)
    }

    /// Reads the header of a capture from a stream that was not read yet.
    ///
    /// # Errors
    /// Any [`CaptureError`] but `Open`.
    pub fn of(mut stream: Stream) -> Result<Self, CaptureError> {
        let format = begin(&mut stream)?;
        Ok(Self {
            stream,
            format,
            frames: 0,
            frame_bytes: 0,
            over: false,
        })
    }

    /// The next frame; `None` at the end, and after an error.
    ///
    /// # Errors
    /// `Read` or `Broken`, once, after every frame before the damage was given.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "frames borrow the buffer, which an iterator cannot express"
    )]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, CaptureError> {
        if self.over {
            return Ok(None);
        }
        let cut = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.stream),
            Format::PcapNg(pcapng) => pcapng.next(&mut self.stream),
        };
        let cut = match cut {
            Ok(Some(cut)) => cut,
            Ok(None) => {
                self.over = true;
                return Ok(None);
            }
            Err(error) => {
                self.over = true;
                return Err(error);
            }
        };
        let bytes = self.stream.behind(cut.back, cut.len);
        self.frames = self.frames.saturating_add(1);
        self.frame_bytes = self.frame_bytes.saturating_add(bytes.len() as u64);
        Ok(Some(Frame {
            time: cut.time,
            number: self.frames,
            link: cut.link,
            wire_len: cut.wire_len,
            bytes,
            vlan: None,
        }))
    }

    /// Gives the TLS secrets that stand in the file (pcapng) to `to`, each before the frames after
    /// it; false when files of this format hold none.
    pub fn secrets_to(&mut self, to: &Arc<Growing>) -> bool {
        match &mut self.format {
            Format::Pcap(_) => false,
            Format::PcapNg(pcapng) => {
                pcapng.secrets = Some(Arc::clone(to));
                true
            }
        }
    }

    /// What was read so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let counts = Counts {
            frames: self.frames,
            frame_bytes: self.frame_bytes,
            ..Counts::default()
        };
        match &self.format {
            Format::Pcap(_) => counts,
            Format::PcapNg(pcapng) => Counts {
                skipped_blocks: pcapng.skipped_blocks,
                damaged_blocks: pcapng.damaged_blocks,
                first_damage: pcapng.first_damage,
                ..counts
            },
        }
    }

    /// The path as given, or `standard input`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.stream.name()
    }

    /// Octets read so far, decompressed.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.stream.offset()
    }

    /// See [`Stream::digest`].
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        self.stream.digest()
    }

    /// See [`Stream::node`].
    #[must_use]
    pub const fn node(&self) -> NodeId {
        self.stream.node()
    }
}

/// True when `head`, the first octets of a [`Stream`], begin a capture file that is read here.
#[must_use]
pub fn is_capture(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(|magic| {
        *magic == pcapng::SECTION.to_be_bytes() || pcap::Pcap::variant(*magic).is_some()
    })
}

fn begin(stream: &mut Stream) -> Result<Format, CaptureError> {
    if !stream.need(4) {
        if stream.ended_here() {
            return Err(stream.broken(0, Damage::Empty));
        }
        return Err(stream.shortage("file header", 4));
    }
    let magic = *stream.rest().first_chunk().unwrap_or(&[0; 4]);
    if magic == pcapng::SECTION.to_be_bytes() {
        return Ok(Format::PcapNg(Box::new(pcapng::PcapNg::new())));
    }
    if let Some(variant) = pcap::Pcap::variant(magic) {
        return pcap::Pcap::begin(stream, variant).map(Format::Pcap);
    }
    let named = REFUSED
        .iter()
        .find(|(magic, _)| stream.rest().starts_with(magic));
    Err(stream.broken(
        0,
        match named {
            Some((_, name)) => Damage::NotSupported(name),
            None => Damage::UnknownMagic(magic),
        },
    ))
}

/// A frame as a place in the stream's buffer.
struct Cut {
    time: Nanos,
    link: LinkType,
    wire_len: u32,
    len: usize,
    /// Octets from the frame's first one to the cursor.
    back: usize,
}

/// The byte order of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    #[inline]
    const fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        }
    }

    const fn i64(self, octets: [u8; 8]) -> i64 {
        match self {
            Self::Little => i64::from_le_bytes(octets),
            Self::Big => i64::from_be_bytes(octets),
        }
    }

    /// Four octets at `at`; 0 beyond the end, which callers have excluded.
    #[inline]
    fn u32_at(self, bytes: &[u8], at: usize) -> u32 {
        let octets = bytes.get(at..).and_then(<[u8]>::first_chunk);
        debug_assert!(octets.is_some());
        octets.map_or(0, |octets| self.u32(*octets))
    }

    /// Two octets at `at`; 0 beyond the end, which callers have excluded.
    fn u16_at(self, bytes: &[u8], at: usize) -> u16 {
        let octets: Option<&[u8; 2]> = bytes.get(at..).and_then(<[u8]>::first_chunk);
        debug_assert!(octets.is_some());
        octets.map_or(0, |octets| match self {
            Self::Little => u16::from_le_bytes(*octets),
            Self::Big => u16::from_be_bytes(*octets),
        })
    }
}

/// Longest frame that is read: the largest snapshot length of libpcap (MAXIMUM_SNAPLEN).
pub const FRAME_BYTES_MAX: u32 = 256 * 1024;

/// First octets of formats that people mistake for ours.
const REFUSED: &[(&[u8], &str)] = &[
    (b"snoop\0\0\0", "snoop"),
    (b"GMBU", "Microsoft Network Monitor 2"),
    (b"RTSS", "Microsoft Network Monitor 1"),
    (b"TRSNIFF", "NetXray Sniffer"),
    (b"XCP\0", "NetXray"),
    (&[0x1c, 0x00, 0x01, 0xac], "IXIA pcap (hardware)"),
    (&[0xac, 0x01, 0x00, 0x1c], "IXIA pcap (hardware)"),
    (&[0x1c, 0x00, 0x01, 0xab], "IXIA pcap (software)"),
    (&[0xab, 0x01, 0x00, 0x1c], "IXIA pcap (software)"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz compression"),
    (b"BZh", "bzip2 compression"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4 compression"),
    (b"PK\x03\x04", "a zip archive"),
];

#[cfg(test)]
mod tests;
