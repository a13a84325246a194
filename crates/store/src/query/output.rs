//! Arrow batches as plain rows.
//!
//! Enters: batches of an answer. Leaves: [`Datum`]s: addresses as text, times as milliseconds.
//! Refuses: nothing; types without a plain form become their display text. Source: `model::port`.

use datafusion::arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch};
use datafusion::arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use model::net::unmapped;
use model::port::{Column, Datum};

use super::functions::IP;

/// The columns of a schema.
pub(crate) fn columns(schema: &Schema) -> Vec<Column> {
    let fields = schema.fields().iter();
    fields
        .map(|field| Column {
            name: field.name().clone(),
            kind: kind(field.data_type()),
        })
        .collect()
}

/// The rows of batches.
pub(crate) fn rows(batches: &[RecordBatch]) -> Vec<Vec<Datum>> {
    let mut out = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            out.push(
                batch
                    .columns()
                    .iter()
                    .map(|column| datum(column, row))
                    .collect(),
            );
        }
    }
    out
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other type is shown as text"
)]
fn kind(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "bool",
        found if *found == IP => "ip",
        found if found.is_integer() => "int",
        found if found.is_floating() || found.is_decimal() => "float",
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => "time",
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "list",
        DataType::Dictionary(_, value) => kind(value),
        _ => "text",
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other type is shown as text"
)]
fn datum(array: &ArrayRef, row: usize) -> Datum {
    if array.is_null(row) {
        return Datum::Null;
    }
    match array.data_type() {
        DataType::Null => Datum::Null,
        DataType::Boolean => Datum::Bool(array.as_boolean().value(row)),
        DataType::Int8 => Datum::I64(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Datum::I64(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Datum::I64(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Datum::I64(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => Datum::U64(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => Datum::U64(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => Datum::U64(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => Datum::U64(array.as_primitive::<UInt64Type>().value(row)),
        DataType::Float32 => Datum::F64(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Datum::F64(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Datum::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Datum::Text(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Datum::Text(array.as_string_view().value(row).to_owned()),
        DataType::FixedSizeBinary(_) => octets(array.as_fixed_size_binary().value(row)),
        DataType::Timestamp(unit, _) => Datum::I64(milliseconds(array, *unit, row)),
        DataType::Decimal128(..) | DataType::Decimal256(..) => shown(array, row)
            .parse()
            .map_or_else(|_| Datum::Text(shown(array, row)), Datum::F64),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Datum::List((0..items.len()).map(|at| datum(&items, at)).collect())
        }
        DataType::LargeList(_) => {
            let items = array.as_list::<i64>().value(row);
            Datum::List((0..items.len()).map(|at| datum(&items, at)).collect())
        }
        _ => Datum::Text(shown(array, row)),
    }
}

/// Sixteen octets are an address, others hexadecimal.
fn octets(octets: &[u8]) -> Datum {
    if let Ok(ip) = <[u8; 16]>::try_from(octets) {
        return Datum::Text(unmapped(ip).to_string());
    }
    Datum::Text(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

fn milliseconds(array: &ArrayRef, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => array
            .as_primitive::<TimestampSecondType>()
            .value(row)
            .saturating_mul(1000),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
        TimeUnit::Microsecond => array
            .as_primitive::<TimestampMicrosecondType>()
            .value(row)
            .div_euclid(1000),
        TimeUnit::Nanosecond => array
            .as_primitive::<TimestampNanosecondType>()
            .value(row)
            .div_euclid(1_000_000),
    }
}

fn shown(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options);
    formatter.map_or_else(
        |_| String::new(),
        |formatter| formatter.value(row).to_string(),
    )
}
