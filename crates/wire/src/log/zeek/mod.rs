//! Zeek's logs, as JSON or as columns between tabs.
//!
//! Enters: one line. Leaves: a record. Refuses: lines without `ts`, wrong addresses; members that
//! are secrets: passwords of HTTP and FTP, SNMP communities, arguments of LDAP binds.
//! A JSON log does not say which one it is: `_path` does when it is there, else the members that
//! only one log has. Source: Zeek documentation, "Log Files"; `base/` scripts of Zeek 6.
//! Streams rotated by Zeek's writers keep this form.

mod directory;
mod files;
mod flow;
mod header;
mod logins;
mod names;
mod remote;
mod web;

use model::{Connection, Text};
use serde_json::{Map, Value};

use super::fields::{Fields, owned};
use super::names as shared;
use super::said::{Record, Said};
use super::{Read, Reason};

pub(super) use header::Header;

/// Maps a record.
type Mapping = fn(Fields<'_>, &mut Vec<Said>);

/// A log.
struct Kind {
    /// Its `#path` and file name.
    path: &'static str,
    /// Members that together only it has; one of each list, any of them.
    marks: &'static [&'static str],
    /// Application protocol of its events; empty: what the record says.
    app: &'static str,
    /// Label of its events.
    label: &'static str,
    /// Its mapping.
    map: Mapping,
}

macro_rules! logs {
    ($( $path:literal, $app:literal, [$($mark:literal),*], $map:path; )+) => {
        /// Every log that is mapped. What a log with more members in common has stands first.
        static TABLE: &[Kind] = &[$( Kind {
            path: $path,
            marks: &[$($mark),*],
            app: $app,
            label: concat!("log:zeek/", $path),
            map: $map,
        }, )+];
    };
}

logs! {
    "conn", "", ["conn_state"], flow::conn;
    "dns", "dns", ["trans_id", "rejected"], names::dns;
    "http", "http", ["trans_depth", "tags"], web::http;
    "ssl", "tls", ["established", "resumed"], web::ssl;
    "x509", "tls", ["certificate.serial"], web::x509;
    "files", "", ["fuid", "seen_bytes"], files::files;
    "smb_files", "smb", ["action", "name", "times.modified"], files::smb_files;
    "smb_mapping", "smb", ["share_type", "path"], files::smb_mapping;
    "ssh", "ssh", ["auth_attempts"], remote::ssh;
    "dhcp", "dhcp", ["msg_types"], names::dhcp;
    "kerberos", "kerberos", ["request_type"], logins::kerberos;
    "ldap_search", "ldap", ["message_id", "scope"], directory::search;
    "ldap", "ldap", ["message_id", "opcode"], directory::ldap;
    "smtp", "smtp", ["trans_depth", "helo"], directory::smtp;
    "ntp", "ntp", ["stratum", "root_delay"], names::ntp;
    "rdp", "rdp", ["security_protocol"], remote::rdp;
    "rdp", "rdp", ["cert_count"], remote::rdp;
    "dce_rpc", "dcerpc", ["endpoint", "operation"], remote::dce_rpc;
    "ftp", "ftp", ["command", "user"], files::ftp;
    "snmp", "snmp", ["get_requests"], remote::snmp;
    "ntlm", "ntlm", ["server_nb_computer_name"], logins::ntlm;
    // Logs without optional members on a line are told by fewer marks.
    "ssl", "tls", ["ssl_history"], web::ssl;
    "smtp", "smtp", ["mailfrom"], directory::smtp;
    "http", "http", ["trans_depth", "method"], web::http;
    "smb_files", "smb", ["action", "name"], files::smb_files;
}

/// Logs that hold another product's verdict, or nothing of the traffic.
const PASSED_OVER: &[&str] = &[
    "analyzer",
    "broker",
    "capture_loss",
    "cluster",
    "config",
    "dpd",
    "intel",
    "known_certs",
    "known_hosts",
    "known_services",
    "loaded_scripts",
    "notice",
    "notice_alarm",
    "ocsp",
    "packet_filter",
    "print",
    "reporter",
    "signatures",
    "software",
    "stats",
    "stderr",
    "stdout",
    "telemetry",
    "weird",
];

/// Marks of those that a JSON line does not name.
const PASSED_MARKS: &[(&str, &str)] =
    &[("notice", "note"), ("weird", "notice"), ("dpd", "analyzer")];

/// True for an object that looks like a line of one of these logs.
pub(super) fn is_record(object: &Map<String, Value>) -> bool {
    [
        "_path",
        "uid",
        "id.orig_h",
        "fuid",
        "certificate.serial",
        "uids",
    ]
    .iter()
    .any(|key| object.contains_key(*key))
}

/// Reads a line of a JSON log.
pub(super) fn read_json(line: &[u8]) -> Result<Read, Reason> {
    let value = serde_json::from_slice(line).map_err(|error| Reason::json(&error))?;
    let Value::Object(object) = value else {
        return Err(Reason::NotObject);
    };
    read(&object, None)
}

/// Reads a record of the log called `path`, if that is known.
pub(super) fn read(object: &Map<String, Value>, path: Option<&str>) -> Result<Read, Reason> {
    let record = Fields::of(object);
    let path = path.or_else(|| record.text("_path"));
    let kind = match path {
        Some(path) => TABLE.iter().find(|kind| kind.path == path),
        None => {
            let marked = |kind: &&Kind| kind.marks.iter().all(|key| object.contains_key(*key));
            TABLE.iter().find(marked)
        }
    };
    let Some(kind) = kind else {
        return Ok(without(object, path));
    };
    if !record.has("ts") {
        return Err(Reason::Missing("ts"));
    }
    let time = record.time("ts").ok_or(Reason::Wrong("ts"))?;
    let mut said = Vec::new();
    (kind.map)(record, &mut said);
    Ok(Read::Events(Box::new(Record {
        time,
        label: Text::Borrowed(kind.label),
        connection: connection(record, kind)?,
        said,
    })))
}

fn without(object: &Map<String, Value>, path: Option<&str>) -> Read {
    let marked = PASSED_MARKS
        .iter()
        .find(|(_, key)| object.contains_key(*key));
    match (path, marked) {
        (Some(path), _) if PASSED_OVER.contains(&path) => Read::PassedOver(path.to_owned()),
        (Some(path), _) => Read::Unknown(path.chars().take(64).collect()),
        (None, Some((path, _))) => Read::PassedOver((*path).to_owned()),
        (None, None) => Read::Unknown("without _path".to_owned()),
    }
}

fn connection(record: Fields<'_>, kind: &Kind) -> Result<Connection, Reason> {
    let ip = |key, name| match (record.text(key), record.ip(key)) {
        (Some(_), None) => Err(Reason::Wrong(name)),
        (_, ip) => Ok(ip),
    };
    let mut out = Connection {
        src_ip: ip("id.orig_h", "id.orig_h")?,
        src_port: record.narrow("id.orig_p"),
        src_mac: record.mac("orig_l2_addr"),
        dst_ip: ip("id.resp_h", "id.resp_h")?,
        dst_port: record.narrow("id.resp_p"),
        dst_mac: record.mac("resp_l2_addr"),
        flow: record.word("uid"),
        community_id: record.word("community_id"),
        protocol: record
            .narrow("ip_proto")
            .unwrap_or_else(|| transport(record, kind)),
        app: Text::Borrowed(kind.app),
        vlan: record.narrow("vlan"),
        ..Connection::default()
    };
    match kind.path {
        "conn" => {
            out.app = record
                .text("service")
                .map_or(Text::Borrowed(""), shared::app)
        }
        "files" => files::ends(record, &mut out),
        "dhcp" => names::dhcp_ends(record, &mut out),
        _ => {}
    }
    // Zeek calls both kinds of ICMP by one name.
    let v6 = out.src_ip.is_some_and(|ip| ip.is_ipv6());
    if v6 && out.protocol == ICMP {
        out.protocol = ICMP6;
    }
    Ok(out)
}

/// The transport, where a log names none, is the one its protocol runs over.
fn transport(record: Fields<'_>, kind: &Kind) -> u16 {
    match (record.text("proto"), kind.path) {
        (Some(name), _) => shared::protocol(name),
        (None, "dhcp" | "ntp" | "snmp") => UDP,
        (None, "x509" | "files" | "kerberos" | "dns") => 0,
        (None, _) => TCP,
    }
}

const ICMP: u16 = 1;
const TCP: u16 = 6;
const UDP: u16 = 17;
const ICMP6: u16 = 58;

/// `owned` for the maps below.
fn text(value: &str) -> Text {
    owned(value)
}
