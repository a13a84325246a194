//! Batches that wait on disk while core is away.
//!
//! Enters: encoded batches, which may hold clear values. Leaves: the same, in order, also after a
//! restart. Refuses: more than its limit in bytes; then the newest is dropped and counted.
//! Each batch is sealed with the spool key, so that the disk never holds a clear value.
//! Source: RFC 8439 (ChaCha20-Poly1305); layout of a file: `VIGSPL1\n`, then length u32 LE,
//! nonce 12, ciphertext.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};

use super::FRAME_BYTES_MAX;

const MAGIC: &[u8; 8] = b"VIGSPL1\n";
const NONCE_BYTES: usize = 12;
/// A file is closed at this size, so that delivered ones can go.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// See the module.
pub(crate) struct Spool {
    folder: PathBuf,
    cipher: ChaCha20Poly1305,
    bytes_max: u64,
    files: VecDeque<(u64, u64)>,
    writing: Option<(u64, File, u64)>,
}

impl Spool {
    /// The spool in `folder`, with what an earlier run left there.
    pub(crate) fn open(folder: &Path, key: &[u8; 32], bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(".spool"));
            if let Some(number) = number.and_then(|number| number.parse::<u64>().ok()) {
                files.push((number, entry.metadata()?.len()));
            }
        }
        files.sort_unstable();
        let cipher = ChaCha20Poly1305::new(Key::from_slice(key));
        let files = files.into();
        Ok(Self {
            folder: folder.to_path_buf(),
            cipher,
            bytes_max,
            files,
            writing: None,
        })
    }

    /// True when nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Appends a batch. False when the spool is full: the batch was not taken.
    pub(crate) fn push(&mut self, batch: &[u8]) -> io::Result<bool> {
        let cost = u64::try_from(batch.len())
            .unwrap_or(u64::MAX)
            .saturating_add(64);
        if self.bytes().saturating_add(cost) > self.bytes_max {
            return Ok(false);
        }
        let mut nonce = [0u8; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(io::Error::other)?;
        let sealed = self
            .cipher
            .encrypt(Nonce::from_slice(&nonce), batch)
            .map_err(|_| io::Error::other("a batch could not be sealed"))?;
        let len = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        let (number, file, written) = self.file()?;
        let number = *number;
        file.write_all(&len.to_le_bytes())?;
        file.write_all(&nonce)?;
        file.write_all(&sealed)?;
        *written += u64::from(len) + 4 + 12;
        let written = *written;
        if let Some(last) = self.files.iter_mut().find(|(known, _)| *known == number) {
            last.1 = written;
        }
        if written >= FILE_BYTES_MAX {
            self.close_file()?;
        }
        Ok(true)
    }

    /// Makes what was pushed durable.
    pub(crate) fn close_file(&mut self) -> io::Result<()> {
        if let Some((_, file, _)) = self.writing.take() {
            file.sync_all()?;
        }
        Ok(())
    }

    /// The batches of the oldest file, and its number for [`Spool::remove`]. A torn or foreign tail
    /// is left out: it was never whole.
    pub(crate) fn oldest(&mut self) -> io::Result<Option<(u64, Vec<Vec<u8>>)>> {
        let Some((number, _)) = self.files.front().copied() else {
            return Ok(None);
        };
        self.close_file()?;
        let mut input = BufReader::new(File::open(self.path(number))?);
        let mut magic = [0u8; 8];
        let mut batches = Vec::new();
        if input.read_exact(&mut magic).is_ok() && &magic == MAGIC {
            while let Some(batch) = self.next(&mut input) {
                batches.push(batch);
            }
        }
        Ok(Some((number, batches)))
    }

    /// Removes a delivered file.
    pub(crate) fn remove(&mut self, number: u64) -> io::Result<()> {
        self.files.retain(|(known, _)| *known != number);
        fs::remove_file(self.path(number))
    }

    fn next(&self, input: &mut impl io::Read) -> Option<Vec<u8>> {
        let mut len = [0u8; 4];
        let mut nonce = [0u8; NONCE_BYTES];
        input.read_exact(&mut len).ok()?;
        input.read_exact(&mut nonce).ok()?;
        let len = usize::try_from(u32::from_le_bytes(len)).ok()?;
        if len > FRAME_BYTES_MAX {
            return None;
        }
        let mut sealed = vec![0u8; len];
        input.read_exact(&mut sealed).ok()?;
        self.cipher
            .decrypt(Nonce::from_slice(&nonce), sealed.as_slice())
            .ok()
    }

    fn file(&mut self) -> io::Result<&mut (u64, File, u64)> {
        if self.writing.is_none() {
            let number = self.files.back().map_or(1, |(number, _)| number + 1);
            let mut file = OpenOptions::new()
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(self.path(number))?;
            file.write_all(MAGIC)?;
            self.files.push_back((number, 8));
            self.writing = Some((number, file, 8));
        }
        self.writing
            .as_mut()
            .ok_or_else(|| io::Error::other("no spool file"))
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:012}.spool"))
    }
}

#[cfg(test)]
mod tests;
