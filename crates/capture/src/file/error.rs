//! Why a capture file gives no more frames.
//!
//! Enters: a name, an offset, a cause. Leaves: one sentence for an operator, and a stable code.
//! Refuses: contents of the file in any message. The file is at fault in every variant but `Open`
//! and `Read`, where the machine is; none may be retried but those two.
//! Source: `DESIGN.md` section 4, wire.

use std::fmt;
use std::io;

use codec::compress;

/// A capture file that cannot be read, or no further.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file could not be opened.
    #[error("{name}: cannot be opened: {source}")]
    Open {
        /// The path as given, or `standard input`.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system failed to read on.
    #[error("{place}: cannot be read: {source}")]
    Read {
        /// Where.
        place: Place,
        /// What the system said.
        source: io::Error,
    },
    /// What was read is not a sound capture from here on; all frames before were given.
    #[error("{place}: {damage}")]
    Broken {
        /// Where.
        place: Place,
        /// What is wrong.
        damage: Damage,
    },
}

impl CaptureError {
    /// A stable word for the cause.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open { .. } => "capture_open",
            Self::Read { .. } => "capture_read",
            Self::Broken { damage, .. } => damage.code(),
        }
    }

    /// Octets of the (decompressed) file before the damage; `None` when it was not opened.
    #[must_use]
    pub const fn offset(&self) -> Option<u64> {
        match self {
            Self::Open { .. } => None,
            Self::Read { place, .. } | Self::Broken { place, .. } => Some(place.offset),
        }
    }
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path as given, or `standard input`.
    pub name: String,
    /// Octets before it, of the decompressed data when `compression` is set.
    pub offset: u64,
    /// The compression around the capture.
    pub compression: Option<compress::Format>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: byte {}", self.name, self.offset)?;
        match self.compression {
            Some(format) => write!(f, " of the data inside {}", format.name()),
            None => Ok(()),
        }
    }
}

/// What is wrong with a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The file has no octet.
    #[error("the file is empty")]
    Empty,
    /// The first octets are of no capture format.
    #[error("not a capture file (it starts with {0:02x?})")]
    UnknownMagic([u8; 4]),
    /// The first octets are of a format that is not read.
    #[error("{0} is not supported; convert it to pcap or pcapng")]
    NotSupported(&'static str),
    /// The file ends inside a header, record or block.
    #[error("truncated {part}: {have} of {need} bytes")]
    Truncated {
        /// The part that is cut.
        part: &'static str,
        /// Its size in octets.
        need: u64,
        /// Octets of it that are there.
        have: u64,
    },
    /// A length field that cannot be.
    #[error("impossible {part} of {length} bytes (at most {max})")]
    ImpossibleLength {
        /// The field.
        part: &'static str,
        /// Its value.
        length: u64,
        /// The most that is read.
        max: u64,
    },
    /// A block whose contents contradict its length or the blocks before it.
    #[error("malformed block: {0}")]
    Block(&'static str),
    /// The compression around the capture is damaged.
    #[error("decompression failed: {0}")]
    Compression(compress::Error),
}

impl Damage {
    /// A stable word for the cause.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "capture_empty",
            Self::UnknownMagic(_) => "capture_unknown_format",
            Self::NotSupported(_) => "capture_unsupported_format",
            Self::Truncated { .. } => "capture_truncated",
            Self::ImpossibleLength { .. } => "capture_impossible_length",
            Self::Block(_) => "capture_malformed_block",
            Self::Compression(_) => "capture_compression",
        }
    }
}
