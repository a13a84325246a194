//! What OCSF asks for beside a field: constants, siblings, stand-ins for required members.
//!
//! Enters: a path of a field table. Leaves: JSON members. Refuses: nothing; an unlisted path has no
//! companion. Source: OCSF 1.8.0 `requirement` and `constraints` of classes and objects, which
//! `tests/ocsf_schema.rs` checks.

use super::Clearance;
use super::json;
use super::write::display;
use crate::class::Class;
use crate::record::Cell;
use crate::sensitive::Shape;

/// Writes members that follow from a field's value, each with its comma.
pub(super) type Derive = fn(Cell<'_>, Clearance, &mut Vec<u8>);

/// Members that an object always has, without braces, each with its comma.
pub(super) fn constants(object: &str) -> &'static str {
    match object {
        "tls.ja3_hash" | "tls.ja3s_hash" => r#""algorithm_id":1,"algorithm":"MD5","#,
        "client_hassh.fingerprint" | "server_hassh.fingerprint" => {
            r#""algorithm_id":20,"algorithm":"HASSH","#
        }
        "tls.certificate.fingerprints[]" | "file.hashes[]" => {
            r#""algorithm_id":3,"algorithm":"SHA-256","#
        }
        "device" | "device.os" | "file" => r#""type_id":0,"#,
        // Addresses stand masked beside it; OCSF asks for one of `from` and `to`.
        "email" => r#""to":[],"#,
        _ => "",
    }
}

/// Members, each with its comma, that stand in its object for a field which the object must have
/// and which was not seen. What stands there under the field's own key is read back as absence.
pub(super) fn stand_in(path: &str) -> Option<&'static str> {
    match path {
        "src_endpoint.ip" | "dst_endpoint.ip" => Some(r#""name":"unknown","#),
        "tls.version" => Some(r#""version":"Unknown","#),
        "tls.certificate.issuer" => Some(r#""issuer":"Unknown","#),
        "tls.certificate.serial_number" => Some(r#""serial_number":"Unknown","#),
        "http_request.url.path" => Some(r#""path":"","#),
        "query.hostname" => Some(r#""hostname":"Unknown","#),
        "file.path" => Some(r#""path":"","name":"","#),
        "file.name" => Some(r#""name":"","#),
        "user.name" => Some(r#""name":"Unknown","#),
        "http_response.code" => Some(r#""code":0,"#),
        _ => None,
    }
}

/// The object, whole, that a class must have and that stands there when nothing of it was seen.
pub(super) fn required(class_uid: u32) -> Option<(&'static str, &'static str)> {
    match class_uid {
        3002 => Some(("user.", r#""user":{"name":"Unknown"},"#)),
        4009 => Some(("email.", r#""email":{"to":[]},"#)),
        _ => None,
    }
}

/// Where a field stands in a class: what OCSF gives only to network classes is unmapped elsewhere.
pub(super) fn place(class: &Class, path: &'static str) -> &'static str {
    let of_mail = class.uid == EMAIL;
    match path {
        _ if class.category_uid != IDENTITY && !of_mail => path,
        "connection_info.direction_id" if of_mail => MAIL_DIRECTION,
        "app_protocol_name" if of_mail => "protocol_name",
        "connection_info.uid" => "unmapped.connection_info.uid",
        "connection_info.community_uid" => "unmapped.connection_info.community_uid",
        ALWAYS => "unmapped.connection_info.protocol_num",
        "connection_info.direction_id" => "unmapped.connection_info.direction_id",
        "app_protocol_name" => "unmapped.app_protocol_name",
        _ => path,
    }
}

/// Path that is written of every connection.
pub(super) const ALWAYS: &str = "connection_info.protocol_num";
/// Direction of a mail, whose class has no connection.
const MAIL_DIRECTION: &str = "direction_id";
/// OCSF Email Activity.
const EMAIL: u32 = 4009;
/// OCSF category whose classes have endpoints but no connection.
const IDENTITY: u32 = 3;

/// The siblings of a field.
pub(super) fn derived(path: &str) -> Option<Derive> {
    match path {
        "connection_info.protocol_num" => Some(protocol_name),
        "connection_info.direction_id" => Some(direction),
        MAIL_DIRECTION => Some(mail_direction),
        "stratum_id" => Some(stratum),
        "file.path" => Some(file_name),
        "share_type" => Some(share_type),
        "auth_protocol" => Some(auth_protocol),
        "logon_type_id" => Some(logon_type),
        "tls.certificate.sans[].name" => Some(san_type),
        "query.opcode_id" => Some(opcode),
        _ => None,
    }
}

/// The numbers that OCSF names at this path; a number beyond them is written as 99 there.
pub(super) fn named(path: &str) -> Option<&'static [std::ops::RangeInclusive<u64>]> {
    match path {
        "connection_info.direction_id" => Some(&[0..=4, 99..=99]),
        "query.opcode_id" => Some(&[0..=6, 99..=99]),
        "logon_type_id" => Some(&[0..=5, 7..=13, 99..=99]),
        "stratum_id" => Some(&[0..=2, 16..=17, 99..=99]),
        "tunnel_type_id" => Some(&[0..=2, 99..=99]),
        "rcode_id" => Some(&[0..=11, 16..=25, 99..=99]),
        _ => None,
    }
}

/// What kind of text a sensitive column holds, for clear values read back.
pub(super) fn shape(column: &str) -> Shape {
    match column {
        "url_path" | "file_path" | "renamed_to" | "share" | "ftp_path" | "attachment_names"
        | "file_name" | "upload_name" => Shape::Path,
        "url_query" => Shape::Query,
        "patient" => Shape::Patient,
        _ => Shape::Text,
    }
}

fn member(out: &mut Vec<u8>, text: &'static str) {
    out.extend_from_slice(text.as_bytes());
}

fn protocol_name(cell: Cell<'_>, _: Clearance, out: &mut Vec<u8>) {
    if let Cell::U64(number) = cell {
        member(
            out,
            match number {
                1 => r#""protocol_name":"icmp","#,
                2 => r#""protocol_name":"igmp","#,
                6 => r#""protocol_name":"tcp","#,
                17 => r#""protocol_name":"udp","#,
                47 => r#""protocol_name":"gre","#,
                50 => r#""protocol_name":"esp","#,
                51 => r#""protocol_name":"ah","#,
                58 => r#""protocol_name":"ipv6-icmp","#,
                89 => r#""protocol_name":"ospf","#,
                132 => r#""protocol_name":"sctp","#,
                _ => "",
            },
        );
    }
}

fn direction(cell: Cell<'_>, _: Clearance, out: &mut Vec<u8>) {
    if let Cell::U64(id) = cell {
        member(
            out,
            match id {
                0 => r#""direction":"Unknown","#,
                1 => r#""direction":"Inbound","#,
                2 => r#""direction":"Outbound","#,
                3 => r#""direction":"Lateral","#,
                4 => r#""direction":"Local","#,
                _ => r#""direction":"Other","#,
            },
        );
    }
}

/// OCSF calls a lateral mail internal.
fn mail_direction(cell: Cell<'_>, clearance: Clearance, out: &mut Vec<u8>) {
    if let Cell::U64(3) = cell {
        member(out, r#""direction":"Internal","#);
    } else {
        direction(cell, clearance, out);
    }
}

fn stratum(cell: Cell<'_>, _: Clearance, out: &mut Vec<u8>) {
    if let Cell::U64(id) = cell {
        member(
            out,
            match id {
                0 => r#""stratum":"Unknown","#,
                1 => r#""stratum":"Primary Server","#,
                2 => r#""stratum":"Secondary Server","#,
                16 => r#""stratum":"Unsynchronized","#,
                17 => r#""stratum":"Reserved","#,
                _ => r#""stratum":"Other","#,
            },
        );
    }
}

fn opcode(cell: Cell<'_>, _: Clearance, out: &mut Vec<u8>) {
    if let Cell::U64(id) = cell {
        member(
            out,
            match id {
                0 => r#""opcode":"Query","#,
                1 => r#""opcode":"Inverse Query","#,
                2 => r#""opcode":"Status","#,
                3 => r#""opcode":"Reserved","#,
                4 => r#""opcode":"Notify","#,
                5 => r#""opcode":"Update","#,
                6 => r#""opcode":"DSO Message","#,
                _ => r#""opcode":"Other","#,
            },
        );
    }
}

fn share_type(cell: Cell<'_>, _: Clearance, out: &mut Vec<u8>) {
    if let Cell::Text(name) = cell {
        member(
            out,
            match name {
                "disk" => r#""share_type_id":1,"#,
                "pipe" => r#""share_type_id":2,"#,
                "print" => r#""share_type_id":3,"#,
                _ => r#""share_type_id":99,"#,
            },
        );
    }
}

fn auth_protocol(cell: Cell<'_>, _: Clearance, out: &mut Vec<u8>) {
    if let Cell::Text(name) = cell {
        member(
            out,
            match name {
                "NTLM" => r#""auth_protocol_id":1,"#,
                "Kerberos" => r#""auth_protocol_id":2,"#,
                "Digest" => r#""auth_protocol_id":3,"#,
                "OpenID" => r#""auth_protocol_id":4,"#,
                "SAML" => r#""auth_protocol_id":5,"#,
                "OAUTH 2.0" => r#""auth_protocol_id":6,"#,
                "PAP" => r#""auth_protocol_id":7,"#,
                "CHAP" => r#""auth_protocol_id":8,"#,
                "EAP" => r#""auth_protocol_id":9,"#,
                "RADIUS" => r#""auth_protocol_id":10,"#,
                "Basic Authentication" => r#""auth_protocol_id":11,"#,
                "LDAP" => r#""auth_protocol_id":12,"#,
                _ => r#""auth_protocol_id":99,"#,
            },
        );
    }
}

fn logon_type(cell: Cell<'_>, _: Clearance, out: &mut Vec<u8>) {
    if let Cell::U64(id) = cell {
        member(
            out,
            match id {
                0 => r#""logon_type":"Unknown","#,
                1 => r#""logon_type":"System","#,
                2 => r#""logon_type":"Interactive","#,
                3 => r#""logon_type":"Network","#,
                4 => r#""logon_type":"Batch","#,
                5 => r#""logon_type":"OS Service","#,
                7 => r#""logon_type":"Unlock","#,
                8 => r#""logon_type":"Network Cleartext","#,
                9 => r#""logon_type":"New Credentials","#,
                10 => r#""logon_type":"Remote Interactive","#,
                11 => r#""logon_type":"Cached Interactive","#,
                12 => r#""logon_type":"Cached Remote Interactive","#,
                13 => r#""logon_type":"Cached Unlock","#,
                _ => r#""logon_type":"Other","#,
            },
        );
    }
}

/// `file.name` is the last part of the path as it is shown.
fn file_name(cell: Cell<'_>, clearance: Clearance, out: &mut Vec<u8>) {
    let Cell::Sensitive(path) = cell else {
        return;
    };
    let name = display(path, clearance)
        .rsplit(['\\', '/'])
        .next()
        .unwrap_or("");
    member(out, r#""name":"#);
    json::text(out, name);
    out.push(b',');
}

fn san_type(cell: Cell<'_>, _: Clearance, out: &mut Vec<u8>) {
    if let Cell::Text(name) = cell {
        let kind = if name.parse::<std::net::IpAddr>().is_ok() {
            r#""type":"IP","#
        } else if name.contains("://") {
            r#""type":"URI","#
        } else if name.contains('@') {
            r#""type":"email","#
        } else {
            r#""type":"DNS","#
        };
        member(out, kind);
    }
}
