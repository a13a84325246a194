//! Messages of SNMP.
//!
//! Enters: a datagram. Leaves: version, security, operation, bindings. Refuses: what is not a
//! message of one of the three versions. Limits: [`BINDINGS_MAX`] bindings a message.
//! Source: RFC 1157 section 4, RFC 3416 section 3, RFC 3412 section 6, RFC 3414 section 2.4.

use codec::bytes::Reader;

use super::ber::{arcs, dotted, expect, integer, next};
use crate::protocol::shared::text::readable;

/// Most bindings of one message that are looked at.
pub(super) const BINDINGS_MAX: usize = 128;
/// Longest community that is taken for one.
const COMMUNITY_BYTES_MAX: usize = 255;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// One message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) version: &'static str,
    /// Of versions 1 and 2c: whether the community is one that devices come with.
    pub(super) default_community: Option<bool>,
    /// Of version 3.
    pub(super) security: Option<Security<'a>>,
    /// Absent when it is encrypted.
    pub(super) pdu: Option<Pdu<'a>>,
}

/// What version 3 tells in the clear.
#[derive(Debug, Default)]
pub(super) struct Security<'a> {
    pub(super) flags: u8,
    pub(super) engine: &'a [u8],
    pub(super) user: &'a [u8],
}

/// An operation.
#[derive(Debug)]
pub(super) struct Pdu<'a> {
    /// Context tag: 0 get to 8 report.
    pub(super) kind: u8,
    pub(super) error: i64,
    /// Enterprise of a version 1 trap.
    pub(super) enterprise: Option<&'a [u8]>,
    /// Name, tag of the value, value.
    pub(super) bindings: Vec<(&'a [u8], u8, &'a [u8])>,
}

impl<'a> Message<'a> {
    /// Reads a message.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let body = expect(&mut Reader::new(bytes), SEQUENCE)?;
        let mut r = Reader::new(body);
        let version = integer(expect(&mut r, INTEGER)?)?;
        match version {
            0 | 1 => {
                let community = expect(&mut r, OCTETS)?;
                if community.len() > COMMUNITY_BYTES_MAX {
                    return None;
                }
                let known = [&b"public"[..], b"private"];
                let default = known
                    .iter()
                    .any(|word| community.eq_ignore_ascii_case(word));
                Some(Self {
                    version: if version == 0 { "1" } else { "2c" },
                    default_community: Some(default),
                    security: None,
                    pdu: Some(pdu(&mut r)?),
                })
            }
            3 => Self::version_3(&mut r),
            _ => None,
        }
    }

    fn version_3(r: &mut Reader<'a>) -> Option<Self> {
        let mut global = Reader::new(expect(r, SEQUENCE)?);
        integer(expect(&mut global, INTEGER)?)?;
        integer(expect(&mut global, INTEGER)?)?;
        let flags = *expect(&mut global, OCTETS)?.first()?;
        let model = integer(expect(&mut global, INTEGER)?)?;
        let parameters = expect(r, OCTETS)?;
        let mut security = Security {
            flags,
            ..Security::default()
        };
        // The user-based model; others have parameters of their own.
        if model == 3
            && let Some(inner) = expect(&mut Reader::new(parameters), SEQUENCE)
        {
            let mut inner = Reader::new(inner);
            security.engine = expect(&mut inner, OCTETS).unwrap_or(&[]);
            let _boots = expect(&mut inner, INTEGER);
            let _time = expect(&mut inner, INTEGER);
            security.user = expect(&mut inner, OCTETS).unwrap_or(&[]);
        }
        let scoped = next(r).filter(|(tag, _)| *tag == SEQUENCE);
        let pdu = scoped.and_then(|(_, scoped)| {
            let mut inner = Reader::new(scoped);
            expect(&mut inner, OCTETS)?;
            expect(&mut inner, OCTETS)?;
            pdu(&mut inner)
        });
        Some(Self {
            version: "3",
            default_community: None,
            security: Some(security),
            pdu,
        })
    }
}

fn pdu<'a>(r: &mut Reader<'a>) -> Option<Pdu<'a>> {
    let (tag, body) = next(r)?;
    if !(0xa0..=0xa8).contains(&tag) {
        return None;
    }
    let mut r = Reader::new(body);
    let mut pdu = Pdu {
        kind: tag & 0x0f,
        error: 0,
        enterprise: None,
        bindings: Vec::new(),
    };
    if pdu.kind == 4 {
        pdu.enterprise = Some(expect(&mut r, OBJECT)?);
        for _ in 0..4 {
            next(&mut r)?;
        }
    } else {
        // The number of the request.
        integer(expect(&mut r, INTEGER)?)?;
        pdu.error = integer(expect(&mut r, INTEGER)?)?;
        expect(&mut r, INTEGER)?;
    }
    let mut list = Reader::new(expect(&mut r, SEQUENCE).unwrap_or(&[]));
    while pdu.bindings.len() < BINDINGS_MAX {
        let Some(binding) = expect(&mut list, SEQUENCE) else {
            break;
        };
        let mut binding = Reader::new(binding);
        let (Some(name), Some((tag, value))) = (expect(&mut binding, OBJECT), next(&mut binding))
        else {
            break;
        };
        pdu.bindings.push((name, tag, value));
    }
    Some(pdu)
}

/// A value of the system group that says what the device is.
pub(super) fn identity(name: &[u8], tag: u8, value: &[u8]) -> Option<(&'static str, String)> {
    // 1.3.6.1.2.1.1.X.0
    let [0x2b, 6, 1, 2, 1, 1, object, 0] = *name else {
        return None;
    };
    let text = || readable(value);
    let found = match (object, tag) {
        (1, OCTETS) => ("sys_descr", text()),
        (2, OBJECT) => ("sys_object_id", dotted(&arcs(value))),
        (5, OCTETS) => ("sys_name", text()),
        _ => return None,
    };
    (!found.1.is_empty()).then_some(found)
}

/// Name of an operation.
pub(super) const fn operation(kind: u8) -> &'static str {
    match kind {
        0 => "get",
        1 => "get_next",
        2 => "response",
        3 => "set",
        4 => "trap",
        5 => "get_bulk",
        6 => "inform",
        7 => "trap2",
        _ => "report",
    }
}
