//! The field whose path is [`PATH`]: facts, each at its own place under `unmapped`.
//!
//! Enters: texts `protocol.key=value`, one protocol's after the other, or a JSON object. Leaves:
//! `"protocol":{"key":"value",...},` or the texts. Refuses: texts that are no facts; on the way in,
//! members that belong to another field. Source: `crate::fact`.

use serde_json::{Map, Value as Json};

use super::json;
use crate::fact::parts;
use crate::limit::{LIST_ITEMS_MAX, cut};
use crate::record::{Field, Text};

/// Path of the field that is spread.
pub(super) const PATH: &str = "unmapped.*";

/// Writes facts as members of `unmapped`: neighbours of one protocol into one object, neighbours of
/// one key into one list.
pub(super) fn write(out: &mut Vec<u8>, facts: &[Text]) {
    let mut known = facts.iter().filter_map(|fact| parts(fact)).peekable();
    let mut protocol = "";
    while let Some((name, key, value)) = known.next() {
        if name != protocol {
            if !protocol.is_empty() {
                json::close(out, b'}');
                out.push(b',');
            }
            protocol = name;
            json::text(out, name);
            out.extend_from_slice(b":{");
        }
        json::text(out, key);
        out.push(b':');
        let same = |next: &(&str, &str, &str)| next.0 == name && next.1 == key;
        match known.next_if(same) {
            None => json::text(out, value),
            Some((_, _, second)) => {
                out.push(b'[');
                json::text(out, value);
                out.push(b',');
                json::text(out, second);
                out.push(b',');
                while let Some((_, _, value)) = known.next_if(same) {
                    json::text(out, value);
                    out.push(b',');
                }
                json::close(out, b']');
            }
        }
        out.push(b',');
    }
    if !protocol.is_empty() {
        json::close(out, b'}');
        out.push(b',');
    }
}

/// The facts of an event, from every member of `unmapped` that no other field names.
pub(super) fn read(unmapped: Option<&Json>, fields: &[Field]) -> Vec<Text> {
    let mut facts = Vec::new();
    let Some(Json::Object(members)) = unmapped else {
        return facts;
    };
    for (protocol, inner) in members {
        let taken = fields.iter().any(|field| {
            let path = field.path.strip_prefix("unmapped.").unwrap_or_default();
            path.split(['.', '[']).next() == Some(protocol)
        });
        let Json::Object(inner) = inner else { continue };
        let ours = matches!(protocol.as_str(), "tokens" | "codes" | "connection_info");
        if !taken && !ours {
            read_protocol(protocol, inner, &mut facts);
        }
    }
    facts
}

fn read_protocol(protocol: &str, members: &Map<String, Json>, facts: &mut Vec<Text>) {
    for (key, value) in members {
        let values = match value {
            Json::Array(values) => values.as_slice(),
            one @ (Json::Null
            | Json::Bool(_)
            | Json::Number(_)
            | Json::String(_)
            | Json::Object(_)) => std::slice::from_ref(one),
        };
        for value in values.iter().filter_map(Json::as_str) {
            let fact = format!("{protocol}.{key}={value}");
            if facts.len() < LIST_ITEMS_MAX && parts(&fact).is_some() {
                facts.push(Text::Owned(cut(&fact).to_owned()));
            }
        }
    }
}
