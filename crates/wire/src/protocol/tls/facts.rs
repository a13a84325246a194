//! What the messages of a handshake said.
//!
//! Enters: whole messages, in the clear or decrypted. Leaves: hellos, the server's certificate, the
//! signs of a resumption. Refuses: what comes twice; a client's certificate.
//! Source: RFC 5246 section 7.4, RFC 8446 section 4.

use codec::tls::{ClientHello, ServerHello};
use model::Nanos;

use super::open::{agreed, leaf_13};
use super::parser::leaf;
use super::report::Leaf;
use crate::protocol::Side;

pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
const RETRY_OF_DRAFTS: u8 = 6;
const ENCRYPTED_EXTENSIONS: u8 = 8;
pub(super) const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;

/// What the messages said.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) client: Option<Side>,
    pub(super) time: Option<Nanos>,
    pub(super) hello: Option<Box<ClientHello>>,
    pub(super) hello_is_v2: bool,
    pub(super) server: Option<Box<ServerHello>>,
    pub(super) retried: bool,
    pub(super) leaf: Option<Box<Leaf>>,
    /// The application protocol, when the message that agrees to it was decrypted.
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) server_done: bool,
    pub(super) damaged: bool,
}

impl Facts {
    /// A message of the server that was decrypted.
    pub(super) fn hidden(&mut self, kind: u8, body: &[u8]) {
        match kind {
            ENCRYPTED_EXTENSIONS => self.alpn = agreed(body),
            CERTIFICATE if self.leaf.is_none() => {
                self.leaf = leaf_13(body).map(|der| Box::new(Leaf::read(der)));
            }
            _ => {}
        }
    }

    /// A message in the clear.
    pub(super) fn message(&mut self, side: Side, kind: u8, body: &[u8], now: Nanos) {
        match kind {
            CLIENT_HELLO if self.hello.is_none() => {
                self.hello = ClientHello::parse(body).map(Box::new);
                self.client = Some(side);
                self.time.get_or_insert(now);
            }
            SERVER_HELLO => {
                let Some(hello) = ServerHello::parse(body) else {
                    return;
                };
                self.client.get_or_insert(side.other());
                self.time.get_or_insert(now);
                self.retried |= hello.is_retry;
                if self.server.as_ref().is_none_or(|known| known.is_retry) {
                    self.server = Some(Box::new(hello));
                }
            }
            RETRY_OF_DRAFTS => self.retried = true,
            CERTIFICATE if self.leaf.is_none() && self.client == Some(side.other()) => {
                self.leaf = leaf(body).map(|der| Box::new(Leaf::read(der)));
            }
            SERVER_HELLO_DONE => self.server_done = true,
            _ => {}
        }
    }
}
