//! Device Inventory Info: what is known of an asset, and from what.
//!
//! Enters: bindings seen by ARP and neighbour discovery, attributes that protocols state.
//! Leaves: OCSF class 5001. Refuses: guesses without provenance.
//! Source: OCSF 1.8.0 `inventory_info`; `DESIGN.md` section 5.

use std::net::IpAddr;

use super::Class;
use crate::net::Mac;
use crate::record::{Record, Text, record};
use crate::time::Millis;

record! {
    /// Attributes of one asset, with the provenance of each.
    pub struct Inventory {
        /// Identity of the asset: its hardware address when known, else its address.
        asset: Text => "asset", "device.uid";
        /// Address.
        ip: Option<IpAddr> => "device_ip", "device.ip";
        /// Hardware address.
        mac: Option<Mac> => "device_mac", "device.mac";
        /// Best host name known.
        hostname: Option<Text> => "hostname", "device.hostname";
        /// Vendor of the network interface or of the device.
        vendor: Option<Text> => "vendor", "device.vendor_name";
        /// Model.
        model: Option<Text> => "model", "device.model";
        /// When it was first seen.
        first_seen: Option<Millis> => "first_seen", "device.first_seen_time";
        /// When it was last seen.
        last_seen: Option<Millis> => "last_seen", "device.last_seen_time";
        /// Zone by configuration.
        zone: Option<Text> => "zone", "device.zone";
        /// Every address known.
        ips: Vec<IpAddr> => "device_ips", "unmapped.device.ips";
        /// Role, if the evidence names one.
        role: Option<Text> => "role", "unmapped.device.role";
        /// Protocols that it speaks as a client.
        speaks: Vec<Text> => "speaks", "unmapped.device.speaks";
        /// Protocols that it serves, as `proto/port`.
        serves: Vec<Text> => "serves", "unmapped.device.serves";
        /// Distinct peers seen, an estimate beyond the limit of exact counting.
        peers: Option<u64> => "peers", "unmapped.device.peers";
        /// Bytes sent and received.
        bytes: Option<u64> => "device_bytes", "unmapped.device.bytes";
        /// Provenance: attributes.
        provenance_attribute: Vec<Text> => "provenance_attributes",
            "unmapped.provenance[].attribute";
        /// Provenance: values.
        provenance_value: Vec<Text> => "provenance_values", "unmapped.provenance[].value";
        /// Provenance: confidence, 0 to 100.
        provenance_confidence: Vec<u64> => "provenance_confidences",
            "unmapped.provenance[].confidence";
        /// Provenance: where the value was read.
        provenance_source: Vec<Text> => "provenance_sources", "unmapped.provenance[].source";
        /// Family of its operating system ("Windows", "Linux").
        os: Option<Text> => "device_os", "device.os.name";
        /// Version or build of its operating system.
        os_version: Option<Text> => "device_os_version", "unmapped.asset.os_version";
        /// Serial number.
        serial: Option<Text> => "asset_serial", "device.hw_info.serial_number";
        /// Firmware or software version of the device.
        firmware: Option<Text> => "device_firmware", "unmapped.asset.firmware";
        /// Department that it belongs to.
        department: Option<Text> => "device_department", "unmapped.asset.department";
        /// What it was seen doing, as `behaviour=peers` ("dicom_store_scp=3").
        behaviours: Vec<Text> => "behaviours", "unmapped.asset.behaviours";
        /// What changed, when the event tells a change: `new_device`, `new_service`, `new_peer`,
        /// `changed_identity`, `address_moved`, `duplicate_address`, `ae_title_shared`,
        /// `host_name_shared`, `merged`, `split`.
        change: Option<Text> => "change", "unmapped.change.kind";
        /// Attribute that changed.
        change_attribute: Option<Text> => "change_attribute", "unmapped.change.attribute";
        /// Its value, or the other device concerned, before.
        change_before: Option<Text> => "change_before", "unmapped.change.before";
        /// Its value now.
        change_after: Option<Text> => "change_after", "unmapped.change.after";
        /// What the change was read from.
        change_source: Option<Text> => "change_source", "unmapped.change.source";
    }
}

/// OCSF Device Inventory Info.
pub(super) static CLASS: Class = Class {
    uid: 5001,
    name: "inventory_info",
    caption: "Device Inventory Info",
    category_uid: 5,
    category: "Discovery",
    network: false,
    activities: &[(1, "Log"), (2, "Collect")],
    fields: Inventory::FIELDS,
};
