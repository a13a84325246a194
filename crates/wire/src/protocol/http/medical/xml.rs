//! FHIR's XML as it streams by, in the terms of its JSON: element names are keys, the `value`
//! attribute is the scalar, an element with a capital is a resource.
//!
//! Enters: pieces of a document in order, cut anywhere. Leaves: [`Item`]s with their paths; a
//! resource's name as the scalar `resourceType`. Refuses: elements deeper than [`DEPTH_MAX`]
//! (passed over), tags beyond [`TAG_BYTES_MAX`] (cut), entities other than the five of XML.
//! Source: HL7 FHIR R4, section 2.6.1 (XML representation).

use super::json::{DEPTH_MAX, Item, Say, TOKEN_BYTES_MAX};

/// Most bytes kept of a tag.
const TAG_BYTES_MAX: usize = 1024;

/// Reads one document.
#[derive(Debug, Default)]
pub(super) struct Xml {
    in_tag: bool,
    quote: Option<u8>,
    tag: Vec<u8>,
    path: String,
    /// Length of the path at each open element.
    stack: Vec<usize>,
    beyond: u64,
}

impl Xml {
    /// Looks at the next piece.
    pub(super) fn feed(&mut self, bytes: &[u8], say: Say<'_>) {
        for &byte in bytes {
            if !self.in_tag {
                self.in_tag = byte == b'<';
                continue;
            }
            match (self.quote, byte) {
                (None, b'>') => {
                    self.in_tag = false;
                    let tag = std::mem::take(&mut self.tag);
                    self.tag_end(&String::from_utf8_lossy(&tag), say);
                    self.tag = tag;
                    self.tag.clear();
                    continue;
                }
                (None, b'"' | b'\'') => self.quote = Some(byte),
                (Some(open), byte) if open == byte => self.quote = None,
                _ => {}
            }
            if self.tag.len() < TAG_BYTES_MAX {
                self.tag.push(byte);
            }
        }
    }

    /// Heap bytes held.
    pub(super) fn heap_bytes(&self) -> usize {
        self.tag.capacity() + self.path.capacity() + self.stack.capacity() * size_of::<usize>()
    }

    fn tag_end(&mut self, tag: &str, say: Say<'_>) {
        if tag.starts_with(['?', '!']) {
            return;
        }
        if tag.starts_with('/') {
            return self.close(say);
        }
        let empty = tag.ends_with('/');
        let tag = tag.trim_end_matches('/');
        let (name, attributes) = tag
            .split_once(|c: char| c.is_ascii_whitespace())
            .unwrap_or((tag, ""));
        self.open(model::limit::cut_to(name, TOKEN_BYTES_MAX), say);
        if let Some(value) = value_of(attributes)
            && self.beyond == 0
        {
            let value = unescaped(model::limit::cut_to(value, TOKEN_BYTES_MAX));
            say(&self.path, Item::Value(&value));
        }
        if empty {
            self.close(say);
        }
    }

    fn open(&mut self, name: &str, say: Say<'_>) {
        if self.stack.len() >= DEPTH_MAX {
            self.beyond = self.beyond.saturating_add(1);
            return;
        }
        self.stack.push(self.path.len());
        if name.starts_with(|c: char| c.is_ascii_uppercase()) {
            say(&self.path, Item::Begin);
            let len = self.path.len();
            self.push("resourceType");
            say(&self.path, Item::Value(name));
            self.path.truncate(len);
            return;
        }
        self.push(name);
        // What holds a resource is no object of its own in JSON.
        if name != "resource" {
            say(&self.path, Item::Begin);
        }
    }

    fn push(&mut self, name: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }

    fn close(&mut self, say: Say<'_>) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(base) = self.stack.pop() else {
            return;
        };
        // A resource added nothing to the path, and `resource` is ended by what it holds.
        let is_holder =
            self.path.len() > base && (self.path.ends_with(".resource") || self.path == "resource");
        if !is_holder {
            say(&self.path, Item::End);
        }
        self.path.truncate(base);
    }
}

/// The `value` attribute.
fn value_of(attributes: &str) -> Option<&str> {
    let mut rest = attributes;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let after = after.strip_prefix(quote)?;
        let (value, next) = after.split_once(quote).unwrap_or((after, ""));
        if name.trim() == "value" {
            return Some(value);
        }
        rest = next;
    }
}

fn unescaped(text: &str) -> String {
    let mut out = text.to_owned();
    for (entity, c) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ] {
        out = out.replace(entity, c);
    }
    out
}
