//! Facts about file sharing, tickets, directories.
//!
//! Enters: packets of tshark, events of ours. Leaves: facts. Refuses: SMB 1, and Kerberos inside
//! another protocol. Source: `docs/reference/fields.md`, Wireshark's field reference.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::facts::Facts;
use super::ours::text;
use super::pdml::{Field, Packet, Proto, all, first, messages};
use super::web::{number, truth};

/// The status of an operation that was done.
const SUCCESS: &str = "0x00000000";
/// The status of one that goes on.
const PENDING: &str = "0x00000103";

/// Requests of SMB that wait for their status, by flow and message.
#[derive(Default)]
pub(super) struct Asked {
    requests: BTreeMap<(String, String), (&'static str, String)>,
    /// Those among them that delete.
    doomed: BTreeSet<(String, String)>,
}

impl Asked {
    /// SMB 2 and 3 of tshark: each message of a chain starts anew.
    pub(super) fn smb(&mut self, proto: &Proto, packet: &Packet, facts: &mut Facts) {
        for message in messages(&proto.fields, "smb2.header_len") {
            self.message(message, &packet.flow(), facts);
        }
    }

    fn message(&mut self, message: &[Field], flow: &str, facts: &mut Facts) {
        let field = |name: &str| first(message, name);
        let key = (flow.to_owned(), field("smb2.msg_id").to_owned());
        if truth(field("smb2.flags.response")) {
            let status = field("smb2.nt_status");
            if status == PENDING {
                return;
            }
            let Some((kind, value)) = self.requests.remove(&key) else {
                return;
            };
            let status = format!("0x{:08x}", number(status));
            if kind == "create" && status == SUCCESS && self.doomed.remove(&key) {
                facts.say("smb", "delete", flow, format!(" {status}"));
            }
            facts.say("smb", kind, flow, format!("{value} {status}"));
            return;
        }
        let file = field("smb2.filename").to_owned();
        let level = (
            number(field("smb2.class")),
            number(field("smb2.file_info.infolevel")),
        );
        let request = match (field("smb2.cmd"), level) {
            ("3", _) => ("tree", field("smb2.tree").to_owned()),
            ("5", _) => ("create", file),
            ("6", _) => ("close", String::new()),
            ("17", (1, 10)) => ("rename", file),
            ("17", (1, 13)) if truth(field("smb2.disposition.delete_on_close")) => {
                ("delete", String::new())
            }
            _ => return,
        };
        // A file opened to be deleted when it is closed, without a word more.
        if truth(field("smb.nt.create_options.delete_on_close")) {
            self.doomed.insert(key.clone());
        }
        self.requests.insert(key, request);
    }

    /// Requests that were never answered.
    pub(super) fn finish(self, facts: &mut Facts) {
        for ((flow, _), (kind, value)) in self.requests {
            if kind != "close" {
                facts.say("smb", kind, &flow, format!("{value} "));
            }
        }
    }
}

/// An SMB event of ours.
pub(super) fn our_smb(event: &Value, flow: &str, facts: &mut Facts) {
    let status = text(event, "/status_code");
    let (key, value) = match event["command"].as_str() {
        Some("TREE_CONNECT") => ("tree", text(event, "/share")),
        Some("CREATE") => ("create", text(event, "/file/path")),
        Some("RENAME") => ("rename", text(event, "/unmapped/smb/renamed_to")),
        Some("DELETE") => ("delete", String::new()),
        Some("CLOSE") if !status.is_empty() => ("close", String::new()),
        _ => return,
    };
    if text(event, "/dialect").starts_with("NT LM") {
        return;
    }
    facts.say("smb", key, flow, format!("{value} {status}"));
}

/// Kerberos of tshark.
pub(super) fn kerberos(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    if proto.inside.is_some() {
        return;
    }
    let flow = packet.flow();
    let kind = proto.first("kerberos.msg_type");
    let word = if matches!(kind, "10" | "11") {
        "AS"
    } else {
        "TGS"
    };
    match kind {
        "10" | "12" => {
            let body = messages(&proto.fields, "kerberos.req_body_element");
            let Some(body) = body.last() else { return };
            let name = all(body, "kerberos.CNameString").join("/");
            if kind == "10" && !name.is_empty() {
                facts.say("kerberos", "cname", &flow, name.to_ascii_lowercase());
            }
            let realm = first(body, "kerberos.realm");
            let service = all(body, "kerberos.SNameString").join("/");
            facts.say(
                "kerberos",
                "request",
                &flow,
                format!("{word} {realm} {service}"),
            );
        }
        "11" | "13" => {
            let name = all(&proto.fields, "kerberos.CNameString").join("/");
            facts.say(
                "kerberos",
                "ticket",
                &flow,
                format!("{word} {name}").to_ascii_lowercase(),
            );
        }
        "30" => {
            let code = proto
                .fields
                .iter()
                .find(|field| field.name == "kerberos.error_code");
            let title = code.map_or("", |field| field.title.as_str());
            let name = title.split(' ').nth(1).unwrap_or_default();
            let name = name.to_ascii_uppercase().replace('-', "_");
            facts.say("kerberos", "error", &flow, error(&name));
        }
        _ => {}
    }
}

/// The name of an error without the prefixes that writers disagree on.
fn error(name: &str) -> String {
    let short = ["KDC_", "KRB_AP_", "KRB_"]
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix));
    short.unwrap_or(name).trim_start_matches("ERR_").to_owned()
}

/// A Kerberos event of ours.
pub(super) fn our_kerberos(event: &Value, flow: &str, facts: &mut Facts) {
    let mechanism = text(event, "/unmapped/authentication/mechanism");
    let word = mechanism.split('-').next().unwrap_or_default().to_owned();
    if !matches!(word.as_str(), "AS" | "TGS") {
        return;
    }
    let name = text(event, "/user/name").to_ascii_lowercase();
    let known = !name.is_empty() && name != "unknown";
    if mechanism.ends_with("REQ") {
        let realm = text(event, "/unmapped/kerberos/realm");
        let service = text(event, "/service/name");
        facts.say(
            "kerberos",
            "request",
            flow,
            format!("{word} {realm} {service}"),
        );
        if word == "AS" && known {
            facts.say("kerberos", "cname", flow, name.clone());
        }
    }
    let code = text(event, "/status_code");
    if event["status_id"] == 1 {
        let said = format!("{word} {name}").to_ascii_lowercase();
        facts.say("kerberos", "ticket", flow, said);
    } else if !code.is_empty() {
        // One that only asks for more proof is no failure of the log-in.
        facts.say("kerberos", "error", flow, error(&code));
    }
}

/// LDAP of tshark.
pub(super) fn ldap(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let flow = packet.flow();
    for message in messages(&proto.fields, "ldap.LDAPMessage_element") {
        let result = message.iter().find(|field| field.name == "ldap.resultCode");
        let result = result
            .and_then(|field| field.title.split(' ').nth(1))
            .unwrap_or_default();
        match first(message, "ldap.protocolOp") {
            "0" if !first(message, "ldap.name").is_empty() => {
                facts.say("ldap", "bind", &flow, first(message, "ldap.name"));
            }
            "1" if result != "saslBindInProgress" => {
                facts.say("ldap", "result", &flow, format!("bind {result}"));
            }
            "3" => facts.say("ldap", "search", &flow, first(message, "ldap.baseObject")),
            "5" => facts.say("ldap", "result", &flow, format!("search {result}")),
            _ => {}
        }
    }
}

/// A log-in by LDAP of ours.
pub(super) fn our_bind(event: &Value, flow: &str, facts: &mut Facts) {
    let status = text(event, "/status_code");
    let name = text(event, "/user/name");
    // A name that came by SASL is not that of the message.
    let simple = text(event, "/unmapped/authentication/mechanism") == "simple";
    if simple && !name.is_empty() && name != "Unknown" {
        facts.say("ldap", "bind", flow, name);
    }
    if !status.is_empty() {
        facts.say("ldap", "result", flow, format!("bind {status}"));
    }
}

/// An operation of LDAP of ours.
pub(super) fn our_ldap(event: &Value, flow: &str, facts: &mut Facts) {
    if text(event, "/unmapped/exchange/operation") != "search" {
        return;
    }
    // Ours is written like an address: base, scope, filter.
    let object = text(event, "/unmapped/exchange/object");
    let base = object.split('?').next().unwrap_or_default();
    facts.say("ldap", "search", flow, base);
    let status = text(event, "/status_code");
    if !status.is_empty() {
        facts.say("ldap", "result", flow, format!("search {status}"));
    }
}
