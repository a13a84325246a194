//! Keys at rest: a master key that wraps the site key and one key per month.
//!
//! Enters: the `keys` directory. Leaves: keys in memory, wiped when dropped. Refuses: key files
//! that do not open under the master key. Source: XChaCha20-Poly1305 for wrapping, 24 random octets
//! of nonce. The directory may lie on another disk (a link), so that a backup of the store has no
//! keys.

mod ring;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use model::SiteKey;
use zeroize::Zeroizing;

pub use ring::{RingKey, RingKeys};

use crate::disk;
use crate::error::StoreError;
use crate::frame;

/// What a key file starts with.
const MAGIC: &[u8; 8] = b"VIGIEKEY";
/// Newest version that this program writes and reads.
const VERSION: u32 = 1;
/// Octets of a nonce.
const NONCE_BYTES: usize = 24;

/// A key of 32 octets, wiped when dropped.
pub(super) type Key = Zeroizing<[u8; 32]>;

/// All keys.
pub(crate) struct Keys {
    dir: PathBuf,
    master: Key,
    site: SiteKey,
    months: Mutex<BTreeMap<String, Key>>,
}

impl Keys {
    /// Opens the keys in `dir`, or makes them.
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        disk::make_dir(dir)?;
        restrict(dir)?;
        let master = master(&dir.join("vault.key"))?;
        let site = wrapped_or_new(&dir.join("site.key"), &master, "site")?;
        let site = SiteKey::new(*site);
        Ok(Self {
            dir: dir.to_owned(),
            master,
            site,
            months: Mutex::new(BTreeMap::new()),
        })
    }

    /// The site key of keys that exist and open; nothing is made.
    pub(super) fn existing_site(dir: &Path) -> Option<SiteKey> {
        let (master_path, site_path) = (dir.join("vault.key"), dir.join("site.key"));
        if !master_path.exists() || !site_path.exists() {
            return None;
        }
        let master = master(&master_path).ok()?;
        let site = unwrap(&site_path, &master, "site").ok()?;
        Some(SiteKey::new(*site))
    }

    /// The key that masks and tokenises.
    pub(crate) const fn site(&self) -> &SiteKey {
        &self.site
    }

    /// The key of a month; made when there is none.
    pub(super) fn month_or_new(&self, month: &str) -> Result<Key, StoreError> {
        let mut months = self.months.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = months.get(month) {
            return Ok(key.clone());
        }
        let key = wrapped_or_new(&self.path_of(month), &self.master, month)?;
        while months.len() >= MONTHS_MAX {
            months.pop_first();
        }
        months.insert(month.to_owned(), key.clone());
        Ok(key)
    }

    /// The key of a month; `None` when it was destroyed.
    pub(super) fn month(&self, month: &str) -> Result<Option<Key>, StoreError> {
        let path = self.path_of(month);
        if path.exists() {
            unwrap(&path, &self.master, month).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Overwrites and removes the key of a month.
    pub(super) fn destroy(&self, month: &str) -> Result<(), StoreError> {
        let mut months = self.months.lock().unwrap_or_else(PoisonError::into_inner);
        months.remove(month);
        shred(&self.path_of(month))
    }

    fn path_of(&self, month: &str) -> PathBuf {
        self.dir.join(format!("vault-{month}.key"))
    }
}

/// Seals `plain` under `key`: nonce, then ciphertext.
pub(super) fn seal(key: &Key, plain: &[u8], aad: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0u8; NONCE_BYTES];
    disk::random(&mut nonce)?;
    let sealed = XChaCha20Poly1305::new((&**key).into())
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad })
        .map_err(|_| StoreError::Vault("a value could not be sealed"))?;
    let mut out = nonce.to_vec();
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Opens what [`seal`] made; `None` under another key or when a bit changed.
pub(super) fn unseal(key: &Key, sealed: &[u8], aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    XChaCha20Poly1305::new((&**key).into())
        .decrypt(XNonce::from_slice(nonce), Payload { msg, aad })
        .ok()
        .map(Zeroizing::new)
}

fn master(path: &Path) -> Result<Key, StoreError> {
    if path.exists() {
        let bytes = Zeroizing::new(disk::read(path, 4096)?);
        return key_of(&body(path, &bytes)?);
    }
    let mut key = Key::default();
    disk::random(&mut *key)?;
    store(path, &*key)?;
    Ok(key)
}

fn wrapped_or_new(path: &Path, master: &Key, name: &str) -> Result<Key, StoreError> {
    if path.exists() {
        return unwrap(path, master, name);
    }
    let mut key = Key::default();
    disk::random(&mut *key)?;
    store(path, &seal(master, &*key, name.as_bytes())?)?;
    Ok(key)
}

fn unwrap(path: &Path, master: &Key, name: &str) -> Result<Key, StoreError> {
    let bytes = disk::read(path, 4096)?;
    let opened = unseal(master, &body(path, &bytes)?, name.as_bytes());
    key_of(&opened.ok_or(StoreError::Vault(
        "a key does not open under the master key",
    ))?)
}

fn key_of(bytes: &[u8]) -> Result<Key, StoreError> {
    let octets: [u8; 32] = bytes
        .try_into()
        .map_err(|_| StoreError::Vault("a key has a wrong length"))?;
    Ok(Zeroizing::new(octets))
}

fn store(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let mut bytes = Zeroizing::new(frame::file_head(MAGIC, VERSION, 0));
    bytes.extend_from_slice(content);
    disk::write_atomic(path, &bytes)
}

fn body(path: &Path, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let (version, _) =
        frame::read_file_head(bytes, MAGIC).ok_or(StoreError::Vault("a key file has no header"))?;
    if version > VERSION {
        return Err(StoreError::NewerFormat {
            path: path.to_owned(),
            found: version,
            known: VERSION,
        });
    }
    Ok(Zeroizing::new(
        bytes
            .get(frame::FILE_HEAD_BYTES..)
            .unwrap_or_default()
            .to_vec(),
    ))
}

/// Overwrites and removes a key file.
fn shred(path: &Path) -> Result<(), StoreError> {
    if path.exists() {
        let length = std::fs::metadata(path).map_or(0, |meta| meta.len());
        let zeros = vec![0u8; usize::try_from(length).unwrap_or(0).min(4096)];
        let io = |e| StoreError::io(path, "overwrite", e);
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(io)?;
        std::io::Write::write_all(&mut file, &zeros).map_err(io)?;
        file.sync_all().map_err(io)?;
    }
    disk::remove(path)
}

fn restrict(dir: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
        .map_err(|e| StoreError::io(dir, "restrict", e))
}

/// Most month keys in memory.
const MONTHS_MAX: usize = 16;
