//! UNIX sockets that Suricata writes its EVE log to.
//!
//! Enters: connections, datagrams. Leaves: events. Refuses: more than [`CONNECTIONS_MAX`] at once;
//! a path at which something stands that is no socket. What Suricata writes while nobody listens is
//! lost on its side; it tries again by itself.
//! Source: Suricata user guide, "EVE output", `filetype: unix_stream` and `unix_dgram`.

use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};
use wire::log::{LINE_BYTES_MAX, LogConfig, LogCounts, LogKind, LogReader};

use super::Identity;
use super::follow::totals;
use super::outlet::{Outlet, Totals};
use crate::config::Source;
use crate::time;

/// Connections at once.
const CONNECTIONS_MAX: usize = 16;
/// Octets read at a time.
const PIECE_BYTES: usize = 64 * 1024;
/// Between two looks at sockets that had nothing.
const IDLE: Duration = Duration::from_millis(20);
/// Between two reports, and between two attempts to listen.
const TELL: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_secs(2);

/// Listens until the role ends.
pub(super) fn stream(source: &Source, identity: &Identity, mut outlet: Outlet) {
    let Some(config) = config(identity) else {
        return;
    };
    let Some(listener) = listen(&source.path, &mut outlet, |path| {
        let listener = UnixListener::bind(path)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }) else {
        return;
    };
    let mut open: Vec<(UnixStream, LogReader, u64)> = Vec::new();
    let mut ended = Totals::default();
    let mut seq = None;
    let mut told = Instant::now();
    while !outlet.stopping() {
        accept(&listener, &config, &mut seq, &mut open);
        let mut moved = false;
        open.retain_mut(|(stream, reader, bytes)| {
            // One sequence for all of them.
            let from = seq.unwrap_or(reader.position().seq);
            reader.resume_sequence(from);
            let going = take(stream, reader, bytes, &mut outlet, &mut moved);
            seq = Some(reader.position().seq);
            if !going {
                add(&mut ended, reader.counts(), *bytes);
            }
            going
        });
        if outlet.is_due() {
            outlet.send();
        }
        if told.elapsed() >= TELL {
            let mut sum = ended.clone();
            open.iter()
                .for_each(|(_, reader, bytes)| add(&mut sum, reader.counts(), *bytes));
            outlet.tell(&sum, None);
            told = Instant::now();
        }
        if !moved {
            std::thread::sleep(IDLE);
        }
    }
    outlet.send();
    let _ = std::fs::remove_file(&source.path);
}

fn accept(
    listener: &UnixListener,
    config: &LogConfig,
    seq: &mut Option<u64>,
    open: &mut Vec<(UnixStream, LogReader, u64)>,
) {
    let Ok((stream, _)) = listener.accept() else {
        return;
    };
    if open.len() >= CONNECTIONS_MAX {
        warn!("too many connections to a source's socket; one was refused");
        return;
    }
    if stream.set_nonblocking(true).is_err() {
        return;
    }
    let reader = LogReader::new(LogKind::Eve, config);
    seq.get_or_insert(reader.position().seq);
    open.push((stream, reader, 0));
}

/// Reads a piece of a connection; false when it is over.
fn take(
    stream: &mut UnixStream,
    reader: &mut LogReader,
    bytes: &mut u64,
    outlet: &mut Outlet,
    moved: &mut bool,
) -> bool {
    let mut piece = vec![0; PIECE_BYTES];
    match stream.read(&mut piece) {
        Ok(0) => {
            reader.finish(&mut outlet.events, &mut |_| {});
            false
        }
        Ok(length) => {
            *moved = true;
            *bytes = bytes.saturating_add(length as u64);
            reader.set_logged_time(time::now());
            let piece = piece.get(..length).unwrap_or(&[]);
            reader.feed(piece, &mut outlet.events, &mut |_| {});
            true
        }
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
    }
}

/// Takes datagrams until the role ends.
pub(super) fn datagram(source: &Source, identity: &Identity, mut outlet: Outlet) {
    let Some(config) = config(identity) else {
        return;
    };
    let Some(socket) = listen(&source.path, &mut outlet, |path| {
        let socket = UnixDatagram::bind(path)?;
        socket.set_read_timeout(Some(IDLE))?;
        Ok(socket)
    }) else {
        return;
    };
    let mut reader = LogReader::new(LogKind::Eve, &config);
    let mut piece = vec![0; LINE_BYTES_MAX + 2];
    let (mut bytes, mut told) = (0u64, Instant::now());
    while !outlet.stopping() {
        if let Ok(length @ 1..) = socket.recv(&mut piece) {
            bytes = bytes.saturating_add(length as u64);
            reader.set_logged_time(time::now());
            let line = piece.get(..length).unwrap_or(&[]);
            reader.feed(line, &mut outlet.events, &mut |_| {});
            if line.last() != Some(&b'\n') {
                // A datagram is a line, with or without its end.
                reader.feed(b"\n", &mut outlet.events, &mut |_| {});
            }
        }
        if outlet.is_due() {
            outlet.send();
        }
        if told.elapsed() >= TELL {
            outlet.tell(&totals(reader.counts(), bytes), None);
            told = Instant::now();
        }
    }
    outlet.send();
    let _ = std::fs::remove_file(&source.path);
}

fn config(identity: &Identity) -> Option<LogConfig> {
    let now = u64::try_from(time::now().0)
        .unwrap_or(0)
        .saturating_mul(1000);
    let config = identity.of("socket", now);
    if config.is_none() {
        error!("too many sources: one is not read");
    }
    config
}

/// Makes the socket; tries again while the role runs.
fn listen<T>(path: &Path, outlet: &mut Outlet, bind: impl Fn(&Path) -> io::Result<T>) -> Option<T> {
    while !outlet.stopping() {
        let made = clear(path).and_then(|()| bind(path)).and_then(|socket| {
            // Suricata runs as somebody else, in the same group.
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
            Ok(socket)
        });
        match made {
            Ok(socket) => {
                info!(path = %path.display(), source = outlet.name, "listening");
                return Some(socket);
            }
            Err(error) => {
                let text = format!("{}: cannot listen: {error}", path.display());
                outlet.tell(&Totals::default(), Some(&text));
                std::thread::sleep(AGAIN);
            }
        }
    }
    None
}

/// Removes the socket of an earlier run, and nothing else.
fn clear(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(about) if about.file_type().is_socket() => std::fs::remove_file(path),
        Ok(_) => Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "something else stands there",
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn add(sum: &mut Totals, counts: &LogCounts, bytes: u64) {
    let more = totals(counts, bytes);
    sum.records = sum.records.saturating_add(more.records);
    sum.bytes = sum.bytes.saturating_add(more.bytes);
    sum.refused = sum.refused.saturating_add(more.refused);
    sum.unknown = sum.unknown.saturating_add(more.unknown);
}
