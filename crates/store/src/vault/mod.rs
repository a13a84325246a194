//! The vault: clear values, encrypted, apart from the events that they were taken out of.
//!
//! Enters: clear values by event and column. Leaves: the same, one event at a time, after the audit
//! trail has recorded who asked and why. Refuses: openings without a reason; months whose key was
//! destroyed. Limits: [`FILE_BYTES_MAX`] a file.
//! Source: `DESIGN.md` section 1; XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03); NIST SP 800-88
//! (cryptographic erase).

mod index;
mod keys;
mod pages;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::port::AuditEntry;
use model::{EventUid, Millis, SiteKey};

use crate::audit::Trail;
use crate::disk;
use crate::error::StoreError;
use crate::frame;
use crate::segment::layout::{day_text, month_text};
use index::Indexes;
pub(crate) use keys::Keys;
pub use keys::{RingKey, RingKeys};

/// Longest vault file; the next one is begun then.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Newest format that this program writes and reads.
pub const VERSION: u32 = 1;

/// Clear values of one event: column and value.
pub type ClearValues = Vec<(&'static str, Box<str>)>;

/// The clear values of one event on their way in.
#[derive(Clone, Debug)]
pub(crate) struct Clear {
    /// Of which event.
    pub(crate) uid: EventUid,
    /// When it was recorded, milliseconds.
    pub(crate) logged_ms: i64,
    /// The replay that it belongs to.
    pub(crate) replay: Option<Box<str>>,
    /// What was masked.
    pub(crate) values: ClearValues,
}

/// The vault of one store.
pub struct Vault {
    dir: PathBuf,
    keys: Keys,
    trail: Arc<Trail>,
    writer: Mutex<BTreeMap<Place, Page>>,
    indexes: Mutex<Indexes>,
}

/// Month, and what the files of a replay start with.
type Place = (String, Option<String>);

struct Page {
    path: PathBuf,
    file: File,
    bytes: u64,
    broken: bool,
}

/// Who opens what, and why.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// Account or `local:root`.
    pub actor: &'a str,
    /// Reason given; never empty.
    pub reason: &'a str,
    /// Now.
    pub now: Millis,
}

impl Vault {
    /// Opens the vault below the store's directory, or begins one.
    ///
    /// # Errors
    /// Failures of the disk.
    pub(crate) fn open(root: &Path, keys: Keys, trail: Arc<Trail>) -> Result<Self, StoreError> {
        let dir = root.join("vault");
        disk::make_dir(&dir)?;
        Ok(Self {
            dir,
            keys,
            trail,
            writer: Mutex::new(BTreeMap::new()),
            indexes: Mutex::new(Indexes::default()),
        })
    }

    /// The key of a store that exists; nothing is made.
    #[must_use]
    pub fn existing_site_key(root: &Path) -> Option<SiteKey> {
        Keys::existing_site(&root.join("keys"))
    }

    /// The key that masks and tokenises at the store's door.
    #[must_use]
    pub fn site_key(&self) -> &SiteKey {
        self.keys.site()
    }

    /// Keeps clear values; on disk when it returns.
    pub(crate) fn keep(&self, values: &[Clear]) -> Result<(), StoreError> {
        let mut places: BTreeMap<Place, Vec<&Clear>> = BTreeMap::new();
        for value in values {
            let place = (
                month_text(value.logged_ms),
                value.replay.as_deref().map(prefix),
            );
            places.entry(place).or_default().push(value);
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, values) in places {
            let key = self.keys.month_or_new(&place.0)?;
            let payload = pages::seal(&key, &place.0, &values)?;
            let mut bytes = Vec::new();
            if !frame::push(&mut bytes, pages::KIND_VALUES, &[&payload]) {
                return Err(StoreError::Vault("too many clear values at once"));
            }
            let day = values
                .first()
                .map_or_else(String::new, |value| day_text(value.logged_ms));
            self.append(&mut writer, &place, &day, &bytes)?;
        }
        Ok(())
    }

    fn append(
        &self,
        pages: &mut BTreeMap<Place, Page>,
        place: &Place,
        day: &str,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let full = |page: &Page| page.broken || page.bytes + bytes.len() as u64 > FILE_BYTES_MAX;
        if pages.get(place).is_none_or(full) {
            let (month, prefix) = place;
            let page = Page::create(&self.dir.join(month), prefix.as_deref(), day)?;
            pages.insert(place.clone(), page);
        }
        while pages.len() > OPEN_FILES_MAX {
            let Some(other) = pages.keys().find(|other| *other != place).cloned() else {
                break;
            };
            pages.remove(&other);
        }
        let Some(page) = pages.get_mut(place) else {
            return Err(StoreError::Vault("too many months at once"));
        };
        if let Err((error, whole)) = disk::append(&mut page.file, page.bytes, bytes) {
            page.broken = !whole;
            return Err(StoreError::io(&page.path, "append", error));
        }
        page.bytes += bytes.len() as u64;
        Ok(())
    }

    /// The clear values of one event. The opening is in the audit trail before they are read.
    ///
    /// # Errors
    /// No reason; the trail or the vault could not be used; the key was destroyed.
    pub fn reveal(
        &self,
        uid: EventUid,
        opening: &Opening<'_>,
    ) -> Result<Vec<(String, String)>, StoreError> {
        if opening.reason.trim().is_empty() {
            return Err(StoreError::Vault("an opening needs a reason"));
        }
        self.trail.append(&AuditEntry {
            time: opening.now.0,
            actor: opening.actor.to_owned(),
            action: "vault_opened".to_owned(),
            object: format!("event {uid}"),
            reason: opening.reason.to_owned(),
            outcome: "ok".to_owned(),
        })?;
        let mut found: Vec<(String, String)> = Vec::new();
        for month in self.months()? {
            let Some(key) = self.keys.month(&month)? else {
                continue;
            };
            for path in self.pages(&month)? {
                let blocks = self.indexes().candidates(&path, uid)?;
                for block in blocks {
                    for pair in pages::find(&path, block, &key, &month, uid)? {
                        if !found.contains(&pair) {
                            found.push(pair);
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    /// Brings the indexes of the vault's files up to date, so that an opening need not.
    pub(crate) fn index(&self) -> Result<(), StoreError> {
        for month in self.months()? {
            for path in self.pages(&month)? {
                self.indexes().refresh(&path)?;
            }
        }
        Ok(())
    }

    fn pages(&self, month: &str) -> Result<Vec<PathBuf>, StoreError> {
        let dir = self.dir.join(month);
        let names = disk::names(&dir)?;
        let pages = names.iter().filter(|name| name.ends_with(".vlt"));
        Ok(pages.map(|name| dir.join(name)).collect())
    }

    fn indexes(&self) -> MutexGuard<'_, Indexes> {
        self.indexes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Destroys the key of a month ("2026-11") and its values: nobody can read them again.
    ///
    /// # Errors
    /// No reason; the trail or the disk could not be used.
    pub fn destroy(&self, month: &str, opening: &Opening<'_>) -> Result<(), StoreError> {
        if opening.reason.trim().is_empty() {
            return Err(StoreError::Vault("a destruction needs a reason"));
        }
        if !is_month(month) {
            return Err(StoreError::Vault("a month is written as 2026-11"));
        }
        self.trail.append(&AuditEntry {
            time: opening.now.0,
            actor: opening.actor.to_owned(),
            action: "vault_destroyed".to_owned(),
            object: format!("month {month}"),
            reason: opening.reason.to_owned(),
            outcome: "ok".to_owned(),
        })?;
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.retain(|(of, _), _| of != month);
        self.keys.destroy(month)?;
        let dir = self.dir.join(month);
        self.indexes().forget(&dir);
        if dir.is_dir() {
            std::fs::remove_dir_all(&dir).map_err(|e| StoreError::io(&dir, "remove", e))?;
            disk::sync_dir(&self.dir)?;
        }
        Ok(())
    }

    /// Removes the clear values of a replay; how many files went. The trail has the purge already.
    pub(crate) fn forget(&self, replay: &str) -> Result<u64, StoreError> {
        let prefix = prefix(replay);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.retain(|(_, of), _| of.as_ref() != Some(&prefix));
        let mut removed = 0;
        for month in self.months()? {
            let dir = self.dir.join(&month);
            for name in disk::names(&dir)? {
                if name.starts_with(&prefix) {
                    let path = dir.join(&name);
                    disk::remove(&path)?;
                    self.indexes().forget(&path);
                    removed += u64::from(name.ends_with(".vlt"));
                }
            }
        }
        Ok(removed)
    }

    /// Months that hold values, ascending.
    ///
    /// # Errors
    /// The directory could not be read.
    pub fn months(&self) -> Result<Vec<String>, StoreError> {
        let names = disk::names(&self.dir)?;
        Ok(names.into_iter().filter(|name| is_month(name)).collect())
    }

    /// Destroys the months that ended more than `days` days before `now`.
    pub(crate) fn expire(&self, days: u32, now: Millis) -> Result<(), StoreError> {
        let limit = now
            .0
            .saturating_sub(i64::from(days).saturating_mul(86_400_000));
        self.destroy_before(&month_text(limit), "retention of the vault", now)
    }

    /// Destroys the months before `oldest`.
    pub(crate) fn destroy_before(
        &self,
        oldest: &str,
        reason: &str,
        now: Millis,
    ) -> Result<(), StoreError> {
        let months = self.months()?.into_iter();
        for month in months.filter(|month| month.as_str() < oldest) {
            let opening = Opening {
                actor: "system",
                reason,
                now,
            };
            self.destroy(&month, &opening)?;
        }
        Ok(())
    }
}

impl Page {
    fn create(dir: &Path, prefix: Option<&str>, day: &str) -> Result<Self, StoreError> {
        disk::make_dir(dir)?;
        let mut suffix = [0u8; 8];
        disk::random(&mut suffix)?;
        let prefix = prefix.unwrap_or_default();
        let suffix = u64::from_le_bytes(suffix);
        let path = dir.join(format!("{prefix}{day}-{suffix:016x}.vlt"));
        let head = frame::file_head(pages::MAGIC, VERSION, 0);
        let file = begin(&path, &head).inspect_err(|_| {
            // On a full disk even an empty file is one too many.
            let _ = std::fs::remove_file(&path);
        })?;
        disk::sync_dir(dir)?;
        Ok(Self {
            path,
            file,
            bytes: head.len() as u64,
            broken: false,
        })
    }
}

fn begin(path: &Path, head: &[u8]) -> Result<File, StoreError> {
    let mut file = disk::open_private(path)?;
    file.write_all(head)
        .map_err(|e| StoreError::io(path, "write", e))?;
    file.sync_all()
        .map_err(|e| StoreError::io(path, "sync", e))?;
    Ok(file)
}

fn is_month(text: &str) -> bool {
    text.len() == 7
        && text.bytes().enumerate().all(|(at, byte)| {
            if at == 4 {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        })
}

/// What the file names of a replay's values start with: its own files, so that they can go with it.
fn prefix(replay: &str) -> String {
    let hash = blake3::hash(replay.as_bytes()).to_hex();
    format!("replay-{}-", hash.get(..16).unwrap_or_default())
}

/// Most files that stay open for writing.
const OPEN_FILES_MAX: usize = 4;

#[cfg(test)]
mod tests;
