//! ClientHello and ServerHello.
//!
//! Enters: the body of a handshake message (after type and length), or a hello of SSL 2.
//! Leaves: what could be read; a cut tail keeps the head. Refuses: bodies without a version.
//! Limits: [`LIST_ITEMS_MAX`] elements a list. Source: RFC 8446 section 4.1, RFC 6066 (server
//! name), RFC 7301 (ALPN), RFC 5246 appendix E.2 (SSL 2 hello).

use super::{LIST_ITEMS_MAX, is_grease, is_tls13};
use crate::bytes::Reader;

const EXT_SERVER_NAME: u16 = 0;
const EXT_GROUPS: u16 = 10;
const EXT_POINT_FORMATS: u16 = 11;
const EXT_SIGNATURE_ALGORITHMS: u16 = 13;
const EXT_ALPN: u16 = 16;
const EXT_PRE_SHARED_KEY: u16 = 41;
const EXT_VERSIONS: u16 = 43;

/// What a client offers. Lists are in the client's order, GREASE included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// Version of the message, not of `supported_versions`.
    pub version: u16,
    /// The random value that names the connection in key logs.
    pub random: [u8; 32],
    /// Identifier of a session to resume; empty for none.
    pub session: Vec<u8>,
    /// Cipher suites.
    pub ciphers: Vec<u16>,
    /// Numbers of the extensions.
    pub extensions: Vec<u16>,
    /// Server name, lower case, non-printable octets escaped.
    pub server_name: Option<String>,
    /// Application protocols.
    pub alpn: Vec<Vec<u8>>,
    /// Versions of `supported_versions`.
    pub versions: Vec<u16>,
    /// Groups (elliptic curves).
    pub groups: Vec<u16>,
    /// Point formats.
    pub point_formats: Vec<u8>,
    /// Signature algorithms.
    pub signature_algorithms: Vec<u16>,
    /// True when the message was cut or malformed.
    pub broken: bool,
}

/// What a server chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// Version of the message, not of `supported_versions`.
    pub legacy_version: u16,
    /// The random value.
    pub random: [u8; 32],
    /// Version of `supported_versions`, if present.
    pub chosen_version: Option<u16>,
    /// Identifier of the session, or the echo of the client's.
    pub session: Vec<u8>,
    /// Cipher suite.
    pub cipher: u16,
    /// Numbers of the extensions.
    pub extensions: Vec<u16>,
    /// Application protocol, when it is not hidden by encryption.
    pub alpn: Option<Vec<u8>>,
    /// True when the server asks the client for another hello.
    pub is_retry: bool,
    /// True when the message was cut or malformed.
    pub broken: bool,
}

impl ClientHello {
    /// Reads the body of a ClientHello.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let mut hello = Self {
            version: r.u16_be()?,
            ..Self::default()
        };
        hello.broken = hello.read(&mut r).is_none();
        Some(hello)
    }

    /// Reads a hello in the form of SSL 2, without its two octets of length; see
    /// [`is_client_hello_v2`].
    #[must_use]
    pub fn parse_v2(message: &[u8]) -> Option<Self> {
        let mut r = Reader::new(message);
        r.skip(1)?;
        let version = r.u16_be()?;
        let ciphers_len = usize::from(r.u16_be()?);
        r.skip(4)?;
        let specs = r.take(ciphers_len.min(r.remaining()))?;
        let mut ciphers = Vec::new();
        for spec in specs.as_chunks::<3>().0.iter().take(LIST_ITEMS_MAX) {
            // Suites of SSL 2 itself start with another octet than zero; TLS does not know them.
            if let [0, high, low] = *spec {
                ciphers.push(u16::from_be_bytes([high, low]));
            }
        }
        Some(Self {
            version,
            ciphers,
            broken: specs.len() < ciphers_len,
            ..Self::default()
        })
    }

    fn read(&mut self, r: &mut Reader<'_>) -> Option<()> {
        self.random = r.array()?;
        let session_len = usize::from(r.u8()?);
        self.session = r.take(session_len)?.to_vec();
        let ciphers_len = usize::from(r.u16_be()?);
        let ciphers = r.take(ciphers_len.min(r.remaining()))?;
        self.ciphers = pairs(ciphers);
        if ciphers.len() < ciphers_len {
            return None;
        }
        let methods_len = usize::from(r.u8()?);
        r.skip(methods_len)?;
        if r.is_empty() {
            return Some(());
        }
        let mut extensions = Extensions::start(r)?;
        while let Some((kind, data)) = extensions.next() {
            self.extensions.push(kind);
            let fits = self.extension(kind, data).is_some();
            self.broken |= !fits;
        }
        (!extensions.cut && !self.broken).then_some(())
    }

    fn extension(&mut self, kind: u16, data: &[u8]) -> Option<()> {
        let mut r = Reader::new(data);
        match kind {
            EXT_SERVER_NAME if !data.is_empty() && self.server_name.is_none() => {
                self.server_name = Some(server_name(&mut r)?);
            }
            EXT_GROUPS => self.groups = list_u16(&mut r)?,
            EXT_POINT_FORMATS => {
                let len = usize::from(r.u8()?);
                self.point_formats = r.take(len)?.to_vec();
            }
            EXT_SIGNATURE_ALGORITHMS => self.signature_algorithms = list_u16(&mut r)?,
            EXT_ALPN => self.alpn = alpn(&mut r)?,
            EXT_VERSIONS => {
                let len = usize::from(r.u8()?);
                self.versions = pairs(r.take(len)?);
            }
            _ => {}
        }
        Some(())
    }

    /// The highest version offered, GREASE aside.
    #[must_use]
    pub fn highest_version(&self) -> u16 {
        let offered = self.versions.iter().copied().filter(|&v| !is_grease(v));
        offered.max().unwrap_or(self.version)
    }
}

impl ServerHello {
    /// Reads the body of a ServerHello.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let mut hello = Self {
            legacy_version: r.u16_be()?,
            ..Self::default()
        };
        hello.random = r.array()?;
        hello.is_retry = hello.random == RETRY_RANDOM;
        hello.broken = hello.read(&mut r).is_none();
        Some(hello)
    }

    fn read(&mut self, r: &mut Reader<'_>) -> Option<()> {
        // The drafts of TLS 1.3 before 22 had neither session nor compression here.
        let early_draft = matches!(self.legacy_version, 0x7f00..=0x7f15);
        if !early_draft {
            let session_len = usize::from(r.u8()?);
            self.session = r.take(session_len)?.to_vec();
        }
        self.cipher = r.u16_be()?;
        if !early_draft {
            r.skip(1)?;
        }
        if r.is_empty() {
            return Some(());
        }
        let mut extensions = Extensions::start(r)?;
        while let Some((kind, data)) = extensions.next() {
            self.extensions.push(kind);
            let mut r = Reader::new(data);
            match kind {
                EXT_VERSIONS => self.chosen_version = r.u16_be(),
                EXT_ALPN => self.alpn = alpn(&mut r).and_then(|names| names.into_iter().next()),
                _ => {}
            }
        }
        (!extensions.cut).then_some(())
    }

    /// The application protocol in the body of EncryptedExtensions of TLS 1.3.
    #[must_use]
    pub fn alpn_of(body: &[u8]) -> Option<Vec<u8>> {
        let mut r = Reader::new(body);
        let mut extensions = Extensions::start(&mut r)?;
        while let Some((kind, data)) = extensions.next() {
            if kind == EXT_ALPN {
                return alpn(&mut Reader::new(data))?.into_iter().next();
            }
        }
        None
    }

    /// The version agreed.
    #[must_use]
    pub fn version(&self) -> u16 {
        self.chosen_version.unwrap_or(self.legacy_version)
    }

    /// True when a TLS 1.3 server accepted a pre-shared key: a resumption.
    #[must_use]
    pub fn accepts_key(&self) -> bool {
        is_tls13(self.version()) && self.extensions.contains(&EXT_PRE_SHARED_KEY)
    }
}

/// True when bytes start with a ClientHello in the form of SSL 2.
#[must_use]
pub fn is_client_hello_v2(bytes: &[u8]) -> bool {
    let mut r = Reader::new(bytes);
    let mut check = || {
        let length = r.u16_be()?;
        let kind = r.u8()?;
        let version = r.u16_be()?;
        let ciphers = r.u16_be()?;
        let session = r.u16_be()?;
        let challenge = r.u16_be()?;
        let sum = 9 + u32::from(ciphers) + u32::from(session) + u32::from(challenge);
        let shape = kind == 1 && matches!(version, 0x0002 | 0x0300..=0x0303);
        let sizes = ciphers > 0
            && ciphers % 3 == 0
            && matches!(session, 0 | 16 | 32)
            && (16..=32).contains(&challenge);
        Some(length & 0x8000 != 0 && shape && sizes && sum == u32::from(length & 0x7fff))
    };
    check().unwrap_or(false)
}

/// Walks extensions; `cut` tells that the block or its last element was incomplete.
struct Extensions<'a> {
    block: Reader<'a>,
    seen: usize,
    cut: bool,
}

impl<'a> Extensions<'a> {
    fn start(r: &mut Reader<'a>) -> Option<Self> {
        let len = usize::from(r.u16_be()?);
        let here = len.min(r.remaining());
        Some(Self {
            block: Reader::new(r.take(here)?),
            seen: 0,
            cut: here < len,
        })
    }

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        if self.block.is_empty() {
            return None;
        }
        let mut r = self.block;
        let mut read = || {
            let kind = r.u16_be()?;
            let len = usize::from(r.u16_be()?);
            Some((kind, r.take(len)?))
        };
        let found = read();
        self.seen += 1;
        if found.is_none() || self.seen > LIST_ITEMS_MAX {
            self.cut = true;
            return None;
        }
        self.block = r;
        found
    }
}

fn pairs(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.as_chunks::<2>().0.iter();
    pairs
        .take(LIST_ITEMS_MAX)
        .map(|pair| u16::from_be_bytes(*pair))
        .collect()
}

fn list_u16(r: &mut Reader<'_>) -> Option<Vec<u16>> {
    let len = usize::from(r.u16_be()?);
    r.take(len).map(pairs)
}

fn server_name(r: &mut Reader<'_>) -> Option<String> {
    r.skip(2)?;
    for _ in 0..4 {
        let kind = r.u8()?;
        let len = usize::from(r.u16_be()?);
        let name = r.take(len)?;
        if kind == 0 {
            return Some(printable(name).to_ascii_lowercase());
        }
    }
    None
}

fn alpn(r: &mut Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let len = usize::from(r.u16_be()?);
    let mut list = Reader::new(r.take(len)?);
    let mut names = Vec::new();
    while !list.is_empty() && names.len() < LIST_ITEMS_MAX {
        let len = usize::from(list.u8()?);
        names.push(list.take(len)?.to_vec());
    }
    Some(names)
}

/// Text of octets that should be printable ASCII; others are escaped as in Rust.
#[must_use]
pub(super) fn printable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// SHA-256 of "HelloRetryRequest", RFC 8446 section 4.1.3.
const RETRY_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];
