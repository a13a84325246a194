//! The content of files that are read and written.
//!
//! Enters: data of READ answers and WRITE requests, at their offsets. Leaves: the file's fields of
//! its `CLOSE` event. Refuses: pipes; data ahead of its turn beyond [`HELD_BYTES_MAX`] octets or
//! [`HELD_MAX`] pieces (`incomplete: out of order`), octets written twice (`rewritten`), writes in
//! a compound with their CREATE (`unseen`). What is read again is looked at once.
//! Source: [MS-SMB2] sections 2.2.19 to 2.2.22.

use std::collections::BTreeMap;

use codec::bytes::Reader;
use model::class::Smb;

use super::body::FileId;
use super::parser::{HEADER_BYTES, Header, READ};
use super::session::SmbSession;
use super::state::{File, FileRef};
use crate::file::facts::extension;
use crate::file::{Carver, Coding, Meta};
use crate::protocol::{Context, Side};

/// Most octets of one file that wait for those before them.
pub(super) const HELD_BYTES_MAX: usize = 1 << 20;
/// Most pieces of one file that wait.
pub(super) const HELD_MAX: usize = 64;

/// Octets of a message's data that are passing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moving {
    file: FileId,
    read: bool,
    /// Octets before the data.
    lead: u64,
    /// Where in the file the next octet stands.
    at: u64,
    /// Octets of data to come.
    left: u64,
}

/// One direction of one open file.
pub(super) struct Track {
    carver: Carver,
    /// Where the next octet in order stands.
    next: u64,
    held: BTreeMap<u64, Vec<u8>>,
    held_bytes: usize,
}

/// Both directions of one open file.
#[derive(Default)]
pub(super) struct Tracks {
    read: Option<Box<Track>>,
    write: Option<Box<Track>>,
    /// Heap bytes that the session counts for it.
    pub(super) counted: usize,
}

impl Track {
    /// Octets at `at` that should be shown.
    fn wants(&self, at: u64) -> u64 {
        if at < self.next {
            return self.next - at;
        }
        let ahead = at > self.next;
        match self.carver.wants() {
            // Only the head is wanted, and this is not it.
            _ if ahead && !self.carver.looks() => 0,
            0 => 0,
            wants => wants,
        }
    }

    /// Takes octets at `at`.
    fn take(&mut self, at: u64, bytes: &[u8], read: bool) {
        let mut bytes = bytes;
        if at < self.next {
            if !read {
                self.carver.spoil("rewritten");
            }
            let known = usize::try_from(self.next - at).unwrap_or(usize::MAX);
            bytes = bytes.get(known..).unwrap_or(&[]);
        } else if at > self.next {
            return self.hold(at, bytes);
        }
        self.next += to_u64(bytes.len());
        self.carver.bytes(bytes);
        while let Some(held) = self.held.first_entry()
            && *held.key() <= self.next
        {
            let (at, held) = held.remove_entry();
            self.held_bytes -= held.len();
            let known = usize::try_from(self.next - at).unwrap_or(usize::MAX);
            let fresh = held.get(known..).unwrap_or(&[]);
            if known > 0 && !read {
                self.carver.spoil("rewritten");
            }
            self.next += to_u64(fresh.len());
            self.carver.bytes(fresh);
        }
    }

    fn hold(&mut self, at: u64, bytes: &[u8]) {
        let last = self.held.last_key_value();
        let joined = last.filter(|(start, held)| start.saturating_add(to_u64(held.len())) == at);
        let start = joined.map(|(start, _)| *start);
        let places = start.is_some() || self.held.len() < HELD_MAX;
        if places && self.held_bytes + bytes.len() <= HELD_BYTES_MAX {
            self.held_bytes += bytes.len();
            let held = self.held.entry(start.unwrap_or(at)).or_default();
            return held.extend_from_slice(bytes);
        }
        self.carver.spoil("out of order");
        self.held = BTreeMap::new();
        self.held_bytes = 0;
    }

    /// `n` octets at `at` passed unseen.
    fn pass(&mut self, at: u64, n: u64) {
        if at == self.next && self.carver.wants() == 0 {
            self.carver.pass(n);
            self.next += n;
        }
    }
}

impl Tracks {
    const fn of(&mut self, read: bool) -> &mut Option<Box<Track>> {
        if read {
            &mut self.read
        } else {
            &mut self.write
        }
    }

    /// Not all of what is written is seen.
    pub(super) fn spoil_write(&mut self, why: &'static str) {
        if let Some(track) = &mut self.write {
            track.carver.spoil(why);
        }
    }

    /// Heap bytes that it holds.
    fn heap_bytes(&self) -> usize {
        let both = [&self.read, &self.write];
        let tracks = both.into_iter().flatten().map(|track| {
            size_of::<Track>()
                + track.carver.heap_bytes()
                + track.held_bytes * 2
                + track.held.len() * 64
        });
        tracks.sum()
    }
}

impl File {
    /// Writes what is known of its content: what was written, else what was read.
    pub(super) fn tell_content(&mut self, body: &mut Smb, cx: &mut Context<'_>) {
        body.file_ext = self.path.as_deref().and_then(extension);
        let Some(mut tracks) = self.tracks.take() else {
            return;
        };
        let size = self.file_bytes;
        for (read, moved) in [(true, self.read_bytes), (false, self.write_bytes)] {
            let Some(mut track) = tracks.of(read).take() else {
                continue;
            };
            if track.carver.is_empty() {
                continue;
            }
            let looks = track.carver.looks();
            let short = looks && track.next < moved;
            let reached = if looks { track.next } else { moved };
            if looks && !track.held.is_empty() {
                track.carver.spoil("sparse");
            } else if short && !read {
                track.carver.spoil("unseen");
            } else if size.is_some_and(|size| reached < size) {
                track.carver.spoil("partial");
            }
            track.carver.close();
            track.carver.end(self.path.as_deref(), cx.drafts).smb(body);
        }
    }
}

impl SmbSession {
    pub(super) const fn moving(&mut self, side: Side) -> &mut Option<Moving> {
        &mut self.half(side).moving
    }

    /// Data of a message at the start of `rest`; returns how many octets of it there are.
    pub(super) fn data(&mut self, side: Side, rest: &[u8], cx: &Context<'_>) -> Option<usize> {
        let left = self.half(side).parser.skippable();
        if left == 0 {
            return None;
        }
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let (here, shown) = match self.wants(side, cx) {
            None => (here, &[][..]),
            Some((0, wants)) => {
                let wants = usize::try_from(wants).unwrap_or(usize::MAX).min(here);
                (wants, rest.get(..wants)?)
            }
            Some((lead, _)) => (
                usize::try_from(lead).unwrap_or(usize::MAX).min(here),
                &[][..],
            ),
        };
        let n = u64::try_from(here).unwrap_or(0);
        self.goes_by(side, n, shown, cx);
        self.half(side).parser.skipped(n);
        Some(here)
    }

    /// The data of a WRITE request follows.
    pub(super) fn writes(&mut self, side: Side, file: Option<FileRef>, body: &[u8]) {
        let mut reader = Reader::new(body);
        let fields = (|| {
            reader.skip(2)?;
            Some((reader.u16_le()?, reader.u32_le()?, reader.u64_le()?))
        })();
        if let (Some(FileRef::Id(file)), Some((start, length, at))) = (file, fields) {
            self.moves(
                side,
                (file, false),
                (u64::from(start), body.len()),
                length,
                at,
            );
        }
    }

    /// The data of a READ answer follows.
    pub(super) fn reads(&mut self, side: Side, file: Option<FileId>, body: &[u8], at: u64) {
        let mut reader = Reader::new(body);
        let fields = (|| {
            reader.skip(2)?;
            let start = reader.u8()?;
            reader.skip(1)?;
            Some((start, reader.u32_le()?))
        })();
        if let (Some(file), Some((start, length))) = (file, fields) {
            self.moves(
                side,
                (file, true),
                (u64::from(start), body.len()),
                length,
                at,
            );
        }
    }

    /// `length` octets of data pass next, `start` octets after the header, of which `seen` passed.
    fn moves(
        &mut self,
        side: Side,
        (file, read): (FileId, bool),
        (start, seen): (u64, usize),
        length: u32,
        at: u64,
    ) {
        let passed = to_u64(HEADER_BYTES + seen);
        // Data that starts within what is looked at anyway would be a hole: none is known to.
        let Some(lead) = start.checked_sub(passed) else {
            return;
        };
        *self.moving(side) = Some(Moving {
            file,
            read,
            lead,
            at,
            left: u64::from(length),
        });
    }

    /// How many of the next octets of the message should be shown, and how many pass before them.
    pub(super) fn wants(&mut self, side: Side, cx: &Context<'_>) -> Option<(u64, u64)> {
        let moving = (*self.moving(side)).filter(|moving| moving.left > 0)?;
        let track = self.track(side, &moving, cx)?;
        let wants = track.wants(moving.at).min(moving.left);
        (wants > 0).then_some((moving.lead, wants))
    }

    /// Octets of the message pass: shown, or not.
    pub(super) fn goes_by(&mut self, side: Side, n: u64, shown: &[u8], cx: &Context<'_>) {
        let Some(mut moving) = *self.moving(side) else {
            return;
        };
        let lead = moving.lead.min(n);
        moving.lead -= lead;
        let n = (n - lead).min(moving.left);
        if n > 0 {
            let at = moving.at;
            if let Some(track) = self.track(side, &moving, cx) {
                if shown.is_empty() {
                    track.pass(at, n);
                } else {
                    track.take(at, shown, moving.read);
                }
            }
            self.count(moving.file);
            moving.at = moving.at.saturating_add(n);
            moving.left -= n;
        }
        *self.moving(side) = (moving.left > 0).then_some(moving);
    }

    /// `missing` octets of `side` were lost.
    pub(super) fn loses(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) {
        let goes_on = self.half(side).parser.hole(missing);
        if !goes_on {
            cx.anomaly("smb-gap");
        }
        let Some(moving) = *self.moving(side) else {
            return;
        };
        if let Some(track) = self.track(side, &moving, cx)
            && track.carver.looks()
        {
            track.carver.spoil("gap");
        }
        if goes_on {
            self.goes_by(side, missing, &[], cx);
        } else {
            *self.moving(side) = None;
        }
    }

    /// Counts what the content of an open file holds now.
    fn count(&mut self, file: FileId) {
        let tracks = self
            .files
            .at_mut(file)
            .and_then(|file| file.tracks.as_mut());
        if let Some(tracks) = tracks {
            let now = tracks.heap_bytes();
            self.track_bytes = (self.track_bytes + now).saturating_sub(tracks.counted);
            tracks.counted = now;
        }
    }

    /// The direction of an open file that data belongs to; none for pipes.
    fn track(&mut self, side: Side, moving: &Moving, cx: &Context<'_>) -> Option<&mut Track> {
        let file = self.files.at_mut(moving.file)?;
        let tree = file.place.tree.map(|tree| (file.place.session, tree));
        let kind = tree
            .and_then(|tree| self.trees.at(tree))
            .and_then(|tree| tree.kind);
        if kind.is_some_and(|kind| kind != "disk") {
            return None;
        }
        let slot = file.tracks.get_or_insert_default().of(moving.read);
        if slot.is_none() {
            let meta = Meta {
                time: cx.now,
                protocol: "smb",
                sender: side,
                hosts: cx.hosts,
                ports: [cx.client_port, cx.server_port],
                name: file.path.as_deref(),
                mime: None,
                bytes: file.file_bytes.filter(|bytes| moving.read && *bytes > 0),
            };
            *slot = Some(Box::new(Track {
                carver: Carver::begin(&cx.files.policy, Coding::Plain, &meta),
                next: 0,
                held: BTreeMap::new(),
                held_bytes: 0,
            }));
        }
        slot.as_deref_mut()
    }
}

/// Where in the file a READ request begins; 0 for other commands.
pub(super) fn offset(header: &Header, body: &[u8]) -> u64 {
    let at = body.get(8..).filter(|_| header.command == READ);
    let at = at.and_then(|rest| Reader::new(rest).u64_le());
    at.unwrap_or(0)
}

fn to_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
