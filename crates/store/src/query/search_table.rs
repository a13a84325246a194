//! `search('...')` and `search('...', 'view')` in SQL: a search as a table.
//!
//! Enters: a search text, the name of a view (`events` if none). Leaves: the rows that match, with
//! the view's columns. Refuses: anything but one or two text literals; what the search refuses.
//! Source: own language.

use std::sync::Arc;

use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use model::{Millis, SiteKey};

use super::search::{self, Scope};
use super::views::{self, Window};
use super::{plan, report};
use crate::hot::View;

/// The function within one query: its view and window.
pub(super) struct SearchTable {
    pub(super) view: Arc<View>,
    pub(super) window: Window,
    pub(super) key: SiteKey,
    pub(super) now: Millis,
}

impl std::fmt::Debug for SearchTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("search")
    }
}

impl TableFunctionImpl for SearchTable {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let (text, view) = match args.exprs() {
            [text] => (literal(text)?, "events".to_owned()),
            [text, view] => (literal(text)?, literal(view)?),
            _ => return Err(usage()),
        };
        let failed = |error| DataFusionError::External(Box::new(error));
        let node = search::parse(&text).map_err(failed)?;
        let scope = Scope {
            key: &self.key,
            now: self.now,
            text: &text,
        };
        let window = Window {
            tenant: search::tenant(&node),
            ..self.window
        };
        let mut conditions = plan::conditions(&node, &scope).map_err(failed)?;
        let table = if view == "events" {
            plan::matches(&conditions, &self.view, window)?
        } else {
            if !views::names().contains(&view.as_str()) {
                return Err(failed(report::unknown(&text, &view, &views::names())));
            }
            conditions.retain(|(class, _)| class.class.name == view);
            plan::matches_of(&view, conditions.pop(), &self.view, window)?
        };
        let table = LogicalPlanBuilder::from(table).build()?;
        Ok(Arc::new(ViewTable::new(table, None)))
    }
}

fn usage() -> DataFusionError {
    DataFusionError::Plan("search takes a text and, if wanted, the name of a view".to_owned())
}

fn literal(expression: &Expr) -> Result<String> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "two forms of a text")]
    match expression {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _)
        | Expr::Literal(ScalarValue::Utf8View(Some(text)), _) => Ok(text.clone()),
        _ => Err(usage()),
    }
}
