//! The content of one mail: its header, and what is attached.
//!
//! Enters: lines or pieces of a message. Leaves: the fields of an Email Activity. Refuses: bodies:
//! they are only measured. Limits: [`DEPTH_MAX`] nested parts, [`HEADER_BYTES_MAX`] octets a field,
//! [`PARTS_MAX`] parts, `model::limit::LIST_ITEMS_MAX` attachments told.
//! Source: RFC 5322, RFC 2045, RFC 2046, RFC 2183.

use model::class::Email;
use model::limit::LIST_ITEMS_MAX;
use model::{Sensitive, Text};

use super::lines::Lines;
use super::mime;
use super::part::{Encoding, PartFile, Watch};
use super::text::{after, readable, short};
use crate::protocol::{Context, Draft, Side};

/// Longest line that is looked at.
pub(in crate::protocol) const LINE_BYTES_MAX: usize = 4096;
/// Most nested multiparts.
const DEPTH_MAX: usize = 8;
/// Longest field, continuation lines joined.
const HEADER_BYTES_MAX: usize = 16 * 1024;
/// Most parts of one message.
const PARTS_MAX: u32 = 10_000;
/// Longest boundary; RFC 2046 says 70.
const BOUNDARY_BYTES_MAX: usize = 256;

/// A message being read.
#[derive(Default)]
pub(in crate::protocol) struct Content {
    body: Email,
    /// The field being unfolded.
    header: Vec<u8>,
    place: Place,
    boundaries: Vec<Vec<u8>>,
    part: Part,
    parts: u32,
    bytes: u64,
    names: Vec<String>,
    /// Of pieces that do not end with a line.
    partial: Vec<u8>,
    lines: Lines,
    /// What begins the files of this message; nothing is carved without.
    watch: Option<Box<Watch>>,
    /// Events that whoever looks at its files made.
    drafts: Vec<Draft>,
    /// True when the end of the message was seen.
    ended: bool,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Place {
    /// In the header of the message.
    #[default]
    Top,
    /// In the header of a part.
    Part,
    /// In a body.
    Body,
}

#[derive(Default)]
struct Part {
    kind: String,
    name: Option<String>,
    boundary: Option<String>,
    attached: bool,
    encoding: Encoding,
    bytes: u64,
    file: Option<Box<PartFile>>,
}

impl Content {
    /// A message that `sender` sends, whose parts are files.
    pub(in crate::protocol) fn of(protocol: &'static str, sender: Side, cx: &Context<'_>) -> Self {
        Self {
            watch: Some(Box::new(Watch::new(protocol, sender, cx))),
            ..Self::default()
        }
    }

    /// Counts octets of the message as they crossed the wire.
    pub(in crate::protocol) const fn count(&mut self, octets: usize) {
        self.bytes = self.bytes.saturating_add(octets as u64);
    }

    /// True when nothing of the message was seen.
    pub(in crate::protocol) const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Notes something odd.
    pub(in crate::protocol) fn note(&mut self, code: &'static str) {
        let known = self.body.anomalies.iter().any(|known| known == code);
        if !known && self.body.anomalies.len() < LIST_ITEMS_MAX {
            self.body.anomalies.push(Text::Borrowed(code));
        }
    }

    /// Octets of the message were lost.
    pub(in crate::protocol) fn lose(&mut self) {
        self.note("mail-gap");
        self.spoil("gap");
        self.lines.lose();
        self.partial = Vec::new();
    }

    /// Not all of the part at hand is seen.
    pub(in crate::protocol) fn spoil(&mut self, why: &'static str) {
        if let Some(file) = &mut self.part.file {
            file.spoil(why);
        }
    }

    /// Takes octets that need not end with a line.
    pub(in crate::protocol) fn feed(&mut self, piece: &[u8]) {
        self.count(piece.len());
        let mut held = std::mem::take(&mut self.partial);
        let joined = if held.is_empty() {
            piece
        } else {
            held.extend_from_slice(piece);
            held.as_slice()
        };
        let mut at = 0;
        let mut lines = self.lines;
        while let Some(found) = lines.next(joined.get(at..).unwrap_or(&[]), LINE_BYTES_MAX) {
            at += found.used;
            if let Some(line) = found.line {
                self.line(line);
            }
            if found.cut {
                self.spoil("long line");
            }
        }
        self.lines = lines;
        // At most a line's length is left.
        self.partial = joined.get(at..).unwrap_or(&[]).to_vec();
    }

    /// Takes one line without its end.
    pub(in crate::protocol) fn line(&mut self, line: &[u8]) {
        match self.place {
            Place::Body => self.body_line(line),
            Place::Top | Place::Part if line.is_empty() => self.end_header(),
            Place::Top | Place::Part => self.header_line(line),
        }
    }

    /// The end of the message was seen.
    pub(in crate::protocol) const fn close(&mut self) {
        self.ended = true;
    }

    /// The message is over: what is known of it.
    pub(in crate::protocol) fn finish(mut self, drafts: &mut Vec<Draft>) -> Email {
        let rest = std::mem::take(&mut self.partial);
        if !rest.is_empty() {
            self.line(&rest);
        }
        self.field();
        if let (true, Some(file)) = (self.boundaries.is_empty(), &mut self.part.file) {
            file.break_line();
        }
        self.end_part(self.ended);
        drafts.append(&mut self.drafts);
        let mut body = self.body;
        if self.bytes > 0 {
            body.bytes = Some(self.bytes);
        }
        if !self.names.is_empty() {
            body.attachment_names = Some(Sensitive::path(&self.names.join("; ")));
        }
        body
    }

    /// Heap bytes held.
    pub(in crate::protocol) fn heap_bytes(&self) -> usize {
        let names: usize = self.names.iter().map(|name| name.len() + 24).sum();
        let file = self.part.file.as_ref().map_or(0, |file| file.heap_bytes());
        let watch = self.watch.as_ref().map_or(0, |_| size_of::<Watch>() + 16);
        self.header.capacity() + self.partial.capacity() + names + file + watch + 1024
    }

    fn header_line(&mut self, line: &[u8]) {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if self.header.len() + line.len() <= HEADER_BYTES_MAX {
                self.header.extend_from_slice(line);
            } else {
                self.note("mail-long-header");
            }
            return;
        }
        self.field();
        if is_field(line) {
            self.header.extend_from_slice(line);
        } else if line.starts_with(b"--") && self.at_boundary(line) {
            // A part without an empty line.
        } else {
            self.note("mail-header-malformed");
        }
    }

    /// The field gathered so far is whole.
    fn field(&mut self) {
        let field = std::mem::take(&mut self.header);
        let Some(at) = field.iter().position(|&octet| octet == b':') else {
            return;
        };
        let (name, value) = field.split_at_checked(at).unwrap_or((&[], &[]));
        let value = value.get(1..).unwrap_or(&[]).trim_ascii();
        let name = name.trim_ascii().to_ascii_lowercase();
        match name.as_slice() {
            b"content-type" => {
                self.part.kind = mime::kind(value);
                self.part.boundary = mime::parameter(value, b"boundary");
                let name = mime::parameter(value, b"name");
                self.part.name = self.part.name.take().or(name);
                if self.place == Place::Top {
                    self.body.content_type = short(self.part.kind.as_bytes());
                }
            }
            b"content-disposition" => {
                self.part.attached = after(value, b"attachment").is_some();
                let name = mime::parameter(value, b"filename");
                self.part.name = name.or(self.part.name.take());
            }
            b"content-transfer-encoding" => {
                self.part.encoding = if after(value, b"base64").is_some() {
                    Encoding::Base64
                } else if after(value, b"quoted-printable").is_some() {
                    Encoding::Quoted
                } else {
                    Encoding::Plain
                };
            }
            name if self.place == Place::Top => self.top_field(name, value),
            _ => {}
        }
    }

    fn top_field(&mut self, name: &[u8], value: &[u8]) {
        let body = &mut self.body;
        let sensitive = || Some(Sensitive::text(&mime::decode(value)));
        match name {
            b"from" => {
                body.from = sensitive();
                let domain = mime::address(value).and_then(mime::domain);
                body.from_domain = domain.map(Text::Owned);
            }
            b"to" => {
                body.to = sensitive();
                add_domains(&mut body.to_domains, &mime::addresses(value));
            }
            b"cc" => {
                body.cc = sensitive();
                add_domains(&mut body.to_domains, &mime::addresses(value));
            }
            b"subject" => body.subject = sensitive(),
            b"message-id" => {
                let id = mime::address(value).unwrap_or(value);
                body.message_id = short(id);
            }
            b"date" => body.date = short(value),
            b"x-mailer" | b"user-agent" => body.mailer = short(value),
            b"received" => body.hops = Some(body.hops.unwrap_or(0).saturating_add(1)),
            _ => {}
        }
    }

    fn end_header(&mut self) {
        self.field();
        if self.part.kind.starts_with("multipart/")
            && let Some(boundary) = self.part.boundary.take()
        {
            if self.boundaries.len() >= DEPTH_MAX || boundary.len() > BOUNDARY_BYTES_MAX {
                self.note("mail-parts-limit");
            } else {
                self.boundaries.push(boundary.into_bytes());
            }
        }
        self.place = Place::Body;
        let part = &mut self.part;
        if let Some(watch) = &self.watch
            && !part.kind.starts_with("multipart/")
        {
            let name = part.name.as_deref();
            part.file = Some(Box::new(watch.begin(name, &part.kind, part.encoding)));
        }
    }

    fn body_line(&mut self, line: &[u8]) {
        if line.starts_with(b"--") && self.at_boundary(line) {
            return;
        }
        if let Some(file) = &mut self.part.file {
            file.line(line);
        }
        let octets = if self.part.encoding == Encoding::Base64 {
            let digits = |octet: &&u8| octet.is_ascii_alphanumeric() || b"+/".contains(octet);
            line.iter().filter(digits).count() * 3 / 4
        } else {
            line.len() + 2
        };
        self.part.bytes = self.part.bytes.saturating_add(octets as u64);
    }

    /// True when the line ends a part.
    fn at_boundary(&mut self, line: &[u8]) -> bool {
        let text = line.get(2..).unwrap_or(&[]).trim_ascii_end();
        let closed = text.strip_suffix(b"--");
        let level = |text: &[u8]| self.boundaries.iter().rposition(|known| known == text);
        let (at, closes) = match (level(text), closed.and_then(level)) {
            (Some(at), _) => (at, false),
            (None, Some(at)) => (at, true),
            (None, None) => return false,
        };
        self.end_part(true);
        self.boundaries.truncate(if closes { at } else { at + 1 });
        self.parts += 1;
        self.place = if closes || self.parts > PARTS_MAX {
            Place::Body
        } else {
            Place::Part
        };
        if self.parts == PARTS_MAX {
            self.note("mail-parts-limit");
        }
        true
    }

    /// A part is over: it is told when it is attached.
    fn end_part(&mut self, whole: bool) {
        let mut part = std::mem::take(&mut self.part);
        let file = part.file.take();
        let facts = file.map(|file| file.end(part.name.as_deref(), whole, &mut self.drafts));
        let shown = part.kind.is_empty() || part.kind.starts_with("text/");
        let attached = part.attached || part.name.is_some() || !shown;
        if !attached || part.kind.starts_with("multipart/") {
            return;
        }
        let hashes = self.watch.as_ref().is_some_and(|watch| watch.hashes());
        let body = &mut self.body;
        body.attachments = Some(body.attachments.unwrap_or(0).saturating_add(1));
        if body.attachment_types.len() >= LIST_ITEMS_MAX {
            return self.note("mail-attachments-limit");
        }
        let kind = short(part.kind.as_bytes());
        body.attachment_types
            .push(kind.unwrap_or(Text::Borrowed("application/octet-stream")));
        body.attachment_bytes.push(part.bytes);
        if let Some(facts) = facts {
            body.attachment_content
                .push(Text::Borrowed(facts.kind.name));
            body.attachment_states.push(facts.state.text());
            if hashes {
                body.attachment_sha256
                    .push(facts.sha256().unwrap_or_default());
            }
        }
        if let Some(name) = part.name {
            self.names.push(readable(name.as_bytes()));
        }
    }
}

/// Adds the domains of addresses, each once.
pub(in crate::protocol) fn add_domains(list: &mut Vec<Text>, addresses: &[&[u8]]) {
    for domain in addresses.iter().filter_map(|address| mime::domain(address)) {
        if list.len() < LIST_ITEMS_MAX && !list.iter().any(|known| *known == domain) {
            list.push(Text::Owned(domain));
        }
    }
}

/// True for a line that starts a field.
fn is_field(line: &[u8]) -> bool {
    let name = line.split(|&octet| octet == b':').next().unwrap_or(&[]);
    let name = name.trim_ascii_end();
    let plain = name.iter().all(|octet| octet.is_ascii_graphic());
    plain && !name.is_empty() && name.len() < line.len()
}
