//! Module docs, promises and invariants that name what guards them.
//!
//! Enters: files. Leaves: modules without the five lines, tests named but not there.
//! Refuses: an empty promise. Source: `STYLE.md` rules 31 and 34.

use super::File;

const WORDS: &[&str] = &["Enters:", "Leaves:", "Refuses:", "Source:"];

/// Finds missing docs.
pub fn check(files: &[File], found: &mut Vec<String>) {
    for file in files.iter().filter(|file| is_module(&file.name)) {
        let head: Vec<&str> = file
            .text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        let head = head.join("\n");
        if head.is_empty() {
            found.push(format!("{}: no //! line", file.name));
            continue;
        }
        for word in WORDS.iter().filter(|word| !head.contains(**word)) {
            found.push(format!("{}: its //! does not say '{word}'", file.name));
        }
    }
    named_tests(files, "ARCHITECTURE.md", found);
    named_tests(files, "docs/promises.md", found);
}

fn is_module(name: &str) -> bool {
    name.ends_with(".rs")
        && (name.starts_with("crates/") || name.starts_with("xtask/"))
        && name.contains("/src/")
        && !name.ends_with("tests.rs")
        && !name.contains("/tests/")
}

/// In these documents `test:name` must name a test function or a test file of the tree.
fn named_tests(files: &[File], document: &str, found: &mut Vec<String>) {
    let Some(text) = files.iter().find(|file| file.name == document) else {
        found.push(format!("{document}: missing"));
        return;
    };
    for part in text.text.split("test:").skip(1) {
        let name: String = part
            .chars()
            .take_while(|c| c.is_alphanumeric() || "_-./".contains(*c))
            .collect();
        let name = name.trim_end_matches(['.', '/']);
        let there = files.iter().any(|file| {
            file.name == name
                || (file.name.ends_with(".rs") && file.text.contains(&format!("fn {name}")))
        });
        if name.is_empty() || !there {
            found.push(format!("{document}: test '{name}' is not in the tree"));
        }
    }
}
