//! Events from the OCSF JSON that Vigie wrote.
//!
//! Enters: one JSON object. Leaves: the event. Refuses: unknown classes, fields of another kind
//! than theirs, longer lines than [`READ_BYTES_MAX`]; texts and lists are cut to `limit`.
//! Source: `write.rs`. Members that no field table names are left aside.

use serde_json::{Map, Value as Json};

use super::{HIDDEN, companion, spread};
use crate::class::{Body, Class};
use crate::event::{Connection, Event, Meta};
use crate::limit::{LIST_ITEMS_MAX, WORDS_MAX, cut};
use crate::record::{Field, Kind, Record as _, Text, Value};
use crate::sensitive::{Masked, Sensitive, Token};
use crate::time::Millis;

/// Longest line that [`read_event`] takes, in bytes.
pub const READ_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most tokens of one masked value: a patient has two beyond its words.
const TOKENS_MAX: usize = WORDS_MAX + 2;

/// Why a line is not an event of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The line is longer than [`READ_BYTES_MAX`].
    #[error("line of {bytes} bytes; an event has at most {READ_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The line is not one JSON object.
    #[error("not one json object: column {column}")]
    NotJson {
        /// Where it stopped being JSON, from 1; 0 when it is JSON but no object.
        column: usize,
    },
    /// `class_uid` is missing or names a class that Vigie does not write.
    #[error("unknown class_uid")]
    UnknownClass,
    /// A member has another kind or range than its field.
    #[error("wrong value at {path}")]
    WrongValue {
        /// OCSF path of the member.
        path: &'static str,
    },
}

type Object = Map<String, Json>;

/// Reads one event that [`super::write_event`] wrote.
///
/// # Errors
/// The line is not an event of ours.
pub fn read_event(line: &str) -> Result<Event, ReadError> {
    if line.len() > READ_BYTES_MAX {
        return Err(ReadError::TooLong { bytes: line.len() });
    }
    let json: Json = serde_json::from_str(line).map_err(|error| ReadError::NotJson {
        column: error.column(),
    })?;
    let Json::Object(event) = json else {
        return Err(ReadError::NotJson { column: 0 });
    };
    let uid = event.get("class_uid").and_then(Json::as_u64);
    let uid = uid.and_then(|uid| u32::try_from(uid).ok());
    let mut body = uid.and_then(Body::empty).ok_or(ReadError::UnknownClass)?;
    let class = body.class();
    let mut failed = None;
    let connection = read_connection(&event, class, &mut failed);
    fields(&event, class, class.fields, &mut failed, |index, value| {
        body.set(index, value)
    });
    if let Some(path) = failed {
        return Err(ReadError::WrongValue { path });
    }
    Ok(Event {
        meta: read_meta(&event)?,
        connection,
        body,
    })
}

/// A connection is there when the class has one and the part that is always written stands there.
fn read_connection(
    event: &Object,
    class: &Class,
    failed: &mut Option<&'static str>,
) -> Option<Box<Connection>> {
    if !class.network || at(event, companion::place(class, companion::ALWAYS)).is_none() {
        return None;
    }
    let mut connection = Box::<Connection>::default();
    let of_connection = Event::connection_fields();
    fields(event, class, of_connection, failed, |index, value| {
        connection.set(index, value)
    });
    Some(connection)
}

fn fields(
    event: &Object,
    class: &Class,
    fields: &'static [Field],
    failed: &mut Option<&'static str>,
    mut set: impl FnMut(usize, Value) -> bool,
) {
    for (index, field) in fields.iter().enumerate() {
        if field.path == spread::PATH {
            let facts = spread::read(event.get("unmapped"), fields);
            set(index, Value::TextList(facts));
            continue;
        }
        let place = companion::place(class, field.path);
        let set = match read_field(event, field, place) {
            Ok(Some(value)) => set(index, value),
            Ok(None) => true,
            Err(()) => false,
        };
        if !set {
            failed.get_or_insert(field.path);
        }
    }
}

fn read_field(event: &Object, field: &Field, place: &str) -> Result<Option<Value>, ()> {
    if let Some((list, key)) = place.split_once("[].") {
        return match at(event, list) {
            Some(Json::Array(rows)) => column(rows, key, field.kind),
            Some(_) => Err(()),
            None => Ok(None),
        };
    }
    let Some(json) = at(event, place) else {
        return Ok(None);
    };
    let tokens = beside(event, "tokens", field.column);
    if tokens.is_none() && is_stand_in(field.path, json) {
        return Ok(None);
    }
    if field.kind == Kind::Sensitive {
        return sensitive(json, tokens, field);
    }
    let code = beside(event, "codes", field.column);
    scalar(code.unwrap_or(json), field.kind).map(Some).ok_or(())
}

/// True when `json` only stands in for a field that was not seen.
fn is_stand_in(path: &str, json: &Json) -> bool {
    let Some(members) = companion::stand_in(path) else {
        return false;
    };
    let object = format!("{{{}}}", members.trim_end_matches(','));
    let key = path.rsplit('.').next().unwrap_or("");
    serde_json::from_str::<Object>(&object).is_ok_and(|object| object.get(key) == Some(json))
}

/// The member at a dotted path.
fn at<'j>(object: &'j Object, path: &str) -> Option<&'j Json> {
    let (objects, key) = path
        .rsplit_once('.')
        .map_or((None, path), |(o, k)| (Some(o), k));
    let mut inner = object;
    for part in objects.into_iter().flat_map(|objects| objects.split('.')) {
        inner = inner.get(part)?.as_object()?;
    }
    inner.get(key)
}

fn beside<'j>(event: &'j Object, part: &str, column: &str) -> Option<&'j Json> {
    event.get("unmapped")?.get(part)?.get(column)
}

/// One column of a list of objects. Shorter columns end early, so absent members are the last ones.
fn column(rows: &[Json], key: &str, kind: Kind) -> Result<Option<Value>, ()> {
    let cells = rows
        .iter()
        .take(LIST_ITEMS_MAX)
        .filter_map(|row| row.get(key));
    let cells: Vec<Json> = cells.cloned().collect();
    if cells.is_empty() {
        return Ok(None);
    }
    let value = if matches!(kind, Kind::TextList | Kind::U64List | Kind::IpList) {
        scalar(&Json::Array(cells), kind)
    } else {
        cells.first().and_then(|cell| scalar(cell, kind))
    };
    value.map(Some).ok_or(())
}

fn scalar(json: &Json, kind: Kind) -> Option<Value> {
    Some(match kind {
        Kind::Bool => Value::Bool(json.as_bool()?),
        Kind::U16 | Kind::U32 | Kind::U64 => Value::U64(json.as_u64()?),
        Kind::I64 => Value::I64(json.as_i64()?),
        Kind::Text => Value::Text(text(json)?),
        Kind::Ip => Value::Ip(json.as_str()?.parse().ok()?),
        Kind::Mac => Value::Mac(json.as_str()?.parse().ok()?),
        Kind::Time => Value::Time(Millis(json.as_i64()?)),
        Kind::TextList => Value::TextList(items(json, text)?),
        Kind::U64List => Value::U64List(items(json, Json::as_u64)?),
        Kind::IpList => Value::IpList(items(json, |item| item.as_str()?.parse().ok())?),
        Kind::Sensitive => return None,
    })
}

fn text(json: &Json) -> Option<Text> {
    json.as_str().map(|text| Text::Owned(cut(text).to_owned()))
}

fn items<T>(json: &Json, item: impl Fn(&Json) -> Option<T>) -> Option<Vec<T>> {
    let items = json.as_array()?.iter().take(LIST_ITEMS_MAX);
    items.map(item).collect()
}

/// With tokens it is a masked value; without, a clear one of `--clear`, unless it was hidden.
fn sensitive(json: &Json, tokens: Option<&Json>, field: &Field) -> Result<Option<Value>, ()> {
    let shown = json.as_str().ok_or(())?;
    let Some(tokens) = tokens else {
        let clear = Sensitive::new(companion::shape(field.column), shown);
        return Ok((shown != HIDDEN).then_some(Value::Sensitive(clear)));
    };
    let tokens = tokens.as_array().ok_or(())?.iter().take(TOKENS_MAX);
    let tokens = tokens.map(|token| u64::from_str_radix(token.as_str()?, 16).ok().map(Token));
    let masked = Masked {
        display: cut(shown).into(),
        tokens: tokens.collect::<Option<_>>().ok_or(())?,
    };
    Ok(Some(Value::Sensitive(Sensitive::masked(masked))))
}

fn read_meta(event: &Object) -> Result<Meta, ReadError> {
    let number = |path: &'static str| match at(event, path) {
        None => Ok(0),
        Some(json) => json
            .as_u64()
            .and_then(|n| u16::try_from(n).ok())
            .ok_or(ReadError::WrongValue { path }),
    };
    let time = |path: &'static str| match at(event, path) {
        None => Ok(Millis::default()),
        Some(json) => json
            .as_i64()
            .map(Millis)
            .ok_or(ReadError::WrongValue { path }),
    };
    let text_at = |path: &'static str| match at(event, path) {
        None => Ok(None),
        Some(json) => text(json).map(Some).ok_or(ReadError::WrongValue { path }),
    };
    let wrong = |path| ReadError::WrongValue { path };
    let uid = text_at("metadata.uid")?.unwrap_or_default();
    let labels = at(event, "metadata.labels").map_or(Some(Vec::new()), |json| items(json, text));
    Ok(Meta {
        uid: uid.parse().map_err(|_| wrong("metadata.uid"))?,
        time: time("time")?,
        logged_time: time("metadata.logged_time")?,
        site: text_at("metadata.tenant_uid")?.unwrap_or_default(),
        activity: number("activity_id")?,
        severity: number("severity_id")?,
        status: number("status_id")?,
        status_code: text_at("status_code")?,
        labels: labels.ok_or(wrong("metadata.labels"))?,
    })
}
