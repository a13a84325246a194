//! Medical Exchange Activity: one DICOM operation, HL7 v2 or ASTM message, DICOMweb or FHIR
//! interaction, with its answer.
//!
//! Enters: DICOM associations and DIMSE commands, HL7 v2 messages and acknowledgements, ASTM
//! records, heads and bounded bodies of HTTP exchanges.
//! Leaves: class 99904001 of the `health` extension. Refuses: patient identities in the clear.
//! Source: `docs/ocsf-health/`; DICOM PS3.7, PS3.8, PS3.18; HL7 v2.5.1 chapter 2; HL7 FHIR R4;
//! CLSI LIS1-A2, LIS2-A2.

use super::Class;
use crate::record::{Record, Text, record};
use crate::sensitive::Sensitive;

record! {
    /// One medical exchange.
    pub struct Medical {
        /// `dicom`, `dicomweb`, `hl7v2`, `fhir` or `astm`.
        standard: Text => "med_standard", "medical.standard";
        /// `ASSOCIATE`, `C-ECHO`, `C-STORE`, `C-FIND`, `C-MOVE`, `C-GET`, `N-...`; HL7, ASTM:
        /// `MESSAGE`; DICOMweb: `search`, `retrieve`, `store`, `worklist`; FHIR: the interaction.
        operation: Option<Text> => "med_operation", "medical.operation";
        /// HL7 message code, MSH-9.1 ("ADT").
        message_type: Option<Text> => "message_type", "medical.message_type";
        /// HL7 trigger event, MSH-9.2 ("A01"); FHIR: name of the operation called ("$everything").
        trigger: Option<Text> => "trigger", "medical.trigger";
        /// HL7 message control identifier, MSH-10.
        control_id: Option<Text> => "control_id", "medical.control_id";
        /// HL7 acknowledgement code, MSA-1 ("AA"); absent when no answer was seen.
        ack_code: Option<Text> => "ack_code", "medical.ack_code";
        /// Milliseconds from message to acknowledgement.
        ack_delay_ms: Option<i64> => "ack_delay_ms", "medical.ack_delay_ms";
        /// Application entity title of the association's requestor.
        calling_ae: Option<Text> => "calling_ae", "medical.calling_ae";
        /// Application entity title that was called.
        called_ae: Option<Text> => "called_ae", "medical.called_ae";
        /// SOP class concerned.
        sop_class_uid: Option<Text> => "sop_class", "medical.sop_class_uid";
        /// DIMSE status of the final answer, "0x0000"; `rejected`, `aborted` for associations; HTTP
        /// status code for DICOMweb and FHIR.
        status: Option<Text> => "med_status", "medical.status";
        /// Objects concerned: instances stored, matches returned, sub-operations completed.
        object_count: Option<u32> => "object_count", "medical.object_count";
        /// Bytes of data sets in both directions.
        bytes: Option<u64> => "med_bytes", "medical.bytes";
        /// HL7 sending application, MSH-3.
        sending_app: Option<Text> => "sending_app", "medical.sending_app";
        /// HL7 sending facility, MSH-4.
        sending_facility: Option<Text> => "sending_facility", "medical.sending_facility";
        /// HL7 receiving application, MSH-5.
        receiving_app: Option<Text> => "receiving_app", "medical.receiving_app";
        /// HL7 receiving facility, MSH-6.
        receiving_facility: Option<Text> => "receiving_facility", "medical.receiving_facility";
        /// Patient concerned; shown as a token.
        patient: Option<Sensitive> => "patient", "medical.patient_token";
        /// HL7 version, MSH-12.
        version: Option<Text> => "med_version", "medical.version";
        /// HL7 processing identifier, MSH-11 ("P", "T", "D").
        processing_id: Option<Text> => "processing_id", "medical.processing_id";
        /// Name of the patient as the exchange states it.
        patient_name: Option<Sensitive> => "patient_name", "medical.patient_name";
        /// Implementation class UID of the requestor.
        calling_implementation: Option<Text> => "calling_impl", "medical.calling_implementation";
        /// Implementation class UID of the acceptor.
        called_implementation: Option<Text> => "called_impl", "medical.called_implementation";
        /// Implementation version name of the requestor.
        calling_version: Option<Text> => "calling_impl_name",
            "medical.calling_implementation_version";
        /// Implementation version name of the acceptor.
        called_version: Option<Text> => "called_impl_name", "medical.called_implementation_version";
        /// Presentation contexts: abstract syntaxes proposed.
        abstract_syntaxes: Vec<Text> => "abstract_syntaxes", "medical.abstract_syntaxes";
        /// Presentation contexts: results, same order ("accepted",
        /// "abstract-syntax-not-supported").
        context_results: Vec<Text> => "context_results", "medical.context_results";
        /// Transfer syntax of the data set, or those accepted.
        transfer_syntaxes: Vec<Text> => "transfer_syntaxes", "medical.transfer_syntaxes";
        /// DICOM modality stated by the exchange ("CT").
        modality: Option<Text> => "modality", "medical.modality";
        /// Query/retrieve level ("STUDY").
        query_level: Option<Text> => "query_level", "medical.query_level";
        /// Destination application entity of a C-MOVE.
        move_destination: Option<Text> => "move_destination", "medical.move_destination";
        /// Manufacturer, model and station as the data set states them.
        manufacturer: Option<Text> => "manufacturer", "medical.manufacturer";
        /// Model name as the data set states it.
        model: Option<Text> => "device_model", "medical.model";
        /// Study concerned.
        study_uid: Option<Text> => "study_uid", "medical.study_uid";
        /// FHIR resource type ("Patient"); ASTM: kind of records (`result`, `order`, `query`).
        resource_type: Option<Text> => "resource_type", "medical.resource_type";
        /// Series concerned.
        series_uid: Option<Text> => "series_uid", "medical.series_uid";
        /// Station name as the data set states it.
        station: Option<Text> => "station", "medical.station";
        /// Serial number of the device as the exchange states it.
        serial: Option<Text> => "device_serial", "medical.serial_number";
        /// Software version of the device as the exchange states it.
        software: Option<Text> => "device_software", "medical.software_version";
        /// Department as the exchange states it.
        department: Option<Text> => "department", "medical.department";
        /// HL7 patient class, PV1-2 ("I", "O", "E").
        patient_class: Option<Text> => "patient_class", "medical.patient_class";
        /// HL7 point of care, PV1-3.1.
        point_of_care: Option<Text> => "point_of_care", "medical.point_of_care";
        /// Who sent the message: `client` or `server` of the connection.
        sender: Option<Text> => "sender", "medical.sent_by";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.medical.anomalies";
        /// Octets of the object or message handed on as a file.
        file_bytes: Option<u64> => "file_bytes", "unmapped.file.bytes";
        /// SHA-256 of it; of a DICOM object, as a part 10 file; absent unless asked for.
        file_sha256: Option<Text> => "file_sha256", "unmapped.file.sha256";
        /// Type of it (`dicom`, `hl7`).
        file_type: Option<Text> => "file_type", "unmapped.file.type";
        /// `truncated`, or `incomplete: ` and why; absent when the whole of it was seen.
        file_state: Option<Text> => "file_state", "unmapped.file.state";
    }
}

/// Medical Exchange Activity of the `health` extension.
pub(super) static CLASS: Class = Class {
    uid: 99_904_001,
    name: "medical_exchange_activity",
    caption: "Medical Exchange Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[
        (1, "Associate"),
        (2, "Verify"),
        (3, "Store"),
        (4, "Query"),
        (5, "Retrieve"),
        (6, "Message"),
        (7, "Manage"),
    ],
    fields: Medical::FIELDS,
};
