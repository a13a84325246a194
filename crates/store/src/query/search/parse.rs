//! Text to tree: `or` binds weaker than the implicit `and`, `not` strongest.
//!
//! Enters: text. Leaves: a [`Node`] in normal form (no empty, single or nested lists of one kind).
//! Refuses: unbalanced parentheses, dangling operators, too many terms, too deep nesting.
//! Source: own language; recursive descent.

use model::port::QueryError;

use super::lex::{Piece, Token, tokens};
use super::{DEPTH_MAX, Node, Op, TERMS_MAX, TEXT_BYTES_MAX, Term, wrong};

/// The tree of a text.
pub(crate) fn parse(text: &str) -> Result<Node, QueryError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(wrong(
            "syntax",
            format!("longer than {TEXT_BYTES_MAX} bytes"),
            TEXT_BYTES_MAX,
        ));
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(Node::All);
    }
    let mut parser = Parser {
        tokens,
        at: 0,
        terms: 0,
        end: text.len(),
    };
    let node = parser.either(0)?;
    match parser.tokens.get(parser.at) {
        None => Ok(node),
        Some((at, _)) => Err(wrong("syntax", "no parenthesis was opened".to_owned(), *at)),
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    at: usize,
    terms: usize,
    end: usize,
}

impl Parser {
    fn either(&mut self, depth: usize) -> Result<Node, QueryError> {
        let mut parts = vec![self.all(depth)?];
        while self.keyword("or") {
            self.at += 1;
            parts.push(self.all(depth)?);
        }
        Ok(flat(parts, Node::Or))
    }

    fn all(&mut self, depth: usize) -> Result<Node, QueryError> {
        let mut parts = vec![self.one(depth)?];
        loop {
            if self.keyword("and") {
                self.at += 1;
            } else if self.keyword("or") || !self.continues() {
                return Ok(flat(parts, Node::And));
            }
            parts.push(self.one(depth)?);
        }
    }

    fn one(&mut self, depth: usize) -> Result<Node, QueryError> {
        let Some((at, token)) = self.tokens.get(self.at).cloned() else {
            return Err(wrong(
                "syntax",
                "a term is missing at the end".to_owned(),
                self.end,
            ));
        };
        if depth >= DEPTH_MAX {
            return Err(wrong(
                "syntax",
                format!("nested deeper than {DEPTH_MAX}"),
                at,
            ));
        }
        if self.keyword("not") {
            self.at += 1;
            return Ok(Node::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.keyword("and") || self.keyword("or") {
            return Err(wrong(
                "syntax",
                "a term is missing before this word".to_owned(),
                at,
            ));
        }
        self.at += 1;
        match token {
            Token::Close => Err(wrong("syntax", "nothing to close here".to_owned(), at)),
            Token::Word(pieces) => self.term(&pieces, at),
            Token::Open => {
                let inner = self.either(depth + 1)?;
                match self.tokens.get(self.at) {
                    Some((_, Token::Close)) => {
                        self.at += 1;
                        Ok(inner)
                    }
                    _ => Err(wrong(
                        "syntax",
                        "this parenthesis is never closed".to_owned(),
                        at,
                    )),
                }
            }
        }
    }

    fn term(&mut self, pieces: &[Piece], at: usize) -> Result<Node, QueryError> {
        self.terms += 1;
        if self.terms > TERMS_MAX {
            return Err(wrong("syntax", format!("more than {TERMS_MAX} terms"), at));
        }
        // `-word` is `not word`.
        if let Some(Piece::Plain(first)) = pieces.first()
            && let Some(rest) = first.strip_prefix('-')
            && (rest.starts_with(|c: char| c.is_alphabetic()) || rest.is_empty())
            && (pieces.len() > 1 || !rest.is_empty())
            && !(pieces.len() == 1 && is_keyword(rest))
        {
            let mut pieces = pieces.to_vec();
            if let Some(first) = pieces.first_mut() {
                *first = Piece::Plain(rest.to_owned());
            }
            pieces.retain(|piece| *piece != Piece::Plain(String::new()));
            return Ok(Node::Not(Box::new(Node::Term(term(&pieces, at)?))));
        }
        term(pieces, at).map(Node::Term)
    }

    fn keyword(&self, word: &str) -> bool {
        let Some((_, Token::Word(pieces))) = self.tokens.get(self.at) else {
            return false;
        };
        matches!(pieces.as_slice(), [Piece::Plain(plain)] if plain.eq_ignore_ascii_case(word))
    }

    fn continues(&self) -> bool {
        matches!(
            self.tokens.get(self.at),
            Some((_, Token::Open | Token::Word(_)))
        )
    }
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not"]
        .iter()
        .any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// One level of a list: nested lists of the same kind are taken in, single ones unpacked.
fn flat(parts: Vec<Node>, list: fn(Vec<Node>) -> Node) -> Node {
    let mut out = Vec::with_capacity(parts.len());
    for part in parts {
        let same = std::mem::discriminant(&part) == std::mem::discriminant(&list(Vec::new()));
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "all others stay as they are"
        )]
        match part {
            Node::And(inner) | Node::Or(inner) if same => out.extend(inner),
            other => out.push(other),
        }
    }
    match <[Node; 1]>::try_from(out) {
        Ok([only]) => only,
        Err(out) => list(out),
    }
}

fn term(pieces: &[Piece], position: usize) -> Result<Term, QueryError> {
    let bare = |value: String, quoted: bool| Term {
        field: None,
        op: Op::Is,
        value,
        upper: None,
        quoted,
        position,
    };
    let Some(Piece::Plain(first)) = pieces.first() else {
        return Ok(bare(joined(pieces), true));
    };
    let Some((field, rest)) = split(first) else {
        let quoted = pieces.iter().any(|piece| matches!(piece, Piece::Quoted(_)));
        return Ok(bare(joined(pieces), quoted));
    };
    let (op, plain) = operator(rest);
    let mut value = plain.to_owned();
    let mut quoted = false;
    for piece in pieces.iter().skip(1) {
        match piece {
            Piece::Plain(text) => value.push_str(text),
            Piece::Quoted(text) => {
                quoted = true;
                value.push_str(text);
            }
        }
    }
    if value.is_empty() && !quoted {
        let detail = format!("a value is missing behind {field}");
        return Err(wrong("bad_value", detail, position + first.len()));
    }
    let mut out = Term {
        field: Some(field.to_lowercase()),
        op,
        value,
        upper: None,
        quoted,
        position,
    };
    if op == Op::Is
        && !quoted
        && let Some((low, high)) = out.value.clone().split_once("..")
    {
        if low.is_empty() || high.is_empty() {
            let detail = "a range needs both ends; write >= or <= for an open one".to_owned();
            return Err(wrong("bad_value", detail, position));
        }
        out.op = Op::Between;
        out.value = low.to_owned();
        out.upper = Some(high.to_owned());
    }
    Ok(out)
}

fn joined(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Plain(text) | Piece::Quoted(text) => text.as_str(),
        })
        .collect()
}

/// Field and what follows `:` (dropped) or `~` (kept); a word such as `fe80::1`, `c:\x` or
/// `10:30` is no field.
fn split(word: &str) -> Option<(&str, &str)> {
    let at = word.find([':', '~'])?;
    let (field, rest) = word.split_at_checked(at)?;
    let mut letters = field.chars();
    let named = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']'));
    if !named || word.parse::<std::net::IpAddr>().is_ok() || is_mac(word) {
        return None;
    }
    Some((field, rest.strip_prefix(':').unwrap_or(rest)))
}

fn is_mac(word: &str) -> bool {
    word.parse::<model::Mac>().is_ok()
}

fn operator(rest: &str) -> (Op, &str) {
    for (sign, op) in [
        ("~", Op::Contains),
        (">=", Op::AtLeast),
        ("<=", Op::AtMost),
        (">", Op::Above),
        ("<", Op::Below),
    ] {
        if let Some(value) = rest.strip_prefix(sign) {
            return (op, value);
        }
    }
    (Op::Is, rest)
}
