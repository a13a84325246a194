//! Answers as Parquet, written while they are made.
//!
//! Enters: a query, a place to write. Leaves: one Parquet file that any reader opens: addresses as
//! text, times in UTC milliseconds, columns in the order of the answer.
//! Refuses: what the query refuses, before the first byte is written. Limits: those of any answer;
//! [`GROUP_ROWS`] rows wait in memory. Source: Apache Parquet 2.11.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray as _, ListArray, RecordBatch, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::{WriterProperties, WriterVersion};
use model::net::unmapped;
use model::port::{Query, QueryError};

use super::functions::IP;
use super::{Planned, counted, limits, report, took};
use crate::store::Store;

/// Rows of a row group: what waits in memory until it is written.
const GROUP_ROWS: usize = 65_536;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Rows.
    pub rows: usize,
    /// The limit that cut the answer: `rows`, `time`, `memory`; `None` when it is whole.
    pub limited: Option<&'static str>,
    /// Milliseconds that it took.
    pub took_ms: u64,
}

impl Store {
    /// Writes the answer of a query to `out` as one Parquet file.
    ///
    /// # Errors
    /// What the query refuses: then nothing was written. A failure later, `output` among them,
    /// leaves a file without its end, which no reader takes for a whole one.
    pub fn export(
        &self,
        query: &Query,
        out: &mut (dyn Write + Send),
        cancel: &AtomicBool,
    ) -> Result<Exported, QueryError> {
        let started = Instant::now();
        let exported = self.exported(query, out, cancel, started);
        counted(exported, |exported| exported.limited)
    }

    fn exported(
        &self,
        query: &Query,
        out: &mut (dyn Write + Send),
        cancel: &AtomicBool,
        started: Instant,
    ) -> Result<Exported, QueryError> {
        let text = query.text.as_str();
        let Planned {
            session,
            plan,
            view,
        } = self.planned(query)?;
        let schema = shown(plan.schema().as_arrow());
        let failed = |error: &dyn std::fmt::Display| {
            report::plain("output", &format!("the answer was not written: {error}"))
        };
        let mut writer = None;
        let mut out = Some(out);
        let mut take = |batch: RecordBatch| -> Result<(), String> {
            let writer = match &mut writer {
                Some(writer) => writer,
                empty @ None => {
                    let out = out.take().ok_or("taken twice")?;
                    empty.insert(open(out, &schema).map_err(|error| error.to_string())?)
                }
            };
            let rows = converted(&schema, &batch).map_err(|error| error.to_string())?;
            writer.write(&rows).map_err(|error| error.to_string())
        };
        let streamed = self
            .executor
            .stream(&session, plan, limits(query), cancel, &mut take);
        // Segments of it are not removed until here.
        drop(view);
        let streamed = streamed.map_err(|failure| report::failure(text, &failure))?;
        let writer = match (writer, out) {
            (Some(writer), _) => writer,
            // An answer without rows is a file with columns and no rows.
            (None, Some(out)) => open(out, &schema).map_err(|error| failed(&error))?,
            (None, None) => return Err(failed(&"nowhere to write")),
        };
        writer.close().map_err(|error| failed(&error))?;
        Ok(Exported {
            rows: streamed.rows,
            limited: streamed.limited,
            took_ms: took(started),
        })
    }
}

type Out<'a> = &'a mut (dyn Write + Send);

fn open<'a>(
    out: Out<'a>,
    schema: &SchemaRef,
) -> datafusion::parquet::errors::Result<ArrowWriter<Out<'a>>> {
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("vigie ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .build();
    ArrowWriter::try_new(out, Arc::clone(schema), Some(properties))
}

/// The columns as they are written: addresses as text, every name once, all may be absent.
fn shown(schema: &Schema) -> SchemaRef {
    let mut fields: Vec<Field> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let taken = |name: &str| fields.iter().any(|field| field.name() == name);
        let mut name = field.name().clone();
        let mut number = 2u32;
        while taken(&name) {
            name = format!("{}_{number}", field.name());
            number = number.saturating_add(1);
        }
        fields.push(Field::new(name, written_type(field.data_type()), true));
    }
    Arc::new(Schema::new(fields))
}

fn written_type(found: &DataType) -> DataType {
    if *found == IP {
        return DataType::Utf8;
    }
    if let DataType::List(item) = found
        && *item.data_type() == IP
    {
        return DataType::List(text_item());
    }
    // Parquet has no column of nothing.
    if *found == DataType::Null {
        return DataType::Utf8;
    }
    found.clone()
}

fn text_item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Utf8, true))
}

fn converted(schema: &SchemaRef, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns: Result<Vec<ArrayRef>, ArrowError> = batch.columns().iter().map(written).collect();
    RecordBatch::try_new(Arc::clone(schema), columns?)
}

fn written(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let found = array.data_type();
    if *found == IP {
        return Ok(Arc::new(addresses(array)));
    }
    if *found == DataType::Null {
        return Ok(Arc::new(StringArray::new_null(array.len())));
    }
    if written_type(found) == *found {
        return Ok(Arc::clone(array));
    }
    let lists = array.as_list::<i32>();
    let texts = ListArray::try_new(
        text_item(),
        lists.offsets().clone(),
        Arc::new(addresses(lists.values())),
        lists.nulls().cloned(),
    )?;
    Ok(Arc::new(texts))
}

fn addresses(array: &ArrayRef) -> StringArray {
    let octets = array.as_fixed_size_binary();
    let texts = octets.iter().map(|octets| {
        let octets = <[u8; 16]>::try_from(octets?).ok()?;
        Some(unmapped(octets).to_string())
    });
    texts.collect()
}

#[cfg(test)]
mod tests;
