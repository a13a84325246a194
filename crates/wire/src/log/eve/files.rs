//! `smb`, `dcerpc`, `ftp`, `ftp_data`, `tftp`, `fileinfo`: files and procedures.
//!
//! Enters: operations with their answers, files seen. Leaves: SMB and FTP activity, network
//! activity about procedures and files. Refuses: the argument of PASS and ACCT.
//! Source: Suricata user guide, "Event type: SMB", "DCERPC", "FTP", "FILEINFO".

use model::Text;
use model::class::{Ftp, Network, Smb};
use model::fact::Facts;

use super::super::fields::{Fields, owned};
use super::super::said::{FAILURE, OTHER, SUCCESS, Said, TRAFFIC};
use super::from_service;
use super::logins::ntlm;

pub(super) fn smb(smb: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let command = smb.text("command").unwrap_or("");
    let command = command
        .trim_start_matches("SMB1_COMMAND_")
        .trim_start_matches("SMB2_COMMAND_");
    let command = match command {
        "NEGOTIATE_PROTOCOL" | "SMB1_NEGOTIATE" => "NEGOTIATE",
        "SESSION_SETUP_ANDX" => "SESSION_SETUP",
        "NT_CREATE_ANDX" => "CREATE",
        "TREE_CONNECT_ANDX" => "TREE_CONNECT",
        other => other,
    };
    let rename = smb.inner("rename");
    let (open_type, activity) = disposition(smb.text("disposition").unwrap_or(""));
    let body = Smb {
        command: owned(if rename.has("to") { "RENAME" } else { command }),
        dialect: smb.text("dialect").map(dialect),
        client_dialects: smb.words("client_dialects"),
        share: smb.path("share").or_else(|| smb.path("named_pipe")),
        share_type: smb.text("share_type").map(|kind| match kind {
            "FILE" => Text::Borrowed("disk"),
            "PIPE" => Text::Borrowed("pipe"),
            "PRINT" => Text::Borrowed("print"),
            other => owned(&other.to_lowercase()),
        }),
        tree_uid: smb.word("tree_id"),
        open_type: open_type.map(Text::Borrowed),
        file: rename.path("from").or_else(|| smb.path("filename")),
        file_bytes: smb.number("size"),
        renamed_to: rename.path("to"),
        user: ntlm(smb.inner("ntlmssp")),
        workstation: smb.inner("ntlmssp").word("host"),
        session: smb
            .number("session_id")
            .map(|id| Text::Owned(format!("{id:x}"))),
        ..Smb::default()
    };
    let code = smb.word("status");
    let good = smb
        .text("status_code")
        .map(|code| code == "0x0" || code == "0x00000000");
    let good = good.filter(|_| code.as_deref() != Some("STATUS_MORE_PROCESSING_REQUIRED"));
    out.push(Said::new(activity, body).outcome(good, code));
    super::logins::smb(smb, out);
}

/// Suricata cuts the dialect's dots short: "3.11" is 3.1.1.
fn dialect(text: &str) -> Text {
    match text {
        "3.11" => Text::Borrowed("3.1.1"),
        "3.02" => Text::Borrowed("3.0.2"),
        "3.00" => Text::Borrowed("3.0"),
        "2.10" => Text::Borrowed("2.1"),
        "2.02" => Text::Borrowed("2.0.2"),
        other => owned(other),
    }
}

fn disposition(name: &str) -> (Option<&'static str>, u16) {
    match name {
        "FILE_SUPERSEDE" => (Some("supersede"), 1),
        "FILE_OPEN" => (Some("open"), 2),
        "FILE_CREATE" => (Some("create"), 3),
        "FILE_OPEN_IF" => (Some("open_if"), 4),
        "FILE_OVERWRITE" => (Some("overwrite"), 5),
        "FILE_OVERWRITE_IF" => (Some("overwrite_if"), 6),
        _ => (None, OTHER),
    }
}

pub(super) fn dcerpc(rpc: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("dcerpc");
    facts.maybe("version", rpc.word("rpc_version"));
    facts.maybe("response", rpc.word("response"));
    facts.maybe("opnum", rpc.inner("req").word("opnum"));
    for interface in rpc.items("interfaces") {
        facts.maybe("interface", Fields::of_value(interface).word("uuid"));
    }
    facts.maybe("interface", rpc.inner("interface").word("uuid"));
    let body = Network {
        about: Text::Borrowed("dcerpc"),
        operation: rpc.lower("request"),
        facts: facts.take(),
        ..Network::default()
    };
    out.push(Said::new(TRAFFIC, body));
}

pub(super) fn ftp(ftp: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let command = ftp.text("command").unwrap_or("").to_ascii_uppercase();
    let codes: Vec<u64> = ftp
        .words("completion_code")
        .iter()
        .filter_map(|code| code.parse().ok())
        .collect();
    let last = codes.last().copied();
    let good = last.map(|code| code < 400);
    let code = last.map(|code| Text::Owned(code.to_string()));
    if let Some(login) = super::logins::ftp(&command, ftp, good) {
        return out.push(login.outcome(good, code));
    }
    if matches!(command.as_str(), "PASS" | "ACCT") {
        return;
    }
    let body = Ftp {
        codes,
        data_port: ftp.narrow("dynamic_port").filter(|port| *port != 0),
        mode: ftp.word("mode"),
        path: ftp.path("command_data").filter(|_| names_a_path(&command)),
        command: (!command.is_empty()).then(|| owned(&command)),
        ..Ftp::default()
    };
    let activity = activity(&command);
    out.push(Said::new(activity, body).outcome(good, code));
}

fn names_a_path(command: &str) -> bool {
    activity(command) != OTHER || matches!(command, "SIZE" | "MDTM" | "CWD" | "MKD" | "RMD")
}

/// OCSF activity of an FTP command.
pub(in crate::log) fn activity(command: &str) -> u16 {
    match command {
        "STOR" | "APPE" | "STOU" => 1,
        "RETR" => 2,
        "DELE" => 4,
        "RNFR" | "RNTO" => 5,
        "LIST" | "NLST" | "MLSD" | "MLST" => 6,
        _ => OTHER,
    }
}

pub(super) fn ftp_data(data: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let command = data.text("command").unwrap_or("").to_ascii_uppercase();
    let activity = activity(&command);
    let body = Ftp {
        command: (!command.is_empty()).then(|| owned(&command)),
        path: data.path("filename"),
        ..Ftp::default()
    };
    out.push(Said::new(activity, body));
}

pub(super) fn tftp(tftp: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let (command, activity) = match tftp.text("packet") {
        Some("write") => ("WRQ", 1),
        Some("read") => ("RRQ", 2),
        _ => ("", OTHER),
    };
    let body = Ftp {
        command: (!command.is_empty()).then_some(Text::Borrowed(command)),
        path: tftp.path("file"),
        mode: tftp.lower("mode"),
        ..Ftp::default()
    };
    out.push(Said::new(activity, body));
}

pub(super) fn fileinfo(file: Fields<'_>, record: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("file");
    facts.maybe("bytes", file.number("size"));
    facts.maybe("magic", file.word("magic"));
    facts.maybe("md5", file.word("md5"));
    facts.maybe("sha1", file.word("sha1"));
    facts.maybe("sha256", file.word("sha256"));
    facts.maybe("state", file.lower("state"));
    facts.maybe("gaps", file.flag("gaps").filter(|gaps| *gaps));
    let body = Network {
        about: Text::Borrowed("file"),
        operation: record.word("app_proto"),
        object: file.path("filename"),
        facts: facts.take(),
        ..Network::default()
    };
    let status = match file.text("state") {
        Some("CLOSED") => SUCCESS,
        Some("TRUNCATED" | "ERROR") => FAILURE,
        _ => 0,
    };
    let mut ports = vec![20, 21, 25, 80, 139, 443, 445, 2049, 8080];
    ports.extend(record.inner("http").number("http_port"));
    let answer = from_service(record, &ports);
    out.push(Said::new(TRAFFIC, body).status(status, None).answer(answer));
}
