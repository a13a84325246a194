//! Events to Arrow batches and back.
//!
//! Enters: masked [`Event`]s of one class. Leaves: a `RecordBatch` with every column of the class;
//! an absent value costs nothing until a column has its first present one.
//! Refuses: clear sensitive values (the caller masks first; a clear one is stored as absent, never
//! in the clear). Source: Arrow columnar format 1.5.

mod column;
mod read;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;
use model::record::Record as _;
use model::{Cell, Event};

use crate::schema::{ClassSchema, Part, Spine};
use column::Builder;
pub(crate) use column::nulls;
pub(crate) use read::events_of;

/// Builds one batch of one class.
pub(crate) struct BatchBuilder {
    schema: &'static ClassSchema,
    builders: Vec<Builder>,
    connection_at: usize,
    body_at: usize,
    rows: usize,
}

impl BatchBuilder {
    /// An empty batch.
    pub(crate) fn new(schema: &'static ClassSchema) -> Self {
        let builders = schema
            .columns
            .iter()
            .map(|column| Builder::new(column.kind))
            .collect();
        let first = |wanted: fn(Part) -> bool| {
            let at = schema.columns.iter().position(|column| wanted(column.part));
            at.unwrap_or(schema.columns.len())
        };
        Self {
            schema,
            builders,
            connection_at: first(|part| matches!(part, Part::Connection(_))),
            body_at: first(|part| matches!(part, Part::Body(_))),
            rows: 0,
        }
    }

    /// Rows so far.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Adds one event; it must be of this class.
    pub(crate) fn push(&mut self, event: &Event) {
        let row = self.rows;
        self.spine(event);
        if self.schema.class.network
            && let Some(connection) = &event.connection
        {
            let at = self.connection_at;
            let builders = &mut self.builders;
            connection.each(&mut |index, cell| put(builders, at + index, row, cell));
        }
        let at = self.body_at;
        let builders = &mut self.builders;
        event
            .body
            .each(&mut |index, cell| put(builders, at + index, row, cell));
        self.rows += 1;
    }

    fn spine(&mut self, event: &Event) {
        let row = self.rows;
        let meta = &event.meta;
        for (column, builder) in self.schema.columns.iter().zip(&mut self.builders) {
            let Part::Spine(spine) = column.part else {
                break;
            };
            let cell = match spine {
                Spine::Node => Cell::U64(u64::from(meta.uid.node.0)),
                Spine::Seq => Cell::U64(meta.uid.seq),
                Spine::Time => Cell::Time(meta.time),
                Spine::LoggedTime => Cell::Time(meta.logged_time),
                Spine::ClassUid => Cell::U64(u64::from(self.schema.class.uid)),
                Spine::Activity => Cell::U64(u64::from(meta.activity)),
                Spine::Severity => Cell::U64(u64::from(meta.severity)),
                Spine::Status => Cell::U64(u64::from(meta.status)),
                Spine::StatusCode => meta.status_code.as_deref().map_or(Cell::Null, Cell::Text),
                Spine::Site => Cell::Text(&meta.site),
                Spine::Labels if meta.labels.is_empty() => Cell::Null,
                Spine::Labels => Cell::TextList(&meta.labels),
            };
            builder.put(row, cell);
        }
    }

    /// The batch; the builder is empty again.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        let mut arrays = Vec::with_capacity(self.schema.arrow.fields().len());
        for builder in &mut self.builders {
            builder.finish(rows, &mut arrays);
        }
        RecordBatch::try_new(Arc::clone(&self.schema.arrow), arrays)
    }
}

fn put(builders: &mut [Builder], at: usize, row: usize, cell: Cell<'_>) {
    if let Some(builder) = builders.get_mut(at) {
        builder.put(row, cell);
    }
}

#[cfg(test)]
mod tests;
