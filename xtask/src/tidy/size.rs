//! Files, functions and lines that fit a screen and a head.
//!
//! Enters: files. Leaves: those beyond the limits. Refuses: generated files in the tree.
//! Source: `STYLE.md` rule 7.

use super::File;

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 100;

/// Finds what is too long.
pub fn check(files: &[File], found: &mut Vec<String>) {
    for file in files.iter().filter(|file| is_source(&file.name)) {
        let lines: Vec<&str> = file.text.lines().collect();
        if lines.len() > FILE_LINES_MAX && !is_test(&file.name) {
            found.push(format!(
                "{}: {} lines, at most {FILE_LINES_MAX}",
                file.name,
                lines.len()
            ));
        }
        if file.name.ends_with(".rs") {
            long_lines(&file.name, &lines, found);
            long_functions(&file.name, &lines, found);
        }
    }
}

fn is_source(name: &str) -> bool {
    let code = [".rs", ".ts", ".svelte", ".css", ".py", ".sh", ".mjs"]
        .iter()
        .any(|e| name.ends_with(e));
    code && !name.ends_with("schema.d.ts")
}

fn is_test(name: &str) -> bool {
    name.ends_with("/tests.rs")
        || name.contains("/tests/")
        || name.contains("/testdata/")
        || name.ends_with("_tests.rs")
}

fn long_lines(name: &str, lines: &[&str], found: &mut Vec<String>) {
    for (index, line) in lines.iter().enumerate() {
        let columns = line.chars().count();
        if columns > LINE_COLUMNS_MAX {
            found.push(format!("{name}:{}: {columns} columns", index + 1));
        }
    }
}

/// Relies on rustfmt: a function ends at the first closing brace of its own indentation.
fn long_functions(name: &str, lines: &[&str], found: &mut Vec<String>) {
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        if !is_function(code) || code.ends_with(';') || code.ends_with('}') {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let end = format!("{indent}}}");
        let Some(length) = lines[start..].iter().position(|line| *line == end) else {
            continue;
        };
        if length + 1 > FUNCTION_LINES_MAX {
            found.push(format!(
                "{name}:{}: a function of {} lines, at most {FUNCTION_LINES_MAX}",
                start + 1,
                length + 1
            ));
        }
    }
}

fn is_function(code: &str) -> bool {
    let mut words = code.split([' ', '(']);
    words.by_ref().take(6).any(|word| word == "fn")
        && !code.starts_with("//")
        && ["fn ", "pub", "const fn", "async fn", "unsafe fn", "extern"]
            .iter()
            .any(|s| code.starts_with(s))
}
