//! Where the files of the UI are: in the binary, or in a folder.
//!
//! Enters: a path of plain names. Leaves: bytes. Refuses: links that lead out of the folder, files
//! beyond `limit::FILE_BYTES_MAX`.
//! Source: the HTTP contract, `openapi.json`.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use crate::limit::FILE_BYTES_MAX;
use crate::state::Settings;

#[cfg(feature = "embed-ui")]
#[derive(rust_embed::RustEmbed)]
#[folder = "ui-dist"]
#[allow_missing = true]
struct Embedded;

/// The files of the UI.
pub(super) enum Files {
    /// Of a folder, made canonical.
    Folder(PathBuf),
    /// Of the binary.
    #[cfg(feature = "embed-ui")]
    Embedded,
}

impl Files {
    /// The folder of the settings when it holds a UI, else what the binary holds; `None`: neither.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        let folder = settings
            .ui_dir
            .as_ref()
            .and_then(|dir| dir.canonicalize().ok());
        if let Some(folder) = folder.filter(|folder| folder.join("index.html").is_file()) {
            return Some(Self::Folder(folder));
        }
        Self::embedded()
    }

    #[cfg(feature = "embed-ui")]
    fn embedded() -> Option<Self> {
        Embedded::get("index.html").map(|_| Self::Embedded)
    }

    #[cfg(not(feature = "embed-ui"))]
    const fn embedded() -> Option<Self> {
        None
    }

    /// The bytes of a file; `None` when there is none.
    pub(super) fn read(&self, path: &str) -> Option<Vec<u8>> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(path).canonicalize().ok()?;
                if !path.starts_with(folder) || !path.is_file() {
                    return None;
                }
                let mut bytes = Vec::new();
                let mut file = File::open(path).ok()?.take(FILE_BYTES_MAX + 1);
                file.read_to_end(&mut bytes).ok()?;
                let length = u64::try_from(bytes.len()).ok()?;
                (length <= FILE_BYTES_MAX).then_some(bytes)
            }
            #[cfg(feature = "embed-ui")]
            Self::Embedded => Embedded::get(path).map(|file| file.data.into_owned()),
        }
    }
}
