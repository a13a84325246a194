//! Suricata's spelling of names and numbers.
//!
//! Enters: what our fields hold. Leaves: the same in the words of EVE. Refuses: nothing: a status
//! without a name keeps its number. Source: Suricata 8 user guide; [MS-ERREF] section 2.3.

use model::Millis;

use crate::time::rfc3339;

/// A distinguished name from the top down, as OpenSSL writes it: ours is that of RFC 4514.
pub(super) fn distinguished(name: &str) -> String {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for letter in name.chars() {
        match (letter, parts.last_mut()) {
            (',', Some(_)) if !escaped => parts.push(String::new()),
            (_, Some(part)) => part.push(letter),
            (_, None) => {}
        }
        escaped = letter == '\\' && !escaped;
    }
    parts.reverse();
    parts.join(", ")
}

/// A serial number: octets in capitals, colons between.
pub(super) fn serial(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    let octets = digits.chunks(2).map(|pair| pair.iter().collect::<String>());
    octets.collect::<Vec<_>>().join(":").to_ascii_uppercase()
}

/// A date of a certificate: to the second, without a zone.
pub(super) fn date(time: Millis) -> String {
    rfc3339(time).chars().take(19).collect()
}

/// The name of a status of SMB.
pub(super) fn status(number: &str) -> String {
    let known = STATUS.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number.to_owned(), |(_, name)| (*name).to_owned())
}

const STATUS: &[(&str, &str)] = &[
    ("0x00000000", "STATUS_SUCCESS"),
    ("0x00000103", "STATUS_PENDING"),
    ("0x00000105", "STATUS_MORE_ENTRIES"),
    ("0x80000005", "STATUS_BUFFER_OVERFLOW"),
    ("0x80000006", "STATUS_NO_MORE_FILES"),
    ("0xc000000d", "STATUS_INVALID_PARAMETER"),
    ("0xc0000010", "STATUS_INVALID_DEVICE_REQUEST"),
    ("0xc0000011", "STATUS_END_OF_FILE"),
    ("0xc0000016", "STATUS_MORE_PROCESSING_REQUIRED"),
    ("0xc0000022", "STATUS_ACCESS_DENIED"),
    ("0xc0000034", "STATUS_OBJECT_NAME_NOT_FOUND"),
    ("0xc0000035", "STATUS_OBJECT_NAME_COLLISION"),
    ("0xc000003a", "STATUS_OBJECT_PATH_NOT_FOUND"),
    ("0xc0000043", "STATUS_SHARING_VIOLATION"),
    ("0xc000006d", "STATUS_LOGON_FAILURE"),
    ("0xc00000ba", "STATUS_FILE_IS_A_DIRECTORY"),
    ("0xc00000bb", "STATUS_NOT_SUPPORTED"),
    ("0xc00000cc", "STATUS_BAD_NETWORK_NAME"),
    ("0xc0000203", "STATUS_USER_SESSION_DELETED"),
    ("0xc0000225", "STATUS_NOT_FOUND"),
    ("0xc0000257", "STATUS_PATH_NOT_COVERED"),
];

/// A command of SMB.
pub(super) fn command(name: &str, dialect: Option<&str>) -> String {
    let first = dialect.is_some_and(|dialect| dialect.starts_with("NT LM"));
    match (name, first) {
        ("NEGOTIATE", true) => "SMB1_COMMAND_NEGOTIATE_PROTOCOL".to_owned(),
        ("NEGOTIATE", false) => "SMB2_COMMAND_NEGOTIATE_PROTOCOL".to_owned(),
        ("TREE_CONNECT", true) => "SMB1_COMMAND_TREE_CONNECT_ANDX".to_owned(),
        ("CREATE", true) => "SMB1_COMMAND_NT_CREATE_ANDX".to_owned(),
        (other, true) => format!("SMB1_COMMAND_{other}"),
        (other, false) => format!("SMB2_COMMAND_{other}"),
    }
}

/// An address of an envelope in its brackets.
pub(super) fn bracketed(address: &str) -> String {
    format!("<{address}>")
}

/// The message of Kerberos that a log-in ends with.
pub(super) fn kerberos(mechanism: Option<&str>, status: u16) -> &'static str {
    match (mechanism, status) {
        (_, 2) => "KRB_ERROR",
        (Some("TGS-REQ"), 1) => "KRB_TGS_REP",
        (Some("TGS-REQ"), _) => "KRB_TGS_REQ",
        (_, 1) => "KRB_AS_REP",
        (_, _) => "KRB_AS_REQ",
    }
}
