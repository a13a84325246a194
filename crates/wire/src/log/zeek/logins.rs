//! `kerberos` and `ntlm`.
//!
//! Enters: tickets asked for, log-ins. Leaves: Authentication events. Refuses: tickets, hashes.
//! Source: Zeek documentation, "kerberos.log", "ntlm.log".

use model::class::Authentication;
use model::fact::Facts;
use model::{Sensitive, Text};

use super::super::eve::kerberos_service;
use super::super::fields::Fields;
use super::super::said::{FAILURE, SUCCESS, Said};
use super::text;

pub(super) fn kerberos(krb: Fields<'_>, out: &mut Vec<Said>) {
    let (mechanism, activity) = match krb.text("request_type") {
        Some("AS") => ("AS-REQ", TICKET),
        Some("TGS") => ("TGS-REQ", SERVICE),
        Some("AP") => ("AP-REQ", LOGON),
        _ => ("", 0),
    };
    // `name/REALM`; a name may have slashes of its own.
    let client = krb.text("client").unwrap_or("");
    let (user, realm) = client.rsplit_once('/').unwrap_or((client, ""));
    let mut facts = Facts::of("kerberos");
    facts.maybe("etype", krb.word("cipher"));
    let mut body = Authentication {
        user: (!user.is_empty()).then(|| Sensitive::text(user)),
        domain: (!realm.is_empty()).then(|| text(realm)),
        auth_protocol: Some(Text::Borrowed("Kerberos")),
        is_remote: Some(true),
        mechanism: (!mechanism.is_empty()).then_some(Text::Borrowed(mechanism)),
        facts: facts.take(),
        ..Authentication::default()
    };
    kerberos_service(krb.text("service"), &mut body);
    let error = krb.word("error_msg");
    let asks_more = error
        .as_deref()
        .is_some_and(|code| code.contains("PREAUTH_REQUIRED"));
    let (activity, status) = match krb.flag("success") {
        _ if asks_more => (PREAUTH, 0),
        Some(true) => (activity, SUCCESS),
        Some(false) => (activity, FAILURE),
        None => (activity, 0),
    };
    out.push(Said::new(activity, body).status(status, error));
}

pub(super) fn ntlm(ntlm: Fields<'_>, out: &mut Vec<Said>) {
    let mut facts = Facts::of("ntlm");
    facts.maybe("workstation", ntlm.word("hostname"));
    facts.maybe("server_name", ntlm.word("server_nb_computer_name"));
    facts.maybe("server_dns_name", ntlm.word("server_dns_computer_name"));
    let body = Authentication {
        user: ntlm.person("username"),
        domain: ntlm.word("domainname"),
        auth_protocol: Some(Text::Borrowed("NTLM")),
        is_cleartext: Some(false),
        is_remote: Some(true),
        mechanism: Some(Text::Borrowed("NTLMSSP")),
        facts: facts.take(),
        ..Authentication::default()
    };
    out.push(Said::new(LOGON, body).outcome(ntlm.flag("success"), None));
}

/// OCSF authentication activities.
const LOGON: u16 = 1;
const TICKET: u16 = 3;
const SERVICE: u16 = 4;
const PREAUTH: u16 = 6;
