//! One security token: what is inside its wrappings.
//!
//! Enters: octets. Leaves: an NTLMSSP or Kerberos message, the mechanisms offered, the state of the
//! negotiation. Refuses: what is no token. Source: RFC 2743 section 3.1, RFC 4178 section 4.2,
//! RFC 4121 section 4.1, [MS-SPNG].

use codec::ber::{Element, OCTETS, OID};
use codec::kerberos;
use codec::ntlmssp::{self, Message};

use super::MECHANISMS_MAX;

/// A token.
#[derive(Default)]
pub(super) struct Token {
    /// True when SPNEGO wraps it.
    pub(super) wrapped: bool,
    /// Mechanisms offered, best first.
    pub(super) offered: Vec<&'static str>,
    /// The end: accepted or rejected.
    pub(super) state: Option<bool>,
    /// What it carries.
    pub(super) inner: Inner,
}

/// What a token carries.
#[derive(Default)]
pub(super) enum Inner {
    /// NTLMSSP.
    Ntlm(Message),
    /// Kerberos.
    Kerberos(Box<kerberos::Message>),
    /// Nothing that is known.
    #[default]
    None,
}

/// GSS-API framing: APPLICATION 0.
const FRAME: u8 = 0x60;
/// NegTokenInit, NegTokenResp.
const INIT: u8 = 0xa0;
const RESP: u8 = 0xa1;
/// AP-REQ without framing, as DCE style has it.
const AP_REQ: u8 = 0x6e;
const SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";

/// Reads a token.
pub(super) fn read(bytes: &[u8]) -> Option<Token> {
    let first = *bytes.first()?;
    match first {
        b'N' | AP_REQ => bare(bytes),
        FRAME => {
            let frame = Element::first(bytes)?;
            let mut inside = frame.children();
            let mechanism = inside.next().filter(|element| element.tag == OID)?;
            if mechanism.body == SPNEGO {
                inside.next().map(|element| negotiation(&element))
            } else {
                bare(bytes)
            }
        }
        INIT | RESP => Element::first(bytes).map(|element| negotiation(&element)),
        _ => None,
    }
}

fn bare(bytes: &[u8]) -> Option<Token> {
    let inner = inner(bytes);
    let token = Token {
        inner,
        ..Token::default()
    };
    (!matches!(token.inner, Inner::None)).then_some(token)
}

fn negotiation(element: &Element<'_>) -> Token {
    let mut token = Token {
        wrapped: true,
        ..Token::default()
    };
    let Some(sequence) = element.children().next() else {
        return token;
    };
    if element.tag == INIT {
        let offered = sequence.explicit(0);
        let names = offered
            .iter()
            .flat_map(Element::children)
            .take(MECHANISMS_MAX);
        token.offered = names.map(|oid| mechanism(oid.body)).collect();
    } else {
        token.state = match sequence.explicit(0).and_then(|state| state.int()) {
            Some(0) => Some(true),
            Some(2) => Some(false),
            _ => None,
        };
    }
    if let Some(inside) = sequence.explicit(2).filter(|inside| inside.tag == OCTETS) {
        token.inner = inner(inside.body);
    }
    token
}

/// NTLMSSP, or Kerberos with or without framing.
fn inner(bytes: &[u8]) -> Inner {
    if let Some(message) = Message::read(bytes) {
        return Inner::Ntlm(message);
    }
    let kerberos = |bytes| kerberos::Message::read(bytes).map(Box::new);
    let framed = || {
        let frame = Element::first(bytes).filter(|frame| frame.tag == FRAME)?;
        let mut inside = frame.children();
        inside.next().filter(|element| element.tag == OID)?;
        // Two octets say which message follows.
        kerberos(inside.rest().get(2..)?)
    };
    match framed().or_else(|| kerberos(bytes)) {
        Some(message) => Inner::Kerberos(message),
        None => ntlmssp::find(bytes)
            .and_then(Message::read)
            .map_or(Inner::None, Inner::Ntlm),
    }
}

fn mechanism(oid: &[u8]) -> &'static str {
    match oid {
        b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a" => "NTLMSSP",
        b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x1e" => "NEGOEX",
        b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02" => "Kerberos",
        b"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02" => "MS-Kerberos",
        b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x03" => "Kerberos-U2U",
        SPNEGO => "SPNEGO",
        _ => "other",
    }
}
