//! Commands and replies of FTP.
//!
//! Enters: lines without their end. Leaves: verbs, codes, addresses of data connections. Refuses:
//! nothing; an unknown verb is [`Verb::Other`]. Source: RFC 959 sections 4 and 5, RFC 2428.

use std::net::{IpAddr, Ipv4Addr};

use crate::protocol::shared::text::{number, word};

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    User,
    Pass,
    Auth,
    /// RETR.
    Get,
    /// STOR, APPE, STOU.
    Put,
    /// LIST, NLST, MLSD, MLST.
    List,
    /// DELE, RMD.
    Delete,
    /// RNFR.
    RenameFrom,
    /// RNTO.
    RenameTo,
    /// A command on a path that OCSF does not name.
    Path,
    /// PASV, EPSV.
    Passive,
    /// PORT, EPRT.
    Active,
    Syst,
    /// Known, but it changes nothing.
    Plain,
    Other,
}

/// The verb of a command line, its name, and its argument.
pub(super) fn command(line: &[u8]) -> (Verb, String, &[u8]) {
    let (verb, rest) = word(line);
    // Telnet's interrupt and synch may stand before ABOR.
    let verb = verb.get(verb.iter().take_while(|octet| **octet >= 0xf0).count()..);
    let upper = verb.unwrap_or(&[]).to_ascii_uppercase();
    let found = match upper.as_slice() {
        b"USER" => Verb::User,
        b"PASS" => Verb::Pass,
        b"AUTH" => Verb::Auth,
        b"RETR" => Verb::Get,
        b"STOR" | b"APPE" | b"STOU" => Verb::Put,
        b"LIST" | b"NLST" | b"MLSD" | b"MLST" => Verb::List,
        b"DELE" | b"RMD" | b"XRMD" => Verb::Delete,
        b"RNFR" => Verb::RenameFrom,
        b"RNTO" => Verb::RenameTo,
        b"CWD" | b"XCWD" | b"CDUP" | b"MKD" | b"XMKD" | b"SIZE" | b"MDTM" | b"SITE" | b"MFMT"
        | b"STAT" => Verb::Path,
        b"PASV" | b"EPSV" => Verb::Passive,
        b"PORT" | b"EPRT" => Verb::Active,
        b"SYST" => Verb::Syst,
        b"TYPE" | b"MODE" | b"STRU" | b"PWD" | b"XPWD" | b"NOOP" | b"QUIT" | b"FEAT" | b"OPTS"
        | b"REST" | b"ABOR" | b"ALLO" | b"ACCT" | b"HELP" | b"REIN" | b"SMNT" | b"PBSZ"
        | b"PROT" | b"CCC" | b"ADAT" | b"HOST" | b"CLNT" | b"LANG" => Verb::Plain,
        _ => Verb::Other,
    };
    let name = String::from_utf8_lossy(upper.get(..8).unwrap_or(&upper)).into_owned();
    (found, name, rest)
}

/// One line of a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply<'a> {
    pub(super) code: u16,
    /// True for the first of several lines.
    pub(super) more: bool,
    pub(super) text: &'a [u8],
}

/// Reads a line of a reply; `None` for text inside one of several lines.
pub(super) fn reply(line: &[u8]) -> Option<Reply<'_>> {
    let (code, rest) = line.split_at_checked(3)?;
    let code = number(code).filter(|code| (100..700).contains(code))?;
    let code = u16::try_from(code).ok()?;
    let (more, text) = match rest {
        [] => (false, rest),
        [b'-', text @ ..] => (true, text),
        [b' ', text @ ..] => (false, text),
        _ => return None,
    };
    Some(Reply { code, more, text })
}

/// Address and port written as six numbers, wherever they stand.
pub(super) fn six(text: &[u8]) -> Option<(IpAddr, u16)> {
    let at = text.iter().position(u8::is_ascii_digit)?;
    let mut parts = text.get(at..)?.split(|&octet| octet == b',');
    let mut octets = [0u8; 6];
    for octet in &mut octets {
        let part = parts.next()?;
        let digits = part
            .iter()
            .take_while(|octet| octet.is_ascii_digit())
            .count();
        *octet = u8::try_from(number(part.get(..digits)?)?).ok()?;
    }
    let [a, b, c, d, high, low] = octets;
    Some((
        Ipv4Addr::new(a, b, c, d).into(),
        u16::from_be_bytes([high, low]),
    ))
}

/// Address, if named, and port written between bars.
pub(super) fn barred(text: &[u8]) -> Option<(Option<IpAddr>, u16)> {
    let at = text.iter().position(|&octet| octet == b'|')?;
    let mut parts = text.get(at + 1..)?.split(|&octet| octet == b'|');
    let (_, address, port) = (parts.next()?, parts.next()?, parts.next()?);
    let address = std::str::from_utf8(address).ok();
    let port = u16::try_from(number(port)?).ok()?;
    Some((address.and_then(|text| text.parse().ok()), port))
}

/// The size that a reply states: `(1234 bytes)`.
pub(super) fn size(text: &[u8]) -> Option<u64> {
    let at = text.iter().rposition(|&octet| octet == b'(')?;
    let (size, unit) = word(text.get(at + 1..)?);
    unit.starts_with(b"bytes").then(|| number(size))?
}
