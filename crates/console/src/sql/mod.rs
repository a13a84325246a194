//! The SQL and searches that the console writes.
//!
//! Enters: values of requests. Leaves: SQL text for the store. Refuses: to paste a value: text goes
//! through [`quoted`], columns come from the model's own field tables, numbers are numbers.
//! Source: `DESIGN.md` section 5 (views and columns).

use std::net::IpAddr;

use model::EventUid;

/// A text literal.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' => out.push_str("''"),
            // No literal can hold it, and no column does.
            '\0' => {}
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// A time literal.
pub(crate) fn time(ms: i64) -> String {
    format!("to_timestamp_millis({ms})")
}

/// The rows of `view` that match a search: the view itself when the search is empty.
pub(crate) fn source(search: &str, view: &str) -> String {
    let search = search.trim();
    match (search.is_empty(), view) {
        (true, view) => view.to_owned(),
        (false, "events") => format!("search({})", quoted(search)),
        (false, view) => format!("search({}, {})", quoted(search), quoted(view)),
    }
}

/// A search for what stands behind an event in a list that is sorted by time and identity, newest
/// first, and that ends with the millisecond of that event.
pub(crate) fn behind(search: &str, ms: i64, uid: EventUid) -> String {
    let cursor = format!("(time:<{ms} or uid:<{uid})");
    match search.trim() {
        "" => cursor,
        search => format!("({search}) {cursor}"),
    }
}

/// Bytes and flows between zones, by protocol.
pub(crate) fn zone_cells(cells_max: usize) -> String {
    format!(
        "select coalesce(src_zone, '') as src, coalesce(dst_zone, '') as dst, proto, \
         sum(bytes) as bytes_sum, count(distinct flow) as flows \
         from network_activity where about = 'flow' \
         group by src_zone, dst_zone, proto order by bytes_sum desc limit {cells_max}"
    )
}

/// Bytes from (or to) a zone by other zone and destination address.
pub(crate) fn zone_flows(zone: &str, out: bool, cells_max: usize) -> String {
    let (own, other) = if out {
        ("src_zone", "dst_zone")
    } else {
        ("dst_zone", "src_zone")
    };
    let end = if out { "dst_ip" } else { "src_ip" };
    let own = match zone {
        "" => format!("{own} is null"),
        zone => format!("{own} = {}", quoted(zone)),
    };
    format!(
        "select coalesce({other}, '') as zone, {end} as ip, sum(bytes) as bytes_sum \
         from network_activity where about = 'flow' and {own} \
         group by {other}, {end} order by bytes_sum desc limit {cells_max}"
    )
}

/// Conversations of the given addresses.
pub(crate) fn edges(ips: &[IpAddr], edges_max: usize) -> String {
    let list: Vec<String> = ips.iter().map(|ip| quoted(&ip.to_string())).collect();
    let list = list.join(", ");
    format!(
        "select src_ip, dst_ip, proto, sum(bytes) as bytes_sum, count(distinct flow) as flows, \
         min(time) as seen_first, max(time) as seen_last, max(src_zone) as src_zone, \
         max(dst_zone) as dst_zone \
         from network_activity where about = 'flow' \
         and (src_ip in ({list}) or dst_ip in ({list})) \
         group by src_ip, dst_ip, proto order by bytes_sum desc limit {edges_max}"
    )
}

/// Bytes of flows in bins of `bin_ms` that start at `from`.
pub(crate) fn throughput(from: i64, bin_ms: i64) -> String {
    format!(
        "select {} as t, sum(bytes) as bytes_sum from network_activity \
         where about = 'flow' group by 1 order by 1",
        bin(from, bin_ms)
    )
}

/// Events by class.
pub(crate) const BY_CLASS: &str =
    "select class_uid, count(*) as n from events group by class_uid order by n desc";

/// Events by class in bins of `bin_ms` that start at `from`.
pub(crate) fn histogram(search: &str, from: i64, bin_ms: i64) -> String {
    format!(
        "select {} as t, class_uid, count(*) as n from {} group by 1, 2 order by 1",
        bin(from, bin_ms),
        source(search, "events")
    )
}

/// The most (or least) frequent values of a column over some views.
pub(crate) fn top(
    search: &str,
    views: &[&str],
    column: &str,
    list: bool,
    most: bool,
    limit: usize,
) -> String {
    let order = if most { "desc" } else { "asc" };
    format!(
        "select val, count(*) as n from ({}) as v where val is not null \
         group by val order by n {order}, val limit {limit}",
        values(search, views, column, list)
    )
}

/// The most frequent values of a text column that start with `prefix`.
pub(crate) fn starting_with(views: &[&str], column: &str, list: bool, prefix: &str) -> String {
    format!(
        "select val, count(*) as n from ({}) as v where starts_with(val, {}) \
         group by val order by n desc, val limit 50",
        values("", views, column, list),
        quoted(prefix)
    )
}

fn values(search: &str, views: &[&str], column: &str, list: bool) -> String {
    let one = |view: &&str| {
        let value = if list {
            format!("unnest(\"{column}\")")
        } else {
            format!("\"{column}\"")
        };
        format!("select {value} as val from {}", source(search, view))
    };
    let all: Vec<String> = views.iter().map(one).collect();
    all.join(" union all ")
}

fn bin(from: i64, bin_ms: i64) -> String {
    format!(
        "date_bin(interval '{bin_ms} milliseconds', time, {})",
        time(from)
    )
}

/// Application protocols by number of flows.
pub(crate) const PROTOCOLS: &str = "select proto, count(distinct flow) as flows \
    from network_activity where about = 'flow' group by proto order by flows desc limit 50";

/// Medical partners: application entities of DICOM, applications of HL7.
pub(crate) const MEDICAL: &str = "select coalesce(calling_ae, sending_app) as calling, \
    coalesce(called_ae, receiving_app) as called, med_standard, count(*) as n \
    from medical_exchange_activity group by 1, 2, 3 order by n desc limit 200";

#[cfg(test)]
mod tests;
