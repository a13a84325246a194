//! The SQL that the console writes, read back: only its own statements are known here.
//!
//! Enters: SQL text. Leaves: what it asks. The real store plans any SQL; this example only answers
//! what the web UI needs.

/// What a statement asks.
pub(crate) enum Statement {
    ZoneCells,
    ZoneFlows {
        zone: String,
        out: bool,
    },
    Edges {
        ips: Vec<String>,
    },
    Throughput {
        from: i64,
        bin_ms: i64,
    },
    Histogram {
        search: String,
        from: i64,
        bin_ms: i64,
    },
    ByClass,
    Protocols,
    Medical,
    Values {
        search: String,
        columns: Vec<String>,
        prefix: String,
        most: bool,
        limit: usize,
    },
    /// Typed by a person: all rows of a view or search.
    Other {
        search: String,
    },
}

impl Statement {
    pub(crate) fn parse(text: &str) -> Self {
        if text.starts_with("select coalesce(src_zone, '') as src") {
            return Self::ZoneCells;
        }
        if text.starts_with("select coalesce(calling_ae") {
            return Self::Medical;
        }
        if text.starts_with("select coalesce(") {
            let out = text.contains("dst_ip as ip");
            let zone = after(text, "_zone = '").map_or("", |rest| until(rest, "'"));
            return Self::ZoneFlows {
                zone: zone.to_owned(),
                out,
            };
        }
        if text.starts_with("select src_ip") {
            let list = after(text, "src_ip in (").map_or("", |rest| until(rest, ")"));
            let ips = list
                .split(", ")
                .map(|ip| ip.trim_matches('\'').to_owned())
                .collect();
            return Self::Edges { ips };
        }
        if text.starts_with("select proto, count(distinct") {
            return Self::Protocols;
        }
        if text.starts_with("select class_uid, count(*) as n from events") {
            return Self::ByClass;
        }
        let number = |mark: &str, end: &str| {
            after(text, mark)
                .and_then(|rest| until(rest, end).parse().ok())
                .unwrap_or(1)
        };
        if text.starts_with("select date_bin(") {
            let (bin_ms, from) = (
                number("interval '", " "),
                number("to_timestamp_millis(", ")"),
            );
            return if text.contains("sum(bytes)") {
                Self::Throughput { from, bin_ms }
            } else {
                let search = search(text);
                Self::Histogram {
                    search,
                    from,
                    bin_ms,
                }
            };
        }
        if text.starts_with("select val, count(*)") {
            let columns = text.split(" union all ");
            return Self::Values {
                search: search(text),
                columns: columns
                    .filter_map(|part| Some(until(after(part, "\"")?, "\"").to_owned()))
                    .collect(),
                prefix: after(text, "starts_with(val, '")
                    .map_or("", |rest| until(rest, "')"))
                    .to_owned(),
                most: !text.contains("order by n asc"),
                limit: usize::try_from(number("limit ", "!")).unwrap_or(50),
            };
        }
        Self::Other {
            search: search(text),
        }
    }
}

fn search(text: &str) -> String {
    let inside = after(text, "search('").unwrap_or("");
    let mut out = String::new();
    let mut chars = inside.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            if chars.peek() != Some(&'\'') {
                break;
            }
            chars.next();
        }
        out.push(c);
    }
    out
}

fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    text.split_once(mark).map(|(_, rest)| rest)
}

fn until<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or(text, |(head, _)| head)
}
