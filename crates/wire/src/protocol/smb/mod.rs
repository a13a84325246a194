//! SMB 2 and 3 over TCP, and the negotiation of SMB 1.
//!
//! Enters: bytes of a stream, with NetBIOS session service framing. Leaves: `NEGOTIATE`,
//! `SESSION_SETUP`, `TREE_CONNECT`, `CREATE`, `RENAME`, `DELETE` and, per opened file, one `CLOSE`
//! with what was read and written: reads and writes are not events of their own, they would flood.
//! An encrypted or compressed conversation gives one `ENCRYPTED` or `COMPRESSED` event a session,
//! with the bytes and messages of each direction as reads (from the server) and writes.
//! Refuses: file content, which passes uncopied; tables beyond the limits of `state`.
//! Source: [MS-SMB2], [MS-CIFS] section 2.2.4.52, RFC 1002 section 4.3.

mod body;
mod carve;
mod files;
mod logon;
mod old;
mod parser;
mod pipe;
mod sealed;
mod session;
mod state;

use super::{Asked, First, Probe, Protocol, Session, Transport};
use parser::{MAGICS, NETBIOS_BYTES, find_message};

/// The protocol.
pub(super) struct Smb;

impl Protocol for Smb {
    fn name(&self) -> &'static str {
        "smb"
    }

    fn asked(&self) -> Asked {
        Asked::TCP.starting(&[0, 0x81]).on_ports(&[139, 445])
    }

    fn probe(&self, first: &First<'_>) -> Probe {
        if first.transport != Transport::Tcp {
            return Probe::No;
        }
        let usual = first.has_port(445) || first.has_port(139);
        match start(first.bytes) {
            Probe::No if usual && find_message(first.bytes).is_some() => Probe::Maybe,
            answer @ (Probe::Certain | Probe::Maybe | Probe::NeedMore | Probe::No) => answer,
        }
    }

    fn open(&self) -> Box<dyn Session> {
        Box::new(session::SmbSession::default())
    }
}

/// Whether a NetBIOS frame with an SMB message starts here, or a NetBIOS session is asked for.
fn start(bytes: &[u8]) -> Probe {
    match bytes.first() {
        Some(0) => {}
        // A session request: two encoded names of 34 octets, the first length 32.
        Some(0x81) => {
            let head = bytes.get(..5).unwrap_or(bytes);
            return match (b"\x81\0\0\x44\x20".starts_with(head), head.len()) {
                (true, 5) => Probe::Certain,
                (true, _) => Probe::NeedMore,
                (false, _) => Probe::No,
            };
        }
        _ => return Probe::No,
    }
    let Some(after) = bytes.get(NETBIOS_BYTES..) else {
        return Probe::NeedMore;
    };
    let magic = after.get(..4).unwrap_or(after);
    match MAGICS.iter().any(|known| known.starts_with(magic)) {
        true if magic.len() == 4 => Probe::Certain,
        true => Probe::NeedMore,
        false => Probe::No,
    }
}

#[cfg(test)]
mod tests;
