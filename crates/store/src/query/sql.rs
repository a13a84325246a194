//! SQL: reading only.
//!
//! Enters: a text. Leaves: a logical plan over the views. Refuses: everything but SELECT, WITH and
//! EXPLAIN, more than one statement, texts over [`TEXT_BYTES_MAX`] or [`WORDS_MAX`] words.
//! Source: DataFusion's SQL dialect.

use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast;
use model::port::QueryError;

use super::{literals, report};

/// Longest SQL text.
pub(crate) const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Most words and signs: bounds the depth of the plan.
pub(crate) const WORDS_MAX: usize = 4096;

/// The one statement of a text, if it only reads.
pub(crate) fn parse(text: &str) -> Result<Statement, QueryError> {
    if text.len() > TEXT_BYTES_MAX || words(text) > WORDS_MAX {
        return Err(report::plain("syntax", "the query is too long; split it"));
    }
    let parsed = DFParserBuilder::new(text)
        .build()
        .and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(|error| report::engine(text, &error))?;
    let (Some(statement), true) = (statements.pop_front(), statements.is_empty()) else {
        return Err(report::plain("syntax", "write exactly one statement"));
    };
    if reads_only(&statement) {
        Ok(statement)
    } else {
        Err(report::plain(
            "not_read_only",
            "only SELECT, WITH and EXPLAIN are allowed",
        ))
    }
}

/// The plan of a statement.
pub(crate) async fn plan(
    session: &SessionContext,
    statement: Statement,
) -> Result<LogicalPlan, DataFusionError> {
    let plan = session.state().statement_to_plan(statement).await?;
    let reading = SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false);
    reading.verify_plan(&plan)?;
    literals::convert(plan)
}

fn reads_only(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => matches!(**statement, ast::Statement::Query(_)),
        Statement::Explain(explain) => reads_only(&explain.statement),
        Statement::CreateExternalTable(_) | Statement::CopyTo(_) | Statement::Reset(_) => false,
    }
}

fn words(text: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for c in text.chars() {
        let word = c.is_alphanumeric() || c == '_';
        if !c.is_whitespace() && (!word || !inside) {
            count += 1;
        }
        inside = word;
    }
    count
}
