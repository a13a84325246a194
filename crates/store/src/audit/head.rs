//! The sealed head of the audit trail: how many lines there are, and the last one's hash.
//!
//! Enters: count and hash after each append. Leaves: one of two records, written in turn and
//! synced, each under a key derived from the site's. Refuses: records whose seal does not fit; a
//! torn one is such, and the other then holds the state before. Source: own format, version 1: 2
//! records of 512 octets = `magic[8] serial count lost rewritten missing:u64 hash[64] mac[32]`,
//! little-endian.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use model::SiteKey;
use zeroize::Zeroizing;

use super::Verified;
use crate::disk;
use crate::error::StoreError;

/// What a record starts with; its last octet is the version.
const MAGIC: &[u8; 8] = b"VIGIEAH\x01";
/// Octets of a record on disk: a sector, so that one write does not tear the other.
const RECORD_BYTES: usize = 512;
/// Octets of a hash in hexadecimal.
const HASH_BYTES: usize = 64;
/// Where the numbers end.
const NUMBERS_END: usize = MAGIC.len() + 5 * 8;
/// Where the seal stands.
const MAC_AT: usize = NUMBERS_END + HASH_BYTES;
/// Octets of a seal.
const MAC_BYTES: usize = 32;

/// The key of marks and heads.
pub(super) struct Seal(Zeroizing<[u8; 32]>);

impl Seal {
    pub(super) fn new(key: &SiteKey) -> Self {
        let derived = blake3::derive_key("vigie 2026-11 audit trail seal", key.octets());
        Self(Zeroizing::new(derived))
    }

    /// The mark of a line.
    pub(super) fn mark(&self, n: u64, hash: &str) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"line");
        hasher.update(&n.to_le_bytes());
        hasher.update(hash.as_bytes());
        hasher.finalize().to_hex().to_string()
    }

    fn of_record(&self, record: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"head");
        hasher.update(record);
        hasher.finalize()
    }
}

/// The head.
pub(super) struct Head {
    path: PathBuf,
    file: File,
    serial: u64,
    /// Entries.
    pub(super) count: u64,
    /// Entries that were counted once and gone at a start, in all.
    pub(super) lost: u64,
    /// Entry that stood in the head and was another one at a start; 0 for none.
    pub(super) rewritten: u64,
    /// Starts that found no head where one had to be.
    pub(super) missing: u64,
    /// Hash of the last line.
    pub(super) hash: String,
}

impl Head {
    /// Opens the head in `dir`, or makes one; true when it was there and is this site's.
    pub(super) fn open(dir: &Path, seal: &Seal) -> Result<(Self, bool), StoreError> {
        let path = dir.join("trail.head");
        if !path.exists() {
            disk::write_atomic(&path, &[0; 2 * RECORD_BYTES])?;
        }
        let bytes = disk::read(&path, 2 * RECORD_BYTES as u64)?;
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(|e| StoreError::io(&path, "open", e))?;
        let newest = bytes
            .chunks(RECORD_BYTES)
            .filter_map(|record| read(record, seal))
            .max_by_key(|record| record.numbers[0]);
        let known = newest.is_some();
        let Record { numbers, hash } = newest.unwrap_or_default();
        let [serial, count, lost, rewritten, missing] = numbers;
        let head = Self {
            path,
            file,
            serial,
            count,
            lost,
            rewritten,
            missing,
            hash,
        };
        Ok((head, known))
    }

    /// Writes the next record; it is on disk when this returns.
    pub(super) fn write(&mut self, seal: &Seal) -> Result<(), StoreError> {
        self.serial += 1;
        let mut record = MAGIC.to_vec();
        let numbers = [
            self.serial,
            self.count,
            self.lost,
            self.rewritten,
            self.missing,
        ];
        numbers
            .iter()
            .for_each(|number| record.extend_from_slice(&number.to_le_bytes()));
        record.extend_from_slice(self.hash.as_bytes());
        record.resize(MAC_AT, 0);
        let mac = seal.of_record(&record);
        record.extend_from_slice(mac.as_bytes());
        record.resize(RECORD_BYTES, 0);
        let at = (self.serial % 2) * RECORD_BYTES as u64;
        self.file
            .write_all_at(&record, at)
            .and_then(|()| self.file.sync_data())
            .map_err(|e| StoreError::io(&self.path, "write", e))
    }

    /// What the head knows to be wrong, with `entries` in the file.
    pub(super) const fn told(&self, entries: u64) -> Option<Verified> {
        if self.lost > 0 {
            let lost = self.lost;
            Some(Verified::Truncated { entries, lost })
        } else if self.rewritten > 0 {
            // Entries begin on the second line.
            Some(Verified::Broken(self.rewritten + 1))
        } else if self.missing > 0 {
            Some(Verified::HeadLost(entries))
        } else {
            None
        }
    }
}

#[derive(Default)]
struct Record {
    numbers: [u64; 5],
    hash: String,
}

/// A record whose seal fits.
fn read(record: &[u8], seal: &Seal) -> Option<Record> {
    let (sealed, rest) = record.split_at_checked(MAC_AT)?;
    let mac = blake3::Hash::from_slice(rest.get(..MAC_BYTES)?).ok()?;
    // The comparison of hashes is in constant time.
    if !sealed.starts_with(MAGIC) || seal.of_record(sealed) != mac {
        return None;
    }
    let mut out = Record::default();
    let (numbers, hash) = sealed.get(MAGIC.len()..)?.split_at_checked(5 * 8)?;
    for (number, octets) in out.numbers.iter_mut().zip(numbers.chunks_exact(8)) {
        *number = u64::from_le_bytes(octets.try_into().ok()?);
    }
    out.hash = std::str::from_utf8(hash)
        .ok()?
        .trim_end_matches('\0')
        .to_owned();
    Some(out)
}
