//! Identification lines and KEXINIT.
//!
//! Enters: lines and packets. Leaves: version and software, algorithm lists, HASSH.
//! Refuses: nothing. Limits: below. Source: RFC 4253 sections 4.2, 6 and 7.1; HASSH.

use codec::bytes::Reader;
use codec::digest::md5_hex;
use model::limit::cut;

/// Most lines that a server may send before its identification.
pub(super) const LINES_MAX: u32 = 64;
/// Longest line; RFC 4253 says 255, real servers exceed it.
pub(super) const LINE_BYTES_MAX: usize = 4096;
/// Longest packet looked at; RFC 4253 asks for 35000.
pub(super) const PACKET_BYTES_MAX: usize = 40_000;

/// Message number of KEXINIT.
pub(super) const KEXINIT: u8 = 20;
/// Message number of NEWKEYS.
pub(super) const NEWKEYS: u8 = 21;

/// Protocol version and software (with comments) of an identification line.
pub(super) fn identification(line: &[u8]) -> Option<(String, String)> {
    let rest = line.strip_prefix(b"SSH-")?;
    let at = rest.iter().position(|&octet| octet == b'-')?;
    let (version, software) = rest.split_at_checked(at)?;
    let text = |bytes: &[u8]| cut(&bytes.escape_ascii().to_string()).to_owned();
    Some((text(version), text(software.get(1..)?.trim_ascii_end())))
}

/// The lists that HASSH covers, of one side.
pub(super) struct Offer {
    kex: String,
    encryption: [String; 2],
    mac: [String; 2],
    compression: [String; 2],
}

impl Offer {
    /// Reads the body of a KEXINIT after its message number.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        r.skip(16)?;
        let mut list = || {
            let len = usize::try_from(r.u32_be()?).ok()?;
            Some(r.take(len)?.escape_ascii().to_string())
        };
        let kex = list()?;
        let _host_keys = list()?;
        Some(Self {
            kex,
            encryption: [list()?, list()?],
            mac: [list()?, list()?],
            compression: [list()?, list()?],
        })
    }

    /// What HASSH hashes: of a client the lists towards the server, of a server those back.
    pub(super) fn algorithms(&self, of_client: bool) -> String {
        let pick = |[to_server, to_client]: &[String; 2]| {
            if of_client { to_server } else { to_client }.clone()
        };
        [
            self.kex.clone(),
            pick(&self.encryption),
            pick(&self.mac),
            pick(&self.compression),
        ]
        .join(";")
    }
}

/// HASSH of a list of algorithms.
pub(super) fn hassh(algorithms: &str) -> String {
    md5_hex(algorithms.as_bytes())
}

/// Length of the first packet's length field, its padding and its payload.
pub(super) struct Packet<'a> {
    /// Octets of the packet, its length field included.
    pub(super) total: usize,
    /// Message number; `None` for an empty payload.
    pub(super) number: Option<u8>,
    /// Payload after the message number, as far as it is there.
    pub(super) body: &'a [u8],
}

/// What the start of a side's bytes is, once the identification passed.
pub(super) enum Split<'a> {
    /// A whole packet.
    Whole(Packet<'a>),
    /// So many octets must be there.
    Need(usize),
    /// No packet in the clear.
    Odd,
}

/// Splits the first packet off.
pub(super) fn packet(bytes: &[u8]) -> Split<'_> {
    let mut r = Reader::new(bytes);
    let (Some(len), Some(padding)) = (r.u32_be(), r.u8()) else {
        return Split::Need(6);
    };
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    let padding = usize::from(padding);
    if !(2..=PACKET_BYTES_MAX).contains(&len) || padding + 1 > len {
        return Split::Odd;
    }
    let Some(payload) = r
        .take(len - 1)
        .and_then(|rest| rest.get(..len - 1 - padding))
    else {
        return Split::Need(4 + len);
    };
    Split::Whole(Packet {
        total: 4 + len,
        number: payload.first().copied(),
        body: payload.get(1..).unwrap_or(&[]),
    })
}
