//! The same facts under Suricata's EVE names.
//!
//! Enters: events. Leaves: EVE JSON lines. Refuses: clear values unless asked for.
//! Source: Suricata 8 user guide, EVE JSON format; `dicom` and `hl7` are our own event types.

mod fileinfo;

use std::io::{self, Write};

use model::class::{
    Authentication, Body, Dhcp, Dns, Email, Ftp, Http, Inventory, Medical, Network, Ntp, Smb, Ssh,
};
use model::{Event, Sensitive};
use serde_json::{Map, Value, json};

use super::Printer;
use super::table::shown;
use crate::time::rfc3339;

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
        let mut line = head(event);
        let words = Words { clear: self.clear };
        let (kind, body) = match &event.body {
            Body::Authentication(login) => ("authentication", words.login(event, login)),
            Body::Network(network) if network.about == "tls" => ("tls", words.tls(network)),
            Body::Network(network) if network.about == "flow" => {
                ("flow", words.flow(event, network))
            }
            Body::Network(network) => (&*network.about, words.exchange(network)),
            Body::Http(http) => ("http", words.http(http)),
            Body::Dns(dns) => ("dns", words.dns(event, dns)),
            Body::Dhcp(dhcp) => ("dhcp", words.dhcp(event, dhcp)),
            Body::Smb(smb) => ("smb", words.smb(event, smb)),
            Body::Ssh(ssh) => ("ssh", words.ssh(ssh)),
            Body::Ftp(ftp) => ("ftp", words.ftp(ftp)),
            Body::Email(mail) => ("smtp", words.mail(event, mail)),
            Body::Ntp(ntp) => ("ntp", Words::ntp(ntp)),
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
        line.insert("event_type".to_owned(), json!(kind));
        line.insert(kind.to_owned(), strip(body));
        serde_json::to_writer(&mut self.out, &Value::Object(line))?;
        self.out.write_all(b"\n")?;
        for file in fileinfo::of(event, self.clear) {
            let mut line = head(event);
            line.insert("event_type".to_owned(), json!("fileinfo"));
            line.insert("fileinfo".to_owned(), strip(file));
            serde_json::to_writer(&mut self.out, &Value::Object(line))?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn head(event: &Event) -> Map<String, Value> {
    let mut line = Map::new();
    let time = rfc3339(event.meta.time).replace('Z', "000+0000");
    line.insert("timestamp".to_owned(), json!(time));
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
            "subject": tls.tls_subject, "issuerdn": tls.tls_issuer, "serial": tls.tls_serial,
            "fingerprint": tls.tls_cert_sha256,
            "notbefore": tls.tls_not_before.map(rfc3339),
                "notafter": tls.tls_not_after.map(rfc3339),
            "subjectaltname": tls.tls_san,
            "ja3": { "hash": tls.tls_ja3 }, "ja3s": { "hash": tls.tls_ja3s }, "ja4": tls.tls_ja4,
            "client_alpns": tls.tls_alpn_offered,
            "session_resumed": tls.tls_resumed.filter(|resumed| *resumed),
        })
    }

    fn http(&self, http: &Http) -> Value {
        let path = self.text(http.path.as_ref());
        let query = self.text(http.query.as_ref());
        let url = match (path, query) {
            (Some(path), Some(query)) => Some(format!("{path}?{query}")),
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
            "type": if event.meta.activity == 1 { "request" } else { "response" },
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
        json!({
            "dialect": smb.dialect, "command": format!("SMB2_COMMAND_{}", smb.command),
            "status": event.meta.status_code, "session_id": smb.session,
            "tree_id": smb.tree_uid, "filename": self.text(smb.file.as_ref()),
            "share": self.text(smb.share.as_ref()), "share_type": smb.share_type,
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

    fn mail(&self, event: &Event, mail: &Email) -> Value {
        json!({
            "helo": mail.hello, "mail_from": self.text(mail.envelope_from.as_ref()),
            "rcpt_to": self.text(mail.envelope_to.as_ref()),
            "status": event.meta.status_code,
            "email": {
                "from": self.text(mail.from.as_ref()), "to": self.text(mail.to.as_ref()),
                "cc": self.text(mail.cc.as_ref()), "subject": self.text(mail.subject.as_ref()),
                "message_id": mail.message_id, "date": mail.date, "x_mailer": mail.mailer,
                "attachment": self.text(mail.attachment_names.as_ref()),
            },
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
