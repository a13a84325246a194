//! One growing column, made when its first value comes.
//!
//! Enters: cells at ascending rows. Leaves: one Arrow array, two for a sensitive column.
//! Refuses: a cell of another kind (it becomes absent). Source: Arrow columnar format 1.5.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, FixedSizeBinaryBuilder, Int64Builder, ListBuilder,
    StringBuilder, TimestampMillisecondBuilder, UInt16Builder, UInt32Builder, UInt64Builder,
    new_null_array,
};
use datafusion::arrow::datatypes::DataType;
use model::net::mapped;
use model::{Cell, Kind};

use crate::schema::{IP_OCTETS, UTC, arrow_type};

/// A column under construction.
pub(super) struct Builder {
    kind: Kind,
    values: Option<Values>,
}

enum Values {
    Bool(BooleanBuilder),
    U16(UInt16Builder),
    U32(UInt32Builder),
    U64(UInt64Builder),
    I64(Int64Builder),
    Text(StringBuilder),
    Ip(FixedSizeBinaryBuilder),
    Time(TimestampMillisecondBuilder),
    Sensitive(StringBuilder, ListBuilder<UInt64Builder>),
    TextList(ListBuilder<StringBuilder>),
    U64List(ListBuilder<UInt64Builder>),
    IpList(ListBuilder<FixedSizeBinaryBuilder>),
}

impl Builder {
    pub(super) const fn new(kind: Kind) -> Self {
        Self { kind, values: None }
    }

    /// Puts `cell` at `row`; rows between the last one and `row` become absent.
    pub(super) fn put(&mut self, row: usize, cell: Cell<'_>) {
        if matches!(cell, Cell::Null) {
            return;
        }
        let kind = self.kind;
        let values = self.values.get_or_insert_with(|| Values::new(kind));
        values.pad(row);
        values.push(cell);
    }

    /// Appends the finished arrays, `rows` long, to `out`.
    pub(super) fn finish(&mut self, rows: usize, out: &mut Vec<ArrayRef>) {
        match self.values.take() {
            None => {
                out.push(nulls(&arrow_type(self.kind), rows));
                if self.kind == Kind::Sensitive {
                    out.push(nulls(&arrow_type(Kind::U64List), rows));
                }
            }
            Some(mut values) => {
                values.pad(rows);
                values.finish(out);
            }
        }
    }
}

impl Values {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool(BooleanBuilder::new()),
            Kind::U16 => Self::U16(UInt16Builder::new()),
            Kind::U32 => Self::U32(UInt32Builder::new()),
            Kind::U64 => Self::U64(UInt64Builder::new()),
            Kind::I64 => Self::I64(Int64Builder::new()),
            Kind::Text | Kind::Mac => Self::Text(StringBuilder::new()),
            Kind::Ip => Self::Ip(FixedSizeBinaryBuilder::new(IP_OCTETS)),
            Kind::Time => Self::Time(TimestampMillisecondBuilder::new().with_timezone(UTC)),
            Kind::Sensitive => {
                Self::Sensitive(StringBuilder::new(), ListBuilder::new(UInt64Builder::new()))
            }
            Kind::TextList => Self::TextList(ListBuilder::new(StringBuilder::new())),
            Kind::U64List => Self::U64List(ListBuilder::new(UInt64Builder::new())),
            Kind::IpList => Self::IpList(ListBuilder::new(FixedSizeBinaryBuilder::new(IP_OCTETS))),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bool(b) => b.len(),
            Self::U16(b) => b.len(),
            Self::U32(b) => b.len(),
            Self::U64(b) => b.len(),
            Self::I64(b) => b.len(),
            Self::Text(b) | Self::Sensitive(b, _) => b.len(),
            Self::Ip(b) => b.len(),
            Self::Time(b) => b.len(),
            Self::TextList(b) => b.len(),
            Self::U64List(b) => b.len(),
            Self::IpList(b) => b.len(),
        }
    }

    /// Absent values up to `rows`.
    fn pad(&mut self, rows: usize) {
        let missing = rows.saturating_sub(self.len());
        if missing == 0 {
            return;
        }
        match self {
            Self::Bool(b) => b.append_nulls(missing),
            Self::U16(b) => b.append_nulls(missing),
            Self::U32(b) => b.append_nulls(missing),
            Self::U64(b) => b.append_nulls(missing),
            Self::I64(b) => b.append_nulls(missing),
            Self::Text(b) => b.append_nulls(missing),
            Self::Ip(b) => b.append_nulls(missing),
            Self::Time(b) => b.append_nulls(missing),
            Self::Sensitive(b, tokens) => {
                b.append_nulls(missing);
                tokens.append_nulls(missing);
            }
            Self::TextList(b) => b.append_nulls(missing),
            Self::U64List(b) => b.append_nulls(missing),
            Self::IpList(b) => b.append_nulls(missing),
        }
    }

    fn push(&mut self, cell: Cell<'_>) {
        match (self, cell) {
            (Self::Bool(b), Cell::Bool(v)) => b.append_value(v),
            (Self::U16(b), Cell::U64(v)) => b.append_option(u16::try_from(v).ok()),
            (Self::U32(b), Cell::U64(v)) => b.append_option(u32::try_from(v).ok()),
            (Self::U64(b), Cell::U64(v)) => b.append_value(v),
            (Self::I64(b), Cell::I64(v)) => b.append_value(v),
            (Self::Text(b), Cell::Text(v)) => b.append_value(v),
            (Self::Text(b), Cell::Mac(v)) => b.append_value(v.to_string()),
            // Sixteen octets always fit a column of sixteen octets.
            (Self::Ip(b), Cell::Ip(v)) => drop(b.append_value(mapped(v))),
            (Self::Time(b), Cell::Time(v)) => b.append_value(v.0),
            (Self::Sensitive(b, tokens), Cell::Sensitive(v)) => {
                if let Some(masked) = v.as_masked() {
                    b.append_value(&masked.display);
                    tokens.values().append_iter_values(&masked.tokens);
                    tokens.append(true);
                } else {
                    b.append_null();
                    tokens.append_null();
                }
            }
            (Self::TextList(b), Cell::TextList(v)) => {
                v.iter().for_each(|item| b.values().append_value(item));
                b.append(true);
            }
            (Self::U64List(b), Cell::U64List(v)) => {
                b.values().append_slice(v);
                b.append(true);
            }
            (Self::IpList(b), Cell::IpList(v)) => {
                v.iter()
                    .for_each(|item| drop(b.values().append_value(mapped(*item))));
                b.append(true);
            }
            // Another kind: the next `pad` makes it absent.
            _ => {}
        }
    }

    fn finish(self, out: &mut Vec<ArrayRef>) {
        let array: ArrayRef = match self {
            Self::Bool(mut b) => Arc::new(b.finish()),
            Self::U16(mut b) => Arc::new(b.finish()),
            Self::U32(mut b) => Arc::new(b.finish()),
            Self::U64(mut b) => Arc::new(b.finish()),
            Self::I64(mut b) => Arc::new(b.finish()),
            Self::Text(mut b) => Arc::new(b.finish()),
            Self::Ip(mut b) => Arc::new(b.finish()),
            Self::Time(mut b) => Arc::new(b.finish()),
            Self::Sensitive(mut b, mut tokens) => {
                out.push(Arc::new(b.finish()));
                Arc::new(tokens.finish())
            }
            Self::TextList(mut b) => Arc::new(b.finish()),
            Self::U64List(mut b) => Arc::new(b.finish()),
            Self::IpList(mut b) => Arc::new(b.finish()),
        };
        out.push(array);
    }
}

/// Appends tokens without a copy of the list.
trait AppendTokens {
    fn append_iter_values(&mut self, tokens: &[model::sensitive::Token]);
}

impl AppendTokens for UInt64Builder {
    fn append_iter_values(&mut self, tokens: &[model::sensitive::Token]) {
        tokens.iter().for_each(|token| self.append_value(token.0));
    }
}

/// `rows` absent values of a type; up to [`NULLS_SHARED`] they are slices of one shared array.
pub(crate) fn nulls(data_type: &DataType, rows: usize) -> ArrayRef {
    static SHARED: Mutex<Vec<(DataType, ArrayRef)>> = Mutex::new(Vec::new());
    if rows > NULLS_SHARED {
        return new_null_array(data_type, rows);
    }
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, array)) = shared.iter().find(|(known, _)| known == data_type) {
        return array.slice(0, rows);
    }
    let array = new_null_array(data_type, NULLS_SHARED);
    // One entry per kind of column: bounded by `Kind`.
    shared.push((data_type.clone(), Arc::clone(&array)));
    array.slice(0, rows)
}

/// Rows of the shared arrays of absent values.
const NULLS_SHARED: usize = 8192;
