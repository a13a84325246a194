//! Batches as log payloads: only the columns that hold something, schema written once a file.
//!
//! Enters: a batch of one class. Leaves: shape (class and present columns) and the Arrow IPC bytes.
//! Refuses: payloads that do not decode; the caller reports them. Columns that this version does
//! not know are dropped, new ones are absent. Source: Arrow IPC format 1.5.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, RecordBatch};
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc;
use datafusion::arrow::ipc::convert::fb_to_schema;
use datafusion::arrow::ipc::reader::RecordBatchDecoder;
use datafusion::arrow::ipc::writer::{DictionaryTracker, IpcDataGenerator, IpcWriteOptions};

use crate::batch::nulls;
use crate::schema::ClassSchema;

/// Which columns of which class a payload holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shape {
    pub(crate) class_uid: u32,
    pub(crate) present: Vec<bool>,
}

/// A batch ready for the log.
pub(crate) struct Encoded {
    pub(crate) shape: Shape,
    pub(crate) rows: u32,
    pub(crate) message: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// Encodes a batch of the class.
pub(crate) fn encode(schema: &ClassSchema, batch: &RecordBatch) -> Result<Encoded, ArrowError> {
    let present: Vec<bool> = batch
        .columns()
        .iter()
        .map(|column| column.null_count() < column.len())
        .collect();
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .zip(&present)
        .filter(|(_, present)| **present)
        .map(|(column, _)| Arc::clone(column))
        .collect();
    let shape = Shape {
        class_uid: schema.class.uid,
        present,
    };
    let projected = RecordBatch::try_new(arrow_schema(schema, &shape), columns)?;
    let (_, data) = IpcDataGenerator::default().encode(
        &projected,
        &mut DictionaryTracker::new(false),
        &IpcWriteOptions::default(),
        &mut Default::default(),
    )?;
    let rows = u32::try_from(batch.num_rows())
        .map_err(|_| ArrowError::IpcError("too many rows".to_owned()))?;
    Ok(Encoded {
        shape,
        rows,
        message: data.ipc_message,
        body: data.arrow_data,
    })
}

/// The IPC schema message of a shape.
pub(crate) fn schema_message(schema: &ClassSchema, shape: &Shape) -> Vec<u8> {
    IpcDataGenerator::default()
        .schema_to_bytes_with_dictionary_tracker(
            &arrow_schema(schema, shape),
            &mut DictionaryTracker::new(false),
            &IpcWriteOptions::default(),
        )
        .ipc_message
}

/// The Arrow schema of a schema message.
pub(crate) fn read_schema(message: &[u8]) -> Option<SchemaRef> {
    let message = ipc::root_as_message(message).ok()?;
    Some(Arc::new(fb_to_schema(message.header_as_schema()?)))
}

/// The batch of a payload, brought to the class's present layout.
pub(crate) fn decode(
    schema: &ClassSchema,
    written: &SchemaRef,
    message: &[u8],
    body: &[u8],
) -> Result<RecordBatch, ArrowError> {
    let wrong = |what: &str| ArrowError::IpcError(what.to_owned());
    let message = ipc::root_as_message(message).map_err(|_| wrong("not an IPC message"))?;
    let header = message
        .header_as_record_batch()
        .ok_or_else(|| wrong("not a batch"))?;
    let buffer = Buffer::from(body);
    let none = HashMap::new();
    let version = message.version();
    let read = RecordBatchDecoder::try_new(&buffer, header, Arc::clone(written), &none, &version)?
        .read_record_batch()?;
    conform(schema, &read)
}

/// Brings a batch with some of the columns to the class's layout.
pub(crate) fn conform(schema: &ClassSchema, read: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = schema
        .arrow
        .fields()
        .iter()
        .map(|field| match read.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Arc::clone(column),
            _ => nulls(field.data_type(), read.num_rows()),
        })
        .collect();
    RecordBatch::try_new(Arc::clone(&schema.arrow), columns)
}

fn arrow_schema(schema: &ClassSchema, shape: &Shape) -> SchemaRef {
    let fields: Vec<Field> = schema
        .arrow
        .fields()
        .iter()
        .zip(&shape.present)
        .filter(|(_, present)| **present)
        .map(|(field, _)| Field::new(field.name(), field.data_type().clone(), field.is_nullable()))
        .collect();
    Arc::new(Schema::new(fields))
}
