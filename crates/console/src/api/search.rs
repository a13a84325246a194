//! What can be searched for: columns and their values.
//!
//! Enters: a column and the beginning of a value. Leaves: the model's field table, values.
//! Refuses: unknown columns, with the nearest known one.
//! Source: the HTTP contract, `openapi.json`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use identity::Permission;
use model::port::{Datum, QueryError};
use model::record::Kind;
use model::{CLASSES, Event};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::period::Period;
use crate::app::App;
use crate::body::Params;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::session::Signed;
use crate::sql;

/// A column that a search or SQL may name.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct SearchField {
    /// Name in the search language and in SQL.
    column: &'static str,
    /// `bool`, `int`, `text`, `ip`, `mac`, `time`, `sensitive`, `list`.
    kind: &'static str,
    /// OCSF path.
    path: &'static str,
    /// One sentence, English.
    doc: &'static str,
    /// Classes that have it; every class when empty.
    classes: Vec<&'static str>,
}

/// A column, as SQL needs it.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) views: Vec<&'static str>,
    pub(super) list: bool,
    /// Identifiers of classes, which people know by name.
    pub(super) is_class: bool,
    kind: &'static str,
}

/// Lists what can be searched for.
#[utoipa::path(get, path = "/search/fields", tag = "search", operation_id = "search_fields",
    responses((status = 200, body = Vec<SearchField>), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn fields(signed: Signed) -> Answer<Json<Vec<SearchField>>> {
    signed.need(Permission::View)?;
    Ok(Json(table()))
}

/// Query parameters of completion.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ValueParams {
    /// Column.
    field: String,
    /// Beginning of the value.
    prefix: Option<String>,
    /// Beginning, inclusive, milliseconds since 1970.
    from: Option<i64>,
    /// End, exclusive, milliseconds since 1970.
    to: Option<i64>,
}

/// Lists values of a column, most frequent first.
#[utoipa::path(get, path = "/search/values", tag = "search", operation_id = "search_values",
    params(ValueParams),
    responses((status = 200, body = Vec<Value>), (status = "4XX", body = ErrorBody)))]
pub(crate) async fn values(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<ValueParams>,
) -> Answer<Json<Vec<Value>>> {
    signed.need(Permission::Hunt)?;
    let field = column(&params.field)?;
    let period = Period::new(params.from, params.to, &app)?;
    let prefix = params.prefix.unwrap_or_default();
    if field.is_class {
        let names = CLASSES.iter().map(|class| class.name);
        let names = names.filter(|name| name.starts_with(&prefix));
        return Ok(Json(names.map(Value::from).collect()));
    }
    // Text starts with the prefix in the store; the text form of other kinds is made here.
    let text = if field.kind == "text" && !prefix.is_empty() {
        sql::starting_with(&field.views, field.name, field.list, &prefix)
    } else {
        sql::top("", &field.views, field.name, field.list, true, CANDIDATES)
    };
    let answer = app.rows(period.query(text, CANDIDATES)).await?;
    let firsts = answer
        .rows
        .into_iter()
        .filter_map(|row| row.into_iter().next());
    let values = firsts.filter_map(|value| {
        let (value, text) = shown(value)?;
        text.starts_with(&prefix).then_some(value)
    });
    Ok(Json(values.take(COMPLETIONS).collect()))
}

/// A value as JSON and as typed.
fn shown(value: Datum) -> Option<(Value, String)> {
    Some(match value {
        Datum::Null | Datum::List(_) => return None,
        Datum::Bool(value) => (value.into(), value.to_string()),
        Datum::I64(value) => (value.into(), value.to_string()),
        Datum::U64(value) => (value.into(), value.to_string()),
        Datum::F64(value) => (value.into(), value.to_string()),
        Datum::Text(value) => (value.clone().into(), value),
    })
}

/// The column of a name.
///
/// # Errors
/// `unknown_field`, with the nearest known name.
pub(super) fn column(name: &str) -> Answer<Column> {
    let table = table();
    if let Some(field) = table.iter().find(|field| field.column == name) {
        let views = if field.classes.is_empty() {
            vec!["events"]
        } else {
            field.classes.clone()
        };
        // `class` is a word of the search language; its column holds the identifier.
        let is_class = field.column == CLASS;
        return Ok(Column {
            name: if is_class { "class_uid" } else { field.column },
            is_class,
            views,
            list: field.kind == "list",
            kind: field.kind,
        });
    }
    let nearest = table
        .iter()
        .map(|field| (distance(name, field.column), field.column))
        .min()
        .filter(|(distance, _)| *distance <= DISTANCE_MAX);
    let shown = model::limit::cut_to(name, 64);
    Err(ApiError::from(QueryError {
        code: "unknown_field",
        detail: format!("no column is named {shown:?}"),
        position: None,
        suggestion: nearest.map(|(_, column)| column.to_owned()),
    }))
}

/// Every column, shared ones first.
fn table() -> Vec<SearchField> {
    let mut out: Vec<SearchField> = HEAD
        .iter()
        .map(|(column, kind, path, doc)| SearchField {
            column,
            kind,
            path,
            doc,
            classes: Vec::new(),
        })
        .collect();
    let shared = Event::connection_fields().iter();
    out.extend(shared.map(|field| SearchField {
        column: field.column,
        kind: kind(field.kind),
        path: field.path,
        doc: field.doc.trim(),
        classes: Vec::new(),
    }));
    let mut of_classes: BTreeMap<&'static str, SearchField> = BTreeMap::new();
    for class in CLASSES {
        for field in class.fields {
            let known = of_classes
                .entry(field.column)
                .or_insert_with(|| SearchField {
                    column: field.column,
                    kind: kind(field.kind),
                    path: field.path,
                    doc: field.doc.trim(),
                    classes: Vec::new(),
                });
            known.classes.push(class.name);
        }
    }
    out.extend(of_classes.into_values());
    out
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::U16 | Kind::U32 | Kind::U64 | Kind::I64 => "int",
        Kind::Text => "text",
        Kind::Ip => "ip",
        Kind::Mac => "mac",
        Kind::Time => "time",
        Kind::Sensitive => "sensitive",
        Kind::TextList | Kind::U64List | Kind::IpList => "list",
    }
}

/// Edits between two short words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(WORD_CHARS_MAX).enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        let mut next = vec![left];
        for (y, above) in b.iter().zip(row.iter().skip(1)) {
            let cost = usize::from(x != *y);
            let best = (diagonal + cost).min(above + 1).min(left + 1);
            diagonal = *above;
            left = best;
            next.push(best);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Columns that every event has: column, kind, OCSF path, sentence.
const HEAD: &[(&str, &str, &str, &str)] = &[
    (
        CLASS,
        "text",
        "class_name",
        "Class, by its name in snake case or its identifier.",
    ),
    ("class_uid", "int", "class_uid", "Identifier of the class."),
    ("time", "time", "time", "When it happened."),
    (
        "logged_time",
        "time",
        "metadata.logged_time",
        "When Vigie recorded it.",
    ),
    ("uid", "text", "metadata.uid", "Identity of the event."),
    ("site", "text", "metadata.tenant_uid", "Site name."),
    (
        "activity",
        "int",
        "activity_id",
        "OCSF activity of the class; 0 unknown, 99 other.",
    ),
    (
        "severity",
        "int",
        "severity_id",
        "OCSF severity: 1 informational to 6 fatal.",
    ),
    (
        "status",
        "int",
        "status_id",
        "OCSF status: 0 unknown, 1 success, 2 failure.",
    ),
    (
        "status_code",
        "text",
        "status_code",
        "Status in the protocol's own words.",
    ),
    (
        "labels",
        "list",
        "metadata.labels",
        "Labels; replay:ID asks for replayed events, which stand apart.",
    ),
];

const CLASS: &str = "class";
/// Candidates read when the prefix is compared here.
const CANDIDATES: usize = 2_000;
/// Completions given.
const COMPLETIONS: usize = 50;
/// Edits up to which a name is suggested.
const DISTANCE_MAX: usize = 3;
/// Characters of a wrong name that are compared.
const WORD_CHARS_MAX: usize = 64;
