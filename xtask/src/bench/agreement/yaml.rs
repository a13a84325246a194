//! The part of YAML that descriptions of tests use.
//!
//! Enters: text. Leaves: a JSON value. Refuses: nothing: what is not understood is taken as text.
//! Anchors, tags and several documents are not known. Source: YAML 1.2, sections 6 to 8.

use serde_json::{Map, Value};

/// Reads a document.
pub(super) fn read(text: &str) -> Value {
    let lines: Vec<(usize, String)> = text.lines().filter_map(line).collect();
    let mut reading = Reading { lines, at: 0 };
    let indent = reading.lines.first().map_or(0, |(indent, _)| *indent);
    reading.block(indent)
}

/// Indentation and content of a line that has some.
fn line(text: &str) -> Option<(usize, String)> {
    let content = uncommented(text).trim_end();
    let plain = content.trim_start();
    let empty = plain.is_empty() || plain == "---" || plain.starts_with('%');
    (!empty).then(|| (content.len() - plain.len(), plain.to_owned()))
}

/// The line up to its comment.
fn uncommented(text: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '#') if before.is_whitespace() => return &text[..at],
            // A quote opens only where a value starts.
            (None, '\'' | '"') if before.is_whitespace() || "[,".contains(before) => {
                quote = Some(letter);
            }
            (Some(open), close) if open == close && before != '\\' => quote = None,
            _ => {}
        }
        before = letter;
    }
    text
}

struct Reading {
    lines: Vec<(usize, String)>,
    at: usize,
}

impl Reading {
    /// A sequence, a mapping or a scalar whose lines start at `indent`.
    fn block(&mut self, indent: usize) -> Value {
        let Some((_, first)) = self.lines.get(self.at) else {
            return Value::Null;
        };
        if first == "-" || first.starts_with("- ") {
            self.sequence(indent)
        } else if key(first).is_some() {
            self.mapping(indent)
        } else {
            let first = first.clone();
            self.at += 1;
            scalar(&first)
        }
    }

    fn sequence(&mut self, indent: usize) -> Value {
        let mut items = Vec::new();
        while let Some((here, text)) = self.lines.get(self.at) {
            let Some(rest) = text.strip_prefix('-').filter(|_| *here == indent) else {
                break;
            };
            let inner = rest.trim_start();
            if inner.is_empty() {
                self.at += 1;
                items.push(self.nested(indent));
                continue;
            }
            // The rest of the line is a line of its own, farther in.
            let deeper = indent + text.len() - inner.len();
            self.lines[self.at] = (deeper, inner.to_owned());
            items.push(self.block(deeper));
        }
        Value::Array(items)
    }

    fn mapping(&mut self, indent: usize) -> Value {
        let mut members = Map::new();
        while let Some((here, text)) = self.lines.get(self.at) {
            let Some((name, rest)) = key(text).filter(|_| *here == indent) else {
                break;
            };
            self.at += 1;
            let value = match rest.as_str() {
                "" => self.nested(indent),
                "|" | "|-" | ">" | ">-" => Value::String(self.folded(indent)),
                text => scalar(text),
            };
            members.insert(name, value);
        }
        Value::Object(members)
    }

    /// What stands farther in, or a sequence at the same depth.
    fn nested(&mut self, indent: usize) -> Value {
        match self.lines.get(self.at) {
            Some((deeper, _)) if *deeper > indent => {
                let deeper = *deeper;
                self.block(deeper)
            }
            Some((same, text)) if *same == indent && text.starts_with("- ") => {
                self.sequence(indent)
            }
            _ => Value::Null,
        }
    }

    fn folded(&mut self, indent: usize) -> String {
        let mut words = Vec::new();
        while let Some((deeper, text)) = self.lines.get(self.at).filter(|line| line.0 > indent) {
            let _ = deeper;
            words.push(text.clone());
            self.at += 1;
        }
        words.join("\n")
    }
}

/// A key and what follows it.
fn key(text: &str) -> Option<(String, String)> {
    if text.starts_with(['[', '{']) {
        return None;
    }
    if let Some(quote) = text
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''))
    {
        let end = text[1..].find(quote)? + 1;
        let rest = text[end + 1..].trim_start().strip_prefix(':')?;
        return Some((text[1..end].to_owned(), rest.trim().to_owned()));
    }
    let (name, rest) = match text.strip_suffix(':').filter(|name| !name.contains(": ")) {
        Some(name) => (name, ""),
        None => text.split_once(": ")?,
    };
    Some((name.trim().to_owned(), rest.trim().to_owned()))
}

fn scalar(text: &str) -> Value {
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let items = inner
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        return Value::Array(items.map(scalar).collect());
    }
    let quoted = |quote: char| {
        text.strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    if let Some(inner) = quoted('"') {
        // Its escapes are those of JSON, nearly.
        let read = serde_json::from_str(text);
        return read.unwrap_or_else(|_| Value::String(inner.to_owned()));
    }
    if let Some(inner) = quoted('\'') {
        return Value::String(inner.replace("''", "'"));
    }
    match text {
        "true" | "yes" | "True" => Value::Bool(true),
        "false" | "no" | "False" => Value::Bool(false),
        "null" | "~" | "{}" => Value::Null,
        _ => match text.parse::<i64>() {
            Ok(number) => number.into(),
            Err(_) => Value::String(text.to_owned()),
        },
    }
}
