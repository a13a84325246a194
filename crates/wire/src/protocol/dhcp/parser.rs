//! DHCPv4 messages: the fixed part and the options.
//!
//! Enters: a datagram. Leaves: addresses, and options joined by code. Refuses: what has no cookie.
//! Limits: [`OPTIONS_MAX`] options a message.
//! Source: RFC 2131 section 2, RFC 2132 (options), RFC 3396 (long options), RFC 2132 9.3
//! (overload).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use codec::bytes::Reader;
use model::Mac;

/// Most options of one message, in all three areas.
pub(super) const OPTIONS_MAX: usize = 512;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const COOKIE_AT: usize = 236;
const OVERLOAD: u8 = 52;

/// One message.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) is_reply: bool,
    pub(super) transaction: u32,
    /// Address that the client has.
    pub(super) own: Option<Ipv4Addr>,
    /// Address that the server gives.
    pub(super) given: Option<Ipv4Addr>,
    pub(super) relay: Option<Ipv4Addr>,
    pub(super) mac: Option<Mac>,
    pub(super) anomalies: Vec<&'static str>,
    options: BTreeMap<u8, Vec<u8>>,
}

impl Message {
    /// True for a message of DHCP or BOOTP with the cookie.
    pub(super) fn is_one(bytes: &[u8]) -> bool {
        matches!(bytes.first(), Some(1 | 2))
            && bytes.get(COOKIE_AT..COOKIE_AT + 4) == Some(&COOKIE[..])
    }

    /// Reads a message.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        if !Self::is_one(bytes) {
            return None;
        }
        let mut r = Reader::new(bytes);
        let [operation, hardware, hardware_len, _hops] = r.array()?;
        let transaction = r.u32_be()?;
        r.skip(4)?;
        let own = address(r.array()?);
        let given = address(r.array()?);
        r.skip(4)?;
        let relay = address(r.array()?);
        let chaddr: [u8; 16] = r.array()?;
        let server_name = r.take(64)?;
        let file = r.take(128)?;
        r.skip(COOKIE.len())?;
        let mut message = Self {
            is_reply: operation == 2,
            transaction,
            own,
            given,
            relay,
            mac: (hardware == 1 && hardware_len == 6)
                .then(|| mac(&chaddr))
                .flatten(),
            ..Self::default()
        };
        message.area(r.rest());
        let overload = message
            .option(OVERLOAD)
            .and_then(|value| value.first().copied());
        if let Some(which) = overload {
            if which & 1 != 0 {
                message.area(file);
            }
            if which & 2 != 0 {
                message.area(server_name);
            }
        }
        Some(message)
    }

    /// The value of an option, its parts joined.
    pub(super) fn option(&self, code: u8) -> Option<&[u8]> {
        self.options.get(&code).map(Vec::as_slice)
    }

    /// An option that is one address.
    pub(super) fn address(&self, code: u8) -> Option<Ipv4Addr> {
        self.addresses(code).next()
    }

    /// An option that is a list of addresses.
    pub(super) fn addresses(&self, code: u8) -> impl Iterator<Item = Ipv4Addr> {
        let octets = self.option(code).unwrap_or(&[]).as_chunks::<4>().0;
        octets.iter().map(|octets| Ipv4Addr::from(*octets))
    }

    /// An option that is text; trailing zeros are dropped, odd octets escaped.
    pub(super) fn text(&self, code: u8) -> Option<String> {
        let value = self.option(code)?;
        let zeros = value.iter().rev().take_while(|&&octet| octet == 0).count();
        let value = value.get(..value.len() - zeros)?;
        (!value.is_empty()).then(|| readable(value))
    }

    /// The client's full name, option 81, in either of its encodings.
    pub(super) fn full_name(&self) -> Option<String> {
        let (head, name) = self.option(81)?.split_at_checked(3)?;
        let encoded = head.first()? & 0x04 != 0;
        let text = if encoded {
            labels(name)?
        } else {
            readable(name)
        };
        let text = text.trim_end_matches(['.', '\0']);
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn area(&mut self, area: &[u8]) {
        let mut r = Reader::new(area);
        for _ in 0..OPTIONS_MAX {
            let code = match r.u8() {
                None => return self.anomalies.push("dhcp-no-end"),
                Some(255) => return,
                Some(0) => {
                    let zeros = r.rest().iter().take_while(|&&octet| octet == 0).count();
                    if r.skip(zeros).is_none() || r.is_empty() {
                        return;
                    }
                    continue;
                }
                Some(code) => code,
            };
            let value = r.u8().and_then(|len| r.take(usize::from(len)));
            let Some(value) = value else {
                return self.anomalies.push("dhcp-option-truncated");
            };
            self.options
                .entry(code)
                .or_default()
                .extend_from_slice(value);
        }
        self.anomalies.push("dhcp-many-options");
    }
}

fn address(octets: [u8; 4]) -> Option<Ipv4Addr> {
    (octets != [0; 4]).then(|| Ipv4Addr::from(octets))
}

/// A hardware address; `None` for all zeros.
pub(super) fn mac(octets: &[u8]) -> Option<Mac> {
    let octets = *octets.first_chunk::<6>()?;
    (octets != [0; 6]).then_some(Mac(octets))
}

/// Text as it is when it is UTF-8 without controls, else escaped.
fn readable(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => value.escape_ascii().to_string(),
    }
}

/// A name in DNS labels without compression.
fn labels(name: &[u8]) -> Option<String> {
    let mut r = Reader::new(name);
    let mut parts = Vec::new();
    while let Some(len @ 1..=63) = r.u8() {
        parts.push(readable(r.take(usize::from(len))?));
    }
    Some(parts.join("."))
}
