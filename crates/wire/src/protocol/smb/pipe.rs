//! Named pipes: what is written to and read from them goes to the DCE/RPC inside.
//!
//! Enters: opened pipes; writes, reads and calls (FSCTL_PIPE_TRANSCEIVE) of either dialect.
//! Leaves: what `dcerpc` makes of them. Refuses: files of other shares; what is written to a file
//! whose opening was not seen and is no binding; more than [`PIPES_MAX`] open pipes: the oldest is
//! told and forgotten.
//! Source: [MS-SMB2] sections 2.2.19 to 2.2.22, 2.2.31 and 2.2.32; [MS-FSCC] section 2.3.47.

use codec::bytes::Reader;
use model::{Text, limit};

use super::body::{Create, FileId};
use super::old::{Act, Old};
use super::parser::{HEADER_BYTES, Header, IOCTL, Parser, WRITE};
use super::session::{SmbSession, ocsf_status};
use super::state::{FileRef, Place, Table};
use crate::protocol::dcerpc::pipe::Pipe;
use crate::protocol::{Context, Side};

/// Most open pipes of one flow.
const PIPES_MAX: usize = 64;
/// Longest name of a pipe that is told, in bytes.
const NAME_BYTES_MAX: usize = 64;
const FSCTL_PIPE_TRANSCEIVE: u32 = 0x0011_c017;

/// Where data stands: octets from the start of the message, and how many; then the octets of the
/// message's head that were shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    offset: usize,
    length: u64,
    shown: usize,
}

/// Open pipes of one flow.
pub(super) struct Pipes {
    open: Table<FileId, Pipe>,
    /// The pipe that the bytes shown next belong to, by side.
    showing: [Option<FileId>; 2],
    old: Old,
}

impl Default for Pipes {
    fn default() -> Self {
        Self {
            open: Table::new(PIPES_MAX),
            showing: [None; 2],
            old: Old::default(),
        }
    }
}

impl Pipes {
    /// Notes that a pipe is open.
    pub(super) fn open(&mut self, id: FileId, name: &str, cx: &mut Context<'_>) {
        let bare = name.trim_start_matches('\\');
        let bare = bare.strip_prefix("PIPE\\").unwrap_or(bare);
        let name = Text::from(limit::cut_to(bare, NAME_BYTES_MAX).to_ascii_lowercase());
        if let Some((old, mut gone)) = self.open.put(id, Pipe::named(name)) {
            if old != id {
                cx.anomaly("smb-pipes-limit");
            }
            gone.end(cx);
        }
    }

    /// Notes a file of which nothing is known: it may be a pipe. What it carries will tell.
    pub(super) fn guess(&mut self, id: FileId) {
        if self.open.at(id).is_some() {
            return;
        }
        if self.open.values().count() >= PIPES_MAX {
            self.open.take_if(|_, pipe| pipe.is_foreign());
        }
        if self.open.values().count() < PIPES_MAX {
            self.open.put(id, Pipe::named(Text::Borrowed("")));
        }
    }

    /// A pipe is closed.
    pub(super) fn close(&mut self, id: FileId, cx: &mut Context<'_>) {
        if let Some(mut pipe) = self.open.take(id) {
            pipe.end(cx);
        }
    }

    /// A message with data for a pipe begins: has them shown.
    pub(super) fn begin(&mut self, side: Side, id: FileId, at: Option<Span>, parser: &mut Parser) {
        let (Some(pipe), Some(span)) = (self.open.at_mut(id), at) else {
            return;
        };
        if pipe.is_foreign() {
            return;
        }
        pipe.begin(side);
        // Data that do not stand right behind the head are not followed: nobody sends them so.
        if span.offset == span.shown && parser.show(span.length) {
            if let Some(showing) = self.showing.get_mut(side.index()) {
                *showing = Some(id);
            }
        } else {
            pipe.missed(side, span.length);
        }
    }

    /// Bytes that were asked for.
    pub(super) fn data(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
        if let Some(pipe) = self.shown(side) {
            pipe.bytes(side, bytes, cx);
        }
    }

    /// Bytes of this side were lost.
    pub(super) fn hole(&mut self, side: Side) {
        if let Some(pipe) = self.shown(side) {
            pipe.missed(side, u64::MAX);
        }
    }

    fn shown(&mut self, side: Side) -> Option<&mut Pipe> {
        let id = self.showing.get(side.index()).copied().flatten()?;
        self.open.at_mut(id)
    }

    /// Looks at a message of SMB 1, as far as it is there.
    pub(super) fn smb1(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) {
        let Some((id, act)) = self.old.message(bytes) else {
            return;
        };
        match act {
            Act::Open(name) => self.open(id, &name, cx),
            Act::Close => self.close(id, cx),
            Act::Data { shown, missing } => {
                if let Some(pipe) = self.open.at_mut(id) {
                    pipe.begin(side);
                    pipe.bytes(side, shown, cx);
                    pipe.missed(side, missing);
                }
            }
        }
    }

    /// The flow is over.
    pub(super) fn end(&mut self, cx: &mut Context<'_>) {
        for mut pipe in self.open.drain() {
            pipe.end(cx);
        }
    }

    /// Heap bytes held; an estimate that errs high.
    pub(super) fn heap_bytes(&self) -> usize {
        self.open.heap_bytes(0)
            + self.open.values().map(Pipe::heap_bytes).sum::<usize>()
            + self.old.heap_bytes()
    }
}

impl SmbSession {
    /// A request with data for a file, which may be a pipe.
    pub(super) fn ask_piped(&mut self, side: Side, id: FileId, header: &Header, body: &[u8]) {
        if self.files.at(id).is_none() {
            self.pipes.guess(id);
        }
        self.piped(side, id, asked(header.command, body));
    }

    /// An answer with data of a file, which may be a pipe.
    pub(super) fn answer_piped(&mut self, header: &Header, file: FileRef, body: &[u8]) {
        if let (Some(id), 1) = (self.id(file), ocsf_status(header.status)) {
            self.piped(Side::Server, id, answered(header.command, body));
        }
    }

    /// What `side` now sends goes through this pipe, when it is one.
    fn piped(&mut self, side: Side, id: FileId, at: Option<Span>) {
        let [client, server] = &mut self.sides;
        let half = match side {
            Side::Client => client,
            Side::Server => server,
        };
        self.pipes.begin(side, id, at, &mut half.parser);
    }

    /// Notes an open file that is a pipe.
    pub(super) fn open_pipe(
        &mut self,
        place: Place,
        id: FileId,
        create: &Create,
        cx: &mut Context<'_>,
    ) {
        let tree = place
            .tree
            .and_then(|tree| self.trees.at((place.session, tree)));
        let is_pipe = match tree.and_then(|tree| tree.kind) {
            Some(kind) => kind == "pipe",
            // The connection to the share was not seen.
            None => is_usual(&create.path),
        };
        if is_pipe {
            self.pipes.open(id, &create.path, cx);
        }
    }
}

/// Whether an IOCTL is a write and a read of a pipe at once.
pub(super) fn is_call(body: &[u8]) -> bool {
    let code = body.get(4..).and_then(|rest| Reader::new(rest).u32_le());
    code == Some(FSCTL_PIPE_TRANSCEIVE)
}

/// The data of a WRITE or IOCTL request.
fn asked(command: u16, body: &[u8]) -> Option<Span> {
    match command {
        WRITE => {
            let mut reader = Reader::new(body.get(2..)?);
            let offset = usize::from(reader.u16_le()?);
            span(offset, reader.u32_le()?, body)
        }
        IOCTL => long_span(body, 24),
        _ => None,
    }
}

/// The data of a READ or IOCTL answer.
fn answered(command: u16, body: &[u8]) -> Option<Span> {
    if command == IOCTL {
        return long_span(body, 32);
    }
    let mut reader = Reader::new(body.get(2..)?);
    let offset = usize::from(reader.u8()?);
    reader.skip(1)?;
    span(offset, reader.u32_le()?, body)
}

fn long_span(body: &[u8], at: usize) -> Option<Span> {
    let mut reader = Reader::new(body.get(at..)?);
    let offset = usize::try_from(reader.u32_le()?).ok()?;
    span(offset, reader.u32_le()?, body)
}

fn span(offset: usize, length: u32, head: &[u8]) -> Option<Span> {
    (length > 0).then(|| Span {
        offset,
        length: u64::from(length),
        shown: HEADER_BYTES + head.len(),
    })
}

/// Names of pipes that Windows has.
fn is_usual(name: &str) -> bool {
    const USUAL: [&str; 16] = [
        "atsvc",
        "browser",
        "efsrpc",
        "epmapper",
        "eventlog",
        "fssagentrpc",
        "initshutdown",
        "lsarpc",
        "lsass",
        "netdfs",
        "netlogon",
        "samr",
        "spoolss",
        "srvsvc",
        "svcctl",
        "winreg",
    ];
    USUAL.iter().any(|usual| usual.eq_ignore_ascii_case(name))
}
