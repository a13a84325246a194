//! One part of a mail as a file: its transfer encoding undone.
//!
//! Enters: lines of a part's body. Leaves: the file's facts. Refuses: lines cut because they were
//! too long (`incomplete: long line`). Line ends of what is not Base64 are CR LF, and the last one
//! belongs to the boundary. Source: RFC 2045 sections 6.7 and 6.8, RFC 2046 section 5.1.1.

use std::net::IpAddr;

use crate::file::{Carver, Coding, Facts, Meta, Policy};
use crate::protocol::{Context, Draft, Side};

/// How the octets of a part are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As they are: 7bit, 8bit, binary.
    #[default]
    Plain,
    Base64,
    Quoted,
}

/// What is needed to begin the files of one message.
pub(super) struct Watch {
    policy: Policy,
    protocol: &'static str,
    sender: Side,
    hosts: [IpAddr; 2],
    ports: [u16; 2],
    time: model::Nanos,
}

impl Watch {
    /// For a message that `sender` sends.
    pub(super) fn new(protocol: &'static str, sender: Side, cx: &Context<'_>) -> Self {
        Self {
            policy: cx.files.policy.clone(),
            protocol,
            sender,
            hosts: cx.hosts,
            ports: [cx.client_port, cx.server_port],
            time: cx.now,
        }
    }

    /// True when parts are hashed.
    pub(super) const fn hashes(&self) -> bool {
        self.policy.hash || self.policy.observer.is_some()
    }

    /// A part begins.
    pub(super) fn begin(&self, name: Option<&str>, kind: &str, encoding: Encoding) -> PartFile {
        let meta = Meta {
            time: self.time,
            protocol: self.protocol,
            sender: self.sender,
            hosts: self.hosts,
            ports: self.ports,
            name,
            mime: (!kind.is_empty()).then_some(kind),
            bytes: None,
        };
        PartFile {
            carver: Carver::begin(&self.policy, Coding::Plain, &meta),
            encoding,
            held: 0,
            digits: 0,
            line_end: false,
            padded: false,
        }
    }
}

/// A part under way.
pub(super) struct PartFile {
    carver: Carver,
    encoding: Encoding,
    /// Digits of Base64 that do not make an octet yet, and how many.
    held: u32,
    digits: u8,
    /// A line end waits for the line after it.
    line_end: bool,
    /// The padding of Base64 came.
    padded: bool,
}

impl PartFile {
    /// One line without its end.
    pub(super) fn line(&mut self, line: &[u8]) {
        if self.carver.wants() == 0 {
            // Its length is counted by the caller; nobody wants more.
            return self.carver.pass(u64::try_from(line.len()).unwrap_or(0));
        }
        match self.encoding {
            Encoding::Base64 => self.base64(line),
            Encoding::Plain => {
                self.break_line();
                self.carver.bytes(line);
                self.line_end = true;
            }
            Encoding::Quoted => {
                self.break_line();
                let line = line.trim_ascii_end();
                let soft = line.strip_suffix(b"=");
                self.carver.bytes(&unquoted(soft.unwrap_or(line)));
                self.line_end = soft.is_none();
            }
        }
    }

    /// Not all of it is seen.
    pub(super) fn spoil(&mut self, why: &'static str) {
        self.carver.spoil(why);
    }

    /// The part is over; `whole` when its boundary or the end of the message came.
    pub(super) fn end(mut self, name: Option<&str>, whole: bool, drafts: &mut Vec<Draft>) -> Facts {
        if whole {
            self.carver.close();
        }
        self.carver.end(name, drafts)
    }

    /// Heap bytes that it holds.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.carver.heap_bytes()
    }

    /// A line end that waits belongs to the part.
    pub(super) fn break_line(&mut self) {
        if std::mem::take(&mut self.line_end) {
            self.carver.bytes(b"\r\n");
        }
    }

    fn base64(&mut self, line: &[u8]) {
        let mut out = [0; OUT_BYTES];
        let mut len = 0;
        for &octet in line {
            let Some(value) = digit(octet) else {
                self.padded |= octet == b'=';
                continue;
            };
            if self.padded {
                // Another text after the padding: decoders disagree, most go on.
                (self.held, self.digits, self.padded) = (0, 0, false);
            }
            self.held = self.held << 6 | u32::from(value);
            self.digits += 1;
            let octets = self.held.to_be_bytes();
            if self.digits == 4 {
                if let Some(slot) = out.get_mut(len..len + 3) {
                    slot.copy_from_slice(octets.get(1..).unwrap_or(&[0; 3]));
                    len += 3;
                }
                (self.held, self.digits) = (0, 0);
            }
            if len + 3 > OUT_BYTES {
                self.carver.bytes(out.get(..len).unwrap_or(&[]));
                len = 0;
            }
        }
        self.carver.bytes(out.get(..len).unwrap_or(&[]));
        if self.padded {
            self.rest();
        }
    }

    /// Two or three digits before the padding are one or two octets.
    fn rest(&mut self) {
        let [_, b, c, _] = match self.digits {
            2 => (self.held << 4 << 8).to_be_bytes(),
            3 => (self.held << 6).to_be_bytes(),
            _ => return,
        };
        let octets = [b, c];
        let count = usize::from(self.digits - 1);
        self.carver.bytes(octets.get(..count).unwrap_or(&[]));
        (self.held, self.digits) = (0, 0);
    }
}

/// Octets decoded at once.
const OUT_BYTES: usize = 768;

const fn digit(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// A line of quoted-printable.
fn unquoted(line: &[u8]) -> Vec<u8> {
    let hex = |octet: u8| {
        char::from(octet)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let [octet, tail @ ..] = rest {
        rest = tail;
        if *octet == b'='
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high << 4 | low);
            rest = after;
        } else {
            out.push(*octet);
        }
    }
    out
}
