//! What the two ends of a conversation were seen doing, beyond the protocol's name.
//!
//! Enters: an event. Leaves: codes of behaviours for one end or the other, from which roles are
//! inferred. Refuses: requests that nobody answered; who merely asks proves nothing of the other.
//! Source: DICOM PS3.4 (service classes), HL7 v2 chapters 3, 4, 7 and IHE PCD, LIS2-A2.

use model::class::{Body, Http, Medical, Network, Smb};

use super::facts::{End, medical_answered};

/// Every behaviour: its code, and what it means in English.
pub(super) const ALL: &[(&str, &str)] = &[
    ("astm_receiver", "takes ASTM results of other devices"),
    ("astm_sender", "sends ASTM results"),
    ("browses", "browses the web"),
    ("dhcp_client", "takes its address by DHCP"),
    ("dhcp_server", "gives addresses by DHCP"),
    ("dicom_mpps_scu", "tells performed DICOM procedure steps"),
    ("dicom_query_scp", "answers DICOM queries of other devices"),
    ("dicom_query_scu", "queries DICOM archives"),
    ("dicom_retrieve_scp", "gives DICOM images out"),
    ("dicom_retrieve_scu", "retrieves DICOM images"),
    (
        "dicom_store_scp",
        "offers DICOM C-STORE SCP to other devices",
    ),
    ("dicom_store_scu", "sends DICOM images"),
    (
        "dicom_worklist_scp",
        "offers a DICOM worklist to other devices",
    ),
    ("dicom_worklist_scu", "asks for a DICOM worklist"),
    ("dicomweb_scp", "answers DICOMweb requests"),
    ("fhir_server", "answers FHIR requests"),
    (
        "fronts_outside",
        "stands in front of addresses outside the site",
    ),
    ("hl7_receiver", "takes HL7 messages of other devices"),
    ("hl7_sends_adt", "sends HL7 admissions (ADT)"),
    ("hl7_sends_orders", "sends HL7 orders"),
    ("hl7_sends_results", "sends HL7 results (ORU)"),
    ("modbus_client", "commands Modbus controllers"),
    ("mqtt_publisher", "publishes over MQTT"),
    ("named_dns", "is named as DNS server by DHCP"),
    ("named_router", "is named as router by DHCP"),
    ("sends_infusion", "sends infusion programmes or their state"),
    ("sends_vitals", "sends vital signs"),
    ("serves_files", "serves files to other devices"),
    ("snmp_manager", "supervises others by SNMP"),
    ("uses_files", "opens files of a server"),
];

/// The code as it stands in [`ALL`].
pub(super) fn known(code: &str) -> Option<&'static str> {
    let at = ALL.binary_search_by(|(known, _)| (*known).cmp(code)).ok()?;
    ALL.get(at).map(|(known, _)| *known)
}

/// A behaviour in English.
pub(super) fn text(code: &str) -> &'static str {
    let found = ALL.binary_search_by(|(known, _)| (*known).cmp(code));
    found
        .ok()
        .and_then(|at| ALL.get(at))
        .map_or("", |(_, text)| *text)
}

type Say<'s> = &'s mut dyn FnMut(End, &'static str);

/// Calls `say` with every behaviour that an event shows.
pub(super) fn each(body: &Body, say: Say<'_>) {
    match body {
        Body::Medical(medical) => of_medical(medical, say),
        Body::Smb(smb) => of_smb(smb, say),
        Body::Http(http) => of_http(http, say),
        Body::Network(network) => of_network(network, say),
        // DHCP names devices that are no end of the conversation: the inventory does it.
        Body::Dhcp(_)
        | Body::Dns(_)
        | Body::Ssh(_)
        | Body::Ftp(_)
        | Body::Email(_)
        | Body::Ntp(_)
        | Body::Rdp(_)
        | Body::Authentication(_)
        | Body::Inventory(_)
        | Body::Tunnel(_) => {}
    }
}

fn of_medical(m: &Medical, say: Say<'_>) {
    if !medical_answered(m) {
        return;
    }
    let from_server = m.sender.as_deref() == Some("server");
    let (sender, receiver) = if from_server {
        (End::Destination, End::Source)
    } else {
        (End::Source, End::Destination)
    };
    match &*m.standard {
        // What the called side sends answers a C-GET: it is told by that operation.
        "dicom" if from_server => {}
        "dicom" => of_dicom(m, say),
        "dicomweb" if is_success(m) => say(End::Destination, "dicomweb_scp"),
        "fhir" if is_success(m) => say(End::Destination, "fhir_server"),
        "hl7v2" => {
            if let Some(code) = of_message(m) {
                say(sender, code);
            }
            say(receiver, "hl7_receiver");
        }
        "astm" => {
            say(sender, "astm_sender");
            say(receiver, "astm_receiver");
        }
        _ => {}
    }
}

fn of_dicom(m: &Medical, say: Say<'_>) {
    const WORKLIST: &str = "1.2.840.10008.5.1.4.31";
    const STEP: &str = "1.2.840.10008.3.1.2.3.3";
    let class = m.sop_class_uid.as_deref().unwrap_or_default();
    let (client, server) = match m.operation.as_deref() {
        Some("C-STORE") => ("dicom_store_scu", "dicom_store_scp"),
        Some("C-FIND") if class == WORKLIST => ("dicom_worklist_scu", "dicom_worklist_scp"),
        Some("C-FIND") => ("dicom_query_scu", "dicom_query_scp"),
        Some("C-MOVE" | "C-GET") => ("dicom_retrieve_scu", "dicom_retrieve_scp"),
        Some("N-CREATE" | "N-SET") if class == STEP => {
            say(End::Source, "dicom_mpps_scu");
            return;
        }
        _ => return,
    };
    say(End::Source, client);
    say(End::Destination, server);
}

/// What kind of message a device sends: HL7 v2.5 chapters 3, 4, 7; IHE PCD-01 and PCD-03.
fn of_message(m: &Medical) -> Option<&'static str> {
    let trigger = m.trigger.as_deref().unwrap_or_default();
    match m.message_type.as_deref()? {
        "ADT" => Some("hl7_sends_adt"),
        "ORU" if matches!(trigger, "R40" | "R41" | "R42") => Some("sends_vitals"),
        "ORU" | "OUL" => Some("hl7_sends_results"),
        "ORM" | "OMG" | "OML" | "OMI" | "RDE" => Some("hl7_sends_orders"),
        "RGV" | "RGR" => Some("sends_infusion"),
        _ => None,
    }
}

fn is_success(m: &Medical) -> bool {
    m.status
        .as_deref()
        .is_some_and(|status| status.starts_with('2'))
}

fn of_smb(smb: &Smb, say: Say<'_>) {
    // A file that was opened has its size, its reads or its writes.
    let worked = smb.file.is_some() && (smb.file_bytes.is_some() || smb.reads.is_some());
    if worked && smb.share_type.as_deref() == Some("disk") {
        say(End::Source, "uses_files");
        say(End::Destination, "serves_files");
    }
}

fn of_http(http: &Http, say: Say<'_>) {
    let agent = http.user_agent.as_deref().unwrap_or_default();
    if agent.starts_with("Mozilla/") && http.code.is_some() {
        say(End::Source, "browses");
    }
}

fn of_network(network: &Network, say: Say<'_>) {
    let operation = network.operation.as_deref().unwrap_or_default();
    match &*network.about {
        "modbus" => say(End::Source, "modbus_client"),
        "snmp" if operation == "query" => say(End::Source, "snmp_manager"),
        "mqtt" if operation == "publish" => {
            let facts = network.facts.iter();
            let mut facts = facts.filter_map(|fact| model::fact::parts(fact));
            if facts.any(|(_, key, value)| (key, value) == ("from", "client")) {
                say(End::Source, "mqtt_publisher");
                let topic = network.object.as_ref().and_then(|topic| topic.reveal());
                if topic.is_some_and(|(_, topic)| is_vital(topic)) {
                    say(End::Source, "sends_vitals");
                }
            }
        }
        _ => {}
    }
}

/// True for a topic of which a level is a vital sign.
fn is_vital(topic: &str) -> bool {
    const SIGNS: [&str; 14] = [
        "vitals", "vital", "spo2", "ecg", "hr", "fc", "nibp", "ibp", "resp", "rr", "temp", "etco2",
        "pouls", "pulse",
    ];
    topic
        .split('/')
        .any(|level| SIGNS.iter().any(|sign| level.eq_ignore_ascii_case(sign)))
}
