//! Questions: search language and SQL, both as one logical plan.
//!
//! Enters: [`Query`]s. Leaves: rows or whole events, and which limit cut them.
//! Refuses: writing; wrong words, with their place and the nearest right one.
//! Source: `DESIGN.md` section 4, store; `model::port`.

pub(crate) mod functions;
pub(crate) mod literals;
mod output;
mod report;
mod sql;
mod views;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use model::metric;
use model::port::{EventQuery, Events, Query, QueryError, Rows};

use crate::executor::{Answer, Executor as _, Limits};
use crate::store::Store;
use views::Window;

/// Most rows of any answer.
pub const ROWS_MAX: usize = 1_000_000;

impl EventQuery for Store {
    fn rows(&self, query: &Query, cancel: &AtomicBool) -> Result<Rows, QueryError> {
        let started = Instant::now();
        let answer = counted(self.sql(query, cancel))?;
        Ok(Rows {
            columns: output::columns(&answer.schema),
            rows: output::rows(&answer.batches),
            limited: answer.limited,
            took_ms: took(started),
        })
    }

    fn events(&self, _query: &Query, _cancel: &AtomicBool) -> Result<Events, QueryError> {
        Err(report::plain("syntax", "not yet"))
    }
}

impl Store {
    fn sql(&self, query: &Query, cancel: &AtomicBool) -> Result<Answer, QueryError> {
        let text = query.text.as_str();
        let statement = sql::parse(text)?;
        let session = self.executor.session();
        let view = self.core.view();
        let window = Window { from: query.from, to: query.to };
        let engine = |error| report::engine(text, &error);
        views::register(&session, &view, window).map_err(engine)?;
        let planning = session.clone();
        let planned = self.executor.wait(async move { sql::plan(&planning, statement).await });
        let plan = planned
            .ok_or_else(|| report::plain("cancelled", "the store is closing"))?
            .map_err(engine)?;
        let limits = limits(query);
        let plan = limited(plan, limits.rows_max).map_err(engine)?;
        let ran = self.executor.run(&session, plan, limits, cancel);
        // The view lives until here: segments of it are not removed meanwhile.
        drop(view);
        ran.map_err(|failure| report::failure(text, &failure))
    }
}

fn limits(query: &Query) -> Limits {
    Limits { rows_max: query.rows_max.min(ROWS_MAX), time_ms_max: query.time_ms_max }
}

/// One row more than asked for, so that a cut is known.
fn limited(
    plan: LogicalPlan,
    rows_max: usize,
) -> Result<LogicalPlan, datafusion::error::DataFusionError> {
    if matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)) {
        return Ok(plan);
    }
    LogicalPlanBuilder::from(plan).limit(0, Some(rows_max + 1))?.build()
}

fn counted(outcome: Result<Answer, QueryError>) -> Result<Answer, QueryError> {
    match &outcome {
        Ok(answer) if answer.limited.is_none() => metric::STORE_QUERIES.add(1),
        _ => metric::STORE_QUERIES_LIMITED.add(1),
    }
    outcome
}

fn took(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
