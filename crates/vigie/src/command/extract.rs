//! `vigie read --extract-files`: the files that passed, written into a folder.
//!
//! Enters: files as they stream by. Leaves: each under the SHA-256 of what was seen of it, and
//! `manifest.jsonl`, one line a file. Both hold clear values: the folder is for its owner alone.
//! Refuses: a folder that others may read; more than [`FILES_MAX`] files, which are counted.
//! Source: `DESIGN.md` section 1 (privacy), `docs/adr/0008-files-are-typed-not-hashed.md`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use serde_json::json;
use wire::file::{FileObserver, FileSink, Meta, Outcome};
use wire::protocol::{Draft, Side};

use crate::exit::Usage;
use crate::output::say;
use crate::time::rfc3339;

/// Most files of one run.
const FILES_MAX: u64 = 1_000_000;
/// Name of the list of files.
const MANIFEST: &str = "manifest.jsonl";

/// Writes every file into one folder.
pub(crate) struct Extract {
    dir: PathBuf,
    state: Arc<Mutex<State>>,
}

struct State {
    manifest: BufWriter<File>,
    begun: u64,
    written: u64,
    refused: u64,
    error: Option<io::Error>,
}

impl Extract {
    /// Opens the folder, which is made when it is absent.
    ///
    /// # Errors
    /// [`Usage`] when it cannot be made or others may read it.
    pub(crate) fn open(dir: &Path) -> Result<Arc<Self>> {
        let wrong = |why: String| Usage(format!("--extract-files {}: {why}", dir.display()));
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir);
        made.map_err(|error| wrong(error.to_string()))?;
        let mode = fs::metadata(dir).map_err(|error| wrong(error.to_string()))?;
        let mode = mode.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(wrong(format!(
                "others may read it (mode {mode:o}) and what is written are clear values; chmod \
                 700 it, or name a new folder"
            ))
            .into());
        }
        let manifest = private().append(true).create(true).open(dir.join(MANIFEST));
        let manifest = manifest.map_err(|error| wrong(error.to_string()))?;
        say(&format!(
            "vigie: {}: files are written as they crossed the wire, patients' and staff's data in \
             clear; keep them as you keep the capture",
            dir.display()
        ));
        Ok(Arc::new(Self {
            dir: dir.to_owned(),
            state: Arc::new(Mutex::new(State {
                manifest: BufWriter::new(manifest),
                begun: 0,
                written: 0,
                refused: 0,
                error: None,
            })),
        }))
    }

    /// Writes what is left and says what was done.
    ///
    /// # Errors
    /// The first failure to write.
    pub(crate) fn finish(&self) -> Result<()> {
        let Ok(mut state) = self.state.lock() else {
            anyhow::bail!("writing files was broken off");
        };
        state.manifest.flush()?;
        let (written, refused) = (state.written, state.refused);
        let dir = self.dir.display();
        say(&format!(
            "vigie: {dir}: {written} files, listed in {MANIFEST}; equal ones are kept once"
        ));
        if refused > 0 {
            say(&format!(
                "vigie: {dir}: {refused} files were left out: {FILES_MAX} are the limit of one run"
            ));
        }
        match state.error.take() {
            Some(error) => Err(anyhow::anyhow!("{dir}: {error}; some files are not whole")),
            None => Ok(()),
        }
    }
}

impl FileObserver for Extract {
    fn begin(&self, meta: &Meta<'_>) -> Option<Box<dyn FileSink>> {
        let Ok(mut state) = self.state.lock() else {
            return None;
        };
        if state.begun >= FILES_MAX {
            state.refused += 1;
            return None;
        }
        state.begun += 1;
        let path = self
            .dir
            .join(format!(".{}-{}.part", std::process::id(), state.begun));
        let file = match private().write(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(error) => {
                state.error.get_or_insert(error);
                return None;
            }
        };
        let [client, server] = meta.hosts;
        let [client_port, server_port] = meta.ports;
        let ends = [
            format!("{client}:{client_port}"),
            format!("{server}:{server_port}"),
        ];
        let [from, to] = match meta.sender {
            Side::Client => ends,
            Side::Server => {
                let [client, server] = ends;
                [server, client]
            }
        };
        Some(Box::new(One {
            file: BufWriter::new(file),
            path,
            dir: self.dir.clone(),
            state: Arc::clone(&self.state),
            error: None,
            line: json!({
                "time": rfc3339(meta.time.millis()), "protocol": meta.protocol,
                "from": from, "to": to, "stated_mime": meta.mime, "name": meta.name,
            }),
        }))
    }
}

/// One file being written.
struct One {
    file: BufWriter<File>,
    path: PathBuf,
    dir: PathBuf,
    state: Arc<Mutex<State>>,
    error: Option<io::Error>,
    line: serde_json::Value,
}

impl FileSink for One {
    fn chunk(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.error = self.file.write_all(bytes).err();
        }
    }

    fn end(mut self: Box<Self>, outcome: &Outcome<'_>, _: &mut Vec<Draft>) {
        let name: String = outcome
            .seen_sha256
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        if let Some(line) = self.line.as_object_mut() {
            line.insert("sha256".to_owned(), json!(name));
            line.insert("bytes".to_owned(), json!(outcome.bytes));
            line.insert("type".to_owned(), json!(outcome.kind.name));
            line.insert("mime".to_owned(), json!(outcome.kind.mime));
            line.insert("state".to_owned(), json!(outcome.state.text()));
            if let Some(known) = outcome.name {
                line.insert("name".to_owned(), json!(known));
            }
        }
        let done = self.error.take().map_or(Ok(()), Err);
        let done = done.and_then(|()| self.file.flush());
        let done = done.and_then(|()| fs::rename(&self.path, self.dir.join(&name)));
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        let listed = done.and_then(|()| writeln!(state.manifest, "{}", self.line));
        match listed {
            Ok(()) => state.written += 1,
            Err(error) => {
                state.error.get_or_insert(error);
            }
        }
    }
}

impl Drop for One {
    /// What never ended leaves nothing behind; after `end` there is nothing of this name.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Opens for the owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(test)]
mod tests;
