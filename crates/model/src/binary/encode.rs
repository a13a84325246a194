//! Events to bytes.
//!
//! Enters: an event. Leaves: one frame at the end of a buffer. Refuses: nothing; what is longer
//! than `limit` allows is cut and counted. Source: `mod.rs`.

use std::net::IpAddr;

use super::{CONNECTION_IDS, END, FRAME_BYTES, TOKENS_MAX, VERSION, body_ids, kind_code};
use crate::event::{Event, Meta};
use crate::limit::{LIST_ITEMS_MAX, cut};
use crate::record::{Cell, Kind, Record as _};
use crate::sensitive::{Sensitive, Shape};

/// Appends one frame; returns how many texts and lists were longer than `limit` allows and were
/// cut.
pub fn encode(event: &Event, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[VERSION, 0, 0, 0, 0]);
    let class = event.body.class();
    let mut writer = Writer { out, cut: 0 };
    writer.out.extend_from_slice(&class.uid.to_le_bytes());
    writer.meta(&event.meta);
    writer.out.push(u8::from(event.connection.is_some()));
    if let Some(connection) = &event.connection {
        let ids = CONNECTION_IDS.as_slice();
        connection.each(&mut |index, cell| writer.field(ids, index, cell));
        writer.out.extend_from_slice(&END.to_le_bytes());
    }
    let ids = body_ids(class);
    event
        .body
        .each(&mut |index, cell| writer.field(ids, index, cell));
    writer.out.extend_from_slice(&END.to_le_bytes());
    let cut = writer.cut;
    // Cut texts and lists keep an event below 4 GiB by far.
    let len = u32::try_from(out.len() - start - FRAME_BYTES).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start + 1..start + FRAME_BYTES) {
        place.copy_from_slice(&len.to_le_bytes());
    }
    cut
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    cut: usize,
}

impl Writer<'_> {
    fn meta(&mut self, meta: &Meta) {
        self.out.extend_from_slice(&meta.uid.node.0.to_le_bytes());
        self.out.extend_from_slice(&meta.uid.seq.to_le_bytes());
        self.signed(meta.time.0);
        self.signed(meta.logged_time.0);
        self.text(&meta.site);
        for number in [meta.activity, meta.severity, meta.status] {
            self.unsigned(number.into());
        }
        self.out.push(u8::from(meta.status_code.is_some()));
        if let Some(code) = &meta.status_code {
            self.text(code);
        }
        self.list(&meta.labels, |writer, label| writer.text(label));
    }

    fn field(&mut self, ids: &[u16], index: usize, cell: Cell<'_>) {
        let Some(id) = ids.get(index) else {
            return;
        };
        let kind = match cell {
            Cell::Null => return,
            Cell::Bool(_) => Kind::Bool,
            Cell::U64(_) => Kind::U64,
            Cell::I64(_) => Kind::I64,
            Cell::Text(_) => Kind::Text,
            Cell::Ip(_) => Kind::Ip,
            Cell::Mac(_) => Kind::Mac,
            Cell::Time(_) => Kind::Time,
            Cell::Sensitive(_) => Kind::Sensitive,
            Cell::TextList(_) => Kind::TextList,
            Cell::U64List(_) => Kind::U64List,
            Cell::IpList(_) => Kind::IpList,
        };
        let [low, high] = id.to_le_bytes();
        self.out.extend_from_slice(&[low, high, kind_code(kind)]);
        match cell {
            Cell::Null => {}
            Cell::Bool(value) => self.out.push(u8::from(value)),
            Cell::U64(value) => self.unsigned(value),
            Cell::I64(value) => self.signed(value),
            Cell::Text(value) => self.text(value),
            Cell::Ip(value) => self.ip(value),
            Cell::Mac(value) => self.out.extend_from_slice(&value.0),
            Cell::Time(value) => self.signed(value.0),
            Cell::Sensitive(value) => self.sensitive(value),
            Cell::TextList(items) => self.list(items, |writer, item| writer.text(item)),
            Cell::U64List(items) => self.list(items, |writer, item| writer.unsigned(*item)),
            Cell::IpList(items) => self.list(items, |writer, item| writer.ip(*item)),
        }
    }

    fn unsigned(&mut self, mut value: u64) {
        while let Some(low) = u8::try_from(value & 0x7f).ok().filter(|_| value > 0x7f) {
            self.out.push(low | 0x80);
            value >>= 7;
        }
        self.out.push(u8::try_from(value).unwrap_or(0x7f));
    }

    fn signed(&mut self, value: i64) {
        self.unsigned((value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned());
    }

    fn text(&mut self, text: &str) {
        let kept = cut(text);
        self.cut += usize::from(kept.len() < text.len());
        self.unsigned(kept.len() as u64);
        self.out.extend_from_slice(kept.as_bytes());
    }

    fn ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(v4) => {
                self.out.push(4);
                self.out.extend_from_slice(&v4.octets());
            }
            IpAddr::V6(v6) => {
                self.out.push(6);
                self.out.extend_from_slice(&v6.octets());
            }
        }
    }

    /// A masked value is 0, display, tokens; a clear one its shape from 1, and the text.
    fn sensitive(&mut self, value: &Sensitive) {
        if let Some(masked) = value.as_masked() {
            self.out.push(0);
            self.text(&masked.display);
            let kept = masked.tokens.get(..TOKENS_MAX).unwrap_or(&masked.tokens);
            self.cut += usize::from(kept.len() < masked.tokens.len());
            self.unsigned(kept.len() as u64);
            for token in kept {
                self.out.extend_from_slice(&token.0.to_le_bytes());
            }
        } else if let Some((shape, clear)) = value.reveal() {
            self.out.push(match shape {
                Shape::Path => 1,
                Shape::Query => 2,
                Shape::Text => 3,
                Shape::Patient => 4,
            });
            self.text(clear);
        }
    }

    fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        let kept = items.get(..LIST_ITEMS_MAX).unwrap_or(items);
        self.cut += usize::from(kept.len() < items.len());
        self.unsigned(kept.len() as u64);
        kept.iter().for_each(|value| item(self, value));
    }
}
