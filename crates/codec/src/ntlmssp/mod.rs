//! NTLMSSP messages: who authenticates, from where, to which server.
//!
//! Enters: one message, or a token that holds one (SPNEGO). Leaves: names, versions, the challenge
//! and the NTProofStr. Refuses: names beyond [`NAME_BYTES_MAX`] (cut), target information beyond
//! [`PAIRS_MAX`] pairs. Hashes and responses are not kept. Source: [MS-NLMP] section 2.2.1.

use crate::bytes::Reader;

/// First octets of every message.
pub const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Longest name read, in bytes on the wire.
pub const NAME_BYTES_MAX: usize = 1024;
/// Most attribute-value pairs read of a challenge.
pub const PAIRS_MAX: usize = 32;
/// Attribute: service principal that the client means to reach.
const TARGET_NAME: u16 = 9;
/// Flag: names are UTF-16LE.
const UNICODE: u32 = 0x0000_0001;
/// Flag: the version field is valid.
const VERSION: u32 = 0x0200_0000;

/// The message that starts in `token`, which may wrap it (SPNEGO); `None` when there is none.
#[must_use]
pub fn find(token: &[u8]) -> Option<&[u8]> {
    let at = token
        .windows(SIGNATURE.len())
        .position(|w| w == SIGNATURE)?;
    token.get(at..)
}

/// Operating system version: major, minor, build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Major version.
    pub major: u8,
    /// Minor version.
    pub minor: u8,
    /// Build number.
    pub build: u16,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.build)
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Type 1.
    Negotiate(Negotiate),
    /// Type 2.
    Challenge(Box<Challenge>),
    /// Type 3.
    Authenticate(Box<Authenticate>),
}

/// NEGOTIATE_MESSAGE: the client offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Negotiate {
    /// Domain of the client, OEM characters; often absent.
    pub domain: String,
    /// Name of the client; often absent.
    pub workstation: String,
    /// Operating system of the client.
    pub version: Option<Version>,
}

/// CHALLENGE_MESSAGE: the server names itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// Domain or server that authenticates.
    pub target: String,
    /// Server challenge.
    pub challenge: [u8; 8],
    /// NetBIOS name of the server.
    pub netbios_computer: String,
    /// NetBIOS name of its domain.
    pub netbios_domain: String,
    /// DNS name of the server.
    pub dns_computer: String,
    /// DNS name of its domain.
    pub dns_domain: String,
    /// DNS name of the forest.
    pub dns_forest: String,
    /// Operating system of the server.
    pub version: Option<Version>,
}

/// AUTHENTICATE_MESSAGE: the client names its user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authenticate {
    /// Domain of the user.
    pub domain: String,
    /// User; empty for an anonymous logon.
    pub user: String,
    /// Name of the client.
    pub workstation: String,
    /// First 16 octets of an NTLMv2 response, the same wherever that response is relayed to.
    pub proof: Option<[u8; 16]>,
    /// Service principal that the client means to reach, of an NTLMv2 response; often absent.
    pub target_name: String,
    /// Operating system of the client.
    pub version: Option<Version>,
}

impl Message {
    /// Reads the message at the start of `bytes`; `None` when the signature or type is not one, or
    /// the fixed part is cut. Fields that point outside are empty.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.take(SIGNATURE.len())? != SIGNATURE {
            return None;
        }
        match reader.u32_le()? {
            1 => Self::negotiate(bytes),
            2 => Self::challenge(bytes),
            3 => Self::authenticate(bytes),
            _ => None,
        }
    }

    fn negotiate(bytes: &[u8]) -> Option<Self> {
        let flags = Reader::new(bytes.get(12..)?).u32_le()?;
        // OEM characters whatever the flags say.
        Some(Self::Negotiate(Negotiate {
            domain: text(field(bytes, 16), 0),
            workstation: text(field(bytes, 24), 0),
            version: version(bytes, 32, flags),
        }))
    }

    fn challenge(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes.get(20..)?);
        let flags = reader.u32_le()?;
        let mut out = Challenge {
            target: text(field(bytes, 12), flags),
            challenge: reader.array()?,
            version: version(bytes, 48, flags),
            ..Challenge::default()
        };
        for (id, value) in pairs(field(bytes, 40)) {
            let slot = match id {
                1 => &mut out.netbios_computer,
                2 => &mut out.netbios_domain,
                3 => &mut out.dns_computer,
                4 => &mut out.dns_domain,
                5 => &mut out.dns_forest,
                _ => continue,
            };
            *slot = text(value, UNICODE);
        }
        Some(Self::Challenge(Box::new(out)))
    }

    fn authenticate(bytes: &[u8]) -> Option<Self> {
        let flags = Reader::new(bytes.get(60..)?).u32_le()?;
        let response = field(bytes, 20);
        // After the proof and 28 fixed octets: attributes and values. Those that a client copies
        // from the challenge come before its own.
        let target_name = pairs(response.get(44..).unwrap_or(&[]))
            .find(|(id, _)| *id == TARGET_NAME)
            .map(|(_, value)| text(value, UNICODE));
        // An NTLMv1 response has 24 octets and no proof.
        let proof = response.first_chunk::<16>().filter(|_| response.len() > 24);
        Some(Self::Authenticate(Box::new(Authenticate {
            domain: text(field(bytes, 28), flags),
            user: text(field(bytes, 36), flags),
            workstation: text(field(bytes, 44), flags),
            proof: proof.copied(),
            target_name: target_name.unwrap_or_default(),
            version: version(bytes, 64, flags),
        })))
    }
}

/// Attributes and values, to the one that ends them.
fn pairs(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut reader = Reader::new(bytes);
    let next = move || {
        let id = reader.u16_le().filter(|id| *id != 0)?;
        let length = usize::from(reader.u16_le()?);
        Some((id, reader.take(length)?))
    };
    std::iter::from_fn(next).take(PAIRS_MAX)
}

/// The payload that the length and offset at `at` point to; empty when they point outside.
fn field(bytes: &[u8], at: usize) -> &[u8] {
    let pointed = || {
        let mut reader = Reader::new(bytes.get(at..)?);
        let length = usize::from(reader.u16_le()?);
        reader.skip(2)?;
        let offset = usize::try_from(reader.u32_le()?).ok()?;
        bytes.get(offset..offset.checked_add(length)?)
    };
    pointed().unwrap_or(&[])
}

fn text(bytes: &[u8], flags: u32) -> String {
    let bytes = bytes.get(..NAME_BYTES_MAX).unwrap_or(bytes);
    if flags & UNICODE == 0 {
        return bytes.iter().map(|byte| char::from(*byte)).collect();
    }
    utf16(bytes)
}

/// Text of UTF-16LE octets; an odd last octet is left out, lone surrogates become U+FFFD.
#[must_use]
pub fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| match *pair {
        [low, high] => u16::from_le_bytes([low, high]),
        _ => 0,
    });
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn version(bytes: &[u8], at: usize, flags: u32) -> Option<Version> {
    if flags & VERSION == 0 {
        return None;
    }
    let mut reader = Reader::new(bytes.get(at..)?);
    let out = Version {
        major: reader.u8()?,
        minor: reader.u8()?,
        build: reader.u16_le()?,
    };
    (out.major > 0).then_some(out)
}

#[cfg(test)]
mod tests;
