//! Running plans: the seam behind which one machine or many may stand.
//!
//! Enters: a logical plan over one view, limits, a cancel flag. Leaves: batches, and which limit
//! cut them. Refuses: a partial answer that does not say so. Later: distributed engines.
//! Source: `facts/store.md` sections 5 and 6.

mod local;
mod stream;
mod yielding;

use std::sync::atomic::AtomicBool;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

pub use local::LocalExecutor;

/// How much an answer may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most rows.
    pub rows_max: usize,
    /// Most milliseconds (wall).
    pub time_ms_max: u64,
}

/// What a plan gave.
#[derive(Debug)]
pub struct Answer {
    /// Columns.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
    /// The limit that cut the answer: `rows`, `time`, `memory`.
    pub limited: Option<&'static str>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The caller's flag.
    #[error("cancelled")]
    Cancelled,
    /// Whoever takes the rows takes no more.
    #[error("the answer could not be written: {0}")]
    Output(String),
    /// No row came in time.
    #[error("no answer in time")]
    Time,
    /// The engine's own reason.
    #[error(transparent)]
    Engine(#[from] DataFusionError),
}

/// Runs plans.
pub trait Executor: Send + Sync {
    /// Runs a plan of `session`; blocks until it ends, is cut or is cancelled.
    ///
    /// # Errors
    /// See [`Failure`].
    fn run(
        &self,
        session: &SessionContext,
        plan: LogicalPlan,
        limits: Limits,
        cancel: &AtomicBool,
    ) -> Result<Answer, Failure>;
}
