//! Writes classic capture files.
//!
//! Enters: frames of one link type. Leaves: a little-endian pcap. Refuses: frames over
//! [`FRAME_BYTES_MAX`], frames of another link type, times outside 1970-2106.
//! Source: draft-ietf-opsawg-pcap.

use std::io::{self, Write};

use wire::{Frame, LinkType};

use super::FRAME_BYTES_MAX;
use super::pcap::{MICROSECONDS, NANOSECONDS};

/// The unit of a capture file's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Every reader knows it.
    Microseconds,
    /// Keeps the whole time.
    Nanoseconds,
}

/// A capture file being written. It does not buffer: give it a `BufWriter`.
pub struct Writer<W: Write> {
    out: W,
    link: LinkType,
    resolution: Resolution,
}

impl<W: Write> Writer<W> {
    /// Writes the file header.
    ///
    /// # Errors
    /// What `out` says.
    pub fn new(mut out: W, link: LinkType, resolution: Resolution) -> io::Result<Self> {
        let magic = match resolution {
            Resolution::Microseconds => MICROSECONDS,
            Resolution::Nanoseconds => NANOSECONDS,
        };
        out.write_all(&magic.to_le_bytes())?;
        out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        out.write_all(&FRAME_BYTES_MAX.to_le_bytes())?;
        out.write_all(&u32::from(link.0).to_le_bytes())?;
        Ok(Self {
            out,
            link,
            resolution,
        })
    }

    /// Appends one frame. A stripped VLAN tag is not put back.
    ///
    /// # Errors
    /// `InvalidInput` for a frame that the file cannot hold, and what the output says.
    pub fn write(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let refuse = |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        if frame.link != self.link {
            return refuse("frame of another link type than the file's");
        }
        let len = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
        if len > FRAME_BYTES_MAX {
            return refuse("frame longer than 256 KiB");
        }
        let Ok(seconds) = u32::try_from(frame.time.0.div_euclid(1_000_000_000)) else {
            return refuse("time outside 1970-2106");
        };
        let nanos = frame.time.0.rem_euclid(1_000_000_000);
        let fraction = match self.resolution {
            Resolution::Microseconds => nanos / 1_000,
            Resolution::Nanoseconds => nanos,
        };
        let fraction = u32::try_from(fraction).unwrap_or(0);
        let mut head = [0; 16];
        for (place, value) in head
            .chunks_exact_mut(4)
            .zip([seconds, fraction, len, frame.wire_len])
        {
            place.copy_from_slice(&value.to_le_bytes());
        }
        self.out.write_all(&head)?;
        self.out.write_all(frame.bytes)
    }

    /// Flushes and gives the output back.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
