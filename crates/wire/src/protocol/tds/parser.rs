//! Packets and tokens of TDS.
//!
//! Enters: octets of one side. Leaves: packet heads, pre-login options, log-ins, answers. Refuses:
//! nothing; what is not understood ends the walk. Limits: [`TOKENS_MAX`] tokens of an answer.
//! Source: [MS-TDS] sections 2.2.3, 2.2.6.4, 2.2.6.5, 2.2.7.

use codec::bytes::Reader;
use codec::ntlmssp::utf16;

use crate::protocol::Probe;

/// Most tokens of one answer that are looked at.
const TOKENS_MAX: usize = 64;
/// Most options before a log-in.
const OPTIONS_MAX: usize = 16;

pub(super) const BATCH: u8 = 0x01;
pub(super) const RPC: u8 = 0x03;
pub(super) const RESPONSE: u8 = 0x04;
pub(super) const LOGIN: u8 = 0x10;
pub(super) const SSPI: u8 = 0x11;
pub(super) const PRE_LOGIN: u8 = 0x12;

/// The head of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: u8,
    /// The last packet of its message.
    pub(super) last: bool,
    /// Octets of the packet, its head included.
    pub(super) length: usize,
}

/// Reads the head of a packet; `None` when it is not whole.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let &[kind, status, high, low, ..] = bytes.first_chunk::<8>()?;
    Some(Head {
        kind,
        last: status & 1 != 0,
        length: usize::from(u16::from_be_bytes([high, low])),
    })
}

/// Whether these octets are the first packet of a client.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    match bytes.first() {
        Some(&(PRE_LOGIN | LOGIN)) => {}
        _ => return Probe::No,
    }
    if bytes.get(1).is_some_and(|status| *status > 1) {
        return Probe::No;
    }
    let Some(found) = head(bytes) else {
        return Probe::NeedMore;
    };
    let channel = bytes.get(4..6) == Some(&[0, 0]);
    if !channel || !(16..=32_767).contains(&found.length) {
        return Probe::No;
    }
    let body = bytes.get(8..).unwrap_or(&[]);
    let fits = match found.kind {
        // The first option is the version, of six octets.
        PRE_LOGIN => match body {
            [0, _, _, 0, 6, ..] => true,
            [] | [0] | [0, _] | [0, _, _] | [0, _, _, 0] => return Probe::NeedMore,
            _ => false,
        },
        _ => match body.get(4..8) {
            // Version 7.x of the protocol, little-endian.
            Some([_, _, _, 0x70..=0x74]) => true,
            Some(_) => false,
            None => return Probe::NeedMore,
        },
    };
    if fits { Probe::Certain } else { Probe::No }
}

/// Version and encryption of a pre-login message.
pub(super) fn pre_login(body: &[u8]) -> (Option<[u8; 6]>, Option<u8>) {
    let (mut version, mut encryption) = (None, None);
    let mut r = Reader::new(body);
    for _ in 0..OPTIONS_MAX {
        let Some(option @ 0..=0xfe) = r.u8() else {
            break;
        };
        let (Some(at), Some(length)) = (r.u16_be(), r.u16_be()) else {
            break;
        };
        let (at, length) = (usize::from(at), usize::from(length));
        let value = body.get(at..at + length).unwrap_or(&[]);
        match option {
            0 => version = value.first_chunk::<6>().copied(),
            1 => encryption = value.first().copied(),
            _ => {}
        }
    }
    (version, encryption)
}

/// A log-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) host: String,
    pub(super) user: String,
    pub(super) application: String,
    pub(super) server: String,
    pub(super) library: String,
    pub(super) database: String,
    /// The user proves who it is with SSPI.
    pub(super) integrated: bool,
    /// What SSPI says first.
    pub(super) token: Vec<u8>,
}

/// Reads a log-in. The password is passed over.
pub(super) fn login(body: &[u8]) -> Option<Login> {
    let flags = *body.get(25)?;
    let text = |place: usize| {
        let mut r = Reader::new(body.get(place..)?);
        let (at, count) = (usize::from(r.u16_le()?), usize::from(r.u16_le()?));
        body.get(at..at + count * 2).map(utf16)
    };
    let token = || {
        let mut r = Reader::new(body.get(78..)?);
        let (at, count) = (usize::from(r.u16_le()?), usize::from(r.u16_le()?));
        body.get(at..at + count)
    };
    let field = |place| text(place).unwrap_or_default();
    Some(Login {
        host: field(36),
        user: field(40),
        application: field(48),
        server: field(52),
        library: field(60),
        database: field(68),
        integrated: flags & 0x80 != 0,
        token: token().unwrap_or(&[]).to_vec(),
    })
}

/// What an answer tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// The log-in was accepted by a program of this name and version.
    pub(super) accepted: Option<String>,
    /// Numbers of errors.
    pub(super) errors: Vec<u32>,
    /// The database that is now used.
    pub(super) database: Option<String>,
    /// A challenge of SSPI.
    pub(super) challenge: bool,
}

/// Reads the tokens of an answer, up to the first that describes rows.
pub(super) fn answer(body: &[u8]) -> Answer {
    let mut out = Answer::default();
    let mut r = Reader::new(body);
    for _ in 0..TOKENS_MAX {
        let Some(token @ (0xaa | 0xab | 0xad | 0xe3 | 0xed)) = r.u8() else {
            break;
        };
        let Some(value) = r.u16_le().and_then(|length| r.take(usize::from(length))) else {
            break;
        };
        match token {
            0xaa => out.errors.extend(Reader::new(value).u32_le()),
            0xad => out.accepted = accepted(value).or(out.accepted),
            0xe3 => out.database = database(value).or(out.database),
            0xed => out.challenge = true,
            _ => {}
        }
    }
    out
}

fn accepted(value: &[u8]) -> Option<String> {
    let mut r = Reader::new(value);
    r.skip(5)?;
    let count = usize::from(r.u8()?);
    let program = utf16(r.take(count * 2)?);
    let [major, minor, high, low] = r.array()?;
    let program = program.trim_end_matches('\0');
    let build = u16::from_be_bytes([high, low]);
    Some(format!("{program} {major}.{minor}.{build}"))
}

fn database(value: &[u8]) -> Option<String> {
    let mut r = Reader::new(value);
    if r.u8()? != 1 {
        return None;
    }
    let count = usize::from(r.u8()?);
    r.take(count * 2).map(utf16)
}

/// The text of a batch, after its headers, as single octets.
pub(super) fn batch(body: &[u8]) -> Vec<u8> {
    let headers = Reader::new(body).u32_le();
    let headers = headers.and_then(|length| usize::try_from(length).ok());
    let text = match headers {
        Some(length @ 4..=512) => body.get(length..).unwrap_or(&[]),
        _ => body,
    };
    text.chunks_exact(2)
        .filter_map(|pair| pair.first().copied())
        .collect()
}
