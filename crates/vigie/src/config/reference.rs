//! The reference of configuration keys, made from the doc comments.
//!
//! Enters: the schema of [`Config`]. Leaves: Markdown, one row a key. Refuses: keys without a
//! comment.
//! Source: schemars; golden test of `docs/reference/config.md`.

use std::fmt::Write as _;

use serde_json::Value;

use super::Config;

/// `docs/reference/config.md`.
pub(crate) fn reference() -> String {
    let schema = schemars::schema_for!(Config).to_value();
    let example = Config {
        source: vec![super::Source::default()],
        ..Config::default()
    };
    let defaults = serde_json::to_value(example).unwrap_or(Value::Null);
    let mut out = String::from(
        "# Configuration reference\n\nMade from the code by `vigie config reference`; do not edit. \
         One strict TOML file; unknown keys are\nrefused with the nearest one. `vigie config show` \
         prints the file in force.\n",
    );
    let empty = serde_json::Map::new();
    let sections = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    for (section, reference) in sections {
        let items = reference.get("items");
        let definition = resolve(&schema, items.unwrap_or(reference));
        let name = match items {
            Some(_) => format!("[[{section}]]"),
            None => format!("[{section}]"),
        };
        let doc = definition
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "\n## {name}\n\n{doc}\n\n| key | default | meaning |\n|---|---|---|\n"
        );
        let keys = definition
            .get("properties")
            .and_then(Value::as_object)
            .unwrap_or(&empty);
        for (key, property) in keys {
            let doc = property
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let part = defaults.get(section);
            let part = part.map(|part| part.get(0).unwrap_or(part));
            let default = part.and_then(|part| part.get(key));
            let default = default.map(Value::to_string).unwrap_or_default();
            let _ = writeln!(
                out,
                "| `{key}` | `{default}` | {} |",
                doc.replace('\n', " ")
            );
        }
    }
    out
}

fn resolve<'a>(schema: &'a Value, reference: &'a Value) -> &'a Value {
    let pointer = reference
        .get("$ref")
        .and_then(Value::as_str)
        .unwrap_or_default();
    schema
        .pointer(pointer.trim_start_matches('#'))
        .unwrap_or(reference)
}
