//! The reference of events: classes, activities, columns, made from the field tables.
//!
//! Enters: the schemas of the store. Leaves: Markdown, one row a column. Refuses: nothing.
//! Source: `model::class`; golden test of `docs/reference/fields.md`.

use std::fmt::Write as _;

use model::Kind;
use store::schema::{self, ClassSchema, Column, Part};

/// `docs/reference/fields.md`.
pub(crate) fn fields() -> String {
    let mut out = String::from(HEAD);
    let shared = schema::common();
    out.push_str("\n## Columns of every class\n\nThe view `events` has these and the next ones.\n");
    let spine = |column: &&Column| matches!(column.part, Part::Spine(_));
    table(&mut out, shared.iter().filter(spine));
    out.push_str("\n## Columns of network classes\n\nNULL in `events` for classes without them.\n");
    let connection = |column: &&Column| matches!(column.part, Part::Connection(_));
    table(&mut out, shared.iter().filter(connection));
    for class in schema::all() {
        section(&mut out, class);
    }
    out
}

/// Writing to a String cannot fail.
fn section(out: &mut String, schema: &ClassSchema) {
    let class = schema.class;
    let network = if class.network {
        "; has the columns of network classes"
    } else {
        ""
    };
    let _ = write!(
        out,
        "\n## {}\n\n{}, class {}, category {} ({}){network}.\n",
        class.name, class.caption, class.uid, class.category, class.category_uid
    );
    let activities: Vec<String> = class
        .activities
        .iter()
        .map(|(id, name)| format!("{id} {name}"))
        .collect();
    let _ = writeln!(out, "Activities: {}.", activities.join(", "));
    let body = |column: &&Column| matches!(column.part, Part::Body(_));
    table(out, schema.columns.iter().filter(body));
}

fn table<'a>(out: &mut String, columns: impl Iterator<Item = &'a Column>) {
    out.push_str("\n| column | OCSF path | kind | meaning |\n|---|---|---|---|\n");
    for column in columns {
        let doc = column.doc.trim().replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} | {doc} |",
            column.name,
            column.path,
            kind(column.kind)
        );
    }
}

const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "truth value",
        Kind::U16 | Kind::U32 | Kind::U64 | Kind::I64 => "integer",
        Kind::Text => "text",
        Kind::Ip => "address",
        Kind::Mac => "MAC address",
        Kind::Time => "time",
        Kind::Sensitive => "**sensitive** text",
        Kind::TextList => "list of texts",
        Kind::U64List => "list of integers",
        Kind::IpList => "list of addresses",
    }
}

const HEAD: &str = "# Event reference

Made from the code by `vigie config fields`; do not edit. Names of columns are those of SQL and of
the search language; OCSF paths are those of `--format ndjson`. Each class is a view of its name,
`events` is all of them; `replayed_events` and `replayed_NAME` are the same of replays. Every view
has two columns more: `class_name` and `uid`, the identity of the event (`metadata.uid`).

A **sensitive** column holds the masked form; words are searched for as they are (`path:durand`)
and found by their tokens, which stand in the column of that name with `_tokens` behind. The clear
value is in the vault only.
";
