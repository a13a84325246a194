//! Facts of tshark.
//!
//! Enters: a capture. Leaves: facts. Refuses: nothing. Source: Wireshark's field reference.

use std::path::Path;

use anyhow::Result;

use super::facts::Facts;
use super::pdml::{self, Packet};
use super::{medical, office, service, web};

/// What tshark says about a capture, called `name` in the folder `work`.
pub(super) fn read(capture: &Path, name: &str, work: &Path) -> Result<Facts> {
    // Its ports are those of the lab.
    let medical = name == "day" || name.starts_with("minihospital");
    let mut reading = Reading::default();
    pdml::read(capture, name, medical, work, |packet| {
        reading.packet(packet)
    })?;
    reading.handshakes.finish(&mut reading.facts);
    reading.asked.finish(&mut reading.facts);
    reading.mails.finish(&mut reading.facts);
    Ok(reading.facts)
}

#[derive(Default)]
struct Reading {
    facts: Facts,
    handshakes: web::Handshakes,
    asked: office::Asked,
    mails: service::Mails,
    commands: medical::Commands,
}

impl Reading {
    fn packet(&mut self, packet: &Packet) {
        let facts = &mut self.facts;
        for proto in &packet.protos {
            match proto.name.as_str() {
                "dns" => web::dns(proto, packet, facts),
                "tls" => self.handshakes.tls(proto, packet),
                "http" => web::http(proto, packet, facts),
                "http2" => web::http2(proto, packet, facts),
                "smb2" => self.asked.smb(proto, packet, facts),
                "kerberos" => office::kerberos(proto, packet, facts),
                "ldap" | "cldap" => office::ldap(proto, packet, facts),
                "smtp" => self.mails.smtp(proto, packet, facts),
                "ftp" => service::ftp(proto, packet, facts),
                "ssh" => service::ssh(proto, packet, facts),
                "dhcp" => service::dhcp(proto, facts),
                "snmp" => service::snmp(proto, packet, facts),
                "ntp" => service::ntp(proto, packet, facts),
                "mqtt" => service::mqtt(proto, packet, facts),
                "dicom" => self.commands.dicom(proto, packet, facts),
                "hl7" => medical::hl7(proto, packet, facts),
                "modbus" => medical::modbus(proto, packet, facts),
                "bacapp" => medical::bacnet(proto, packet, facts),
                _ => {}
            }
        }
    }
}
