//! Answers of any length on the control socket: chunks, then how it ended.
//!
//! Enters: bytes while they are made. Leaves: the same bytes on the other side: each chunk behind
//! its length (4 octets, little end first), a length of 0 at the end, then one JSON line.
//! Refuses: chunks over [`CHUNK_BYTES_MAX`]. Source: own format.

use std::io::{self, BufRead, Read, Write};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Longest chunk.
const CHUNK_BYTES_MAX: usize = 64 * 1024;

/// Cuts what is written into chunks.
pub(crate) struct Chunks<W: Write> {
    out: W,
    waiting: Vec<u8>,
}

impl<W: Write> Chunks<W> {
    /// Chunks onto `out`.
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            waiting: Vec::with_capacity(CHUNK_BYTES_MAX),
        }
    }

    /// Sends what waits, the end, and how it ended.
    ///
    /// # Errors
    /// The other side is gone.
    pub(crate) fn finish(mut self, outcome: &Value) -> io::Result<()> {
        self.send()?;
        self.out.write_all(&0u32.to_le_bytes())?;
        serde_json::to_writer(&mut self.out, outcome)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }

    fn send(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(self.waiting.len()).unwrap_or(0);
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}

impl<W: Write> Write for Chunks<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = CHUNK_BYTES_MAX - self.waiting.len();
        let (now, _) = bytes.split_at(bytes.len().min(room));
        self.waiting.extend_from_slice(now);
        if self.waiting.len() == CHUNK_BYTES_MAX {
            self.send()?;
        }
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()?;
        self.out.flush()
    }
}

/// Reads chunks into `out` until their end; how it ended.
///
/// # Errors
/// The other side went away before the end; `out` takes no more.
pub(crate) fn receive(input: &mut impl BufRead, out: &mut dyn Write) -> Result<Value> {
    loop {
        let mut length = [0u8; 4];
        input
            .read_exact(&mut length)
            .context("core ended before it answered")?;
        let length = u32::from_le_bytes(length);
        if length == 0 {
            break;
        }
        let fits = usize::try_from(length).is_ok_and(|length| length <= CHUNK_BYTES_MAX);
        anyhow::ensure!(fits, "a chunk of {length} bytes is longer than one may be");
        let copied = io::copy(&mut input.by_ref().take(u64::from(length)), out)?;
        anyhow::ensure!(copied == u64::from(length), "core ended amid its answer");
    }
    let mut line = String::new();
    input.read_line(&mut line)?;
    serde_json::from_str(&line).context("core ended before it answered")
}

#[cfg(test)]
mod tests;
