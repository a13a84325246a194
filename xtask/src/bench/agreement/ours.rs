//! Facts of `vigie read --clear --format ndjson`.
//!
//! Enters: a capture. Leaves: facts. Refuses: output that is not one JSON object a line, an exit
//! code that is neither 0 nor 3. Source: `docs/reference/fields.md`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::facts::{Facts, flow};
use super::{medical, office, service, web};

/// Runs the program on a capture and shows each event.
pub(super) fn events(
    binary: &Path,
    format: &str,
    capture: &Path,
    mut each: impl FnMut(Value),
) -> Result<()> {
    let mut command = Command::new(binary);
    command
        .args(["read", "--clear", "--quiet", "--format", format])
        .arg(capture);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command
        .spawn()
        .with_context(|| binary.display().to_string())?;
    for line in BufReader::new(child.stdout.take().context("a pipe")?).lines() {
        each(serde_json::from_str(&line?).context("one JSON object a line")?);
    }
    let status = child.wait()?;
    // 3: some input was not readable; of the example it is 1.
    let ended = status.code().is_some_and(|code| matches!(code, 0 | 1 | 3));
    ensure!(ended, "{}: vigie ended with {status}", capture.display());
    Ok(())
}

/// What we say about a capture.
pub(super) fn read(binary: &Path, capture: &Path) -> Result<Facts> {
    let mut facts = Facts::default();
    events(binary, "ndjson", capture, |event| {
        event_facts(&event, &mut facts)
    })?;
    Ok(facts)
}

fn event_facts(event: &Value, facts: &mut Facts) {
    // Some classes of OCSF have no place for the connection.
    let own = event.get("connection_info").is_some();
    let link = if own {
        "/connection_info"
    } else {
        "/unmapped/connection_info"
    };
    let transport = text(event, &format!("{link}/protocol_name"));
    let end = |name: &str| {
        let (ip, port) = (format!("/{name}/ip"), format!("/{name}/port"));
        (text(event, &ip), text(event, &port))
    };
    let (src, dst) = (end("src_endpoint"), end("dst_endpoint"));
    let flow = flow(&transport, (&src.0, &src.1), (&dst.0, &dst.1));
    let about = event["unmapped"]["about"].as_str().unwrap_or_default();
    let app = event["app_protocol_name"]
        .as_str()
        .or(event["unmapped"]["app_protocol_name"].as_str());
    match (event["class_uid"].as_u64(), about, app.unwrap_or_default()) {
        (Some(4003), _, "dns") => web::our_dns(event, &flow, facts),
        (Some(4001), "tls", _) => web::our_tls(event, &flow, facts),
        (Some(4001), "quic", _) => web::our_quic(event, &flow, facts),
        (Some(4002), ..) => web::our_http(event, &flow, facts),
        (Some(4006), ..) => office::our_smb(event, &flow, facts),
        (Some(3002), _, "kerberos") => office::our_kerberos(event, &flow, facts),
        (Some(3002), _, "ldap") => office::our_bind(event, &flow, facts),
        (Some(4001), "ldap", _) => office::our_ldap(event, &flow, facts),
        (Some(4009), ..) => service::our_mail(event, &flow, facts),
        (Some(4001), "smtp", _) => service::our_smtp(event, &flow, facts),
        (Some(4008), _, "ftp") => service::our_ftp(event, &flow, facts),
        (Some(3002), _, "ftp") => {
            facts.say("ftp", "user", &flow, text(event, "/user/name"));
        }
        (Some(4007), ..) => service::our_ssh(event, &flow, facts),
        (Some(4004), ..) => service::our_dhcp(event, facts),
        (Some(4001), "snmp", _) => service::our_snmp(event, &flow, facts),
        (Some(4013), ..) => service::our_ntp(event, &flow, facts),
        (Some(4001), "mqtt", _) => service::our_mqtt(event, &flow, facts),
        (Some(99_904_001), _, "dicom") => medical::our_dicom(event, &flow, facts),
        (Some(99_904_001), _, "hl7") => medical::our_hl7(event, &flow, facts),
        (Some(4001), "modbus", _) => medical::our_modbus(event, &flow, facts),
        (Some(4001), "bacnet", _) => medical::our_bacnet(event, &flow, facts),
        _ => {}
    }
}

/// A value as text, empty when absent.
pub(super) fn text(event: &Value, pointer: &str) -> String {
    match event.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}
