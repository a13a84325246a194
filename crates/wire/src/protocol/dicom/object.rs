//! Objects that C-STORE moves, as part 10 files.
//!
//! Enters: data sets of C-STORE requests. Leaves: the file's facts: preamble, file meta information
//! made from the command and the presentation context, then the data set as it crossed the wire.
//! Refuses: data sets of other operations: they are questions and answers, no objects.
//! Source: DICOM PS3.10 section 7.1.

use crate::file::{Carver, Coding, Meta, kind};
use crate::protocol::{Context, Side};

/// C-STORE-RQ.
const STORE: u16 = 1;
/// Who made the file meta information (0002,0012): 2.25 and a random number of our own.
const IMPLEMENTATION: &str = "2.25.173291847015283940172635491827364551902";

/// The object that a data set is, when the command says that it is one.
pub(super) fn begin(
    (field, response): (u16, bool),
    (class, instance): (Option<&str>, Option<&str>),
    syntax: Option<&str>,
    (sender, cx): (Side, &Context<'_>),
) -> Option<Box<Carver>> {
    if field != STORE || response {
        return None;
    }
    let meta = Meta {
        time: cx.now,
        protocol: "dicom",
        sender,
        hosts: cx.hosts,
        ports: [cx.client_port, cx.server_port],
        name: instance,
        mime: Some(kind::DICOM.mime),
        bytes: None,
    };
    let mut carver = Carver::begin(&cx.files.policy, Coding::Plain, &meta).of(kind::DICOM);
    let head = head(class, instance, syntax);
    if carver.wants() > 0 {
        carver.bytes(&head);
    } else {
        carver.pass(u64::try_from(head.len()).unwrap_or(0));
    }
    if syntax.is_none() {
        carver.spoil("transfer syntax unknown");
    }
    Some(Box::new(carver))
}

/// What stands before the data set in a file.
fn head(class: Option<&str>, instance: Option<&str>, syntax: Option<&str>) -> Vec<u8> {
    let mut group = Vec::with_capacity(256);
    element(&mut group, 0x01, b"OB", &[0, 1]);
    let uids = [
        (0x02, class),
        (0x03, instance),
        (0x10, syntax),
        (0x12, Some(IMPLEMENTATION)),
    ];
    for (number, uid) in uids {
        if let Some(uid) = uid {
            element(&mut group, number, b"UI", uid.as_bytes());
        }
    }
    let mut out = vec![0; 128];
    out.extend_from_slice(b"DICM");
    let length = u32::try_from(group.len()).unwrap_or(u32::MAX);
    element(&mut out, 0x00, b"UL", &length.to_le_bytes());
    out.extend_from_slice(&group);
    out
}

/// One element of group 2, explicit little endian, padded to an even length.
fn element(out: &mut Vec<u8>, number: u8, vr: &[u8; 2], value: &[u8]) {
    out.extend_from_slice(&[2, 0, number, 0]);
    out.extend_from_slice(vr);
    let length = value.len() + value.len() % 2;
    if vr == b"OB" {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&u32::try_from(length).unwrap_or(0).to_le_bytes());
    } else {
        out.extend_from_slice(&u16::try_from(length).unwrap_or(0).to_le_bytes());
    }
    out.extend_from_slice(value);
    if length > value.len() {
        out.push(0);
    }
}
