//! Reading answers of the store.
//!
//! Enters: rows. Leaves: typed values by position; a value of another kind reads as absent.
//! Refuses: nothing.
//! Source: the HTTP contract, `openapi.json`.

use model::port::Datum;

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a>(pub(crate) &'a [Datum]);

impl Row<'_> {
    /// Text; empty when absent.
    pub(crate) fn text(self, at: usize) -> String {
        match self.0.get(at) {
            Some(Datum::Text(text)) => text.clone(),
            _ => String::new(),
        }
    }

    /// A count; zero when absent.
    pub(crate) fn count(self, at: usize) -> u64 {
        match self.0.get(at) {
            Some(Datum::U64(value)) => *value,
            Some(Datum::I64(value)) => u64::try_from(*value).unwrap_or(0),
            _ => 0,
        }
    }

    /// A time in milliseconds; `None` when absent.
    pub(crate) fn time(self, at: usize) -> Option<i64> {
        match self.0.get(at) {
            Some(Datum::I64(value)) => Some(*value),
            Some(Datum::U64(value)) => i64::try_from(*value).ok(),
            _ => None,
        }
    }
}

/// Every row.
pub(crate) fn rows(rows: &[Vec<Datum>]) -> impl Iterator<Item = Row<'_>> {
    rows.iter().map(|row| Row(row))
}
