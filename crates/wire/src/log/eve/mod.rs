//! Suricata's EVE log.
//!
//! Enters: one line. Leaves: a record. Refuses: lines without `timestamp` or `event_type`, wrong
//! addresses; members that are secrets: passwords of FTP, SNMP communities, HTTP credentials.
//! Traffic figures are Suricata's: octets of frames, link header included.
//! Source: Suricata user guide 8 and 9, "EVE JSON Format".

mod directory;
mod files;
mod flow;
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

pub(super) use files::activity as ftp_activity;
pub(super) use logins::service as kerberos_service;
pub(super) use names::stratum_group;
pub(super) use remote::community;

/// Maps the member of a record's own name; the whole record is the second argument.
type Mapping = fn(Fields<'_>, Fields<'_>, &mut Vec<Said>);

/// A record type.
struct Kind {
    /// `event_type`, and the member that holds its facts.
    name: &'static str,
    /// Application protocol of its events; empty: what the record says.
    app: &'static str,
    /// Its mapping.
    map: Mapping,
}

const fn kind(name: &'static str, app: &'static str, map: Mapping) -> Kind {
    Kind { name, app, map }
}

/// Every record type that is mapped.
#[rustfmt::skip]
static TABLE: &[Kind] = &[
    kind("flow", "", flow::flow),
    kind("dns", "dns", names::dns),
    kind("mdns", "mdns", names::dns),
    kind("llmnr", "llmnr", names::dns),
    kind("dhcp", "dhcp", names::dhcp),
    kind("ntp", "ntp", names::ntp),
    kind("http", "http", web::http),
    kind("tls", "tls", web::tls),
    kind("quic", "quic", web::quic),
    kind("ssh", "ssh", remote::ssh),
    kind("rdp", "rdp", remote::rdp),
    kind("snmp", "snmp", remote::snmp),
    kind("smb", "smb", files::smb),
    kind("dcerpc", "dcerpc", files::dcerpc),
    kind("ftp", "ftp", files::ftp),
    kind("ftp_data", "ftp-data", files::ftp_data),
    kind("tftp", "tftp", files::tftp),
    kind("fileinfo", "", files::fileinfo),
    kind("krb5", "kerberos", logins::krb5),
    kind("ldap", "ldap", directory::ldap),
    kind("smtp", "smtp", directory::smtp),
];

/// Record types that say nothing of the traffic that another type does not, or that are another
/// product's verdict.
const PASSED_OVER: &[&str] = &[
    "alert", "anomaly", "capture", "drop", "engine", "frame", "metadata", "netflow", "packet",
    "stats", "verdict",
];

/// Label of these events.
const LABEL: &str = "log:suricata/eve";

/// Reads one line.
pub(super) fn read(line: &[u8]) -> Result<Read, Reason> {
    let value = serde_json::from_slice(line).map_err(|error| Reason::json(&error))?;
    let Value::Object(object) = value else {
        return Err(Reason::NotObject);
    };
    let record = Fields::of(&object);
    let name = record.text("event_type");
    let name = name.ok_or(Reason::Missing("event_type"))?;
    if PASSED_OVER.contains(&name) {
        return Ok(Read::PassedOver(name.to_owned()));
    }
    let Some(kind) = TABLE.iter().find(|kind| kind.name == name) else {
        return Ok(Read::Unknown(owned(name).chars().take(64).collect()));
    };
    map(&object, kind).map(Box::new).map(Read::Events)
}

fn map(object: &Map<String, Value>, kind: &Kind) -> Result<Record, Reason> {
    let record = Fields::of(object);
    if !record.has("timestamp") {
        return Err(Reason::Missing("timestamp"));
    }
    let time = record.time("timestamp").ok_or(Reason::Wrong("timestamp"))?;
    let mut said = Vec::new();
    (kind.map)(record.inner(kind.name), record, &mut said);
    Ok(Record {
        time,
        label: Text::Borrowed(LABEL),
        connection: connection(record, kind.app)?,
        said,
    })
}

fn connection(record: Fields<'_>, app: &'static str) -> Result<Connection, Reason> {
    let ip = |key, name| match (record.text(key), record.ip(key)) {
        (Some(_), None) => Err(Reason::Wrong(name)),
        (_, ip) => Ok(ip),
    };
    let protocol = record.text("proto").map_or(0, shared::protocol);
    let app = if app.is_empty() {
        shared::app(record.text("app_proto").unwrap_or(""))
    } else {
        Text::Borrowed(app)
    };
    let ether = record.inner("ether");
    Ok(Connection {
        src_ip: ip("src_ip", "src_ip")?,
        src_port: record
            .narrow("src_port")
            .or_else(|| record.narrow("icmp_type")),
        src_mac: ether.mac("src_mac"),
        dst_ip: ip("dest_ip", "dest_ip")?,
        dst_port: record
            .narrow("dest_port")
            .or_else(|| record.narrow("icmp_code")),
        dst_mac: ether.mac("dest_mac"),
        flow: record
            .number("flow_id")
            .map(|id| Text::Owned(format!("{id:016x}"))),
        community_id: record.word("community_id"),
        protocol,
        app,
        vlan: record
            .items("vlan")
            .first()
            .and_then(Value::as_u64)
            .and_then(|vlan| u16::try_from(vlan).ok()),
        ..Connection::default()
    })
}

/// True when the record's source port is the service's, so that its source is the answering side.
fn from_service(record: Fields<'_>, ports: &[u64]) -> bool {
    let has = |key| record.number(key).is_some_and(|port| ports.contains(&port));
    has("src_port") && !has("dest_port")
}
