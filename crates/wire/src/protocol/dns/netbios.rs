//! NetBIOS name service: DNS messages with encoded names.
//!
//! Enters: messages of port 137. Leaves: one event each, with the NetBIOS name as `name<suffix>`;
//! they stand alone, since answers to a broadcast travel in other flows.
//! Refuses: nothing. Limits: [`STATUS_NAMES_MAX`] names of a status answer.
//! Source: RFC 1001 section 14, RFC 1002 section 4.2.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use codec::bytes::Reader;
use model::Text;
use model::class::Dns;

use super::names::{class_name, rcode_name};
use super::parser::{Message, Record};
use crate::protocol::{Context, Draft};

/// Most names of one status answer that are listed.
const STATUS_NAMES_MAX: usize = 32;
const QUERY: u16 = 1;
const RESPONSE: u16 = 2;
const TYPE_NAME: u16 = 32;
const TYPE_STATUS: u16 = 33;

/// The event of a message; its answers list addresses or, for a status, names and the MAC.
pub(super) fn emit(message: &Message, bytes: &[u8], cx: &mut Context<'_>) {
    let first = message.answers.first();
    let asked = message.questions.first().map(|q| (q.name.as_str(), q.kind));
    let Some((name, kind)) = asked.or_else(|| first.map(|r| (r.name.as_str(), r.kind))) else {
        return;
    };
    let header = message.header;
    let mut body = Dns {
        query: Some(decoded(name).into()),
        query_type: Some(type_name(kind)),
        query_class: Some(class_name(1)),
        packet_uid: Some(header.id),
        opcode: Some(header.opcode()),
        ..Dns::default()
    };
    // A registration names its address in the additional section.
    let records = message.answers.iter().chain(&message.additionals);
    for record in records.take(model::limit::LIST_ITEMS_MAX) {
        body.answer_data.push(data(record, bytes).into());
        body.answer_type.push(type_name(record.kind));
        body.answer_ttl.push(u64::from(record.ttl));
    }
    if !header.is_response() {
        body.query_time = Some(cx.now.millis());
        return cx.emit(Draft::new(cx.now, QUERY, body));
    }
    let rcode = header.rcode();
    let code: Text = rcode_name(rcode);
    body.rcode = Some(rcode);
    body.rcode_name = Some(code.clone());
    body.response_time = Some(cx.now.millis());
    body.response_bytes = u32::try_from(bytes.len()).ok();
    let status = if rcode == 0 { 1 } else { 2 };
    cx.emit(Draft::new(cx.now, RESPONSE, body).status(status, Some(code)));
}

fn type_name(kind: u16) -> Text {
    match kind {
        TYPE_NAME => "NB".into(),
        TYPE_STATUS => "NBSTAT".into(),
        other => super::names::type_name(other),
    }
}

/// The name behind the half-octets of a first label, with its suffix; the scope stays.
fn decoded(name: &str) -> String {
    let (label, scope) = name.split_once('.').unwrap_or((name, ""));
    let (pairs, rest) = label.as_bytes().as_chunks::<2>();
    let octets: Option<Vec<u8>> = pairs
        .iter()
        .map(|&[high, low]| {
            let letter = |octet: u8| octet.checked_sub(b'a').filter(|value| *value < 16);
            Some((letter(high)? << 4) | letter(low)?)
        })
        .collect();
    match octets.as_deref().and_then(<[u8]>::split_last_chunk::<1>) {
        Some((text, [suffix])) if text.len() == 15 && rest.is_empty() => {
            let mut out = plain(text, *suffix);
            if !scope.is_empty() {
                out.push('.');
                out.push_str(scope);
            }
            out
        }
        _ => name.to_owned(),
    }
}

/// Fifteen octets padded with blanks or zeros, and a suffix.
fn plain(text: &[u8], suffix: u8) -> String {
    let padding = |octet: &&u8| matches!(**octet, b' ' | 0);
    let end = text.len() - text.iter().rev().take_while(padding).count();
    let text = text.get(..end).unwrap_or(text).to_ascii_lowercase();
    format!("{}<{suffix:02x}>", text.escape_ascii())
}

fn data(record: &Record, bytes: &[u8]) -> String {
    let (start, len) = record.at;
    let data = start.checked_add(len).and_then(|end| bytes.get(start..end));
    let data = data.unwrap_or(&[]);
    match record.kind {
        TYPE_NAME => addresses(data),
        TYPE_STATUS => status(data).unwrap_or_default(),
        _ => record.data.clone(),
    }
}

fn addresses(data: &[u8]) -> String {
    let entries = data.as_chunks::<6>().0.iter().take(STATUS_NAMES_MAX);
    let texts = entries.map(|[_, _, address @ ..]| Ipv4Addr::from(*address).to_string());
    texts.collect::<Vec<_>>().join(",")
}

fn status(data: &[u8]) -> Option<String> {
    let mut r = Reader::new(data);
    let count = usize::from(r.u8()?);
    let mut out = String::new();
    for index in 0..count {
        let text: [u8; 15] = r.array()?;
        let suffix = r.u8()?;
        r.skip(2)?;
        if index < STATUS_NAMES_MAX {
            out.push_str(&plain(&text, suffix));
            out.push(' ');
        }
    }
    let mac: [u8; 6] = r.array()?;
    // Writing to a String cannot fail.
    let _ = write!(out, "{}", model::Mac(mac));
    Some(out)
}
