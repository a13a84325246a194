//! Why the store could not do something.
//!
//! Enters: causes. Leaves: one variant per cause that an operator can tell apart, each with a
//! stable code. Refuses: values of events in messages. Source: `STYLE.md` rules 18 to 21.

use std::io;
use std::path::{Path, PathBuf};

/// A failure at the border of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused an operation on a file.
    #[error("{path}: cannot {action}: {source}")]
    Io {
        /// On which file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The disk is full and no segment was left to give up; nothing was acknowledged.
    #[error("disk full at {path}: events were not acknowledged; free space or lower the retention")]
    DiskFull {
        /// Where.
        path: PathBuf,
    },
    /// Sealing is so far behind that the memory for unsealed events is used up.
    #[error(
        "sealing is behind: {unsealed} bytes are not sealed, {most} are allowed; events were \
             not acknowledged and may be sent again; check the disk's speed"
    )]
    Behind {
        /// Bytes of the log that are not sealed.
        unsealed: u64,
        /// Most bytes.
        most: u64,
    },
    /// A file is damaged where the store cannot go on without it.
    #[error("{path}: damaged at byte {offset}: {what}; restore it from a backup")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A file was written by a newer Vigie.
    #[error("{path}: format version {found}, this program reads up to {known}; upgrade vigie")]
    NewerFormat {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest that this program reads.
        known: u32,
    },
    /// Another program holds this store.
    #[error("{path}: in use by another process; stop it or use another data directory")]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// Columns could not be built or read.
    #[error("columns: {0}")]
    Columns(String),
    /// A key or a sealed value could not be opened.
    #[error("vault: {0}")]
    Vault(&'static str),
    /// The audit trail could not be written: the action was not taken.
    #[error("audit trail: {0}")]
    Audit(String),
    /// The catalog moved on since the change was prepared.
    #[error("catalog: expected version {expected}, found {found}")]
    Conflict {
        /// Version that the change was made for.
        expected: u64,
        /// Version now.
        found: u64,
    },
    /// A replay in this batch is purged in this very moment; sent again, the batch is taken
    /// without it.
    #[error("a replay of this batch is being purged: send the batch again")]
    Purging,
    /// The store is shutting down or its log thread ended.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// A stable code for interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::DiskFull { .. } => "disk_full",
            Self::Behind { .. } => "behind",
            Self::Damaged { .. } => "damaged",
            Self::NewerFormat { .. } => "newer_format",
            Self::InUse { .. } => "in_use",
            Self::Columns(_) => "columns",
            Self::Vault(_) => "vault",
            Self::Audit(_) => "audit",
            Self::Conflict { .. } => "conflict",
            Self::Purging => "purging",
            Self::Closed => "closed",
        }
    }

    /// True when the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::DiskFull { .. }
                | Self::Behind { .. }
                | Self::Io { .. }
                | Self::Conflict { .. }
                | Self::Purging
        )
    }

    /// An input or output failure, told apart from a full disk.
    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        if is_full(&source) {
            Self::DiskFull {
                path: path.to_owned(),
            }
        } else {
            Self::Io {
                path: path.to_owned(),
                action,
                source,
            }
        }
    }
}

/// True for "no space left" and "quota exceeded".
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

impl From<datafusion::arrow::error::ArrowError> for StoreError {
    fn from(error: datafusion::arrow::error::ArrowError) -> Self {
        Self::Columns(error.to_string())
    }
}

impl From<datafusion::parquet::errors::ParquetError> for StoreError {
    fn from(error: datafusion::parquet::errors::ParquetError) -> Self {
        Self::Columns(error.to_string())
    }
}

impl From<datafusion::error::DataFusionError> for StoreError {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Columns(error.to_string())
    }
}
