//! Queries as typed: search or SQL, answered with a table.
//!
//! Enters: query text and its limits. Leaves: rows. Refuses: texts beyond `limit::QUERY_BYTES_MAX`;
//! the store refuses what is not read-only. The trail notes that SQL was run and how long its text
//! was, never the text: it may name a patient.
//! Source: the HTTP contract, `openapi.json`.

use axum::Json;
use axum::extract::State;
use identity::Permission;
use model::Millis;
use model::port::{Datum, Query};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::{App, Entry};
use crate::body::Body;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::limit::{QUERY_BYTES_MAX, QUERY_MS_DEFAULT, QUERY_MS_MAX, ROWS_DEFAULT, ROWS_MAX};
use crate::session::Signed;

/// A query.
#[derive(Deserialize, ToSchema)]
pub(crate) struct QueryText {
    /// Search language or SQL; SQL starts with `select` or `with`.
    text: String,
    /// Earliest event time, inclusive, milliseconds; open when absent.
    from: Option<i64>,
    /// Latest event time, exclusive, milliseconds; open when absent.
    to: Option<i64>,
    /// Most rows, 1000 when absent, at most 10000.
    rows_max: Option<usize>,
    /// Most milliseconds, 15000 when absent, at most 60000.
    time_ms_max: Option<u64>,
}

/// A table.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rows {
    /// Columns, in order.
    columns: Vec<Column>,
    /// Rows, each as long as `columns`; addresses are text, times milliseconds.
    #[schema(value_type = Vec<Vec<Value>>)]
    rows: Vec<Vec<Datum>>,
    /// The limit that cut the answer: `rows`, `time`, `memory`; `null` when it is whole.
    limited: Option<&'static str>,
    /// Milliseconds that the store took.
    took_ms: u64,
}

/// A column.
#[derive(Serialize, ToSchema)]
struct Column {
    /// Name.
    name: String,
    /// `bool`, `int`, `float`, `text`, `ip`, `time`, `list`.
    kind: &'static str,
}

/// Runs a query.
#[utoipa::path(post, path = "/query", tag = "search", operation_id = "query",
    request_body = QueryText,
    responses((status = 200, body = Rows), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn query(
    State(app): State<App>,
    signed: Signed,
    Body(body): Body<QueryText>,
) -> Answer<Json<Rows>> {
    signed.need(Permission::Hunt)?;
    if body.text.len() > QUERY_BYTES_MAX {
        return Err(ApiError::bad_value("the query is longer than 16 KiB"));
    }
    if is_sql(&body.text) {
        app.record(Entry {
            actor: signed.name,
            action: "sql_query",
            object: format!("{} bytes", body.text.len()),
            outcome: "asked".to_owned(),
        })
        .await?;
    }
    let query = Query {
        text: body.text,
        from: body.from.map(Millis),
        to: body.to.map(Millis),
        rows_max: body.rows_max.unwrap_or(ROWS_DEFAULT).clamp(1, ROWS_MAX),
        time_ms_max: body
            .time_ms_max
            .unwrap_or(QUERY_MS_DEFAULT)
            .clamp(1, QUERY_MS_MAX),
    };
    let answer = app.rows(query).await?;
    let columns = answer.columns.into_iter().map(|column| Column {
        name: column.name,
        kind: column.kind,
    });
    Ok(Json(Rows {
        columns: columns.collect(),
        rows: answer.rows,
        limited: answer.limited,
        took_ms: answer.took_ms,
    }))
}

/// True for what the store takes as SQL.
fn is_sql(text: &str) -> bool {
    let word: String = text
        .trim_start()
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .take(8)
        .collect();
    word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("with")
}
