//! Classic capture files for the benches' inputs.
//!
//! Enters: pcap files of any byte order; others through `editcap`. Leaves: packets; little-endian
//! pcap files of microseconds, which every peer reads. Refuses: a file that is broken: what stands
//! before the damage is used. Source: draft-ietf-opsawg-pcap.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// Link type of Ethernet.
pub(super) const ETHERNET: u32 = 1;
/// Longest frame that is believed.
const FRAME_BYTES_MAX: usize = 256 * 1024;

/// One frame.
#[derive(Clone)]
pub(super) struct Packet {
    /// Microseconds since 1970.
    pub(super) time_us: u64,
    /// Length on the wire.
    pub(super) wire_len: u32,
    /// What was captured.
    pub(super) bytes: Vec<u8>,
}

/// A capture in memory.
pub(super) struct Capture {
    /// Link type.
    pub(super) link: u32,
    /// Its packets, in the file's order.
    pub(super) packets: Vec<Packet>,
}

impl Capture {
    /// Reads a file; `None` when it is no capture. What is not classic pcap goes through `editcap`
    /// into `scratch`.
    pub(super) fn read(path: &Path, scratch: &Path) -> Result<Option<Self>> {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        if let Some(capture) = Self::parse(&bytes) {
            return Ok(Some(capture));
        }
        let mut editcap = Command::new("editcap");
        editcap.args(["-F", "pcap"]).arg(path).arg(scratch);
        editcap.stdout(Stdio::null()).stderr(Stdio::null());
        if !editcap.status().context("editcap")?.success() {
            return Ok(None);
        }
        Ok(Self::parse(&fs::read(scratch)?))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| -> Option<[u8; 4]> { bytes.get(at..at + 4)?.try_into().ok() };
        let (big, nanos) = match u32::from_le_bytes(word(0)?) {
            0xa1b2_c3d4 => (false, false),
            0xa1b2_3c4d => (false, true),
            0xd4c3_b2a1 => (true, false),
            0x4d3c_b2a1 => (true, true),
            _ => return None,
        };
        let number = |at: usize| {
            word(at).map(|octets| {
                if big {
                    u32::from_be_bytes(octets)
                } else {
                    u32::from_le_bytes(octets)
                }
            })
        };
        let link = number(20)? & 0xffff;
        let mut packets = Vec::new();
        let mut at = 24;
        while let (Some(seconds), Some(fraction), Some(len), Some(wire_len)) =
            (number(at), number(at + 4), number(at + 8), number(at + 12))
        {
            let len = len as usize;
            let Some(frame) = bytes.get(at + 16..at + 16 + len.min(FRAME_BYTES_MAX)) else {
                break;
            };
            let micros = if nanos { fraction / 1000 } else { fraction };
            packets.push(Packet {
                time_us: u64::from(seconds) * 1_000_000 + u64::from(micros),
                wire_len,
                bytes: frame.to_vec(),
            });
            at += 16 + len;
        }
        Some(Self { link, packets })
    }
}

/// A capture being written.
pub(super) struct Writer {
    out: BufWriter<File>,
    path: PathBuf,
}

impl Writer {
    /// Begins an Ethernet capture beside `path`, where it appears once it is whole.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let path = path.with_extension("part");
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, ETHERNET] {
            out.write_all(&u32::to_le_bytes(word))?;
        }
        Ok(Self { out, path })
    }

    /// Appends a frame.
    pub(super) fn write(&mut self, time_us: u64, wire_len: u32, bytes: &[u8]) -> Result<()> {
        let words = [
            (time_us / 1_000_000) as u32,
            (time_us % 1_000_000) as u32,
            bytes.len() as u32,
            wire_len,
        ];
        for word in words {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(bytes)?;
        Ok(())
    }

    /// The file is whole.
    pub(super) fn finish(mut self, path: &Path) -> Result<()> {
        self.out.flush()?;
        fs::rename(&self.path, path)?;
        Ok(())
    }
}
