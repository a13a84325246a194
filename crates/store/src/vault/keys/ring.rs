//! Keys of the packet ring: one a month, beside the vault's.
//!
//! Enters: months. Leaves: keys that seal parts of blocks; destroying one destroys the month's
//! packets. Refuses: key files that are none. The sensor makes them and runs without core: they are
//! not wrapped under the vault's master key, which only core may make; the folder keeps both.
//! Source: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03); NIST SP 800-88.

use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{AeadInPlace as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use model::Millis;
use zeroize::Zeroizing;

use super::{Key, body, key_of, restrict, shred, store};
use crate::disk;
use crate::error::StoreError;
use crate::segment::layout::month_text;

/// Where the identity of a key is derived from it: says nothing of the key.
const ID_CONTEXT: &str = "vigie 2026-11 identity of a packet ring key";

/// The keys of one data folder's ring.
pub struct RingKeys {
    dir: PathBuf,
}

/// One month's key, ready to use.
pub struct RingKey {
    month: u32,
    id: u64,
    cipher: XChaCha20Poly1305,
}

impl RingKeys {
    /// The keys below the data folder.
    ///
    /// # Errors
    /// The folder of keys can neither be used nor made.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let dir = root.join("keys");
        disk::make_dir(&dir)?;
        restrict(&dir)?;
        Ok(Self { dir })
    }

    /// The key of the month of `now`; made when there is none.
    ///
    /// # Errors
    /// It can neither be read nor made.
    pub fn present(&self, now: Millis) -> Result<RingKey, StoreError> {
        let month = month_text(now.0);
        let path = self.path_of(&month);
        if !path.exists() {
            let mut key = Key::default();
            disk::random(&mut *key)?;
            store(&path, &*key)?;
        }
        read(&path, number_of(&month))
    }

    /// The key of a month (202611) that blocks name; `None` when it was destroyed.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn of(&self, month: u32, id: u64) -> Result<Option<RingKey>, StoreError> {
        let path = self.path_of(&format!("{:04}-{:02}", month / 100, month % 100));
        if !path.exists() {
            return Ok(None);
        }
        let key = read(&path, month)?;
        Ok((key.id == id).then_some(key))
    }

    /// Overwrites and removes the key of a month ("2026-11"), if there is one; the number that its
    /// blocks name it by.
    ///
    /// # Errors
    /// The disk refused.
    pub fn destroy(&self, month: &str) -> Result<u32, StoreError> {
        shred(&self.path_of(month))?;
        Ok(number_of(month))
    }

    /// Destroys the keys of months that ended before the month of `limit`.
    ///
    /// # Errors
    /// The disk refused.
    pub fn expire(&self, limit: Millis) -> Result<(), StoreError> {
        let oldest = month_text(limit.0);
        for name in disk::names(&self.dir)? {
            let month = name
                .strip_prefix("ring-")
                .and_then(|rest| rest.strip_suffix(".key"));
            if month.is_some_and(|month| month < oldest.as_str()) {
                shred(&self.dir.join(&name))?;
            }
        }
        Ok(())
    }

    /// Fills `out` with random octets.
    ///
    /// # Errors
    /// The system gives none.
    pub fn random(&self, out: &mut [u8]) -> Result<(), StoreError> {
        disk::random(out)
    }

    fn path_of(&self, month: &str) -> PathBuf {
        self.dir.join(format!("ring-{month}.key"))
    }
}

impl RingKey {
    /// Its month as year times 100 plus month.
    #[must_use]
    pub const fn month(&self) -> u32 {
        self.month
    }

    /// Tells it from another key of the same month.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Seals `text` in place, about `about`.
    ///
    /// # Errors
    /// The text is too long to be sealed.
    pub fn seal(
        &self,
        nonce: &[u8; 24],
        about: &[u8],
        text: &mut Vec<u8>,
    ) -> Result<(), StoreError> {
        self.cipher
            .encrypt_in_place(XNonce::from_slice(nonce), about, text)
            .map_err(|_| StoreError::Vault("packets could not be sealed"))
    }

    /// Opens in place what [`RingKey::seal`] made; false when a bit changed.
    pub fn unseal(&self, nonce: &[u8; 24], about: &[u8], sealed: &mut Vec<u8>) -> bool {
        self.cipher
            .decrypt_in_place(XNonce::from_slice(nonce), about, sealed)
            .is_ok()
    }
}

fn read(path: &Path, month: u32) -> Result<RingKey, StoreError> {
    let bytes = Zeroizing::new(disk::read(path, 4096)?);
    let key = key_of(&body(path, &bytes)?)?;
    let id = blake3::derive_key(ID_CONTEXT, &*key);
    let id = id.first_chunk().copied().unwrap_or_default();
    Ok(RingKey {
        month,
        id: u64::from_le_bytes(id),
        cipher: XChaCha20Poly1305::new((&*key).into()),
    })
}

/// "2026-11" as 202611; 0 for what is no month.
fn number_of(month: &str) -> u32 {
    let digits: String = month.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests;
