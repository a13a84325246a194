//! FTP Activity: one command on a file or a directory, with its answers.
//!
//! Enters: FTP and TFTP exchanges. Leaves: OCSF class 4008. Refuses: passwords, contents of files.
//! Source: OCSF 1.8.0 `ftp_activity`; RFC 959, RFC 2389, RFC 2428, RFC 1350.

use std::net::IpAddr;

use super::Class;
use crate::record::{Record, Text, record};
use crate::sensitive::Sensitive;

record! {
    /// One exchange of FTP.
    pub struct Ftp {
        /// Command, upper case.
        command: Option<Text> => "ftp_command", "command";
        /// Codes of the answers, in order.
        codes: Vec<u64> => "ftp_codes", "codes";
        /// Port of the data connection that belongs to it.
        data_port: Option<u16> => "ftp_data_port", "port";
        /// How the data connection is opened: `active`, `passive`; mode of a TFTP transfer.
        mode: Option<Text> => "ftp_mode", "type";
        /// Path that the command names.
        path: Option<Sensitive> => "ftp_path", "file.path";
        /// Size in bytes that an answer stated, or that was transferred.
        bytes: Option<u64> => "ftp_bytes", "file.size";
        /// Extension of the file's name, lower case, without the dot.
        file_ext: Option<Text> => "file_ext", "file.ext";
        /// Media type of what was moved, by its content.
        file_mime: Option<Text> => "file_mime", "file.mime_type";
        /// SHA-256 of what was moved, when it was all of the file and hashes were asked for.
        file_sha256: Option<Text> => "file_sha256", "file.hashes[].value";
        /// New path of a rename.
        renamed_to: Option<Sensitive> => "renamed_to", "unmapped.ftp.renamed_to";
        /// Address that was named for the data connection.
        data_ip: Option<IpAddr> => "ftp_data_ip", "unmapped.ftp.data_ip";
        /// User logged in.
        user: Option<Sensitive> => "ftp_user", "unmapped.ftp.user";
        /// Greeting of the server.
        banner: Option<Text> => "ftp_banner", "unmapped.ftp.banner";
        /// System that the server said it is (SYST).
        system: Option<Text> => "ftp_system", "unmapped.ftp.system";
        /// Anomalies met, as codes.
        anomalies: Vec<Text> => "anomalies", "unmapped.ftp.anomalies";
        /// Type of what was moved, by its content ("pdf", "pe", "docx").
        file_type: Option<Text> => "file_type", "unmapped.file.type";
        /// `truncated`, or `incomplete: ` and why; absent when the whole of it was seen.
        file_state: Option<Text> => "file_state", "unmapped.file.state";
    }
}

/// OCSF FTP Activity.
pub(super) static CLASS: Class = Class {
    uid: 4008,
    name: "ftp_activity",
    caption: "FTP Activity",
    category_uid: 4,
    category: "Network Activity",
    network: true,
    activities: &[
        (1, "Put"),
        (2, "Get"),
        (3, "Poll"),
        (4, "Delete"),
        (5, "Rename"),
        (6, "List"),
    ],
    fields: Ftp::FIELDS,
};
