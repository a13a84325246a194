//! A search as a condition on the columns of one class.
//!
//! Enters: a tree, a class. Leaves: a condition, or that every or no event of the class matches.
//! A field that the class does not have matches nothing; `not` of it matches everything.
//! Refuses: values that do not fit their column. Source: own language.

use datafusion::functions::string::expr_fn::concat;
use datafusion::functions_nested::expr_fn::{array_has, array_to_string};
use datafusion::logical_expr::expr::Like;
use datafusion::logical_expr::{Expr, lit};
use model::limit::WORDS_MAX;
use model::port::QueryError;
use model::sensitive::normalise_words;
use model::{EventUid, Kind, Millis, SiteKey};

use super::field::{self, Meaning};
use super::value;
use super::{Node, Op, Term, wrong};
use crate::query::functions::{cidr_range, ip_literal, within};
use crate::query::report;
use crate::query::views::{plain, time};
use crate::schema::{self, ClassSchema, Column, tokens_column};
use crate::tenant::LABEL;

mod compare;

use compare::{integer, moment, text};

/// What a search is compiled with.
pub(crate) struct Scope<'a> {
    /// Tokenises the words that are looked for in sensitive columns.
    pub(crate) key: &'a SiteKey,
    /// For `last:`.
    pub(crate) now: Millis,
    /// The whole text, for places in errors.
    pub(crate) text: &'a str,
}

/// What a search means for a class.
pub(crate) enum Match {
    /// Every event.
    Always,
    /// No event.
    Never,
    /// Events for which this is true.
    If(Expr),
}

/// The condition of a search on a class.
pub(crate) fn condition(
    node: &Node,
    class: &'static ClassSchema,
    scope: &Scope<'_>,
) -> Result<Match, QueryError> {
    match node {
        Node::All => Ok(Match::Always),
        Node::Term(term) => term_condition(term, class, scope),
        Node::Not(part) => Ok(match condition(part, class, scope)? {
            Match::Always => Match::Never,
            Match::Never => Match::Always,
            Match::If(expr) => Match::If(expr.is_not_true()),
        }),
        Node::And(parts) => {
            let mut whole = Match::Always;
            for part in parts {
                whole = both(whole, condition(part, class, scope)?);
            }
            Ok(whole)
        }
        Node::Or(parts) => {
            let mut whole = Match::Never;
            for part in parts {
                whole = either(whole, condition(part, class, scope)?);
            }
            Ok(whole)
        }
    }
}

fn both(a: Match, b: Match) -> Match {
    match (a, b) {
        (Match::Never, _) | (_, Match::Never) => Match::Never,
        (Match::Always, other) | (other, Match::Always) => other,
        (Match::If(a), Match::If(b)) => Match::If(a.and(b)),
    }
}

fn either(a: Match, b: Match) -> Match {
    match (a, b) {
        (Match::Always, _) | (_, Match::Always) => Match::Always,
        (Match::Never, other) | (other, Match::Never) => other,
        (Match::If(a), Match::If(b)) => Match::If(a.or(b)),
    }
}

fn term_condition(
    term: &Term,
    class: &'static ClassSchema,
    scope: &Scope<'_>,
) -> Result<Match, QueryError> {
    let Some(name) = &term.field else {
        return bare(term, class, scope);
    };
    let Some(meaning) = field::meaning(name) else {
        let mut error = report::unknown(scope.text, name, &field::names());
        error.position = Some(term.position);
        return Err(error);
    };
    match meaning {
        Meaning::Class => class_condition(term, class),
        Meaning::Uid => {
            let uid: EventUid = term.value.parse().map_err(|_| {
                bad(
                    term,
                    "is not an event identity (8 and 16 hexadecimal digits)",
                )
            })?;
            compare::identity(term, uid).map(Match::If)
        }
        Meaning::Replay => {
            if !matches!(term.op, Op::Is | Op::Contains) {
                return Err(bad(term, "is the name of a replay, compared with : only"));
            }
            let mut label = term.clone();
            if term.op == Op::Is {
                label.value.insert_str(0, LABEL);
            }
            list(&label, "labels").map(Match::If)
        }
        Meaning::Last => {
            let span = value::duration_ms(&term.value)
                .ok_or_else(|| bad(term, "is not a duration like 24h, 30m or 7d"))?;
            let from = Millis(scope.now.0.saturating_sub(span));
            Ok(Match::If(plain("time").gt_eq(time(from))))
        }
        Meaning::Columns(names) => {
            if let Some(found) = transport(name, &term.value) {
                return Ok(match class.column("ip_proto") {
                    Some(_) => Match::If(plain("ip_proto").eq(lit(found))),
                    None => Match::Never,
                });
            }
            let mut whole = Match::Never;
            for column in names.iter().filter_map(|name| class.column(name)) {
                whole = either(whole, column_condition(term, column, class, scope)?);
            }
            Ok(whole)
        }
    }
}

/// `proto:tcp` means the transport: no application has that name.
fn transport(name: &str, value: &str) -> Option<u16> {
    if !matches!(name, "proto" | "protocol") {
        return None;
    }
    let known = [
        ("icmp", 1u16),
        ("tcp", 6),
        ("udp", 17),
        ("icmp6", 58),
        ("sctp", 132),
    ];
    known
        .iter()
        .find(|(text, _)| text.eq_ignore_ascii_case(value))
        .map(|(_, number)| *number)
}

fn class_condition(term: &Term, class: &'static ClassSchema) -> Result<Match, QueryError> {
    let wanted = term.value.to_lowercase();
    let is_it = |schema: &ClassSchema| {
        let name = schema.class.name;
        name == wanted
            || schema.class.uid.to_string() == wanted
            || name
                .strip_prefix(&wanted)
                .is_some_and(|rest| rest.starts_with('_'))
            || (!term.quoted && wanted.contains('*') && fits(&wanted, name))
    };
    if !schema::all().iter().any(is_it) {
        let names: Vec<&str> = schema::all()
            .iter()
            .map(|schema| schema.class.name)
            .collect();
        let mut error = bad(term, "is not a class");
        error.suggestion = report::nearest(&wanted, &names).map(str::to_owned);
        return Err(error);
    }
    Ok(if is_it(class) {
        Match::Always
    } else {
        Match::Never
    })
}

/// `*` patterns on a short name.
fn fits(pattern: &str, name: &str) -> bool {
    let mut rest = name;
    let mut parts = pattern.split('*').peekable();
    let mut first = true;
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let found = match (first, last) {
            (true, _) => rest.starts_with(part).then_some(0),
            (false, true) => rest
                .len()
                .checked_sub(part.len())
                .filter(|_| rest.ends_with(part)),
            (false, false) => rest.find(part),
        };
        let Some(at) = found else { return false };
        rest = rest.get(at + part.len()..).unwrap_or("");
        first = false;
    }
    true
}

fn column_condition(
    term: &Term,
    column: &Column,
    class: &ClassSchema,
    scope: &Scope<'_>,
) -> Result<Match, QueryError> {
    let expr = match column.kind {
        Kind::Bool => {
            let wanted = match term.value.to_lowercase().as_str() {
                "true" | "yes" | "1" => true,
                "false" | "no" | "0" => false,
                _ => return Err(bad(term, "is neither true nor false")),
            };
            plain(column.name).eq(lit(wanted))
        }
        Kind::U16 | Kind::U32 | Kind::U64 | Kind::I64 => return integer(term, column, class),
        Kind::Time => moment(term, column)?,
        Kind::Ip => address(term, plain(column.name))?,
        Kind::Mac => match term.value.parse::<model::Mac>() {
            Ok(mac) => plain(column.name).eq(lit(mac.to_string())),
            Err(_) => text(term, column.name)?,
        },
        Kind::Text => text(term, column.name)?,
        Kind::Sensitive => sensitive(term, column.name, scope),
        Kind::TextList => list(term, column.name)?,
        Kind::U64List => {
            let wanted = value::number(&term.value).and_then(value::whole);
            let wanted = wanted.and_then(|wanted| u64::try_from(wanted).ok());
            let wanted = wanted.ok_or_else(|| bad(term, "is not a whole number"))?;
            array_has(plain(column.name), lit(wanted))
        }
        Kind::IpList => {
            let ip = term
                .value
                .parse()
                .map_err(|_| bad(term, "is not an address"))?;
            array_has(plain(column.name), ip_literal(ip))
        }
    };
    Ok(Match::If(expr))
}

/// Equality, block, range and order on an address.
fn address(term: &Term, column: Expr) -> Result<Expr, QueryError> {
    let parsed = |text: &str| {
        let ip = text.parse().map_err(|_| {
            bad(
                term,
                "is not an address; write 10.0.0.1, 10.0.0.0/8 or 10.0.0.1..10.0.0.9",
            )
        });
        ip.map(ip_literal)
    };
    Ok(match term.op {
        Op::Is => match cidr_range(&term.value) {
            Some(block) => within(column, block),
            None => column.eq(parsed(&term.value)?),
        },
        Op::Between => {
            let upper = term.upper.as_deref().unwrap_or("");
            column
                .clone()
                .gt_eq(parsed(&term.value)?)
                .and(column.lt_eq(parsed(upper)?))
        }
        Op::Above => column.gt(parsed(&term.value)?),
        Op::AtLeast => column.gt_eq(parsed(&term.value)?),
        Op::Below => column.lt(parsed(&term.value)?),
        Op::AtMost => column.lt_eq(parsed(&term.value)?),
        Op::Contains => {
            let functions = crate::query::functions::all();
            let shown = functions
                .into_iter()
                .find(|function| function.name() == "ip_text");
            let shown = shown.ok_or_else(|| bad(term, "cannot be looked for in an address"))?;
            pattern(
                shown.call(vec![column]),
                &value::like_anywhere(&term.value),
                true,
            )
        }
    })
}

/// Words of a sensitive value are looked for by their tokens, structure by its masked form.
fn sensitive(term: &Term, name: &str, scope: &Scope<'_>) -> Expr {
    if !term.quoted && term.value.contains('*') {
        return pattern(plain(name), &value::like(&term.value), true);
    }
    let tokens = tokens_column(name);
    let has = |token: model::sensitive::Token| array_has(plain(&tokens), lit(token.0));
    if name == "patient" {
        let (assigner, identifier) = term.value.split_once('|').unwrap_or(("", &term.value));
        let shown = plain(name).eq(lit(term.value.to_lowercase()));
        return has(scope.key.patient(assigner, identifier)).or(shown);
    }
    let words = normalise_words(&term.value, WORDS_MAX);
    let all = words
        .iter()
        .map(|word| has(scope.key.word(word)))
        .reduce(Expr::and);
    all.unwrap_or_else(|| plain(name).eq(lit(term.value.clone())))
}

fn list(term: &Term, name: &str) -> Result<Expr, QueryError> {
    let joined = || array_to_string(plain(name), lit("\n"));
    Ok(match term.op {
        Op::Is if !term.quoted && term.value.contains('*') => {
            // Elements stand between line ends.
            let fenced = concat(vec![lit("\n"), joined(), lit("\n")]);
            let like = format!("%\n{}\n%", value::like(&term.value));
            plain(name).is_not_null().and(pattern(fenced, &like, true))
        }
        Op::Is | Op::Between => array_has(plain(name), lit(whole_text(term))),
        Op::Contains => pattern(joined(), &value::like_anywhere(&term.value), true),
        Op::Above | Op::AtLeast | Op::Below | Op::AtMost => {
            return Err(bad(term, "cannot be compared by order in a list"));
        }
    })
}

/// The value as written, `..` included.
fn whole_text(term: &Term) -> String {
    match &term.upper {
        Some(upper) => format!("{}..{upper}", term.value),
        None => term.value.clone(),
    }
}

/// A bare word: in texts, in sensitive words, as an address.
fn bare(term: &Term, class: &'static ClassSchema, scope: &Scope<'_>) -> Result<Match, QueryError> {
    if term.value == "*" && !term.quoted {
        return Ok(Match::Always);
    }
    let is_ip = term.value.parse::<std::net::IpAddr>().is_ok();
    let is_block = cidr_range(&term.value).is_some();
    let inner = if term.quoted {
        value::like_anywhere(&term.value)
    } else {
        anywhere(&term.value)
    };
    let words = normalise_words(&term.value, WORDS_MAX);
    let mut whole = Match::Never;
    for column in &class.columns {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "numbers are not looked for in"
        )]
        let expr = match column.kind {
            Kind::Ip if is_ip || is_block => address(term, plain(column.name))?,
            Kind::IpList if is_ip => column_list_ip(term, column.name)?,
            Kind::Text | Kind::Mac if !is_block && !QUIET.contains(&column.name) => {
                pattern(plain(column.name), &inner, true)
            }
            Kind::TextList if !is_block => {
                pattern(array_to_string(plain(column.name), lit("\n")), &inner, true)
            }
            Kind::Sensitive if !words.is_empty() && !is_block => {
                sensitive(term, column.name, scope)
            }
            _ => continue,
        };
        whole = either(whole, Match::If(expr));
    }
    Ok(whole)
}

fn column_list_ip(term: &Term, name: &str) -> Result<Expr, QueryError> {
    let ip = term
        .value
        .parse()
        .map_err(|_| bad(term, "is not an address"))?;
    Ok(array_has(plain(name), ip_literal(ip)))
}

/// A pattern found anywhere; `*` stays a wildcard.
fn anywhere(text: &str) -> String {
    format!("%{}%", value::like(text))
}

fn pattern(expr: Expr, like: &str, case_insensitive: bool) -> Expr {
    let pattern = Box::new(lit(like));
    Expr::Like(Like::new(
        false,
        Box::new(expr),
        pattern,
        None,
        case_insensitive,
    ))
}

/// A value that does not fit.
fn bad(term: &Term, why: &str) -> QueryError {
    let at = term.position + term.field.as_ref().map_or(0, |field| field.len() + 1);
    wrong("bad_value", format!("{} {why}", term.value), at)
}

/// Text columns that a bare word is not looked for in: numbers and hashes of one flow.
const QUIET: &[&str] = &[
    "flow",
    "community_id",
    "site",
    "about",
    "smb_tree",
    "smb_session",
];
