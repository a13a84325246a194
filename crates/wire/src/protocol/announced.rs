//! Flows that another flow announced: known before their first octet.
//!
//! Enters: the endpoints of a flow that begins. Leaves: its session. Refuses: flows that nobody
//! announced: recognition by content goes on. Source: `file/expect.rs`.

use super::{Context, Session, Transport, ftp, tftp};
use crate::file::expect::Purpose;

/// The session of a flow that was announced, and its protocol's name.
pub(super) fn announced(cx: &mut Context<'_>) -> Option<(&'static str, Box<dyn Session>)> {
    let wanted: fn(&Purpose) -> bool = match cx.transport {
        Transport::Tcp => |purpose: &Purpose| matches!(purpose, Purpose::Ftp(_)),
        Transport::Udp => |purpose: &Purpose| matches!(purpose, Purpose::Tftp(_)),
    };
    let ports = [cx.client_port, cx.server_port];
    match cx.files.expected.take(cx.now, cx.hosts, ports, wanted)? {
        Purpose::Ftp(transfer) => Some((ftp::DATA, Box::new(ftp::DataSession::new(transfer)))),
        Purpose::Tftp(transfer) => Some(("tftp", tftp::data(transfer, cx))),
    }
}
