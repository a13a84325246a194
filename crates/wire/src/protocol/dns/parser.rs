//! DNS messages: header, questions, records, names.
//!
//! Enters: one message. Leaves: what of it could be read, with its anomalies. Refuses: fewer than
//! twelve octets. Limits: [`RECORDS_MAX`] records walked, [`QUESTIONS_MAX`] questions kept,
//! [`JUMPS_MAX`] pointers and [`NAME_BYTES_MAX`] octets a name.
//! Source: RFC 1035 section 4, RFC 4343 (escapes), RFC 6891 (extended response code).

use std::fmt::Write as _;

use codec::bytes::Reader;
use model::limit::LIST_ITEMS_MAX;

use super::names::is_known_type;
use super::rdata;

/// Octets of a header.
pub(super) const HEADER_BYTES: usize = 12;
/// Most records of one message that are walked.
pub(super) const RECORDS_MAX: usize = 1024;
/// Most questions of one message that are kept.
pub(super) const QUESTIONS_MAX: usize = 32;
/// Most compression pointers followed in one name.
const JUMPS_MAX: usize = 64;
/// Most octets of one name, uncompressed; RFC 1035 allows 255, real traffic exceeds it.
const NAME_BYTES_MAX: usize = 1024;
/// Longest legal name.
const NAME_BYTES_LEGAL: usize = 255;
const TYPE_SOA: u16 = 6;
const TYPE_OPT: u16 = 41;

/// The fixed part of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) id: u16,
    pub(super) flags: u16,
    pub(super) questions: u16,
    pub(super) answers: u16,
    pub(super) authorities: u16,
    pub(super) additionals: u16,
}

impl Header {
    pub(super) fn parse(message: &[u8]) -> Option<Self> {
        let mut r = Reader::new(message);
        Some(Self {
            id: r.u16_be()?,
            flags: r.u16_be()?,
            questions: r.u16_be()?,
            answers: r.u16_be()?,
            authorities: r.u16_be()?,
            additionals: r.u16_be()?,
        })
    }

    pub(super) const fn is_response(self) -> bool {
        self.flags & 0x8000 != 0
    }

    pub(super) const fn opcode(self) -> u16 {
        (self.flags >> 11) & 0xf
    }

    pub(super) const fn rcode(self) -> u16 {
        self.flags & 0xf
    }

    /// True when nothing in the header speaks against DNS.
    pub(super) fn is_plausible(self) -> bool {
        let counts = [
            self.questions,
            self.answers,
            self.authorities,
            self.additionals,
        ];
        let total: u32 = counts.iter().map(|&count| u32::from(count)).sum();
        self.opcode() <= 6 && total <= 4096 && (total > 0 || self.is_response())
    }

    /// True when the header looks like most of the world's DNS: asked of messages on odd ports.
    pub(super) const fn is_ordinary(self) -> bool {
        let shape = if self.is_response() {
            self.questions <= 1 && (self.questions == 1 || self.answers > 0)
        } else {
            self.questions == 1 && self.answers == 0 && self.authorities <= 1
        };
        shape && self.opcode() == 0 && self.flags & 0x0040 == 0
    }
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) kind: u16,
    pub(super) class: u16,
}

/// One resource record, its data in presentation form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) kind: u16,
    pub(super) ttl: u32,
    pub(super) data: String,
    /// Where its data start in the message, and their length.
    pub(super) at: (usize, usize),
}

/// What could be read of a message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) header: Header,
    pub(super) questions: Vec<Question>,
    /// Records of the answer section, at most [`LIST_ITEMS_MAX`].
    pub(super) answers: Vec<Record>,
    /// Records of the additional section, at most [`LIST_ITEMS_MAX`], without OPT.
    pub(super) additionals: Vec<Record>,
    /// Records walked and not kept in `answers`.
    pub(super) omitted: u32,
    /// Start-of-authority records of the answer section: two end a zone transfer.
    pub(super) soa_answers: u32,
    /// The upper octet of the response code, from OPT.
    pub(super) rcode_high: u16,
    pub(super) anomalies: Vec<&'static str>,
    trailing: usize,
}

impl Message {
    /// Reads a message; `None` when it has no header.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let header = Header::parse(bytes)?;
        let mut message = Self {
            header,
            questions: Vec::new(),
            answers: Vec::new(),
            additionals: Vec::new(),
            omitted: 0,
            soa_answers: 0,
            rcode_high: 0,
            anomalies: Vec::new(),
            trailing: 0,
        };
        let mut at = HEADER_BYTES;
        if let Err(fault) = message.walk(bytes, &mut at) {
            message.note(fault);
        }
        message.trailing = bytes.len().saturating_sub(at);
        Some(message)
    }

    /// The whole response code.
    pub(super) const fn rcode(&self) -> u16 {
        self.header.rcode() | (self.rcode_high << 4)
    }

    /// True when everything that the header announced could be read.
    pub(super) const fn is_clean(&self) -> bool {
        self.anomalies.is_empty()
    }

    /// True when the message is clean, of known types, and nothing follows it.
    pub(super) fn is_exact(&self) -> bool {
        let known = |q: &Question| is_known_type(q.kind) && matches!(q.class, 1 | 3 | 255);
        self.is_clean() && self.trailing == 0 && self.questions.iter().all(known)
    }

    fn note(&mut self, anomaly: &'static str) {
        if !self.anomalies.contains(&anomaly) {
            self.anomalies.push(anomaly);
        }
    }

    fn walk(&mut self, bytes: &[u8], at: &mut usize) -> Result<(), &'static str> {
        for index in 0..usize::from(self.header.questions) {
            if index >= QUESTIONS_MAX {
                return Err("dns-many-questions");
            }
            let name = self.name(bytes, at)?;
            let (kind, class) = kind_and_class(bytes, at)?;
            self.questions.push(Question { name, kind, class });
        }
        let mut walked = 0;
        let h = self.header;
        for (section, count) in [h.answers, h.authorities, h.additionals].iter().enumerate() {
            for _ in 0..*count {
                walked += 1;
                if walked > RECORDS_MAX {
                    return Err("dns-many-records");
                }
                self.record(bytes, at, section)?;
            }
        }
        Ok(())
    }

    fn record(&mut self, bytes: &[u8], at: &mut usize, section: usize) -> Result<(), &'static str> {
        let kept = match section {
            0 => self.answers.len() < LIST_ITEMS_MAX,
            2 => self.additionals.len() < LIST_ITEMS_MAX,
            _ => false,
        };
        let name = if kept {
            self.name(bytes, at)?
        } else {
            *at = skip_name(bytes, *at).ok_or("dns-truncated")?;
            String::new()
        };
        let (kind, _) = kind_and_class(bytes, at)?;
        let mut r = reader_at(bytes, *at);
        let ttl = r.u32_be().ok_or("dns-truncated")?;
        let len = usize::from(r.u16_be().ok_or("dns-truncated")?);
        let start = *at + 6;
        r.skip(len).ok_or("dns-rdata-truncated")?;
        *at = start + len;
        if kind == TYPE_OPT {
            self.rcode_high = u16::from(ttl.to_be_bytes()[0]);
            return Ok(());
        }
        if section != 0 || !kept {
            self.omitted += 1;
        }
        if section == 0 && kind == TYPE_SOA {
            self.soa_answers += 1;
        }
        if kept {
            let data = rdata::present(bytes, start, len, kind).unwrap_or_else(|| {
                self.note("dns-rdata-malformed");
                rdata::generic(bytes.get(start..start + len).unwrap_or(&[]))
            });
            let record = Record {
                name,
                kind,
                ttl,
                data,
                at: (start, len),
            };
            if section == 0 {
                self.answers.push(record);
            } else {
                self.additionals.push(record);
            }
        }
        Ok(())
    }

    fn name(&mut self, bytes: &[u8], at: &mut usize) -> Result<String, &'static str> {
        let mut out = String::new();
        let read = read_name(bytes, *at, &mut out)?;
        if read.octets > NAME_BYTES_LEGAL {
            self.note("dns-name-long");
        }
        *at = read.end;
        Ok(out)
    }
}

fn reader_at(bytes: &[u8], at: usize) -> Reader<'_> {
    Reader::new(bytes.get(at..).unwrap_or(&[]))
}

fn kind_and_class(bytes: &[u8], at: &mut usize) -> Result<(u16, u16), &'static str> {
    let mut r = reader_at(bytes, *at);
    let kind = r.u16_be().ok_or("dns-truncated")?;
    let class = r.u16_be().ok_or("dns-truncated")?;
    *at += 4;
    Ok((kind, class))
}

/// Where a name ended, and how many octets it has uncompressed.
pub(super) struct NameRead {
    pub(super) end: usize,
    pub(super) octets: usize,
}

/// Reads the name at `at` in presentation form, lower case, without the final dot; the root is ".".
pub(super) fn read_name(
    bytes: &[u8],
    at: usize,
    out: &mut String,
) -> Result<NameRead, &'static str> {
    let before = out.len();
    let mut at = at;
    let mut end = None;
    let mut jumps = 0;
    let mut octets = 1;
    loop {
        let length = *bytes.get(at).ok_or("dns-truncated")?;
        match length {
            0 => break,
            1..=63 => {
                let stop = at + 1 + usize::from(length);
                let label = bytes.get(at + 1..stop).ok_or("dns-truncated")?;
                octets += 1 + label.len();
                if octets > NAME_BYTES_MAX {
                    return Err("dns-name-limit");
                }
                if out.len() > before {
                    out.push('.');
                }
                push_label(label, out);
                at = stop;
            }
            0xc0..=0xff => {
                let low = *bytes.get(at + 1).ok_or("dns-truncated")?;
                end.get_or_insert(at + 2);
                jumps += 1;
                if jumps > JUMPS_MAX {
                    return Err("dns-name-loop");
                }
                at = usize::from(u16::from_be_bytes([length & 0x3f, low]));
            }
            _ => return Err("dns-label-type"),
        }
    }
    if out.len() == before {
        out.push('.');
    }
    Ok(NameRead {
        end: end.unwrap_or(at + 1),
        octets,
    })
}

fn push_label(label: &[u8], out: &mut String) {
    for &octet in label {
        match octet {
            b'.' | b'\\' => {
                out.push('\\');
                out.push(char::from(octet));
            }
            0x21..=0x7e => out.push(char::from(octet.to_ascii_lowercase())),
            // Writing to a String cannot fail.
            _ => drop(write!(out, "\\{octet:03}")),
        }
    }
}

/// The end of the name at `at`, without reading it.
fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..=NAME_BYTES_MAX {
        let length = *bytes.get(at)?;
        match length {
            0 => return Some(at + 1),
            1..=63 => at += 1 + usize::from(length),
            0xc0..=0xff => return Some(at + 2),
            _ => return None,
        }
    }
    None
}
