//! Tree to text: the text parses to the same tree.
//!
//! Enters: a [`Node`]. Leaves: canonical text. Refuses: nothing. Source: own language.

use std::fmt;

use super::{Node, Op, Term};

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::And(parts) => list(f, parts, " "),
            Self::Or(parts) => list(f, parts, " or "),
            Self::Not(part) => {
                f.write_str("not ")?;
                nested(f, part)
            }
            Self::Term(term) => fmt::Display::fmt(term, f),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, parts: &[Node], between: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            f.write_str(between)?;
        }
        nested(f, part)?;
    }
    Ok(())
}

fn nested(f: &mut fmt::Formatter<'_>, part: &Node) -> fmt::Result {
    if matches!(part, Node::And(_) | Node::Or(_)) {
        write!(f, "({part})")
    } else {
        fmt::Display::fmt(part, f)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            f.write_str(field)?;
            f.write_str(match self.op {
                Op::Is | Op::Between => ":",
                Op::Contains => "~",
                Op::Above => ":>",
                Op::AtLeast => ":>=",
                Op::Below => ":<",
                Op::AtMost => ":<=",
            })?;
        }
        if self.quoted {
            let escaped = self.value.replace('\\', "\\\\").replace('"', "\\\"");
            write!(f, "\"{escaped}\"")?;
        } else {
            f.write_str(&self.value)?;
        }
        match &self.upper {
            Some(upper) => write!(f, "..{upper}"),
            None => Ok(()),
        }
    }
}
