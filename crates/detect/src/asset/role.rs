//! The role of an asset, from what it offers and says.
//!
//! Enters: one asset's record. Leaves: a role, or none. Refuses: guesses from ports alone and from
//! vendors. The first line that fits wins: care first, then infrastructure.
//! Source: `DESIGN.md` section 5.

use super::state::State;

/// The role that the evidence names.
pub(super) fn of(state: &State) -> Option<&'static str> {
    let offers = |names: &[&str]| names.iter().any(|name| state.offers(name));
    let speaks = |name: &str| state.speaks.contains(name);
    let says = |name: &str| state.attributes.iter().any(|known| *known.name == *name);
    let role = if says("modality") && !offers(&["dicom"]) {
        "imaging modality"
    } else if offers(&["dicom"]) {
        "dicom node"
    } else if offers(&HL7) {
        "hl7 engine"
    } else if offers(&["astm"]) {
        "laboratory system"
    } else if offers(&["kerberos"]) && offers(&["ldap", "smb"]) {
        "domain controller"
    } else if offers(&["dhcp"]) {
        "dhcp server"
    } else if state.is_router {
        "router"
    } else if offers(&["dns"]) {
        "dns server"
    } else if offers(&["postgresql", "mysql", "tds", "oracle"]) {
        "database server"
    } else if offers(&["smtp", "imap", "pop3"]) {
        "mail server"
    } else if offers(&["ldap"]) {
        "directory server"
    } else if offers(&["ipp", "jetdirect", "lpd"]) {
        "printer"
    } else if offers(&["modbus", "s7", "bacnet"]) {
        "controller"
    } else if offers(&["smb"]) {
        "file server"
    } else if offers(&["http", "tls", "http2"]) {
        "web server"
    } else if offers(&["ntp"]) {
        "time server"
    } else if speaks("dicom") {
        "dicom client"
    } else if HL7.iter().any(|name| speaks(name)) {
        "hl7 client"
    } else if says("workstation") || speaks("kerberos") {
        "workstation"
    } else {
        return None;
    };
    Some(role)
}

/// Names under which HL7 v2 over MLLP is known.
const HL7: [&str; 3] = ["hl7v2", "hl7", "mllp"];
