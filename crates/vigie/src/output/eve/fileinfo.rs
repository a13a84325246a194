//! The files of an event, as Suricata's `fileinfo` records.
//!
//! Enters: an event. Leaves: one record a file. Refuses: names in the clear unless asked for.
//! Source: Suricata 8 user guide, EVE JSON format, event type `fileinfo`. `filetype` is ours: the
//! type by content; Suricata's `magic` is libmagic's sentence, which we do not make.

use model::class::{Body, Email, Http};
use model::{Event, Sensitive, Text};
use serde_json::{Value, json};

use super::super::table::shown;

/// One file.
struct File<'a> {
    name: Option<&'a Sensitive>,
    kind: Option<&'a Text>,
    bytes: Option<u64>,
    sha256: Option<&'a Text>,
    state: Option<&'a Text>,
    transaction: Option<u32>,
}

/// The records of an event; none when it moved no file.
pub(super) fn of(event: &Event, clear: bool) -> Vec<Value> {
    let files = match &event.body {
        Body::Http(http) => bodies(http),
        Body::Smb(smb) => vec![File {
            name: smb.file.as_ref(),
            kind: smb.file_type.as_ref(),
            bytes: smb.file_bytes,
            sha256: smb.file_sha256.as_ref(),
            state: smb.file_state.as_ref(),
            transaction: None,
        }],
        Body::Ftp(ftp) => vec![File {
            name: ftp.path.as_ref(),
            kind: ftp.file_type.as_ref(),
            bytes: ftp.bytes,
            sha256: ftp.file_sha256.as_ref(),
            state: ftp.file_state.as_ref(),
            transaction: None,
        }],
        Body::Medical(medical) => vec![File {
            name: None,
            kind: medical.file_type.as_ref(),
            bytes: medical.file_bytes,
            sha256: medical.file_sha256.as_ref(),
            state: medical.file_state.as_ref(),
            transaction: None,
        }],
        Body::Email(mail) => attachments(mail),
        Body::Authentication(_)
        | Body::Network(_)
        | Body::Dns(_)
        | Body::Dhcp(_)
        | Body::Ssh(_)
        | Body::Ntp(_)
        | Body::Rdp(_)
        | Body::Tunnel(_)
        | Body::Inventory(_) => Vec::new(),
    };
    let records = files.iter().filter_map(|file| file.record(clear));
    records.collect()
}

/// The bodies of an answer and of its request.
fn bodies(http: &Http) -> Vec<File<'_>> {
    vec![
        File {
            name: http.file_name.as_ref().or(http.path.as_ref()),
            kind: http.file_type.as_ref(),
            bytes: http.file_bytes,
            sha256: http.file_sha256.as_ref(),
            state: http.file_state.as_ref(),
            transaction: http.transaction,
        },
        File {
            name: http.upload_name.as_ref().or(http.path.as_ref()),
            kind: http.upload_type.as_ref(),
            bytes: http.upload_bytes,
            sha256: http.upload_sha256.as_ref(),
            state: http.upload_state.as_ref(),
            transaction: http.transaction,
        },
    ]
}

fn attachments(mail: &Email) -> Vec<File<'_>> {
    let hash = |at| mail.attachment_sha256.get(at);
    let state = |at| mail.attachment_states.get(at);
    let kinds = mail.attachment_content.iter().enumerate();
    let files = kinds.map(|(at, kind)| File {
        name: None,
        kind: Some(kind),
        bytes: mail.attachment_bytes.get(at).copied(),
        sha256: hash(at).filter(|hash: &&Text| !hash.is_empty()),
        state: state(at).filter(|state: &&Text| *state != "complete"),
        transaction: None,
    });
    files.collect()
}

impl File<'_> {
    fn record(&self, clear: bool) -> Option<Value> {
        let kind = self.kind?;
        let state = self.state.map(|state| &**state);
        Some(json!({
            "filename": self.name.map(|name| shown(name, clear)),
            "gaps": state == Some("incomplete: gap"),
            "state": match state {
                None => "CLOSED",
                Some("truncated") => "TRUNCATED",
                Some(_) => "UNKNOWN",
            },
            "stored": false, "size": self.bytes, "sha256": self.sha256,
            "filetype": kind, "tx_id": self.transaction.map(|number| number.saturating_sub(1)),
        }))
    }
}
