//! Kerberos messages: who asks whom for which ticket, with which encryption.
//!
//! Enters: one message without framing. Leaves: principals, realms, encryption types, options,
//! error codes. Refuses: keys, tickets and authenticators: of an encrypted part only its type is
//! read.
//! Limits: [`LIST_MAX`] encryption or pre-authentication types, [`NAME_PARTS_MAX`] parts of a name
//! of [`NAME_BYTES_MAX`] octets. Source: RFC 4120 section 5, RFC 6113, RFC 4556, [MS-SFU].

mod names;

use crate::ber::{Element, SEQUENCE};

pub use names::{error_name, etype_name, option_names, padata_name};

/// Most encryption or pre-authentication types read of one message.
pub const LIST_MAX: usize = 32;
/// Most parts of a principal's name.
pub const NAME_PARTS_MAX: usize = 8;
/// Longest principal or realm, in bytes.
pub const NAME_BYTES_MAX: usize = 512;

/// Pre-authentication data that holds the AP-REQ of a TGS-REQ.
const PA_TGS_REQ: i32 = 1;
/// Pre-authentication data that names the user whom a service asks a ticket for.
const PA_FOR_USER: i32 = 129;

/// Kind of a message: its APPLICATION tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Asks for a ticket-granting ticket.
    AsReq,
    /// Grants it.
    AsRep,
    /// Asks for a service ticket.
    TgsReq,
    /// Grants it.
    TgsRep,
    /// Shows a ticket to a service.
    ApReq,
    /// The service proves itself.
    ApRep,
    /// Refuses.
    Error,
    /// KRB-SAFE, KRB-PRIV or KRB-CRED: nothing in them is read.
    Sealed,
}

impl Kind {
    /// The kind that a message's first octet says.
    #[must_use]
    pub const fn of_tag(tag: u8) -> Option<Self> {
        Some(match tag {
            0x6a => Self::AsReq,
            0x6b => Self::AsRep,
            0x6c => Self::TgsReq,
            0x6d => Self::TgsRep,
            0x6e => Self::ApReq,
            0x6f => Self::ApRep,
            0x74..=0x76 => Self::Sealed,
            0x7e => Self::Error,
            _ => return None,
        })
    }

    /// Its `msg-type`; `None` for sealed ones, which have several.
    const fn number(self) -> Option<i64> {
        Some(match self {
            Self::AsReq => 10,
            Self::AsRep => 11,
            Self::TgsReq => 12,
            Self::TgsRep => 13,
            Self::ApReq => 14,
            Self::ApRep => 15,
            Self::Error => 30,
            Self::Sealed => return None,
        })
    }
}

/// A principal without its realm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Principal {
    /// Name type: 1 principal, 2 service instance, 3 host, 10 enterprise.
    pub kind: i32,
    /// Parts, joined by slashes.
    pub name: String,
}

/// What a ticket shows outside of its encrypted part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticket {
    /// Realm that issued it.
    pub realm: String,
    /// Service that it is for.
    pub service: Principal,
    /// Encryption type of its encrypted part.
    pub etype: Option<i32>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Kind.
    pub kind: Kind,
    /// KDC or AP options; the first bit is the highest.
    pub options: u32,
    /// Client.
    pub client: Option<Principal>,
    /// Realm of the client, of replies and errors.
    pub client_realm: Option<String>,
    /// Realm asked.
    pub realm: Option<String>,
    /// Service asked for.
    pub service: Option<Principal>,
    /// User whom a service asks a ticket for (S4U2self).
    pub for_user: Option<Principal>,
    /// Encryption types asked for, best first.
    pub etypes: Vec<i32>,
    /// Types of pre-authentication data.
    pub padata: Vec<i32>,
    /// Ticket granted or shown.
    pub ticket: Option<Ticket>,
    /// Encryption type of a reply's own part.
    pub reply_etype: Option<i32>,
    /// Number that the client chose; tells a repetition from another request.
    pub nonce: Option<i64>,
    /// Error code.
    pub error: Option<i32>,
}

impl Message {
    /// Reads the message at the start of `bytes`; `None` when it is none. A message that is cut
    /// gives what is there.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let outer = Element::first(bytes)?;
        let kind = Kind::of_tag(outer.tag)?;
        let mut out = Self::new(kind);
        let inner = outer.children().next()?;
        if kind == Kind::Sealed {
            return (inner.tag == SEQUENCE || outer.tag == 0x75).then_some(out);
        }
        let first = u8::from(matches!(kind, Kind::AsReq | Kind::TgsReq));
        let (version, number) = (first, first + 1);
        let version = inner.explicit(version)?.int()?;
        let number = inner.explicit(number)?.int()?;
        if inner.tag != SEQUENCE || version != 5 || Some(number) != kind.number() {
            return None;
        }
        match kind {
            Kind::AsReq | Kind::TgsReq => out.request(&inner),
            Kind::AsRep | Kind::TgsRep => out.reply(&inner),
            Kind::ApReq => out.shown(&inner),
            Kind::Error => out.refused(&inner),
            Kind::ApRep | Kind::Sealed => {}
        }
        Some(out)
    }

    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            options: 0,
            client: None,
            client_realm: None,
            realm: None,
            service: None,
            for_user: None,
            etypes: Vec::new(),
            padata: Vec::new(),
            ticket: None,
            reply_etype: None,
            nonce: None,
            error: None,
        }
    }

    fn request(&mut self, inner: &Element<'_>) {
        if let Some(list) = inner.explicit(3) {
            self.read_padata(&list);
        }
        let Some(body) = inner.explicit(4) else {
            return;
        };
        self.options = body.explicit(0).map_or(0, bits);
        self.client = body.explicit(1).map(principal);
        self.realm = body.explicit(2).map(name);
        self.service = body.explicit(3).map(principal);
        self.nonce = body.explicit(7).and_then(|e| e.int());
        if let Some(list) = body.explicit(8) {
            let types = list.children().take(LIST_MAX);
            self.etypes = types.filter_map(|etype| small(&etype)).collect();
        }
    }

    fn read_padata(&mut self, list: &Element<'_>) {
        for data in list.children().take(LIST_MAX) {
            let Some(kind) = data.explicit(1).and_then(|e| small(&e)) else {
                continue;
            };
            self.padata.push(kind);
            let value = data.explicit(2);
            match kind {
                PA_TGS_REQ => {
                    let shown = value.and_then(|value| Self::read_shown(value.body));
                    self.ticket = shown.and_then(|shown| shown.ticket);
                }
                PA_FOR_USER => {
                    let user = value.and_then(|value| Element::first(value.body));
                    self.for_user = user.and_then(|user| user.explicit(0)).map(principal);
                }
                _ => {}
            }
        }
    }

    /// Reads an AP-REQ only: other kinds inside pre-authentication data would recurse.
    fn read_shown(bytes: &[u8]) -> Option<Self> {
        let outer = Element::first(bytes)?;
        let inner = outer.children().next()?;
        let mut out = Self::new(Kind::of_tag(outer.tag).filter(|kind| *kind == Kind::ApReq)?);
        out.shown(&inner);
        Some(out)
    }

    fn reply(&mut self, inner: &Element<'_>) {
        if let Some(list) = inner.explicit(2) {
            let data = list.children().take(LIST_MAX);
            self.padata = data
                .filter_map(|data| data.explicit(1).and_then(|e| small(&e)))
                .collect();
        }
        self.client_realm = inner.explicit(3).map(name);
        self.client = inner.explicit(4).map(principal);
        self.ticket = inner.explicit(5).and_then(|ticket| self::ticket(&ticket));
        self.reply_etype = inner
            .explicit(6)
            .and_then(|part| part.explicit(0))
            .and_then(|e| small(&e));
    }

    fn shown(&mut self, inner: &Element<'_>) {
        self.options = inner.explicit(2).map_or(0, bits);
        self.ticket = inner.explicit(3).and_then(|ticket| self::ticket(&ticket));
        self.reply_etype = inner
            .explicit(4)
            .and_then(|part| part.explicit(0))
            .and_then(|e| small(&e));
    }

    fn refused(&mut self, inner: &Element<'_>) {
        self.error = inner.explicit(6).and_then(|e| small(&e));
        self.client_realm = inner.explicit(7).map(name);
        self.client = inner.explicit(8).map(principal);
        self.realm = inner.explicit(9).map(name);
        self.service = inner.explicit(10).map(principal);
    }
}

fn ticket(ticket: &Element<'_>) -> Option<Ticket> {
    let inner = if ticket.tag == 0x61 {
        ticket.children().next()?
    } else {
        *ticket
    };
    Some(Ticket {
        realm: name(inner.explicit(1)?),
        service: principal(inner.explicit(2)?),
        etype: inner
            .explicit(3)
            .and_then(|part| part.explicit(0))
            .and_then(|e| small(&e)),
    })
}

fn principal(element: Element<'_>) -> Principal {
    let parts = element.explicit(1);
    let parts = parts
        .iter()
        .flat_map(Element::children)
        .take(NAME_PARTS_MAX);
    let joined = parts.map(name).collect::<Vec<_>>().join("/");
    Principal {
        kind: element.explicit(0).and_then(|e| small(&e)).unwrap_or(0),
        name: model::limit::cut_to(&joined, NAME_BYTES_MAX).to_owned(),
    }
}

fn name(element: Element<'_>) -> String {
    let text = element.body.get(..NAME_BYTES_MAX).unwrap_or(element.body);
    crate::ber::text(text)
}

fn small(element: &Element<'_>) -> Option<i32> {
    i32::try_from(element.int()?).ok()
}

/// The first 32 bits of a bit string; its first octet counts unused bits.
fn bits(element: Element<'_>) -> u32 {
    let octets = element.body.get(1..).unwrap_or(&[]).iter().take(4);
    let gathered = octets.enumerate();
    gathered.fold(0, |bits, (index, octet)| {
        bits | u32::from(*octet) << (24 - 8 * index)
    })
}

#[cfg(test)]
mod tests;
