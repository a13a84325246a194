//! Rows of Arrow batches back into events.
//!
//! Enters: a batch of one class, whole or with fewer columns. Leaves: events, sensitive values
//! masked.
//! Refuses: nothing: a column that is missing or of another type is absent.
//! Source: the inverse of [`super::BatchBuilder`].

use std::net::IpAddr;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeBinaryArray, ListArray, RecordBatch, StringArray,
};
use datafusion::arrow::datatypes::{
    Int64Type, TimestampMillisecondType, UInt16Type, UInt32Type, UInt64Type,
};
use model::net::unmapped;
use model::record::Record as _;
use model::sensitive::{Masked, Token};
use model::{Connection, Event, EventUid, Kind, Mac, Meta, Millis, NodeId, Sensitive, Text, Value};

use crate::schema::{ClassSchema, Column, Part, Spine, tokens_column};

/// The events of a batch, in its order.
pub(crate) fn events_of(schema: &'static ClassSchema, batch: &RecordBatch) -> Vec<Event> {
    let columns: Vec<Source<'_>> = schema
        .columns
        .iter()
        .filter_map(|column| Source::of(column, batch))
        .collect();
    (0..batch.num_rows())
        .filter_map(|row| event_of(schema, &columns, row))
        .collect()
}

struct Source<'a> {
    column: &'a Column,
    values: &'a ArrayRef,
    tokens: Option<&'a ArrayRef>,
}

impl<'a> Source<'a> {
    fn of(column: &'a Column, batch: &'a RecordBatch) -> Option<Self> {
        let values = batch.column_by_name(column.name)?;
        let tokens = if column.kind == Kind::Sensitive {
            batch.column_by_name(&tokens_column(column.name))
        } else {
            None
        };
        Some(Self {
            column,
            values,
            tokens,
        })
    }
}

fn event_of(schema: &ClassSchema, sources: &[Source<'_>], row: usize) -> Option<Event> {
    let mut meta = Meta::default();
    let mut connection: Option<Box<Connection>> = None;
    let mut body = model::class::Body::empty(schema.class.uid)?;
    for source in sources {
        let Some(value) = value_at(source, row) else {
            continue;
        };
        match source.column.part {
            Part::Spine(spine) => set_spine(&mut meta, spine, value),
            Part::Connection(index) => {
                connection.get_or_insert_default().set(index, value);
            }
            Part::Body(index) => {
                body.set(index, value);
            }
        }
    }
    Some(Event {
        meta,
        connection,
        body,
    })
}

fn set_spine(meta: &mut Meta, spine: Spine, value: Value) {
    let small = |value: &Value| {
        if let Value::U64(v) = value {
            u16::try_from(*v).unwrap_or(0)
        } else {
            0
        }
    };
    match (spine, value) {
        (Spine::Node, Value::U64(v)) => {
            meta.uid = EventUid {
                node: NodeId(u32::try_from(v).unwrap_or(0)),
                ..meta.uid
            };
        }
        (Spine::Seq, Value::U64(v)) => meta.uid.seq = v,
        (Spine::Time, Value::Time(v)) => meta.time = v,
        (Spine::LoggedTime, Value::Time(v)) => meta.logged_time = v,
        (Spine::Activity, v) => meta.activity = small(&v),
        (Spine::Severity, v) => meta.severity = small(&v),
        (Spine::Status, v) => meta.status = small(&v),
        (Spine::StatusCode, Value::Text(v)) => meta.status_code = Some(v),
        (Spine::Site, Value::Text(v)) => meta.site = v,
        (Spine::Labels, Value::TextList(v)) => meta.labels = v,
        _ => {}
    }
}

fn value_at(source: &Source<'_>, row: usize) -> Option<Value> {
    let values = source.values;
    if values.is_null(row) {
        return None;
    }
    Some(match source.column.kind {
        Kind::Bool => Value::Bool(values.as_boolean_opt()?.value(row)),
        Kind::U16 => Value::U64(values.as_primitive_opt::<UInt16Type>()?.value(row).into()),
        Kind::U32 => Value::U64(values.as_primitive_opt::<UInt32Type>()?.value(row).into()),
        Kind::U64 => Value::U64(values.as_primitive_opt::<UInt64Type>()?.value(row)),
        Kind::I64 => Value::I64(values.as_primitive_opt::<Int64Type>()?.value(row)),
        Kind::Text => Value::Text(text(values.as_string_opt::<i32>()?, row)),
        Kind::Mac => Value::Mac(
            values
                .as_string_opt::<i32>()?
                .value(row)
                .parse::<Mac>()
                .ok()?,
        ),
        Kind::Ip => Value::Ip(ip(values.as_fixed_size_binary_opt()?, row)?),
        Kind::Time => Value::Time(Millis(
            values
                .as_primitive_opt::<TimestampMillisecondType>()?
                .value(row),
        )),
        Kind::Sensitive => Value::Sensitive(Sensitive::masked(Masked {
            display: values.as_string_opt::<i32>()?.value(row).into(),
            tokens: tokens(source.tokens, row),
        })),
        Kind::TextList => {
            let items = list(values, row)?;
            let items = items.as_string_opt::<i32>()?;
            Value::TextList((0..items.len()).map(|at| text(items, at)).collect())
        }
        Kind::U64List => {
            let items = list(values, row)?;
            Value::U64List(items.as_primitive_opt::<UInt64Type>()?.values().to_vec())
        }
        Kind::IpList => {
            let items = list(values, row)?;
            let items = items.as_fixed_size_binary_opt()?;
            Value::IpList((0..items.len()).filter_map(|at| ip(items, at)).collect())
        }
    })
}

fn tokens(tokens: Option<&ArrayRef>, row: usize) -> Vec<Token> {
    let Some(items) = tokens.and_then(|tokens| list(tokens, row)) else {
        return Vec::new();
    };
    items
        .as_primitive_opt::<UInt64Type>()
        .map_or_else(Vec::new, |items| {
            items.values().iter().map(|token| Token(*token)).collect()
        })
}

fn list(values: &ArrayRef, row: usize) -> Option<ArrayRef> {
    let list: &ListArray = values.as_list_opt::<i32>()?;
    (!list.is_null(row)).then(|| list.value(row))
}

fn text(values: &StringArray, row: usize) -> Text {
    Text::Owned(values.value(row).to_owned())
}

fn ip(values: &FixedSizeBinaryArray, row: usize) -> Option<IpAddr> {
    values.value(row).try_into().ok().map(unmapped)
}
