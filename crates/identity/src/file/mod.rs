//! The state file of accounts: versioned JSON, replaced whole, readable by its owner only.
//!
//! Enters: accounts. Leaves: accounts. Refuses: other format versions, files beyond
//! `limit::FILE_BYTES_MAX`, files that others may read. A crash leaves the old file or the new one.
//! Source: OWASP ASVS 4.0, chapters 2 and 3.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::account::Account;
use crate::limit::{ACCOUNTS_MAX, FILE_BYTES_MAX};

/// Why the state file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file could not be read.
    #[error("accounts file {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what this version writes.
    #[error("accounts file {path}: {why}; restore it from a backup or upgrade Vigie")]
    Format {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Other users of this machine may read the file.
    #[error("accounts file {path}: others may read it (mode {mode:o}); run chmod 600")]
    Mode {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Accounts by name.
pub(crate) type Accounts = BTreeMap<String, Account>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Format1 {
    format: u32,
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
struct AnyFormat {
    format: u32,
}

/// The accounts of the file; none when it does not exist.
pub(crate) fn load(path: &Path) -> Result<Accounts, OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let wrong = |why: String| OpenError::Format {
        path: path.to_owned(),
        why,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Accounts::new()),
        Err(error) => return Err(io(error)),
    };
    let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(OpenError::Mode {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(io)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(wrong("too long".to_owned()));
    }
    let any: AnyFormat = serde_json::from_str(&text).map_err(|error| wrong(place(&error)))?;
    if any.format != FORMAT {
        return Err(wrong(format!("format {} is not known", any.format)));
    }
    let format: Format1 = serde_json::from_str(&text).map_err(|error| wrong(place(&error)))?;
    if format.accounts.len() > ACCOUNTS_MAX {
        return Err(wrong("too many accounts".to_owned()));
    }
    let by_name = format.accounts.into_iter().map(|a| (a.name.clone(), a));
    Ok(by_name.collect())
}

/// Replaces the file: on disk when this returns.
pub(crate) fn save(path: &Path, accounts: &Accounts) -> io::Result<()> {
    let format = Format1 {
        format: FORMAT,
        accounts: accounts.values().cloned().collect(),
    };
    let text = Zeroizing::new(serde_json::to_vec_pretty(&format)?);
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)?;
    file.write_all(&text)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&part, path)?;
    let folder = path.parent().filter(|parent| *parent != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Where a JSON text is wrong, without quoting it: it holds hashes.
fn place(error: &serde_json::Error) -> String {
    format!(
        "not valid at line {} column {}",
        error.line(),
        error.column()
    )
}

/// The version that this code writes.
const FORMAT: u32 = 1;

#[cfg(test)]
mod tests;
