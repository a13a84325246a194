//! SMB Activity: one operation on a share or a file.
//!
//! Enters: SMB2 and SMB3 commands. Leaves: OCSF class 4006. Refuses: file content, credentials.
//! Source: OCSF 1.8.0 `smb_activity`; [MS-SMB2].

use super::Class;
use crate::record::{Record, Text, record};
use crate::sensitive::Sensitive;

record! {
    /// One SMB operation with its answer.
    pub struct Smb {
        /// Command: `NEGOTIATE`, `SESSION_SETUP`, `TREE_CONNECT`, `CREATE`, `READ`, `WRITE`,
        /// `RENAME`, `DELETE`, `CLOSE`.
        command: Text => "smb_command", "command";
        /// Dialect agreed ("3.1.1").
        dialect: Option<Text> => "smb_dialect", "dialect";
        /// Dialects offered by the client.
        client_dialects: Vec<Text> => "smb_client_dialects", "client_dialects";
        /// Share, as `\\server\share`.
        share: Option<Sensitive> => "share", "share";
        /// Kind of share: `disk`, `pipe`, `print`.
        share_type: Option<Text> => "share_type", "share_type";
        /// Tree identifier, decimal.
        tree_uid: Option<Text> => "smb_tree", "tree_uid";
        /// How the file was opened ("open", "create", "overwrite", "supersede", "open_if").
        open_type: Option<Text> => "smb_open_type", "open_type";
        /// File or directory concerned, as a path within the share.
        file: Option<Sensitive> => "file_path", "file.path";
        /// Size of the file in bytes, at open or close.
        file_bytes: Option<u64> => "file_bytes", "file.size";
        /// Extension of the file's name, lower case, without the dot.
        file_ext: Option<Text> => "file_ext", "file.ext";
        /// Media type of what was moved, by its content.
        file_mime: Option<Text> => "file_mime", "file.mime_type";
        /// SHA-256 of what was moved, when it was all of the file and hashes were asked for.
        file_sha256: Option<Text> => "file_sha256", "file.hashes[].value";
        /// New path of a rename.
        renamed_to: Option<Sensitive> => "renamed_to", "unmapped.smb.renamed_to";
        /// Bytes read between open and close, or by this command.
        read_bytes: Option<u64> => "smb_read_bytes", "unmapped.smb.read_bytes";
        /// Bytes written between open and close, or by this command.
        write_bytes: Option<u64> => "smb_write_bytes", "unmapped.smb.write_bytes";
        /// Read commands between open and close.
        reads: Option<u32> => "smb_reads", "unmapped.smb.reads";
        /// Write commands between open and close.
        writes: Option<u32> => "smb_writes", "unmapped.smb.writes";
        /// User that the session belongs to, as `DOMAIN\user`.
        user: Option<Sensitive> => "smb_user", "unmapped.smb.user";
        /// Workstation name that the client gave in NTLMSSP.
        workstation: Option<Text> => "workstation", "unmapped.smb.workstation";
        /// Session identifier, hexadecimal.
        session: Option<Text> => "smb_session", "unmapped.smb.session";
        /// True when the session or the message is encrypted.
        encrypted: Option<bool> => "smb_encrypted", "unmapped.smb.encrypted";
        /// True when messages are signed.
        signed: Option<bool> => "smb_signed", "unmapped.smb.signed";
        /// Operating system version that the server gave in NTLMSSP ("10.0.17763").
        server_os: Option<Text> => "server_os", "unmapped.smb.server_os";
        /// Computer name that the server gave in NTLMSSP.
        server_name: Option<Text> => "server_name", "unmapped.smb.server_name";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.smb.anomalies";
        /// Type of what was moved, by its content ("pdf", "pe", "docx").
        file_type: Option<Text> => "file_type", "unmapped.file.type";
        /// `truncated`, or `incomplete: ` and why; absent when the whole of it was seen.
        file_state: Option<Text> => "file_state", "unmapped.file.state";
    }
}

/// OCSF SMB Activity.
pub(super) static CLASS: Class = Class {
    uid: 4006,
    name: "smb_activity",
    caption: "SMB Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[
        (1, "File Supersede"),
        (2, "File Open"),
        (3, "File Create"),
        (4, "File Open If"),
        (5, "File Overwrite"),
        (6, "File Overwrite If"),
    ],
    fields: Smb::FIELDS,
};
