//! Names of fields as people write them, and the columns they stand for.
//!
//! Enters: a name. Leaves: columns, or a special meaning. Refuses: unknown names.
//! Source: column names and OCSF paths of `model`; the aliases below.

use crate::schema::{self, ClassSchema, Column};

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Columns; a class may have some of them. Any of them may match.
    Columns(Vec<&'static str>),
    /// The OCSF class.
    Class,
    /// The event identity.
    Uid,
    /// Up to now.
    Last,
    /// A replay: the only term that looks at replayed events.
    Replay,
}

/// What a name stands for; `None` when it is unknown.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    match name {
        "class" | "class_name" => return Some(Meaning::Class),
        "uid" | "metadata.uid" => return Some(Meaning::Uid),
        "last" => return Some(Meaning::Last),
        "replay" => return Some(Meaning::Replay),
        _ => {}
    }
    if let Some((_, columns)) = ALIASES.iter().find(|(alias, _)| *alias == name) {
        return Some(Meaning::Columns(columns.to_vec()));
    }
    let mut columns = Vec::new();
    for column in every() {
        let path = column.path.strip_prefix("unmapped.").unwrap_or(column.path);
        let is_it = column.name == name || column.path == name || path == name;
        if is_it && !columns.contains(&column.name) {
            columns.push(column.name);
        }
    }
    (!columns.is_empty()).then_some(Meaning::Columns(columns))
}

/// Every name that could have been meant.
pub(super) fn names() -> Vec<&'static str> {
    let mut names = vec!["class", "uid", "last", "replay"];
    names.extend(ALIASES.iter().map(|(alias, _)| *alias));
    names.extend(every().map(|column| column.name));
    names.sort_unstable();
    names.dedup();
    names
}

fn every() -> impl Iterator<Item = &'static Column> {
    schema::all()
        .iter()
        .flat_map(|schema: &ClassSchema| schema.columns.iter())
}

/// Short names; the first columns are the usual meaning.
static ALIASES: &[(&str, &[&str])] = &[
    ("src", &["src_ip"]),
    ("source", &["src_ip"]),
    ("src.ip", &["src_ip"]),
    ("src.port", &["src_port"]),
    ("src.zone", &["src_zone"]),
    ("src.mac", &["src_mac"]),
    ("dst", &["dst_ip"]),
    ("dest", &["dst_ip"]),
    ("destination", &["dst_ip"]),
    ("dst.ip", &["dst_ip"]),
    ("dst.port", &["dst_port"]),
    ("dst.zone", &["dst_zone"]),
    ("dst.mac", &["dst_mac"]),
    ("ip", &["src_ip", "dst_ip", "device_ip", "client_ip"]),
    ("port", &["src_port", "dst_port"]),
    ("zone", &["src_zone", "dst_zone"]),
    ("mac", &["src_mac", "dst_mac", "device_mac", "client_mac"]),
    ("app", &["proto"]),
    ("protocol", &["proto"]),
    ("label", &["labels"]),
    ("anomaly", &["anomalies"]),
    ("path", &["url_path", "file_path", "share"]),
    ("file", &["file_path", "renamed_to"]),
    ("url", &["url_path", "url_query"]),
    ("user", &["smb_user"]),
    ("domain", &["domain", "query", "host", "tls_sni"]),
    ("sni", &["tls_sni"]),
    ("ja3", &["tls_ja3"]),
    ("ja4", &["tls_ja4"]),
    ("method", &["http_method"]),
    ("code", &["http_code"]),
    ("agent", &["user_agent"]),
    ("answer", &["answers"]),
    ("ae", &["calling_ae", "called_ae"]),
    ("message", &["message_type"]),
    ("bytes", &["bytes", "med_bytes"]),
    ("name", NAMES),
    ("patient.name", &["patient_name"]),
];

/// Where a machine or a service is named.
const NAMES: &[&str] = &[
    "host",
    "query",
    "tls_sni",
    "hostname",
    "host_name",
    "server_name",
    "workstation",
    "calling_ae",
    "called_ae",
];
