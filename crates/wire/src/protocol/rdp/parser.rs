//! Units of X.224, the negotiation inside them, and the data blocks of the opening.
//!
//! Enters: whole frames. Leaves: typed values. Refuses: what is not there; more than
//! [`CHANNELS_MAX`] channels and [`BLOCKS_MAX`] blocks.
//! Source: [MS-RDPBCGR] sections 2.2.1.1 to 2.2.1.4; RFC 1006 section 6; T.124 section 8.7 (GCC).

use codec::bytes::Reader;
use codec::ntlmssp::utf16;
use model::class::Rdp;
use model::{Sensitive, Text, limit};

/// Octets of a TPKT header.
pub(super) const TPKT_BYTES: usize = 4;
/// Octets of a first frame that tell whose it is.
pub(super) const TELLING_BYTES: usize = 19;
/// Most virtual channels of one client.
pub(super) const CHANNELS_MAX: usize = 31;
/// Most data blocks of one side.
const BLOCKS_MAX: usize = 32;
/// Longest cookie that is kept.
const COOKIE_BYTES_MAX: usize = 256;
/// Octets before what a connection request carries.
const REQUEST_BYTES: usize = 11;
/// Octets before what a data unit carries.
const DATA_BYTES: usize = 7;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// The client asks for a connection.
    Request,
    /// The server answers.
    Confirm,
    /// Data.
    Data,
    /// Something else.
    Other,
}

/// What the server made of the client's offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It chose this protocol.
    Selected(u32),
    /// It refused, for this reason.
    Failure(u32),
    /// It knows no negotiation: standard security.
    Old,
}

/// Octets of the frame that starts here; `None` when none does, or its header is cut.
pub(super) fn frame_bytes(bytes: &[u8]) -> Option<usize> {
    let mut r = Reader::new(bytes);
    let (version, reserved, length) = (r.u8()?, r.u8()?, usize::from(r.u16_be()?));
    (version == 3 && reserved == 0 && length >= DATA_BYTES).then_some(length)
}

/// What a frame is.
pub(super) fn unit(frame: &[u8]) -> Unit {
    match frame.get(TPKT_BYTES + 1) {
        Some(0xe0) => Unit::Request,
        Some(0xd0) => Unit::Confirm,
        Some(0xf0) => Unit::Data,
        _ => Unit::Other,
    }
}

/// Whether the start of a first frame is RDP's: surely, perhaps (a request that names nothing), or
/// not.
pub(super) fn mark(frame: &[u8]) -> Option<bool> {
    let carried = frame.get(REQUEST_BYTES..).unwrap_or(&[]);
    match unit(frame) {
        Unit::Request if frame.len() == REQUEST_BYTES => Some(false),
        Unit::Request => {
            let cookie = carried.starts_with(b"Cookie: ");
            let offer = matches!(carried, [1 | 6, _, 8 | 36, 0, ..]);
            (cookie || offer).then_some(true)
        }
        Unit::Confirm => matches!(carried, [2 | 3, _, 8, 0, ..]).then_some(true),
        // MCS Connect-Initial and Connect-Response, inside decrypted TLS.
        Unit::Data => {
            let carried = frame.get(DATA_BYTES..).unwrap_or(&[]);
            matches!(carried, [0x7f, 0x65 | 0x66, ..]).then_some(true)
        }
        Unit::Other => None,
    }
}

/// Reads a connection request into the event.
pub(super) fn request(frame: &[u8], rdp: &mut Rdp) {
    let mut rest = frame.get(REQUEST_BYTES..).unwrap_or(&[]);
    let line = rest.windows(2).position(|two| two == b"\r\n");
    if let Some(end) = line.filter(|_| !rest.starts_with(&[1])) {
        let cookie = rest.get(..end).unwrap_or(&[]);
        let cookie = cookie.strip_prefix(b"Cookie: ").unwrap_or(cookie);
        let text = String::from_utf8_lossy(cookie);
        let text = limit::cut_to(&text, COOKIE_BYTES_MAX);
        let name = text.strip_prefix("mstshash=");
        rdp.cookie = Some(Sensitive::text(name.unwrap_or(text)));
        rdp.user = name.filter(|name| !name.is_empty()).map(Sensitive::text);
        rest = rest.get(end + 2..).unwrap_or(&[]);
    }
    if let Some(protocols) = offered(rest) {
        let bits = (0..5)
            .map(|bit| 1u32 << bit)
            .filter(|bit| protocols & bit != 0);
        rdp.requested = bits.map(|bit| Text::Borrowed(protocol(bit))).collect();
        if protocols & 0x1f == 0 {
            rdp.requested.push(Text::Borrowed(protocol(0)));
        }
    }
}

fn offered(rest: &[u8]) -> Option<u32> {
    let mut r = Reader::new(rest);
    (r.u8()? == 1).then_some(())?;
    r.skip(1)?;
    (r.u16_le()? == 8).then_some(())?;
    r.u32_le()
}

/// Reads the answer to a connection request.
pub(super) fn answer(frame: &[u8]) -> Answer {
    let carried = frame.get(REQUEST_BYTES..).unwrap_or(&[]);
    let value = carried.get(4..).and_then(|rest| Reader::new(rest).u32_le());
    match (carried.first(), value) {
        (Some(2), Some(protocol)) => Answer::Selected(protocol),
        (Some(3), Some(code)) => Answer::Failure(code),
        _ => Answer::Old,
    }
}

/// Name of a security protocol.
pub(super) const fn protocol(bit: u32) -> &'static str {
    match bit {
        0 => "rdp",
        1 => "tls",
        2 => "hybrid",
        4 => "rdstls",
        8 => "hybrid_ex",
        16 => "rdsaad",
        _ => "other",
    }
}

/// Name of a reason for refusal.
pub(super) fn failure(code: u32) -> Text {
    Text::Borrowed(match code {
        1 => "SSL_REQUIRED_BY_SERVER",
        2 => "SSL_NOT_ALLOWED_BY_SERVER",
        3 => "SSL_CERT_NOT_ON_SERVER",
        4 => "INCONSISTENT_FLAGS",
        5 => "HYBRID_REQUIRED_BY_SERVER",
        6 => "SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER",
        other => return Text::from(other.to_string()),
    })
}

/// Reads the data blocks of a Connect-Initial or Connect-Response into the event; false when the
/// frame is none.
pub(super) fn opening(frame: &[u8], rdp: &mut Rdp) -> bool {
    let Some(carried) = frame.get(DATA_BYTES..) else {
        return false;
    };
    // The keys of H.221 that Microsoft took stand before the blocks of each side.
    let key: &[u8; 4] = match carried {
        [0x7f, 0x65, ..] => b"Duca",
        [0x7f, 0x66, ..] => b"McDn",
        _ => return false,
    };
    let Some(at) = carried.windows(4).position(|four| four == key) else {
        return true;
    };
    let mut rest = carried.get(at + 4..).unwrap_or(&[]);
    // A length of one or two octets.
    let long = rest.first().is_some_and(|first| first & 0x80 != 0);
    rest = rest.get(if long { 2 } else { 1 }..).unwrap_or(&[]);
    for _ in 0..BLOCKS_MAX {
        let mut r = Reader::new(rest);
        let (Some(kind), Some(length)) = (r.u16_le(), r.u16_le()) else {
            break;
        };
        let length = usize::from(length);
        let Some(block) = rest.get(4..length) else {
            break;
        };
        let _ = match kind {
            0xc001 => core(block, rdp),
            0xc003 => channels(block, rdp),
            0x0c02 => encryption(block, rdp),
            _ => None,
        };
        rest = rest.get(length..).unwrap_or(&[]);
    }
    true
}

/// Client core data, section 2.2.1.3.2.
fn core(block: &[u8], rdp: &mut Rdp) -> Option<()> {
    let mut r = Reader::new(block);
    rdp.version = Some(version(r.u32_le()?));
    rdp.width = Some(u32::from(r.u16_le()?));
    rdp.height = Some(u32::from(r.u16_le()?));
    r.skip(4)?;
    rdp.keyboard_layout = Some(Text::from(format!("0x{:08x}", r.u32_le()?)));
    rdp.client_build = Some(r.u32_le()?);
    let name = utf16(r.take(32)?);
    let name = name.split('\0').next().unwrap_or("");
    rdp.client_name = (!name.is_empty()).then(|| Sensitive::text(name));
    rdp.keyboard_type = Some(Text::from(r.u32_le()?.to_string()));
    Some(())
}

/// Client network data, section 2.2.1.3.4.
fn channels(block: &[u8], rdp: &mut Rdp) -> Option<()> {
    let mut r = Reader::new(block);
    let count = usize::try_from(r.u32_le()?).ok()?.min(CHANNELS_MAX);
    for _ in 0..count {
        let name = r.take(8)?.split(|octet| *octet == 0).next()?;
        let plain = name.iter().all(u8::is_ascii_graphic) && !name.is_empty();
        if let Some(name) = std::str::from_utf8(name).ok().filter(|_| plain) {
            rdp.channels.push(Text::from(name.to_owned()));
        }
        r.skip(4)?;
    }
    Some(())
}

/// Server security data, section 2.2.1.4.3.
fn encryption(block: &[u8], rdp: &mut Rdp) -> Option<()> {
    let name = match Reader::new(block).u32_le()? {
        0 => "none",
        1 => "rc4-40",
        2 => "rc4-128",
        8 => "rc4-56",
        16 => "fips",
        _ => "other",
    };
    rdp.encryption = Some(Text::Borrowed(name));
    Some(())
}

fn version(number: u32) -> Text {
    let minor = number & 0xffff;
    match (number >> 16, minor) {
        (8, 1) => Text::Borrowed("4.0"),
        // 5.0 to 8.1 say the same.
        (8, 4) => Text::Borrowed("5.0"),
        (8, 5..=17) => Text::from(format!("10.{}", minor - 5)),
        _ => Text::from(format!("0x{number:08x}")),
    }
}
