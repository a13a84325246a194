//! The receiving end, in core.
//!
//! Enters: connections of roles. Leaves: events to a [`Receiver`]; an acknowledgement once it says
//! that they are on disk. Refuses: more than [`PEERS_MAX`] peers; other protocol versions.
//! Source: `DESIGN.md` section 3.

use std::io::{self, BufReader};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use model::{Event, metric};
use tracing::{info, warn};

use super::frame::{decode_events, read_message, write_message};
use super::{Message, VERSION};

/// Most roles connected at once.
const PEERS_MAX: usize = 64;

/// What core does with what arrives.
pub(crate) trait Receiver: Send + Sync + 'static {
    /// Stores the events; they are on disk when this returns `Ok`.
    ///
    /// # Errors
    /// They are not on disk: no acknowledgement is given, the peer sends them again.
    fn events(&self, role: &str, events: Vec<Event>) -> Result<(), String>;

    /// Takes a role's report on itself, as JSON.
    fn status(&self, role: &str, json: &[u8]);
}

/// Listens until `stop`.
pub(crate) fn serve(
    socket: &Path,
    receiver: Arc<impl Receiver>,
    stop: Arc<AtomicBool>,
) -> io::Result<std::thread::JoinHandle<()>> {
    // A socket left by a killed core; the lock of the data folder keeps a living one safe.
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    let peers = Arc::new(AtomicUsize::new(0));
    std::thread::Builder::new()
        .name("link".into())
        .spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => accept(stream, &receiver, &peers),
                    Err(_) => std::thread::sleep(Duration::from_millis(20)),
                }
            }
        })
}

fn accept(stream: UnixStream, receiver: &Arc<impl Receiver>, peers: &Arc<AtomicUsize>) {
    if peers.fetch_add(1, Ordering::Relaxed) >= PEERS_MAX {
        peers.fetch_sub(1, Ordering::Relaxed);
        warn!(
            limit = PEERS_MAX,
            "too many roles connected: one was refused"
        );
        return;
    }
    let (receiver, peers) = (Arc::clone(receiver), Arc::clone(peers));
    let left = Arc::clone(&peers);
    let spawned = std::thread::Builder::new()
        .name("link-peer".into())
        .spawn(move || {
            if let Err(error) = converse(stream, receiver.as_ref()) {
                warn!(%error, "a role's connection ended");
            }
            peers.fetch_sub(1, Ordering::Relaxed);
        });
    if spawned.is_err() {
        left.fetch_sub(1, Ordering::Relaxed);
    }
}

fn converse(stream: UnixStream, receiver: &impl Receiver) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    let role = match read_message(&mut input)? {
        Some(Message::Hello { version, role }) if version == VERSION => role,
        Some(Message::Hello { version, role }) => {
            warn!(
                role,
                version,
                ours = VERSION,
                "a role speaks another version; restart it"
            );
            return Ok(());
        }
        _ => return Ok(()),
    };
    info!(role, "role connected");
    while let Some(message) = read_message(&mut input)? {
        match message {
            Message::Batch { number, bytes } => {
                let (events, damage) = decode_events(&bytes);
                if let Some(error) = damage {
                    warn!(role, %error, "a batch was damaged: the events before it are kept");
                }
                metric::LINK_RECEIVED.add(u64::try_from(events.len()).unwrap_or(0));
                match receiver.events(&role, events) {
                    Ok(()) => write_message(&mut output, &Message::Ack { number })?,
                    Err(error) => {
                        // Closing makes the peer connect again and send what was not acknowledged.
                        warn!(
                            role,
                            error, "events could not be stored; they will be sent again"
                        );
                        std::thread::sleep(Duration::from_millis(500));
                        return Ok(());
                    }
                }
            }
            Message::Status(json) => receiver.status(&role, &json),
            Message::Hello { .. } | Message::Ack { .. } => {}
        }
    }
    Ok(())
}
