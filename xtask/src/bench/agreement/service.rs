//! Facts about mail, file transfer, shells, addresses, management, time, queues.
//!
//! Enters: packets of tshark, events of ours. Leaves: facts. Refuses: nothing.
//! Source: `docs/reference/fields.md`, Wireshark's field reference.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::facts::Facts;
use super::ours::text;
use super::pdml::{Packet, Proto, all, first, messages};

/// Mail under way, by flow.
#[derive(Default)]
pub(super) struct Mails(BTreeMap<String, Mail>);

#[derive(Default)]
struct Mail {
    /// Commands that wait for their answer.
    waiting: VecDeque<(String, String)>,
    from: String,
    to: Vec<String>,
}

impl Mails {
    /// SMTP of tshark.
    pub(super) fn smtp(&mut self, proto: &Proto, packet: &Packet, facts: &mut Facts) {
        let flow = packet.flow();
        let mail = self.0.entry(flow.clone()).or_default();
        for message in messages(&proto.fields, "smtp.req.command") {
            let command = first(message, "smtp.req.command").to_ascii_uppercase();
            let parameter = first(message, "smtp.req.parameter").to_owned();
            if matches!(command.as_str(), "HELO" | "EHLO") {
                facts.say_once("smtp", "hello", &flow, parameter.trim());
            }
            mail.waiting.push_back((command, parameter));
        }
        for code in all(&proto.fields, "smtp.response.code") {
            if let Some(command) = mail.waiting.pop_front() {
                mail.answered(command, code, &flow, facts);
            }
        }
    }

    /// Commands whose answer was not captured count as accepted.
    pub(super) fn finish(self, facts: &mut Facts) {
        for (flow, mut mail) in self.0 {
            while let Some(command) = mail.waiting.pop_front() {
                mail.answered(command, "250", &flow, facts);
            }
        }
    }
}

impl Mail {
    fn answered(&mut self, asked: (String, String), code: &str, flow: &str, facts: &mut Facts) {
        let good = code.starts_with('2');
        let (command, parameter) = asked;
        match command.as_str() {
            "MAIL" if good => {
                self.from = address(&parameter);
                self.to.clear();
            }
            "RCPT" if good => self.to.push(address(&parameter)),
            "DATA" | "BDAT" if good || code.starts_with('3') => {
                let to = std::mem::take(&mut self.to).join(",");
                facts.say("smtp", "mail", flow, format!("{} > {to}", self.from));
            }
            _ => {}
        }
    }
}

/// The address between angle brackets.
fn address(parameter: &str) -> String {
    let inner = parameter
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    let plain = parameter
        .split_once(':')
        .map_or(parameter, |(_, rest)| rest)
        .trim();
    inner
        .map_or(plain, |(address, _)| address)
        .to_ascii_lowercase()
}

/// A mail of ours.
pub(super) fn our_mail(event: &Value, flow: &str, facts: &mut Facts) {
    if text(event, "/protocol_name") != "smtp" {
        return;
    }
    let from = text(event, "/unmapped/email/envelope_from");
    let to = text(event, "/unmapped/email/envelope_to");
    let to = to.replace(' ', ",");
    facts.say(
        "smtp",
        "mail",
        flow,
        format!("{from} > {to}").to_ascii_lowercase(),
    );
}

/// An SMTP session of ours.
pub(super) fn our_smtp(event: &Value, flow: &str, facts: &mut Facts) {
    let hello = text(event, "/unmapped/smtp/hello");
    if !hello.is_empty() {
        facts.say_once("smtp", "hello", flow, hello);
    }
}

/// Commands on files and directories; those that only ask or go somewhere are no events of ours.
const FTP_COMMANDS: &[&str] = &[
    "RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD", "MLST", "DELE", "RMD", "XRMD", "RNFR",
];

/// FTP of tshark.
pub(super) fn ftp(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    for message in messages(&proto.fields, "ftp.request.command") {
        let command = first(message, "ftp.request.command").to_ascii_uppercase();
        let argument = first(message, "ftp.request.arg");
        if command == "USER" {
            facts.say("ftp", "user", &packet.flow(), argument);
        } else if FTP_COMMANDS.contains(&command.as_str()) {
            facts.say(
                "ftp",
                "command",
                &packet.flow(),
                format!("{command} {argument}"),
            );
        }
    }
}

/// A transfer of ours.
pub(super) fn our_ftp(event: &Value, flow: &str, facts: &mut Facts) {
    let command = text(event, "/command");
    if FTP_COMMANDS.contains(&command.as_str()) {
        facts.say(
            "ftp",
            "command",
            flow,
            format!("{command} {}", text(event, "/file/path")),
        );
    }
}

/// SSH of tshark.
pub(super) fn ssh(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let flow = packet.flow();
    for line in all(&proto.fields, "ssh.protocol") {
        let software = line.splitn(3, '-').nth(2).unwrap_or(line);
        facts.say_once("ssh", "software", &flow, software.trim());
    }
    for (key, field) in [
        ("hassh", "ssh.kex.hassh"),
        ("hassh_server", "ssh.kex.hasshserver"),
    ] {
        for value in all(&proto.fields, field) {
            facts.say_once("ssh", key, &flow, value);
        }
    }
}

/// An SSH event of ours.
pub(super) fn our_ssh(event: &Value, flow: &str, facts: &mut Facts) {
    let known = [
        ("software", "/unmapped/ssh/client_software"),
        ("software", "/unmapped/ssh/server_software"),
        ("hassh", "/client_hassh/fingerprint/value"),
        ("hassh_server", "/server_hassh/fingerprint/value"),
    ];
    for (key, pointer) in known {
        let value = text(event, pointer);
        if !value.is_empty() {
            facts.say_once("ssh", key, flow, value);
        }
    }
}

/// Names of the messages of DHCP, from 1 on.
const DHCP: &[&str] = &[
    "Discover", "Offer", "Request", "Decline", "Ack", "Nak", "Release", "Inform",
];

/// DHCP of tshark. Broadcasts belong to no conversation: the transaction stands for it.
pub(super) fn dhcp(proto: &Proto, facts: &mut Facts) {
    let kind: usize = proto.first("dhcp.option.dhcp").parse().unwrap_or(0);
    let Some(kind) = kind.checked_sub(1).and_then(|at| DHCP.get(at)) else {
        return;
    };
    let id = proto.first("dhcp.id").trim_start_matches("0x").to_owned();
    let mac = proto.first("dhcp.hw.mac_addr");
    facts.say("dhcp", "message", &id, format!("{kind} {mac}"));
    let mut some = |key, value: &str| {
        if !value.is_empty() && value != "0.0.0.0" {
            facts.say("dhcp", key, &id, value);
        }
    };
    some("host", proto.first("dhcp.option.hostname"));
    some("requested", proto.first("dhcp.option.requested_ip_address"));
    if matches!(*kind, "Offer" | "Ack") {
        some("given", proto.first("dhcp.ip.your"));
    }
}

/// A DHCP event of ours.
pub(super) fn our_dhcp(event: &Value, facts: &mut Facts) {
    let id = text(event, "/transaction_uid");
    let mac = text(event, "/unmapped/dhcp/client_mac");
    let kind = text(event, "/activity_name");
    facts.say("dhcp", "message", &id, format!("{kind} {mac}"));
    let known = [
        ("host", "/unmapped/dhcp/host_name"),
        ("requested", "/unmapped/dhcp/requested_ip"),
        ("given", "/unmapped/dhcp/client_ip"),
    ];
    for (key, pointer) in known {
        let value = text(event, pointer);
        // In other messages it is the client's own.
        let is_told = key != "given" || matches!(kind.as_str(), "Offer" | "Ack");
        if !value.is_empty() && is_told {
            facts.say("dhcp", key, &id, value);
        }
    }
}

/// Names of the operations of SNMP.
const SNMP: &[&str] = &[
    "get", "get_next", "response", "set", "trap", "get_bulk", "inform", "trap", "report",
];

/// SNMP of tshark.
pub(super) fn snmp(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let kind: usize = proto.first("snmp.data").parse().unwrap_or(usize::MAX);
    if let Some(name) = SNMP.get(kind) {
        facts.say("snmp", "pdu", &packet.flow(), *name);
    }
}

/// An SNMP event of ours.
pub(super) fn our_snmp(event: &Value, flow: &str, facts: &mut Facts) {
    for said in list(&event["unmapped"]["snmp"]["pdu"]) {
        if let Some((name, count)) = said.rsplit_once(':') {
            // What is encrypted has no name for tshark.
            if name == "encrypted" {
                continue;
            }
            let name = if name.starts_with("trap") {
                "trap"
            } else {
                name
            };
            facts.say_times("snmp", "pdu", flow, name, count.parse().unwrap_or(0));
        }
    }
}

/// One text or several.
fn list(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

/// NTP of tshark: what servers say.
pub(super) fn ntp(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    if proto.first("ntp.flags.mode") == "4" {
        let said = format!(
            "version {} stratum {}",
            proto.first("ntp.flags.vn"),
            proto.first("ntp.stratum")
        );
        facts.say_once("ntp", "server", &packet.flow(), said);
    }
}

/// An NTP event of ours.
pub(super) fn our_ntp(event: &Value, flow: &str, facts: &mut Facts) {
    let stratum = text(event, "/unmapped/ntp/stratum");
    let answers = event["unmapped"]["ntp"]["responses"].as_u64().unwrap_or(0);
    if !stratum.is_empty() && answers > 0 {
        let said = format!("version {} stratum {stratum}", text(event, "/version"));
        facts.say_once("ntp", "server", flow, said);
    }
}

/// MQTT of tshark.
pub(super) fn mqtt(proto: &Proto, packet: &Packet, facts: &mut Facts) {
    let flow = packet.flow();
    for message in messages(&proto.fields, "mqtt.msgtype") {
        let topics = || all(message, "mqtt.topic");
        match first(message, "mqtt.msgtype") {
            "1" => facts.say("mqtt", "connect", &flow, first(message, "mqtt.clientid")),
            "3" => facts.say("mqtt", "publish", &flow, topics().join(" ")),
            "8" => facts.say("mqtt", "subscribe", &flow, topics().join(" ")),
            "10" => facts.say("mqtt", "unsubscribe", &flow, topics().join(" ")),
            _ => {}
        }
    }
}

/// An MQTT event of ours.
pub(super) fn our_mqtt(event: &Value, flow: &str, facts: &mut Facts) {
    let object = text(event, "/unmapped/exchange/object");
    let count = event["unmapped"]["exchange"]["object_count"]
        .as_u64()
        .unwrap_or(1);
    match text(event, "/unmapped/exchange/operation").as_str() {
        "connect" => facts.say(
            "mqtt",
            "connect",
            flow,
            text(event, "/unmapped/mqtt/client_id"),
        ),
        "publish" => facts.say_times("mqtt", "publish", flow, object, count),
        "subscribe" => facts.say("mqtt", "subscribe", flow, object),
        "unsubscribe" => facts.say("mqtt", "unsubscribe", flow, object),
        _ => {}
    }
}
