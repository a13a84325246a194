//! The same facts under Suricata's EVE names.
//!
//! Enters: events. Leaves: EVE JSON lines. Refuses: clear values unless asked for.
//! Source: Suricata 8 user guide, EVE JSON format; `dicom` and `hl7` are our own event types.

#[path = "eve/fileinfo.rs"]
mod fileinfo;

use std::io::{self, Write};

use model::class::{
    Authentication, Body, Dhcp, Dns, Email, Ftp, Http, Inventory, Medical, Network, Ntp, Rdp, Smb,
    Ssh,
};
use model::{Event, Millis, Sensitive};
use serde_json::{Map, Value, json};

use super::Printer;
use super::table::shown;
use crate::time::rfc3339;

#[path = "eve/names.rs"]
mod names;

/// See the module.
pub(super) struct Eve<W: Write> {
    out: W,
    clear: bool,
}

impl<W: Write> Eve<W> {
    /// A printer to `out`.
    pub(super) const fn new(out: W, clear: bool) -> Self {
        Self { out, clear }
    }
}

impl<W: Write> Printer for Eve<W> {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let words = Words { clear: self.clear };
        if let Body::Dns(dns) = &event.body
            && let (false, Some(asked)) = (event.meta.activity == QUERY, dns.query_time)
        {
            // Suricata writes a record for the question and one for the answer.
            let mut line = head(event);
            line.insert("timestamp".to_owned(), json!(timestamp(asked)));
            self.write(line, "dns", Words::question(dns))?;
        }
        let mut line = head(event);
        let (kind, body) = match &event.body {
            Body::Authentication(login) if is_kerberos(login) => {
                ("krb5", words.kerberos(event, login))
            }
            Body::Authentication(login) => ("authentication", words.login(event, login)),
            Body::Network(network) if network.about == "tls" => ("tls", words.tls(network)),
            Body::Network(network) if network.about == "flow" => {
                ("flow", words.flow(event, network))
            }
            Body::Network(network) if is_session(network, "smtp") => smtp_session(network),
            Body::Network(network) if is_session(network, "ssh") => {
                ("ssh_session", words.exchange(network))
            }
            Body::Network(network) => (&*network.about, words.exchange(network)),
            Body::Http(http) => ("http", words.http(http)),
            Body::Dns(dns) => ("dns", words.dns(event, dns)),
            Body::Dhcp(dhcp) => ("dhcp", words.dhcp(event, dhcp)),
            Body::Smb(smb) => ("smb", words.smb(event, smb)),
            Body::Ssh(ssh) => ("ssh", words.ssh(ssh)),
            Body::Ftp(ftp) => ("ftp", words.ftp(ftp)),
            Body::Email(mail) => {
                line.insert("email".to_owned(), strip(words.email(event, mail)));
                ("smtp", words.mail(mail))
            }
            Body::Ntp(ntp) => ("ntp", Words::ntp(ntp)),
            Body::Rdp(rdp) => ("rdp", words.rdp(rdp)),
            Body::Tunnel(tunnel) => (
                "tunnel",
                json!({
                    "type": tunnel.kind, "pkts_toserver": tunnel.packets_out,
                    "pkts_toclient": tunnel.packets_in, "bytes_toserver": tunnel.bytes_out,
                    "bytes_toclient": tunnel.bytes_in,
                }),
            ),
            Body::Inventory(inventory) => ("arp", words.binding(inventory)),
            Body::Medical(medical) if medical.standard == "dicom" => {
                ("dicom", words.medical(medical))
            }
            Body::Medical(medical) if medical.standard == "hl7v2" => {
                ("hl7", words.medical(medical))
            }
            Body::Medical(medical) => (&*medical.standard, words.medical(medical)),
        };
        self.write(line, kind, body)?;
        for file in fileinfo::of(event, self.clear) {
            self.write(head(event), "fileinfo", file)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Eve<W> {
    fn write(&mut self, mut line: Map<String, Value>, kind: &str, body: Value) -> io::Result<()> {
        line.insert("event_type".to_owned(), json!(kind));
        line.insert(kind.to_owned(), strip(body));
        serde_json::to_writer(&mut self.out, &Value::Object(line))?;
        self.out.write_all(b"\n")
    }
}

/// Activity of a DNS event that holds a question only.
const QUERY: u16 = 1;

fn timestamp(time: Millis) -> String {
    rfc3339(time).replace('Z', "000+0000")
}

fn is_kerberos(login: &Authentication) -> bool {
    login.auth_protocol.as_deref() == Some("Kerberos")
}

/// True for what a protocol tells of a whole session beside its single exchanges.
fn is_session(network: &Network, about: &str) -> bool {
    network.about == about && network.operation.as_deref() == Some("session")
}

/// A session of SMTP; one without a mail is a record of its own for Suricata too.
fn smtp_session(network: &Network) -> (&'static str, Value) {
    let fact = |wanted: &str| {
        let mut facts = network
            .facts
            .iter()
            .filter_map(|fact| model::fact::parts(fact));
        facts.find_map(|(_, key, value)| (key == wanted).then(|| value.to_owned()))
    };
    let words = json!({ "helo": fact("hello"), "mails": fact("mails"), "banner": fact("banner"),
        "commands": fact("commands"), "refused": fact("refused"), "starttls": fact("starttls"),
        "auth_offered": fact("auth_offered") });
    let empty = fact("mails").as_deref() == Some("0");
    (if empty { "smtp" } else { "smtp_session" }, words)
}

fn head(event: &Event) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), json!(timestamp(event.meta.time)));
    if let Some(link) = &event.connection {
        let flow = link
            .flow
            .as_deref()
            .and_then(|text| u64::from_str_radix(text, 16).ok());
        let proto = match link.protocol {
            6 => "TCP".to_owned(),
            17 => "UDP".to_owned(),
            1 => "ICMP".to_owned(),
            58 => "IPv6-ICMP".to_owned(),
            other => other.to_string(),
        };
        let parts = json!({
            "flow_id": flow.map(|flow| flow >> 1),
            "src_ip": link.src_ip, "src_port": link.src_port,
            "dest_ip": link.dst_ip, "dest_port": link.dst_port,
            "proto": proto,
            "community_id": link.community_id,
            "vlan": link.vlan.map(|vlan| vec![vlan]),
            "app_proto": if link.app == "unknown" { "failed" } else { &*link.app },
        });
        if let Value::Object(parts) = strip(parts) {
            line.extend(parts);
        }
    }
    line
}

/// Removes nulls and empty lists: EVE leaves out what it does not know.
fn strip(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, strip(value)))
                .filter(|(_, value)| !is_empty(value))
                .collect(),
        ),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => other,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

struct Words {
    clear: bool,
}

impl Words {
    fn text(&self, value: Option<&Sensitive>) -> Option<String> {
        value.map(|value| shown(value, self.clear))
    }

    fn flow(&self, event: &Event, flow: &Network) -> Value {
        json!({
            "pkts_toserver": flow.packets_out, "pkts_toclient": flow.packets_in,
            "bytes_toserver": flow.bytes_out, "bytes_toclient": flow.bytes_in,
            "start": flow.start.map(rfc3339), "end": flow.end.map(rfc3339),
            "age": flow.duration_ms.map(|ms| ms / 1000),
            "state": match event.meta.activity { 2 | 3 => "closed", 4 | 5 => "new",
                _ => "established" },
            "reason": flow.end_reason,
            "tcp_flags_ts": flow.tcp_flags_out, "tcp_flags_tc": flow.tcp_flags_in,
        })
    }

    fn tls(&self, tls: &Network) -> Value {
        json!({
            "sni": tls.tls_sni, "version": tls.tls_version.as_ref().map(|v| format!("TLS {v}")),
            "cipher": tls.tls_cipher,
            "subject": tls.tls_subject.as_deref().map(names::distinguished),
            "issuerdn": tls.tls_issuer.as_deref().map(names::distinguished),
            "serial": tls.tls_serial.as_deref().map(names::serial),
            // Suricata's `fingerprint` is a SHA-1, which is not computed here.
            "fingerprint_sha256": tls.tls_cert_sha256,
            "notbefore": tls.tls_not_before.map(names::date),
            "notafter": tls.tls_not_after.map(names::date),
            "subjectaltname": tls.tls_san,
            "ja3": { "hash": tls.tls_ja3 }, "ja3s": { "hash": tls.tls_ja3s }, "ja4": tls.tls_ja4,
            "client_alpns": tls.tls_alpn_offered,
            // In TLS 1.3 what was agreed is hidden: then ours is the client's first offer.
            "server_alpns": tls.tls_alpn.as_ref().filter(|_| tls.tls_version.as_deref()
                != Some("1.3")).map(|alpn| vec![alpn]),
            "session_resumed": tls.tls_resumed.filter(|resumed| *resumed),
        })
    }

    fn http(&self, http: &Http) -> Value {
        let path = self.text(http.path.as_ref());
        let query = self.text(http.query.as_ref());
        let url = match (path, query) {
            (Some(path), Some(query)) => Some(format!("{path}?{query}")),
            // The target of CONNECT is an authority, which we keep as host and port.
            (None, _) if http.method.as_deref() == Some("CONNECT") => {
                let host = http.host.as_deref().unwrap_or_default();
                Some(
                    http.port
                        .map_or(host.to_owned(), |port| format!("{host}:{port}")),
                )
            }
            (path, _) => path,
        };
        json!({
            "hostname": http.host, "http_port": http.port, "url": url,
            "http_method": http.method,
            "protocol": http.version.as_ref().map(|version| format!("HTTP/{version}")),
            "http_user_agent": http.user_agent, "http_refer": self.text(http.referrer.as_ref()),
            "http_content_type": http.content_type, "status": http.code,
            "length": http.response_bytes,
        })
    }

    fn question(dns: &Dns) -> Value {
        json!({
            "version": 3, "type": "request", "id": dns.packet_uid, "opcode": dns.opcode,
            "rrname": dns.query, "rrtype": dns.query_type,
            "queries": [{ "rrname": dns.query, "rrtype": dns.query_type }],
        })
    }

    fn dns(&self, event: &Event, dns: &Dns) -> Value {
        let answers: Vec<Value> = dns
            .answer_data
            .iter()
            .enumerate()
            .map(|(index, rdata)| {
                json!({
                    "rrname": dns.query, "rdata": rdata,
                    "rrtype": dns.answer_type.get(index), "ttl": dns.answer_ttl.get(index),
                })
            })
            .collect();
        json!({
            "version": 3,
            "type": if event.meta.activity == QUERY { "request" } else { "response" },
            "id": dns.packet_uid, "rrname": dns.query, "rrtype": dns.query_type,
            "queries": [{ "rrname": dns.query, "rrtype": dns.query_type }],
            "rcode": dns.rcode_name, "opcode": dns.opcode, "answers": answers,
        })
    }

    fn dhcp(&self, event: &Event, dhcp: &Dhcp) -> Value {
        let kind = event
            .body
            .class()
            .activity(event.meta.activity)
            .to_lowercase();
        json!({
            "type": if matches!(event.meta.activity, 2 | 5 | 6) { "reply" } else { "request" },
            "dhcp_type": kind, "id": dhcp.transaction, "client_mac": dhcp.client_mac.map(|m|
                m.to_string()),
            "assigned_ip": dhcp.client_ip, "requested_ip": dhcp.requested_ip,
            "hostname": dhcp.host_name, "vendor_class_identifier": dhcp.vendor_class,
            "lease_time": dhcp.lease_s, "params": dhcp.parameters,
            "routers": dhcp.routers, "dns_servers": dhcp.name_servers,
        })
    }

    fn smb(&self, event: &Event, smb: &Smb) -> Value {
        let share = self.text(smb.share.as_ref());
        let is_pipe = smb.share_type.as_deref() == Some("pipe");
        let number = |text: &str| match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        };
        let code = event.meta.status_code.as_deref();
        json!({
            "dialect": smb.dialect.as_deref().unwrap_or("unknown"),
            "command": names::command(&smb.command, smb.dialect.as_deref()),
            "status": code.map(names::status),
            "status_code": code.and_then(number).map(|code| format!("0x{code:x}")),
            "session_id": smb.session.as_deref().and_then(number),
            "tree_id": smb.tree_uid.as_deref().and_then(number),
            "filename": self.text(smb.file.as_ref()),
            "named_pipe": share.as_ref().filter(|_| is_pipe),
            "share": share.as_ref().filter(|_| !is_pipe), "share_type": smb.share_type,
            "disposition": smb.open_type, "size": smb.file_bytes,
            "rename": smb.renamed_to.as_ref().map(|to| json!({
                "from": self.text(smb.file.as_ref()), "to": shown(to, self.clear)
            })),
            "client_dialects": smb.client_dialects,
            "ntlmssp": { "user": self.text(smb.user.as_ref()), "host": smb.workstation,
                "version": smb.server_os },
            "read_bytes": smb.read_bytes, "write_bytes": smb.write_bytes,
        })
    }

    fn ssh(&self, ssh: &Ssh) -> Value {
        json!({
            "client": { "proto_version": ssh.version, "software_version": ssh.client_software,
                "hassh": { "hash": ssh.hassh } },
            "server": { "proto_version": ssh.version, "software_version": ssh.server_software,
                "hassh": { "hash": ssh.hassh_server } },
        })
    }

    fn login(&self, event: &Event, login: &Authentication) -> Value {
        let class = event.body.class();
        json!({
            "type": class.activity(event.meta.activity).to_lowercase(),
            "user": self.text(login.user.as_ref()), "domain": login.domain,
            "protocol": login.auth_protocol, "mechanism": login.mechanism,
            "service": login.service, "cleartext": login.is_cleartext,
            "status": event.meta.status_code,
        })
    }

    fn kerberos(&self, event: &Event, login: &Authentication) -> Value {
        let realm = login
            .facts
            .iter()
            .filter_map(|fact| model::fact::parts(fact));
        let mut realm = realm.filter(|(_, key, _)| *key == "realm");
        let status = event.meta.status;
        json!({
            "msg_type": names::kerberos(login.mechanism.as_deref(), status),
            "cname": self.text(login.user.as_ref()), "sname": login.service,
            "realm": realm.next().map(|(_, _, realm)| realm.to_owned()),
            "error_code": event.meta.status_code.as_ref().filter(|_| status == 2),
        })
    }

    fn mail(&self, mail: &Email) -> Value {
        let to = self.text(mail.envelope_to.as_ref()).unwrap_or_default();
        let to: Vec<String> = to.split_whitespace().map(names::bracketed).collect();
        let from = self.text(mail.envelope_from.as_ref());
        json!({
            "helo": mail.hello, "mail_from": from.as_deref().map(names::bracketed), "rcpt_to": to,
        })
    }

    fn email(&self, event: &Event, mail: &Email) -> Value {
        let list = |value: Option<&Sensitive>| {
            let text = self.text(value).unwrap_or_default();
            let parts = text.split(", ").filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect::<Vec<_>>()
        };
        json!({
            // Suricata's word for a mail that was read to its end.
            "status": if event.meta.status_code.is_some() { "PARSE_DONE" } else { "PARSE_ERROR" },
            "reply": event.meta.status_code,
            "from": self.text(mail.from.as_ref()), "to": list(mail.to.as_ref()),
            "cc": list(mail.cc.as_ref()), "subject": self.text(mail.subject.as_ref()),
            "message_id": mail.message_id, "date": mail.date, "x_mailer": mail.mailer,
            "attachment": self.text(mail.attachment_names.as_ref()).map(|names| {
                names.split("; ").map(str::to_owned).collect::<Vec<_>>()
            }),
        })
    }

    fn ftp(&self, ftp: &Ftp) -> Value {
        json!({
            "command": ftp.command, "command_data": self.text(ftp.path.as_ref()),
            "completion_code": ftp.codes, "dynamic_port": ftp.data_port, "mode": ftp.mode,
        })
    }

    fn ntp(ntp: &Ntp) -> Value {
        json!({
            "version": ntp.version, "stratum": ntp.stratum, "reference_id": ntp.reference,
            "requests": ntp.requests, "responses": ntp.responses,
        })
    }

    /// Suricata writes a record per step of the opening; this is the opening as a whole.
    fn rdp(&self, rdp: &Rdp) -> Value {
        json!({
            "cookie": self.text(rdp.cookie.as_ref()), "requested": rdp.requested,
            "protocol": rdp.selected, "channels": rdp.channels,
            "client": {
                "version": rdp.version, "desktop_width": rdp.width, "desktop_height": rdp.height,
                "keyboard_layout": rdp.keyboard_layout, "keyboard_type": rdp.keyboard_type,
                "build": rdp.client_build, "client_name": self.text(rdp.client_name.as_ref()),
            },
        })
    }

    /// A protocol without a class of its own: what was asked, and its facts.
    fn exchange(&self, network: &Network) -> Value {
        let mut members = Map::new();
        members.insert("operation".to_owned(), json!(network.operation));
        members.insert(
            "object".to_owned(),
            json!(self.text(network.object.as_ref())),
        );
        members.insert("count".to_owned(), json!(network.object_count));
        members.insert("sni".to_owned(), json!(network.tls_sni));
        members.insert("ja4".to_owned(), json!(network.tls_ja4));
        for (_, key, value) in network
            .facts
            .iter()
            .filter_map(|fact| model::fact::parts(fact))
        {
            members.insert(key.to_owned(), json!(value));
        }
        Value::Object(members)
    }

    fn binding(&self, inventory: &Inventory) -> Value {
        json!({ "src_ip": inventory.ip, "src_mac": inventory.mac.map(|mac| mac.to_string()) })
    }

    fn medical(&self, medical: &Medical) -> Value {
        json!({
            "operation": medical.operation, "status": medical.status,
            "calling_ae": medical.calling_ae, "called_ae": medical.called_ae,
            "sop_class_uid": medical.sop_class_uid, "object_count": medical.object_count,
            "bytes": medical.bytes, "message_type": medical.message_type,
            "trigger": medical.trigger, "control_id": medical.control_id,
            "ack_code": medical.ack_code, "ack_delay_ms": medical.ack_delay_ms,
            "sending_app": medical.sending_app, "sending_facility": medical.sending_facility,
            "receiving_app": medical.receiving_app,
            "receiving_facility": medical.receiving_facility,
            "patient_token": self.text(medical.patient.as_ref()),
        })
    }
}
