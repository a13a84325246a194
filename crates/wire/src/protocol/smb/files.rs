//! Files: opened, read, written, renamed, deleted, closed.
//!
//! Enters: answers of CREATE, READ, WRITE, SET_INFO and CLOSE. Leaves: `CREATE`, `RENAME`, `DELETE`
//! events, and one `CLOSE` per opened file with its totals, also when its end was not seen but
//! bytes were moved. Refuses: content. Source: [MS-SMB2] sections 2.2.13 to 2.2.22 and 2.2.39.

use model::{Nanos, Sensitive, Text};

use super::body::{self, Change, Create, Created, FileId};
use super::session::{OTHER, SmbSession, ocsf_status, status_text};
use super::state::{File, FileRef, Place};
use crate::protocol::{Context, Draft};

impl File {
    /// A file of which nothing but its place is known.
    pub(super) const fn new(place: Place, now: Nanos) -> Self {
        Self {
            place,
            path: None,
            open_type: None,
            file_bytes: None,
            delete_on_close: false,
            read_bytes: 0,
            write_bytes: 0,
            reads: 0,
            writes: 0,
            last: now,
            tracks: None,
        }
    }
}

impl SmbSession {
    /// A CREATE answer, or its absence (no status).
    pub(super) fn created(
        &mut self,
        time: Nanos,
        (place, status): (Place, Option<u32>),
        create: &Create,
        made: Option<Created>,
        cx: &mut Context<'_>,
    ) {
        let (open_type, activity) = disposition(create.disposition);
        let mut body = self.body("CREATE", place);
        body.file = Some(Sensitive::path(&create.path));
        body.open_type = open_type.map(Text::Borrowed);
        body.file_bytes = made.map(|made| made.file_bytes);
        cx.emit(with_status(Draft::new(time, activity, body), status));
        if let Some(made) = made {
            let file = File {
                path: Some(create.path.clone()),
                open_type,
                file_bytes: Some(made.file_bytes),
                delete_on_close: create.delete_on_close,
                ..File::new(place, time)
            };
            self.open_pipe(place, made.file, create, cx);
            self.open(made.file, file, cx);
        }
    }

    /// Notes an open file; the one that has to go for it is told.
    pub(super) fn open(&mut self, id: FileId, file: File, cx: &mut Context<'_>) {
        if let Some((old, gone)) = self.files.put(id, file) {
            cx.anomaly(if old == id {
                "smb-file-id-reused"
            } else {
                "smb-files-limit"
            });
            self.tell_unclosed(gone, cx);
        }
    }

    /// A READ (or WRITE) answer.
    pub(super) fn moved(
        &mut self,
        place: Place,
        status: u32,
        file: FileRef,
        body: &[u8],
        read: bool,
        cx: &mut Context<'_>,
    ) {
        if ocsf_status(status) != 1 {
            let file = self.id(file).and_then(|id| self.files.at_mut(id));
            if let Some(tracks) = file.and_then(|file| file.tracks.as_mut()).filter(|_| !read) {
                tracks.spoil_write("refused");
            }
            return;
        }
        let Some(id) = self.id(file) else {
            return;
        };
        if self.files.at(id).is_none() {
            self.open(id, File::new(place, cx.now), cx);
        }
        let bytes = u64::from(body::moved(body).unwrap_or(0));
        if let Some(file) = self.files.at_mut(id) {
            let (total, count) = if read {
                (&mut file.read_bytes, &mut file.reads)
            } else {
                (&mut file.write_bytes, &mut file.writes)
            };
            *total = total.saturating_add(bytes);
            *count = count.saturating_add(1);
            file.last = cx.now;
        }
    }

    /// A SET_INFO answer, or its absence (no status).
    pub(super) fn changed(
        &mut self,
        (time, status): (Nanos, Option<u32>),
        place: Place,
        file: FileRef,
        change: &Change,
        cx: &mut Context<'_>,
    ) {
        let id = self.id(file);
        let known = id.and_then(|id| self.files.at(id));
        let path = known.and_then(|file| file.path.clone());
        let done = status == Some(0);
        let command = match change {
            Change::Rename(_) => "RENAME",
            Change::Delete(true) => "DELETE",
            // Taking a deletion back is no event, but must be known at close.
            Change::Delete(false) => "",
        };
        if let Some(file) = id.and_then(|id| self.files.at_mut(id)).filter(|_| done) {
            match change {
                Change::Rename(to) => file.path = Some(to.clone()),
                // Its event stands: none is due at close.
                Change::Delete(_) => file.delete_on_close = false,
            }
        }
        if command.is_empty() {
            return;
        }
        let mut body = self.body(command, place);
        body.file = path.map(|path| Sensitive::path(&path));
        if let Change::Rename(to) = change {
            body.renamed_to = Some(Sensitive::path(to));
        }
        cx.emit(with_status(Draft::new(time, OTHER, body), status));
    }

    /// A CLOSE answer.
    pub(super) fn closed(
        &mut self,
        (time, status): (Nanos, u32),
        place: Place,
        file: FileRef,
        body: &[u8],
        cx: &mut Context<'_>,
    ) {
        let id = self.id(file);
        id.into_iter().for_each(|id| self.pipes.close(id, cx));
        let known = id.and_then(|id| self.files.take(id));
        if known.is_none() && status != 0 {
            return;
        }
        let mut file = known.unwrap_or_else(|| File::new(place, time));
        file.file_bytes = body::close_response(body).or(file.file_bytes);
        if file.delete_on_close && status == 0 {
            let mut body = self.body("DELETE", file.place);
            body.file = file.path.as_deref().map(Sensitive::path);
            cx.emit(with_status(Draft::new(time, OTHER, body), Some(status)));
        }
        self.tell_closed(time, file, Some(status), cx);
    }

    /// The session or the share is left: its open files are told.
    pub(super) fn leave(&mut self, place: Place, cx: &mut Context<'_>) {
        let here = |of: &Place| {
            of.session == place.session && (place.tree.is_none() || of.tree == place.tree)
        };
        for (id, file) in self.files.take_if(|_, file| here(&file.place)) {
            self.pipes.close(id, cx);
            self.tell_unclosed(file, cx);
        }
        let same = |(session, tree): &(u64, u32)| {
            *session == place.session && place.tree.is_none_or(|left| left == *tree)
        };
        self.trees.take_if(|key, _| same(key));
    }

    /// Tells of a file whose CLOSE was not seen, if anything was read or written.
    pub(super) fn tell_unclosed(&mut self, file: File, cx: &mut Context<'_>) {
        if file.reads > 0 || file.writes > 0 || file.tracks.is_some() {
            self.tell_closed(file.last, file, None, cx);
        }
    }

    fn tell_closed(
        &mut self,
        time: Nanos,
        mut file: File,
        status: Option<u32>,
        cx: &mut Context<'_>,
    ) {
        let counted = file.tracks.as_ref().map_or(0, |tracks| tracks.counted);
        self.track_bytes = self.track_bytes.saturating_sub(counted);
        let mut body = self.body("CLOSE", file.place);
        body.file = file.path.as_deref().map(Sensitive::path);
        body.open_type = file.open_type.map(Text::Borrowed);
        body.file_bytes = file.file_bytes;
        body.read_bytes = Some(file.read_bytes);
        body.write_bytes = Some(file.write_bytes);
        body.reads = Some(file.reads);
        body.writes = Some(file.writes);
        file.tell_content(&mut body, cx);
        cx.emit(with_status(Draft::new(time, OTHER, body), status));
    }

    pub(super) fn id(&self, file: FileRef) -> Option<FileId> {
        match file {
            FileRef::Id(id) => Some(id),
            FileRef::OpenedBy(message) => self.chained.at(message).copied(),
        }
    }
}

fn with_status(draft: Draft, status: Option<u32>) -> Draft {
    match status {
        Some(status) => draft.status(ocsf_status(status), Some(status_text(status))),
        None => draft,
    }
}

/// Name and OCSF activity of a create disposition.
const fn disposition(disposition: u32) -> (Option<&'static str>, u16) {
    match disposition {
        0 => (Some("supersede"), 1),
        1 => (Some("open"), 2),
        2 => (Some("create"), 3),
        3 => (Some("open_if"), 4),
        4 => (Some("overwrite"), 5),
        5 => (Some("overwrite_if"), 6),
        _ => (None, OTHER),
    }
}
