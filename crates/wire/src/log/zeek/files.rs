//! `files`, `smb_files`, `smb_mapping`, `ftp`.
//!
//! Enters: files seen, operations on them. Leaves: network activity about files, SMB and FTP
//! activity, Authentication. Refuses: the password of FTP log-ins.
//! Source: Zeek documentation, "files.log", "smb_files.log", "smb_mapping.log", "ftp.log".

use model::class::{Authentication, Ftp, Network, Smb};
use model::fact::Facts;
use model::{Connection, Text};

use super::super::eve::ftp_activity;
use super::super::fields::{Fields, owned};
use super::super::names::app;
use super::super::said::{FAILURE, OTHER, SUCCESS, Said, TRAFFIC};

pub(super) fn files(file: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("file");
    facts.maybe("bytes", file.number("seen_bytes"));
    facts.maybe("total_bytes", file.number("total_bytes"));
    facts.maybe(
        "missing_bytes",
        file.number("missing_bytes").filter(|n| *n > 0),
    );
    facts.maybe("type", file.word("mime_type"));
    facts.maybe("md5", file.word("md5"));
    facts.maybe("sha1", file.word("sha1"));
    facts.maybe("sha256", file.word("sha256"));
    let missing = file.number("missing_bytes").unwrap_or(0) > 0;
    let body = Network {
        about: Text::Borrowed("file"),
        operation: file.text("source").map(app),
        object: file.path("filename"),
        facts: facts.take(),
        ..Network::default()
    };
    let status = if missing || file.flag("timedout") == Some(true) {
        FAILURE
    } else {
        SUCCESS
    };
    out.push(Said::new(TRAFFIC, body).status(status, None));
}

/// Older versions name the hosts of a file instead of its connection.
pub(super) fn ends(file: Fields<'_>, out: &mut Connection) {
    out.app = file.text("source").map_or(Text::Borrowed(""), app);
    if out.src_ip.is_some() {
        out.protocol = TCP;
        return;
    }
    let first = |key| file.ips(key).into_iter().next();
    let (sender, receiver) = (first("tx_hosts"), first("rx_hosts"));
    (out.src_ip, out.dst_ip) = match file.flag("is_orig") {
        Some(true) => (sender, receiver),
        Some(false) | None => (receiver, sender),
    };
    out.flow = file.words("conn_uids").into_iter().next();
}

pub(super) fn smb_files(smb: Fields<'_>, out: &mut Vec<Said>) {
    let action = smb.text("action").unwrap_or("");
    let action = action
        .trim_start_matches("SMB::")
        .trim_start_matches("FILE_");
    let (command, activity) = match action {
        "OPEN" => ("CREATE", 2),
        "READ" => ("READ", OTHER),
        "WRITE" => ("WRITE", OTHER),
        "RENAME" => ("RENAME", OTHER),
        "DELETE" => ("DELETE", OTHER),
        "CLOSE" => ("CLOSE", OTHER),
        "SET_ATTRIBUTE" => ("SET_INFO", OTHER),
        other => (other, OTHER),
    };
    let (old, new) = (smb.path("prev_name"), smb.path("name"));
    let renamed = old.is_some() && command == "RENAME";
    let body = Smb {
        command: owned(command),
        share: smb.path("path"),
        file_bytes: smb.number("size"),
        file: if renamed { old } else { new.clone() },
        renamed_to: if renamed { new } else { None },
        ..Smb::default()
    };
    out.push(Said::new(activity, body));
}

pub(super) fn smb_mapping(smb: Fields<'_>, out: &mut Vec<Said>) {
    let body = Smb {
        command: Text::Borrowed("TREE_CONNECT"),
        share: smb.path("path"),
        share_type: smb.lower("share_type"),
        ..Smb::default()
    };
    out.push(Said::new(OTHER, body));
}

pub(super) fn ftp(ftp: Fields<'_>, out: &mut Vec<Said>) {
    let command = ftp.text("command").unwrap_or("").to_ascii_uppercase();
    let code = ftp.number("reply_code");
    let good = code.map(|code| code < 400);
    let status = code.map(|code| Text::Owned(code.to_string()));
    let user = || {
        ftp.person("user")
            .filter(|_| ftp.text("user") != Some("<unknown>"))
    };
    if matches!(command.as_str(), "USER" | "PASS") {
        let login = Authentication {
            user: user(),
            auth_protocol: Some(Text::Borrowed("FTP")),
            is_cleartext: Some(true),
            is_remote: Some(true),
            logon_type: Some(NETWORK_CLEAR),
            service: Some(Text::Borrowed("ftp")),
            mechanism: Some(owned(&command)),
            ..Authentication::default()
        };
        return out.push(Said::new(LOGON, login).outcome(good, status));
    }
    let activity = ftp_activity(&command);
    let passive = ftp.flag("data_channel.passive");
    let body = Ftp {
        codes: code.into_iter().collect(),
        data_port: ftp.narrow("data_channel.resp_p"),
        data_ip: ftp.ip("data_channel.resp_h"),
        mode: passive.map(|on| Text::Borrowed(if on { "passive" } else { "active" })),
        path: ftp.path("arg").filter(|_| activity != OTHER),
        bytes: ftp.number("file_size"),
        user: user(),
        command: (!command.is_empty()).then(|| owned(&command)),
        ..Ftp::default()
    };
    out.push(Said::new(activity, body).outcome(good, status));
}

const TCP: u16 = 6;
/// OCSF activity and kind of log-in.
const LOGON: u16 = 1;
const NETWORK_CLEAR: u16 = 8;
