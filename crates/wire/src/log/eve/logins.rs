//! `krb5`, and log-ins that `smb` and `ftp` records show.
//!
//! Enters: tickets asked for, users named. Leaves: Authentication events. Refuses: passwords,
//! tickets. Source: Suricata user guide, "Event type: KRB5", "SMB", "FTP".

use model::class::Authentication;
use model::fact::Facts;
use model::{Sensitive, Text};

use super::super::fields::Fields;
use super::super::said::{FAILURE, SUCCESS, Said};

pub(super) fn krb5(krb: Fields<'_>, _: Fields<'_>, out: &mut Vec<Said>) {
    let kind = krb
        .text("failed_request")
        .or_else(|| krb.text("msg_type"))
        .unwrap_or("");
    let (mechanism, activity) = match kind {
        "KRB_AS_REQ" | "KRB_AS_REP" => ("AS-REQ", TICKET),
        "KRB_TGS_REQ" | "KRB_TGS_REP" => ("TGS-REQ", SERVICE),
        "KRB_AP_REQ" | "KRB_AP_REP" => ("AP-REQ", LOGON),
        _ => ("", 0),
    };
    let named = |key| krb.text(key).filter(|name| *name != "<empty>");
    let mut facts = Facts::of("kerberos");
    facts.maybe("realm", named("realm"));
    facts.maybe(
        "etype",
        krb.word("encryption").filter(|name| name != "<none>"),
    );
    facts.maybe("ticket_etype", krb.word("ticket_encryption"));
    facts.maybe(
        "weak_etype",
        krb.flag("weak_encryption").filter(|weak| *weak),
    );
    let mut body = Authentication {
        user: named("cname").map(Sensitive::text),
        domain: named("realm").map(super::super::fields::owned),
        auth_protocol: Some(Text::Borrowed("Kerberos")),
        is_remote: Some(true),
        mechanism: (!mechanism.is_empty()).then_some(Text::Borrowed(mechanism)),
        facts: facts.take(),
        ..Authentication::default()
    };
    service(named("sname"), &mut body);
    let error = krb.word("error_code");
    let asks_more = error.as_deref() == Some("KDC_ERR_PREAUTH_REQUIRED");
    let (activity, status) = match (&error, asks_more) {
        (_, true) => (PREAUTH, 0),
        (Some(_), false) => (activity, FAILURE),
        (None, false) => (activity, SUCCESS),
    };
    out.push(Said::new(activity, body).status(status, error));
}

/// A service by name, or the account that stands for one and may name a person.
pub(in crate::log) fn service(name: Option<&str>, body: &mut Authentication) {
    let Some(name) = name else { return };
    if !name.contains('/') && !name.ends_with('$') || name.contains('@') {
        body.target = Some(Sensitive::text(name));
    } else {
        body.service = Some(super::super::fields::owned(name));
    }
}

/// The log-in of a session set-up.
pub(super) fn smb(smb: Fields<'_>, out: &mut Vec<Said>) {
    let login = smb.inner("ntlmssp");
    let Some(user) = login.text("user").filter(|user| *user != "<empty>") else {
        return;
    };
    let mut facts = Facts::of("ntlm");
    facts.maybe("workstation", login.word("host"));
    let body = Authentication {
        user: Some(Sensitive::text(user)),
        domain: login.word("domain"),
        auth_protocol: Some(Text::Borrowed("NTLM")),
        is_cleartext: Some(false),
        is_remote: Some(true),
        logon_type: Some(NETWORK),
        service: Some(Text::Borrowed("smb")),
        mechanism: Some(Text::Borrowed("NTLMSSP")),
        facts: facts.take(),
        ..Authentication::default()
    };
    let good = smb.text("status_code").map(|code| code == "0x0");
    out.push(Said::new(LOGON, body).outcome(good, smb.word("status")));
}

/// `DOMAIN\user`.
pub(super) fn ntlm(login: Fields<'_>) -> Option<Sensitive> {
    let user = login.text("user")?;
    Some(Sensitive::text(&match login.text("domain") {
        Some(domain) => format!("{domain}\\{user}"),
        None => user.to_owned(),
    }))
}

/// The log-in that USER begins; its result stands with PASS, whose argument is never read.
pub(super) fn ftp(command: &str, ftp: Fields<'_>, good: Option<bool>) -> Option<Said> {
    let user = match command {
        "USER" => ftp.person("command_data"),
        "PASS" if good.is_some() => None,
        _ => return None,
    };
    let body = Authentication {
        user,
        auth_protocol: Some(Text::Borrowed("FTP")),
        is_cleartext: Some(true),
        is_remote: Some(true),
        logon_type: Some(NETWORK_CLEAR),
        service: Some(Text::Borrowed("ftp")),
        mechanism: Some(Text::Owned(command.to_owned())),
        ..Authentication::default()
    };
    Some(Said::new(LOGON, body))
}

/// OCSF authentication activities.
const LOGON: u16 = 1;
const TICKET: u16 = 3;
const SERVICE: u16 = 4;
const PREAUTH: u16 = 6;
/// OCSF kinds of log-in.
const NETWORK: u16 = 3;
const NETWORK_CLEAR: u16 = 8;
