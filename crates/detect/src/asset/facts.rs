//! What one event says about the two ends of its conversation.
//!
//! Enters: the body of an event. Leaves: facts about source and destination, and whether the
//! destination answered. Refuses: facts that the other side merely claims: who is called is
//! believed only when it answered. Source: each fact names the field that it was read from.

use std::borrow::Cow;

use model::class::{Authentication, Body, Dhcp, Http, Medical, Network, Smb, Ssh};

use super::state::Fact;

/// Which end a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Source,
    Destination,
}

type Say<'s, 'e> = &'s mut dyn FnMut(End, Fact<'e>);

fn fact<'e>(
    name: &'static str,
    value: Option<&'e str>,
    confidence: u8,
    source: &'static str,
) -> Option<Fact<'e>> {
    value.map(|value| Fact {
        name,
        value: Cow::Borrowed(value),
        confidence,
        source,
    })
}

/// Calls `say` with every fact about an end of the conversation.
pub(super) fn each<'e>(body: &'e Body, say: Say<'_, 'e>) {
    if let Body::Network(network) = body {
        of_tls(network, say);
        of_controller(network, say);
        of_management(network, say);
    } else if let Body::Http(http) = body {
        of_http(http, say);
    } else if let Body::Ssh(ssh) = body {
        of_ssh(ssh, say);
    } else if let Body::Smb(smb) = body {
        of_smb(smb, say);
    } else if let Body::Authentication(logon) = body {
        of_logon(logon, say);
    } else if let Body::Medical(medical) = body {
        of_medical(medical, say);
    }
}

fn of_tls<'e>(network: &'e Network, say: Say<'_, 'e>) {
    for (name, value, source) in [
        ("ja4", &network.tls_ja4, "TLS ClientHello"),
        ("ja3", &network.tls_ja3, "TLS ClientHello"),
    ] {
        if let Some(fact) = fact(name, value.as_deref(), 30, source) {
            say(End::Source, fact);
        }
    }
    if !tls_answered(network) {
        return;
    }
    let name = network.tls_sni.as_deref();
    if let Some(fact) = fact("hostname", name, 60, "TLS SNI") {
        say(End::Destination, fact);
    }
    let subject = network.tls_subject.as_deref();
    if let Some(fact) = fact("certificate_subject", subject, 70, "TLS certificate") {
        say(End::Destination, fact);
    }
}

/// What controllers of buildings and machines say of themselves.
fn of_controller<'e>(network: &'e Network, say: Say<'_, 'e>) {
    let source = match &*network.about {
        "modbus" => "Modbus device identification",
        "s7comm" => "S7 system status list",
        "bacnet" => "BACnet device object",
        _ => return,
    };
    let facts = || {
        network
            .facts
            .iter()
            .filter_map(|fact| model::fact::parts(fact))
    };
    // A BACnet device announces itself; every other one answers.
    let asks = facts().any(|(_, key, value)| (key, value) == ("device", "client"));
    let end = if asks { End::Source } else { End::Destination };
    for (_, key, value) in facts() {
        let (name, confidence) = match key {
            "vendor" => ("vendor", 85),
            "model" | "product_name" | "order_number" => ("model", 85),
            "serial" => ("serial", 85),
            "firmware" => ("firmware", 85),
            "software" => ("application", 70),
            "device_name" | "system_name" => ("device_name", 80),
            "location" | "plant" => ("location", 60),
            "device_instance" => ("bacnet_instance", 85),
            _ => continue,
        };
        if let Some(fact) = fact(name, Some(value), confidence, source) {
            say(end, fact);
        }
    }
}

/// What devices say of themselves to who supervises or looks for them.
fn of_management<'e>(network: &'e Network, say: Say<'_, 'e>) {
    let facts = || {
        let facts = network.facts.iter();
        facts.filter_map(|fact| model::fact::parts(fact))
    };
    match &*network.about {
        // The agent answers; a manager's traps come from the agent as source.
        "snmp" => {
            let is_trap = network
                .operation
                .as_deref()
                .is_some_and(|word| word.contains("trap"));
            let end = if is_trap {
                End::Source
            } else {
                End::Destination
            };
            for (_, key, value) in facts() {
                let (name, confidence, source) = match key {
                    "sys_descr" => ("description", 80, "SNMP sysDescr"),
                    "sys_name" => ("hostname", 65, "SNMP sysName"),
                    "sys_location" => ("location", 60, "SNMP sysLocation"),
                    "sys_object_id" => ("snmp_object", 70, "SNMP sysObjectID"),
                    _ => continue,
                };
                if let Some(fact) = fact(name, Some(value), confidence, source) {
                    say(end, fact);
                }
            }
        }
        // Who looks for others says nothing of itself but its agent.
        "ssdp" => {
            let server = facts().find(|(_, key, _)| *key == "server");
            let server = server.map(|(_, _, value)| value);
            if let Some(fact) = fact("server_software", server, 65, "SSDP Server") {
                say(End::Source, fact);
            }
        }
        _ => {}
    }
}

/// What the client of a log-in says of its system.
fn of_logon<'e>(logon: &'e Authentication, say: Say<'_, 'e>) {
    let facts = logon.facts.iter();
    for (protocol, key, value) in facts.filter_map(|fact| model::fact::parts(fact)) {
        if (protocol, key) == ("ntlm", "client_os")
            && let Some(fact) = fact("ntlm_version", Some(value), 60, "NTLMSSP client version")
        {
            say(End::Source, fact);
        }
    }
}

fn of_http<'e>(http: &'e Http, say: Say<'_, 'e>) {
    let agent = http.user_agent.as_deref();
    if let Some(fact) = fact("user_agent", agent, 50, "HTTP User-Agent") {
        say(End::Source, fact);
    }
    if http.code.is_none() {
        return;
    }
    let server = http.server.as_deref();
    if let Some(fact) = fact("server_software", server, 70, "HTTP Server") {
        say(End::Destination, fact);
    }
    let named = http.host.as_deref().filter(|host| is_name(host));
    if let Some(fact) = fact("hostname", named, 50, "HTTP Host") {
        say(End::Destination, fact);
    }
}

fn of_ssh<'e>(ssh: &'e Ssh, say: Say<'_, 'e>) {
    for (end, software) in [
        (End::Source, ssh.client_software.as_deref()),
        (End::Destination, ssh.server_software.as_deref()),
    ] {
        if let Some(fact) = fact("ssh_software", software, 80, "SSH identification") {
            say(end, fact);
        }
    }
    for (name, end, value) in [
        ("hassh", End::Source, &ssh.hassh),
        ("hassh_server", End::Destination, &ssh.hassh_server),
    ] {
        if let Some(fact) = fact(name, value.as_deref(), 30, "SSH key exchange") {
            say(end, fact);
        }
    }
}

fn of_smb<'e>(smb: &'e Smb, say: Say<'_, 'e>) {
    let workstation = smb.workstation.as_deref();
    for (name, confidence) in [("workstation", 85), ("hostname", 80)] {
        if let Some(fact) = fact(name, workstation, confidence, "NTLMSSP workstation") {
            say(End::Source, fact);
        }
    }
    let server = smb.server_name.as_deref();
    if let Some(fact) = fact("hostname", server, 90, "NTLMSSP server name") {
        say(End::Destination, fact);
    }
    // Samba states the version of a Windows too: the table of hints tells them apart.
    let version = smb.server_os.as_deref();
    if let Some(fact) = fact("ntlm_version", version, 70, "NTLMSSP server version") {
        say(End::Destination, fact);
    }
}

fn of_medical<'e>(medical: &'e Medical, say: Say<'_, 'e>) {
    let m = medical;
    let facts = [
        ("ae_title", &m.calling_ae, 80, "DICOM calling AE"),
        (
            "implementation",
            &m.calling_implementation,
            80,
            "DICOM implementation UID",
        ),
        (
            "application",
            &m.calling_version,
            80,
            "DICOM implementation version",
        ),
    ];
    for (name, value, confidence, source) in facts {
        if let Some(fact) = fact(name, value.as_deref(), confidence, source) {
            say(End::Source, fact);
        }
    }
    of_message(m, say);
    of_data_set(m, say);
    if !medical_answered(m) {
        return;
    }
    let facts = [
        ("ae_title", &m.called_ae, 70, "DICOM called AE"),
        (
            "implementation",
            &m.called_implementation,
            80,
            "DICOM implementation UID",
        ),
        (
            "application",
            &m.called_version,
            80,
            "DICOM implementation version",
        ),
    ];
    for (name, value, confidence, source) in facts {
        if let Some(fact) = fact(name, value.as_deref(), confidence, source) {
            say(End::Destination, fact);
        }
    }
}

/// What images say of the device that made them, which is not always the one that sends them:
/// less certain than what a device says of itself. Images of a C-GET come from the other side,
/// which collects those of all devices.
fn of_data_set<'e>(m: &'e Medical, say: Say<'_, 'e>) {
    let sends = m.operation.as_deref() == Some("C-STORE") && m.sender.is_none();
    if !sends || m.standard != "dicom" {
        return;
    }
    for (name, value, confidence) in [
        ("vendor", &m.manufacturer, 60),
        ("model", &m.model, 60),
        ("modality", &m.modality, 60),
        ("serial", &m.serial, 60),
        ("firmware", &m.software, 60),
        ("station", &m.station, 60),
        ("department", &m.department, 50),
    ] {
        if let Some(fact) = fact(name, value.as_deref(), confidence, "DICOM data set") {
            say(End::Source, fact);
        }
    }
}

/// Who sent a message, and who took it: either end of the connection may be the sender.
fn of_message<'e>(m: &'e Medical, say: Say<'_, 'e>) {
    let (sender, receiver) = if m.sender.as_deref() == Some("server") {
        (End::Destination, End::Source)
    } else {
        (End::Source, End::Destination)
    };
    let (sends, takes) = match &*m.standard {
        "astm" => ("ASTM H-5", "ASTM H-10"),
        "hl7v2" => ("HL7 MSH-3, MSH-4", "HL7 MSH-5, MSH-6"),
        "fhir" => ("", "FHIR capability statement"),
        _ => return,
    };
    let mut facts = vec![
        (sender, "application", &m.sending_app, 70, sends),
        (sender, "facility", &m.sending_facility, 60, sends),
    ];
    if medical_answered(m) {
        facts.push((receiver, "application", &m.receiving_app, 60, takes));
        facts.push((receiver, "facility", &m.receiving_facility, 50, takes));
    }
    // Analysers name themselves in what they send.
    if &*m.standard == "astm" {
        facts.push((sender, "model", &m.model, 75, sends));
        facts.push((sender, "serial", &m.serial, 60, sends));
        facts.push((sender, "firmware", &m.software, 60, sends));
    }
    for (end, name, value, confidence, source) in facts {
        if let Some(fact) = fact(name, value.as_deref(), confidence, source) {
            say(end, fact);
        }
    }
}

/// Facts about the client of a DHCP exchange, which no end of the conversation need be.
pub(super) fn of_dhcp<'e>(dhcp: &'e Dhcp, say: &mut dyn FnMut(Fact<'e>)) {
    let class = dhcp.vendor_class.as_deref();
    let options: Vec<String> = dhcp.parameters.iter().map(ToString::to_string).collect();
    let fingerprint = Fact {
        name: "dhcp_fingerprint",
        value: Cow::Owned(options.join(",")),
        confidence: 60,
        source: "DHCP option 55",
    };
    let facts = [
        fact("hostname", dhcp.host_name.as_deref(), 80, "DHCP option 12"),
        fact("vendor_class", class, 60, "DHCP option 60"),
        Some(fingerprint).filter(|_| !options.is_empty()),
    ];
    facts.into_iter().flatten().for_each(say);
}

/// True for a host name, false for an address.
pub(super) fn is_name(host: &str) -> bool {
    host.trim_matches(['[', ']'])
        .parse::<std::net::IpAddr>()
        .is_err()
        && host.chars().any(char::is_alphabetic)
}

/// True when the destination answered: only then it offers what was asked of it.
pub(super) fn answered(body: &Body) -> bool {
    match body {
        Body::Network(network) => flow_answered(network) || tls_answered(network),
        Body::Http(http) => http.code.is_some(),
        Body::Dns(dns) => dns.rcode.is_some() || dns.response_time.is_some(),
        Body::Smb(smb) => smb.dialect.is_some() || smb.server_name.is_some(),
        Body::Ssh(ssh) => ssh.server_software.is_some(),
        Body::Medical(medical) => medical_answered(medical),
        Body::Ftp(ftp) => !ftp.codes.is_empty(),
        Body::Email(mail) => mail.banner.is_some(),
        Body::Rdp(rdp) => rdp.selected.is_some(),
        Body::Ntp(ntp) => ntp.responses.is_some_and(|seen| seen > 0),
        // Who serves DHCP is in the message, not in its direction.
        Body::Authentication(_) | Body::Dhcp(_) | Body::Inventory(_) | Body::Tunnel(_) => false,
    }
}

/// A reset is no answer; without the flags, data in both directions is.
fn flow_answered(network: &Network) -> bool {
    let back = network.bytes_in.unwrap_or(0) > 0;
    match network.tcp_flags_in.as_deref() {
        Some(flags) if !flags.is_empty() => {
            flags.contains('S') || (flags.contains('P') && !flags.contains('R'))
        }
        _ => back,
    }
}

fn tls_answered(network: &Network) -> bool {
    network.tls_established == Some(true) || network.tls_cipher.is_some()
}

pub(super) fn medical_answered(medical: &Medical) -> bool {
    medical.ack_code.is_some()
        || medical
            .status
            .as_deref()
            .is_some_and(|status| !matches!(status, "rejected" | "aborted"))
}
