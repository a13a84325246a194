//! Both sides of a conversation: messages to requests and their answers.
//!
//! Enters: bytes of both sides. Leaves: drafts, through `logon` and `files`. Refuses: see `state`.
//! Compound chains, interim answers (STATUS_PENDING) and answers in any order are followed by
//! message identifier. Source: [MS-SMB2] sections 3.2.5 and 3.3.5.

use model::class::Smb;
use model::{Nanos, Text};

use super::body::{self, FileId, PREVIOUS};
use super::carve::{self, Moving};
use super::parser::{
    CLOSE, CREATE, Found, Header, IOCTL, LOGOFF, NEGOTIATE, Parser, READ, SESSION_SETUP, SET_INFO,
    TREE_CONNECT, TREE_DISCONNECT, WRITE,
};
use super::pipe::{self, Pipes};
use super::sealed::{SEALED_MAX, Sealed};
use super::state::{
    CHAINED_MAX, FILES_MAX, File, FileRef, Kind, LOGONS_MAX, Logon, PENDING_MAX, Pending, Place,
    TREES_MAX, Table, Tree,
};
use crate::protocol::{Context, Draft, Session, Side, Step, logon};

/// An interim answer: the final one follows.
const STATUS_PENDING: u32 = 0x0000_0103;
/// OCSF activity of what is not an opening of a file.
pub(super) const OTHER: u16 = 99;

/// The session of one flow.
pub(super) struct SmbSession {
    pub(super) sides: [Half; 2],
    chain: [Chain; 2],
    pub(super) seen: bool,
    pub(super) dialect: Option<Text>,
    pub(super) smb1: Option<(Nanos, Vec<Text>)>,
    pub(super) logons: Table<u64, Logon>,
    /// Log-ins that are under way, by session; 0 until the server gave it a number.
    pub(super) tokens: Table<u64, logon::Logon>,
    pub(super) trees: Table<(u64, u32), Tree>,
    pub(super) files: Table<FileId, File>,
    /// Heap bytes of the contents of open files.
    pub(super) track_bytes: usize,
    pub(super) chained: Table<u64, FileId>,
    pending: Table<u64, Pending>,
    pub(super) sealed: Table<(u64, bool), Sealed>,
    pub(super) pipes: Pipes,
}

#[derive(Default)]
pub(super) struct Half {
    pub(super) parser: Parser,
    /// Bytes shown but not used up.
    left_over: u64,
    /// Data of the message under way.
    pub(super) moving: Option<Moving>,
}

/// Where the compound chain of a side stands.
#[derive(Clone, Copy, Default)]
struct Chain {
    file: Option<FileRef>,
    place: Place,
}

impl Default for SmbSession {
    fn default() -> Self {
        Self {
            sides: [Half::default(), Half::default()],
            chain: [Chain::default(); 2],
            seen: false,
            dialect: None,
            smb1: None,
            logons: Table::new(LOGONS_MAX),
            tokens: Table::new(LOGONS_MAX),
            trees: Table::new(TREES_MAX),
            files: Table::new(FILES_MAX),
            track_bytes: 0,
            chained: Table::new(CHAINED_MAX),
            pending: Table::new(PENDING_MAX),
            sealed: Table::new(SEALED_MAX),
            pipes: Pipes::default(),
        }
    }
}

impl Session for SmbSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut consumed = 0;
        while let Some(rest) = bytes.get(consumed..).filter(|rest| !rest.is_empty()) {
            if let Some(used) = self.data(side, rest, cx) {
                consumed += used;
                continue;
            }
            let (used, found) = self.half(side).parser.next(rest);
            consumed += used;
            match found {
                None if used == 0 => break,
                None => {}
                Some(Found::GaveUp) => return Step::DONE,
                Some(found) => self.found(side, found, cx),
            }
        }
        let half = self.half(side);
        half.left_over = u64::try_from(bytes.len() - consumed).unwrap_or(0);
        match half.parser.skippable() {
            0 => Step::consumed(consumed),
            skip => match self.wants(side, cx) {
                None => Step::skip(consumed, skip),
                Some((0, _)) => Step::consumed(consumed),
                Some((lead, _)) => Step::skip(consumed, lead.min(skip)),
            },
        }
    }

    fn skipped(&mut self, side: Side, n: u64, cx: &mut Context<'_>) {
        self.goes_by(side, n, &[], cx);
        self.half(side).parser.skipped(n);
    }

    fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) -> bool {
        let half = self.half(side);
        let lost = half.left_over.saturating_add(missing);
        half.left_over = 0;
        self.loses(side, lost, cx);
        self.pipes.hole(side);
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        for pending in self.pending.drain() {
            self.unanswered(pending, cx);
        }
        self.end_smb1(cx);
        for mut logon in self.tokens.drain() {
            logon
                .take(None)
                .into_iter()
                .for_each(|draft| cx.emit(draft));
        }
        for file in self.files.drain() {
            self.tell_unclosed(file, cx);
        }
        self.pipes.end(cx);
        for ((session, compressed), sealed) in self.sealed.take_if(|_, _| true) {
            self.tell_sealed(session, compressed, &sealed, cx);
        }
    }

    fn heap_bytes(&self) -> usize {
        self.logons.heap_bytes(256)
            + self.tokens.heap_bytes(2048)
            + self.trees.heap_bytes(128)
            + self.files.heap_bytes(128)
            + self.track_bytes
            + self.chained.heap_bytes(0)
            + self.pending.heap_bytes(128)
            + self.sealed.heap_bytes(0)
            + self.pipes.heap_bytes()
            + 512
    }
}

impl SmbSession {
    pub(super) const fn half(&mut self, side: Side) -> &mut Half {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    fn found(&mut self, side: Side, found: Found<'_>, cx: &mut Context<'_>) {
        match found {
            Found::Smb2(header, body) => {
                self.seen = true;
                self.message(side, &header, body, cx);
            }
            Found::Smb1(bytes) => {
                self.seen = true;
                self.smb1(bytes, cx);
                self.pipes.smb1(side, bytes, cx);
            }
            Found::Data(bytes) => self.pipes.data(side, bytes, cx),
            Found::Encrypted(session, bytes) => self.seal(side, (session, false), bytes, cx),
            Found::Compressed(bytes) => self.seal(side, (0, true), bytes, cx),
            Found::Wrong(why) => cx.anomaly(why),
            Found::GaveUp => {}
        }
    }

    fn message(&mut self, side: Side, header: &Header, body: &[u8], cx: &mut Context<'_>) {
        *self.moving(side) = None;
        let [client, server] = &mut self.chain;
        let chain = match side {
            Side::Client => client,
            Side::Server => server,
        };
        let mut place = Place {
            session: header.session,
            tree: header.tree,
            signed: header.is_signed(),
        };
        if !header.is_related() {
            *chain = Chain::default();
        } else {
            if place.session == u64::MAX {
                place.session = chain.place.session;
            }
            if place.tree.is_none_or(|tree| tree == u32::MAX) {
                place.tree = chain.place.tree;
            }
        }
        chain.place = place;
        if header.is_response() {
            return self.answer(side, header, place, body, cx);
        }
        let previous = chain.file;
        let (kind, file) = request(header, body, previous);
        let [client, server] = &mut self.chain;
        let chain = match side {
            Side::Client => client,
            Side::Server => server,
        };
        chain.file = file.or(previous);
        let Some(kind) = kind else {
            if is_followed(header.command) {
                cx.anomaly("smb-request-malformed");
            }
            return;
        };
        if matches!(kind, Kind::Setup) {
            self.setup_request(cx.now, header, body);
        }
        if let Kind::Write(FileRef::Id(id)) | Kind::Call(FileRef::Id(id)) = kind {
            self.ask_piped(side, id, header, body);
        }
        let pending = Pending {
            time: cx.now,
            place,
            kind,
            offset: carve::offset(header, body),
        };
        if let Kind::Write(file) = pending.kind {
            self.writes(side, Some(file), body);
        }
        if let Some((_, old)) = self.pending.put(header.message, pending) {
            cx.anomaly("smb-pending-limit");
            self.unanswered(old, cx);
        }
    }

    fn answer(
        &mut self,
        side: Side,
        header: &Header,
        place: Place,
        body: &[u8],
        cx: &mut Context<'_>,
    ) {
        if header.status == STATUS_PENDING {
            return;
        }
        let Some(pending) = self.pending.take(header.message) else {
            return self.answer_alone(header, place, body, cx);
        };
        // The answer of an asynchronous operation names no tree.
        let place = Place {
            session: place.session,
            tree: pending
                .place
                .tree
                .filter(|tree| *tree != u32::MAX)
                .or(place.tree),
            signed: place.signed || pending.place.signed,
        };
        let time = pending.time;
        match pending.kind {
            Kind::Negotiate(dialects) => self.negotiated(time, header, dialects, body, cx),
            Kind::Setup => self.setup_response(time, header, body, cx),
            Kind::Tree(share) => {
                let tree = header.tree.unwrap_or(0);
                self.tree_connected((time, tree), header, share, body, cx);
            }
            Kind::Create(create, chained) => {
                let made = body::create_response(body).filter(|_| header.status == 0);
                if let (Some(made), true) = (made, chained) {
                    self.chained.put(header.message, made.file);
                }
                self.created(time, (place, Some(header.status)), &create, made, cx);
            }
            Kind::Close(file) => self.closed((time, header.status), place, file, body, cx),
            Kind::Call(file) => self.answer_piped(header, file, body),
            Kind::Read(file) => {
                self.answer_piped(header, file, body);
                self.moved(place, header.status, file, body, true, cx);
                if ocsf_status(header.status) == 1 {
                    self.reads(side, self.id(file), body, pending.offset);
                }
            }
            Kind::Write(file) => self.moved(place, header.status, file, body, false, cx),
            Kind::Change(file, change) => {
                self.changed((time, Some(header.status)), place, file, &change, cx);
            }
            Kind::TreeDisconnect if header.status == 0 => self.leave(place, cx),
            Kind::Logoff if header.status == 0 => {
                self.leave(
                    Place {
                        tree: None,
                        ..place
                    },
                    cx,
                );
                self.logons.take(place.session);
            }
            Kind::TreeDisconnect | Kind::Logoff => {}
        }
    }

    /// An answer whose request was not seen.
    fn answer_alone(&mut self, header: &Header, place: Place, body: &[u8], cx: &mut Context<'_>) {
        match header.command {
            NEGOTIATE => {
                let (time, dialects) = self.smb1.take().unwrap_or((cx.now, Vec::new()));
                self.negotiated(time, header, dialects, body, cx);
            }
            SESSION_SETUP => self.setup_response(cx.now, header, body, cx),
            CREATE if header.status == 0 => {
                if let Some(made) = body::create_response(body) {
                    self.open(made.file, File::new(place, cx.now), cx);
                }
            }
            _ => {}
        }
    }

    /// A request that gets no answer any more.
    fn unanswered(&mut self, pending: Pending, cx: &mut Context<'_>) {
        let Pending {
            time, place, kind, ..
        } = pending;
        match kind {
            Kind::Negotiate(client_dialects) => {
                let body = Smb {
                    command: Text::Borrowed("NEGOTIATE"),
                    client_dialects,
                    ..Smb::default()
                };
                cx.emit(Draft::new(time, OTHER, body));
            }
            Kind::Tree(share) => {
                let mut body = self.body(
                    "TREE_CONNECT",
                    Place {
                        tree: None,
                        ..place
                    },
                );
                body.share = Some(share);
                cx.emit(Draft::new(time, OTHER, body));
            }
            Kind::Create(create, _) => self.created(time, (place, None), &create, None, cx),
            Kind::Change(file, change) => self.changed((time, None), place, file, &change, cx),
            Kind::Setup
            | Kind::Close(_)
            | Kind::Read(_)
            | Kind::Write(_)
            | Kind::Call(_)
            | Kind::TreeDisconnect
            | Kind::Logoff => {}
        }
    }

    /// The body of an event of this place, with all that is known of its session and share.
    pub(super) fn body(&self, command: &'static str, place: Place) -> Smb {
        let logon = self.logons.at(place.session);
        let tree = place
            .tree
            .and_then(|tree| self.trees.at((place.session, tree)));
        Smb {
            command: Text::Borrowed(command),
            dialect: self.dialect.clone(),
            share: tree.and_then(|tree| tree.share.clone()),
            share_type: tree.and_then(|tree| tree.kind).map(Text::Borrowed),
            tree_uid: place.tree.map(|tree| Text::from(tree.to_string())),
            user: logon.and_then(|logon| logon.user.clone()),
            session: (place.session != 0).then(|| Text::from(format!("0x{:016x}", place.session))),
            signed: Some(place.signed),
            ..Smb::default()
        }
    }
}

/// What a request asks, and which file the rest of its chain is about.
fn request(
    header: &Header,
    body: &[u8],
    previous: Option<FileRef>,
) -> (Option<Kind>, Option<FileRef>) {
    let file = |at: usize| match body::file_id(body, at)? {
        PREVIOUS => previous,
        id => Some(FileRef::Id(id)),
    };
    let kind = match header.command {
        NEGOTIATE => body::negotiate_request(body).map(Kind::Negotiate),
        SESSION_SETUP => Some(Kind::Setup),
        TREE_CONNECT => {
            body::tree_request(body).map(|share| Kind::Tree(model::Sensitive::path(&share)))
        }
        CREATE => {
            let create = body::create_request(body).map(Box::new);
            let kind = create.map(|create| Kind::Create(create, header.next != 0));
            return (kind, Some(FileRef::OpenedBy(header.message)));
        }
        CLOSE => file(8).map(Kind::Close),
        READ => file(16).map(Kind::Read),
        WRITE => file(16).map(Kind::Write),
        IOCTL if pipe::is_call(body) => file(8).map(Kind::Call),
        SET_INFO => body::set_info(body).and_then(|(id, change)| {
            let file = if id == PREVIOUS {
                previous?
            } else {
                FileRef::Id(id)
            };
            Some(Kind::Change(file, Box::new(change)))
        }),
        TREE_DISCONNECT => Some(Kind::TreeDisconnect),
        LOGOFF => Some(Kind::Logoff),
        _ => None,
    };
    let about = match &kind {
        Some(Kind::Close(file) | Kind::Read(file) | Kind::Write(file) | Kind::Call(file)) => {
            Some(*file)
        }
        Some(Kind::Change(file, _)) => Some(*file),
        _ => None,
    };
    (kind, about)
}

/// Commands whose request should always be understood.
const fn is_followed(command: u16) -> bool {
    matches!(
        command,
        NEGOTIATE | TREE_CONNECT | CREATE | CLOSE | READ | WRITE
    )
}

/// OCSF status of an NT status: success and information 1, warnings and errors 2; a truncated
/// answer (STATUS_BUFFER_OVERFLOW) is still one.
pub(super) const fn ocsf_status(status: u32) -> u16 {
    if status < 0x8000_0000 || status == 0x8000_0005 {
        1
    } else {
        2
    }
}

/// The text of an NT status.
pub(super) fn status_text(status: u32) -> Text {
    Text::from(format!("0x{status:08x}"))
}
