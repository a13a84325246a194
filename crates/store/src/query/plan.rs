//! Searches as plans.
//!
//! Enters: a tree, a view, a window. Leaves: one plan of the common columns, or one per class with
//! all columns; newest first. Refuses: nothing more than the search itself. Source: `DESIGN.md`
//! section 4.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use model::port::QueryError;

use super::search::{Match, Node, Scope, condition};
use super::views::{self, Window, plain};
use crate::hot::View;
use crate::schema::{self, ClassSchema};

/// The classes that may match, each with its condition.
pub(crate) fn conditions(
    node: &Node,
    scope: &Scope<'_>,
) -> Result<Vec<(&'static ClassSchema, Option<Expr>)>, QueryError> {
    let mut out = Vec::new();
    for class in schema::all() {
        match condition(node, class, scope)? {
            Match::Always => out.push((class, None)),
            Match::If(expr) => out.push((class, Some(expr))),
            Match::Never => {}
        }
    }
    Ok(out)
}

/// The common columns of everything that matches, newest first.
pub(crate) fn common(
    conditions: &[(&'static ClassSchema, Option<Expr>)],
    view: &Arc<View>,
    window: Window,
    rows: usize,
) -> Result<LogicalPlan> {
    let found = matches(conditions, view, window)?;
    LogicalPlanBuilder::from(found)
        .sort(newest())?
        .limit(0, Some(rows))?
        .build()
}

/// The common columns of everything that matches, in no order.
pub(crate) fn matches(
    conditions: &[(&'static ClassSchema, Option<Expr>)],
    view: &Arc<View>,
    window: Window,
) -> Result<LogicalPlan> {
    let mut union: Option<LogicalPlanBuilder> = None;
    for (class, condition) in conditions {
        let found = matching(class, condition.clone(), view, window)?;
        let part = LogicalPlanBuilder::from(found).project(views::common(class))?;
        union = Some(match union {
            None => part,
            Some(before) => before.union(part.build()?)?,
        });
    }
    match (union, schema::all().first()) {
        (Some(union), _) => union.build(),
        // No class can match: the same columns without rows.
        (None, Some(class)) => {
            let none = matching(class, Some(lit(false)), view, window)?;
            LogicalPlanBuilder::from(none)
                .project(views::common(class))?
                .build()
        }
        (None, None) => LogicalPlanBuilder::empty(false).build(),
    }
}

/// Every column of what matches in the class named `name`; without a condition nothing matches.
pub(crate) fn matches_of(
    name: &str,
    found: Option<(&'static ClassSchema, Option<Expr>)>,
    view: &Arc<View>,
    window: Window,
) -> Result<LogicalPlan> {
    let known = schema::all()
        .iter()
        .find(|schema| schema.class.name == name);
    let (class, condition) = match (found, known) {
        (Some(found), _) => found,
        (None, Some(class)) => (class, Some(lit(false))),
        (None, None) => return LogicalPlanBuilder::empty(false).build(),
    };
    let rows = matching(class, condition, view, window)?;
    LogicalPlanBuilder::from(rows)
        .project(views::own(class))?
        .build()
}

/// Whole rows of one class.
pub(crate) fn whole(
    class: &'static ClassSchema,
    condition: Option<Expr>,
    view: &Arc<View>,
    window: Window,
    rows: usize,
) -> Result<LogicalPlan> {
    let found = matching(class, condition, view, window)?;
    LogicalPlanBuilder::from(found)
        .sort(newest())?
        .limit(0, Some(rows))?
        .build()
}

fn matching(
    class: &'static ClassSchema,
    condition: Option<Expr>,
    view: &Arc<View>,
    window: Window,
) -> Result<LogicalPlan> {
    let scan = views::scan(class, view, window)?;
    match condition {
        None => Ok(scan),
        Some(condition) => LogicalPlanBuilder::from(scan).filter(condition)?.build(),
    }
}

fn newest() -> Vec<Sort> {
    ["time", "node", "seq"]
        .map(|name| plain(name).sort(false, false))
        .to_vec()
}
