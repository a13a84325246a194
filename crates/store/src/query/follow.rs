//! Searches that are followed live: one event at a time, the same conditions as over history.
//!
//! Enters: a search. Leaves: a matcher of masked events. Refuses: what the search language refuses.
//! `last:` counts from the moment of compilation. Source: own language; `docs/reference`.

use std::sync::Arc;

use datafusion::arrow::array::{Array as _, BooleanArray};
use datafusion::common::DFSchema;
use datafusion::physical_expr::PhysicalExpr;
use model::Event;
use model::port::QueryError;

use super::{plan, report, search};
use crate::batch::BatchBuilder;
use crate::executor::LocalExecutor;
use crate::schema::ClassSchema;
use crate::store::Store;
use crate::tenant::replay_of;

/// Whether an event matches.
pub type Matcher = Box<dyn Fn(&Event) -> bool + Send + Sync>;

struct Condition {
    class: &'static ClassSchema,
    expression: Option<Arc<dyn PhysicalExpr>>,
}

impl Store {
    /// The matcher of a search.
    ///
    /// # Errors
    /// The text is no search.
    pub fn matcher(&self, text: &str) -> Result<Matcher, QueryError> {
        let node = search::parse(text)?;
        let tenant = search::tenant(&node);
        let mut conditions = Vec::new();
        for (class, condition) in plan::conditions(&node, &self.scope(text))? {
            let expression = match condition {
                None => None,
                Some(condition) => Some(compile(&self.executor, class, condition, text)?),
            };
            conditions.push(Condition { class, expression });
        }
        Ok(Box::new(move |event| {
            if !tenant.holds(replay_of(&event.meta.labels)) {
                return false;
            }
            let uid = event.body.class().uid;
            let condition = conditions
                .iter()
                .find(|condition| condition.class.class.uid == uid);
            condition.is_some_and(|condition| condition.holds(event))
        }))
    }
}

fn compile(
    executor: &LocalExecutor,
    class: &'static ClassSchema,
    condition: datafusion::logical_expr::Expr,
    text: &str,
) -> Result<Arc<dyn PhysicalExpr>, QueryError> {
    let schema = DFSchema::try_from(class.arrow.as_ref().clone());
    let schema = schema.map_err(|error| report::engine(text, &error))?;
    let made = executor.session().create_physical_expr(condition, &schema);
    made.map_err(|error| report::engine(text, &error))
}

impl Condition {
    /// True when the event matches; a condition that cannot be told is no match.
    fn holds(&self, event: &Event) -> bool {
        let Some(expression) = &self.expression else {
            return true;
        };
        let mut builder = BatchBuilder::new(self.class);
        builder.push(event);
        let Ok(batch) = builder.finish() else {
            return false;
        };
        let Ok(value) = expression.evaluate(&batch) else {
            return false;
        };
        let Ok(array) = value.into_array(1) else {
            return false;
        };
        let Some(answer) = array.as_any().downcast_ref::<BooleanArray>() else {
            return false;
        };
        answer.len() == 1 && answer.is_valid(0) && answer.value(0)
    }
}
