//! Questions: search language and SQL, both as one logical plan.
//!
//! Enters: [`Query`]s. Leaves: rows or whole events, and which limit cut them.
//! Refuses: writing; wrong words, with their place and the nearest right one.
//! Source: `DESIGN.md` section 4, store; `model::port`.

pub(crate) mod export;
mod follow;
pub(crate) mod functions;
pub(crate) mod literals;
mod output;
mod plan;
mod report;
pub(crate) mod search;
mod search_table;
mod sql;
mod views;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use model::port::{EventQuery, Events, Query, QueryError, Rows};
use model::{Event, metric};

use crate::batch::events_of;
use crate::executor::{Answer, Executor as _, Limits};
use crate::hot::View;
use crate::store::Store;
use crate::tenant::Tenant;
pub use follow::Matcher;
use search::{Node, Scope};
use search_table::SearchTable;
use views::Window;

/// A question ready to run.
struct Planned {
    session: SessionContext,
    plan: LogicalPlan,
    /// Segments of it are not removed while it lives.
    view: Arc<View>,
}

/// Most rows of any answer.
pub const ROWS_MAX: usize = 1_000_000;

impl EventQuery for Store {
    fn rows(&self, query: &Query, cancel: &AtomicBool) -> Result<Rows, QueryError> {
        let started = Instant::now();
        let answer = self.answer(query, cancel);
        let answer = counted(answer, |answer| answer.limited)?;
        Ok(Rows {
            columns: output::columns(&answer.schema),
            rows: output::rows(&answer.batches),
            limited: answer.limited,
            took_ms: took(started),
        })
    }

    fn events(&self, query: &Query, cancel: &AtomicBool) -> Result<Events, QueryError> {
        let started = Instant::now();
        if is_sql(&query.text) {
            let detail = "events are asked for with the search language, not with SQL";
            return Err(report::plain("syntax", detail));
        }
        let found = self.search_events(query, cancel, started);
        let (events, limited) = counted(found, |(_, limited)| *limited)?;
        Ok(Events {
            events,
            limited,
            took_ms: took(started),
        })
    }
}

/// True when a text is SQL: its first word says so.
#[must_use]
pub fn is_sql(text: &str) -> bool {
    let start = text.trim_start().trim_start_matches('(');
    let word: String = start
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    let rest = start.get(word.len()..).unwrap_or("");
    let known = [
        "select", "with", "explain", "insert", "update", "delete", "create", "drop",
    ];
    known.iter().any(|known| known.eq_ignore_ascii_case(&word))
        && rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '*' | '(' | '"' | '\''))
        && !rest.trim_start().is_empty()
}

/// Prints a search in its canonical form.
///
/// # Errors
/// The text is no search.
pub fn canonical(text: &str) -> Result<String, QueryError> {
    search::parse(text).map(|node| node.to_string())
}

impl Store {
    fn answer(&self, query: &Query, cancel: &AtomicBool) -> Result<Answer, QueryError> {
        let text = query.text.as_str();
        let Planned {
            session,
            plan,
            view,
        } = self.planned(query)?;
        let ran = self.executor.run(&session, plan, limits(query), cancel);
        // The view lives until here: segments of it are not removed meanwhile.
        drop(view);
        ran.map_err(|failure| report::failure(text, &failure))
    }

    fn planned(&self, query: &Query) -> Result<Planned, QueryError> {
        if is_sql(&query.text) {
            self.planned_sql(query)
        } else {
            self.planned_search(query)
        }
    }

    fn planned_sql(&self, query: &Query) -> Result<Planned, QueryError> {
        let text = query.text.as_str();
        let statement = sql::parse(text)?;
        let session = self.executor.session();
        let view = self.core.view();
        let engine = |error| report::engine(text, &error);
        views::register(&session, &view, window(query), text).map_err(engine)?;
        session.register_udtf("search", Arc::new(self.search_table(&view, window(query))));
        let planning = session.clone();
        let planned = self
            .executor
            .wait(async move { sql::plan(&planning, statement).await });
        let plan = planned
            .ok_or_else(|| report::plain("cancelled", "the store is closing"))?
            .map_err(engine)?;
        let plan = limited(plan, limits(query).rows_max).map_err(engine)?;
        Ok(Planned {
            session,
            plan,
            view,
        })
    }

    fn planned_search(&self, query: &Query) -> Result<Planned, QueryError> {
        let text = query.text.as_str();
        let node = search::parse(text)?;
        let conditions = plan::conditions(&node, &self.scope(text))?;
        let view = self.core.view();
        let rows = limits(query).rows_max + 1;
        let plan = plan::common(&conditions, &view, window_of(query, &node), rows)
            .map_err(|error| report::engine(text, &error))?;
        Ok(Planned {
            session: self.executor.session(),
            plan,
            view,
        })
    }

    fn search_events(
        &self,
        query: &Query,
        cancel: &AtomicBool,
        started: Instant,
    ) -> Result<(Vec<Event>, Option<&'static str>), QueryError> {
        let text = query.text.as_str();
        let node: Node = search::parse(text)?;
        let conditions = plan::conditions(&node, &self.scope(text))?;
        let view: Arc<View> = self.core.view();
        let limits = limits(query);
        let window = window_of(query, &node);
        let mut events = Vec::new();
        let mut cut = None;
        for (class, condition) in conditions {
            let plan = plan::whole(class, condition, &view, window, limits.rows_max + 1)
                .map_err(|error| report::engine(text, &error))?;
            let left = limits.time_ms_max.saturating_sub(took(started));
            let session = self.executor.session();
            let rest = Limits {
                time_ms_max: left,
                ..limits
            };
            let answer = match self.executor.run(&session, plan, rest, cancel) {
                Ok(answer) => answer,
                // Newest events of other classes would look whole without this one.
                Err(failure) => return Err(report::failure(text, &failure)),
            };
            cut = cut.or(answer.limited);
            let found = answer
                .batches
                .iter()
                .flat_map(|batch| events_of(class, batch));
            events.extend(found);
        }
        events.sort_by_key(|event| std::cmp::Reverse((event.meta.time, event.meta.uid)));
        if events.len() > limits.rows_max {
            events.truncate(limits.rows_max);
            cut = cut.or(Some("rows"));
        }
        Ok((events, cut))
    }

    fn search_table(&self, view: &Arc<View>, window: Window) -> SearchTable {
        SearchTable {
            view: Arc::clone(view),
            window,
            key: self.core.vault.site_key().clone(),
            now: (self.core.config.now)(),
        }
    }

    fn scope<'a>(&'a self, text: &'a str) -> Scope<'a> {
        Scope {
            key: self.core.vault.site_key(),
            now: (self.core.config.now)(),
            text,
        }
    }
}

const fn window(query: &Query) -> Window {
    Window {
        from: query.from,
        to: query.to,
        tenant: Tenant::Real,
    }
}

/// The window of a search: one that names a replay looks at replays.
fn window_of(query: &Query, node: &Node) -> Window {
    Window {
        tenant: search::tenant(node),
        ..window(query)
    }
}

fn limits(query: &Query) -> Limits {
    Limits {
        rows_max: query.rows_max.min(ROWS_MAX),
        time_ms_max: query.time_ms_max,
    }
}

/// One row more than asked for, so that a cut is known.
fn limited(
    plan: LogicalPlan,
    rows_max: usize,
) -> Result<LogicalPlan, datafusion::error::DataFusionError> {
    if matches!(plan, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_)) {
        return Ok(plan);
    }
    LogicalPlanBuilder::from(plan)
        .limit(0, Some(rows_max + 1))?
        .build()
}

fn counted<T>(
    outcome: Result<T, QueryError>,
    limited: impl Fn(&T) -> Option<&'static str>,
) -> Result<T, QueryError> {
    match &outcome {
        Ok(answer) if limited(answer).is_none() => metric::STORE_QUERIES.add(1),
        _ => metric::STORE_QUERIES_LIMITED.add(1),
    }
    outcome
}

fn took(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)
}
