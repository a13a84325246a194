//! The views that SQL sees: `events` and one per class, and the same of replays, `replayed_*`.
//!
//! Enters: a view of the store, the query's time window. Leaves: registered views; each class has
//! all its columns, `events` the common ones; both have `class_name` and `uid`.
//! Refuses: nothing. Source: `DESIGN.md` section 5.

use std::sync::Arc;

use datafusion::catalog::view::ViewTable;
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, col, lit};
use datafusion::prelude::SessionContext;
use model::Millis;

use super::functions;
use crate::hot::View;
use crate::schema::{self, ClassSchema, Part, UTC};
use crate::table::StoreTable;
use crate::tenant::Tenant;

/// The event times and tenants that a query asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    /// Inclusive.
    pub(crate) from: Option<Millis>,
    /// Exclusive.
    pub(crate) to: Option<Millis>,
    /// Real events, or replayed ones.
    pub(crate) tenant: Tenant,
}

/// Names of all views.
pub(crate) fn names() -> Vec<&'static str> {
    let classes = schema::all().iter().map(|schema| schema.class.name);
    std::iter::once("events").chain(classes).collect()
}

/// Names of all views, those of replays too.
pub(crate) fn all_names() -> Vec<String> {
    let prefixed = names().into_iter().map(|name| format!("{REPLAYED}{name}"));
    let plain = names().into_iter().map(str::to_owned);
    plain.chain(prefixed).collect()
}

/// Registers every view in a session; those of replays only when `text` may name one.
pub(crate) fn register(
    session: &SessionContext,
    view: &Arc<View>,
    window: Window,
    text: &str,
) -> Result<()> {
    register_as(session, view, window, "")?;
    if !text.to_ascii_lowercase().contains(REPLAYED) {
        return Ok(());
    }
    let replayed = Window {
        tenant: Tenant::Replayed,
        ..window
    };
    register_as(session, view, replayed, REPLAYED)
}

fn register_as(
    session: &SessionContext,
    view: &Arc<View>,
    window: Window,
    prefix: &str,
) -> Result<()> {
    let mut union: Option<LogicalPlanBuilder> = None;
    for schema in schema::all() {
        let scan = scan(schema, view, window)?;
        let plan = LogicalPlanBuilder::from(scan.clone())
            .project(own(schema))?
            .build()?;
        let name = format!("{prefix}{}", schema.class.name);
        session.register_table(name, Arc::new(ViewTable::new(plan, None)))?;
        let common = LogicalPlanBuilder::from(scan).project(common(schema))?;
        union = Some(match union {
            None => common,
            Some(before) => before.union(common.build()?)?,
        });
    }
    if let Some(union) = union {
        session.register_table(
            format!("{prefix}events"),
            Arc::new(ViewTable::new(union.build()?, None)),
        )?;
    }
    Ok(())
}

/// What the name of a view of replayed events starts with.
pub(crate) const REPLAYED: &str = "replayed_";

/// The rows of a class within the window.
pub(crate) fn scan(
    schema: &'static ClassSchema,
    view: &Arc<View>,
    window: Window,
) -> Result<LogicalPlan> {
    let table = Arc::new(StoreTable {
        schema,
        view: Arc::clone(view),
        tenant: window.tenant,
    });
    let mut plan = LogicalPlanBuilder::scan(schema.class.name, provider_as_source(table), None)?;
    if let Some(from) = window.from {
        plan = plan.filter(plain("time").gt_eq(time(from)))?;
    }
    if let Some(to) = window.to {
        plan = plan.filter(plain("time").lt(time(to)))?;
    }
    plan.build()
}

/// A literal of the time type.
pub(crate) fn time(at: Millis) -> Expr {
    lit(ScalarValue::TimestampMillisecond(
        Some(at.0),
        Some(UTC.into()),
    ))
}

/// A column by its exact name.
pub(crate) fn plain(name: &str) -> Expr {
    col(datafusion::common::Column::from_name(name))
}

/// The common columns of a class, absent ones as NULL, and the two computed ones.
pub(crate) fn common(schema: &'static ClassSchema) -> Vec<Expr> {
    let mut columns: Vec<Expr> = schema::common()
        .iter()
        .map(|column| {
            let has = schema.class.network || matches!(column.part, Part::Spine(_));
            if has {
                plain(column.name)
            } else {
                let kind = schema::arrow_type(column.kind);
                let null = ScalarValue::try_from(&kind).unwrap_or(ScalarValue::Null);
                lit(null).alias(column.name)
            }
        })
        .collect();
    columns.extend(extra(schema));
    columns
}

/// Every column of a class, and the two computed ones.
pub(crate) fn own(schema: &'static ClassSchema) -> Vec<Expr> {
    let fields = schema.arrow.fields().iter();
    fields
        .map(|field| plain(field.name()))
        .chain(extra(schema))
        .collect()
}

fn extra(schema: &'static ClassSchema) -> Vec<Expr> {
    let mut out = vec![lit(schema.class.name).alias("class_name")];
    let uid = functions::all()
        .into_iter()
        .find(|function| function.name() == "event_uid");
    if let Some(uid) = uid {
        out.push(uid.call(vec![plain("node"), plain("seq")]).alias("uid"));
    }
    out
}
