//! Log-ins: what every protocol tells of one.
//!
//! Enters: user, mechanism, outcome. Leaves: an OCSF Authentication of activity 1. Refuses:
//! secrets: there is no field for one. Source: OCSF 1.8.0 `authentication`; `DESIGN.md` section 5.

use model::class::Authentication;
use model::{Nanos, Sensitive, Text};

use super::exchange::{FAILURE, SUCCESS};
use super::sasl::Sasl;
use super::text::short;
use crate::protocol::{Context, Draft};

/// OCSF activity of a log-in.
const LOGON: u16 = 1;
/// OCSF kinds of log-in.
const NETWORK: u16 = 3;
const NETWORK_CLEARTEXT: u16 = 8;

/// A log-in that waits for its outcome.
#[derive(Clone, Debug, Default)]
pub(in crate::protocol) struct Logon {
    /// When it began.
    pub(in crate::protocol) time: Nanos,
    /// Who.
    pub(in crate::protocol) user: Option<String>,
    /// Domain of who.
    pub(in crate::protocol) domain: Option<String>,
    /// OCSF's word for the protocol, or the mechanism's.
    pub(in crate::protocol) protocol: Option<&'static str>,
    /// Mechanism in the protocol's own words.
    pub(in crate::protocol) mechanism: Option<Text>,
    /// True when the secret crossed the wire as it is.
    pub(in crate::protocol) cleartext: bool,
}

impl Logon {
    /// A log-in with name and password.
    pub(in crate::protocol) fn plain(
        time: Nanos,
        user: Option<String>,
        word: &'static str,
    ) -> Self {
        Self {
            time,
            user,
            domain: None,
            protocol: None,
            mechanism: Some(Text::Borrowed(word)),
            cleartext: true,
        }
    }

    /// A log-in with SASL.
    pub(in crate::protocol) fn of_sasl(time: Nanos, sasl: Sasl) -> Self {
        let protocol = match sasl.mechanism.as_str() {
            "NTLM" => Some("NTLM"),
            "GSSAPI" => Some("Kerberos"),
            "DIGEST-MD5" => Some("Digest"),
            "XOAUTH2" | "OAUTHBEARER" => Some("OAUTH 2.0"),
            _ => None,
        };
        Self {
            time,
            cleartext: sasl.is_cleartext(),
            mechanism: short(sasl.mechanism.as_bytes()),
            user: sasl.user,
            domain: sasl.domain,
            protocol,
        }
    }

    /// Tells of it. `success` is `None` when nobody answered.
    pub(in crate::protocol) fn emit(
        self,
        service: &'static str,
        success: Option<bool>,
        code: Option<Text>,
        cx: &mut Context<'_>,
    ) {
        let word = self.protocol.map(Text::Borrowed);
        let body = Authentication {
            user: self.user.as_deref().map(Sensitive::text),
            domain: self.domain.and_then(|domain| short(domain.as_bytes())),
            auth_protocol: word.or_else(|| self.mechanism.clone()),
            is_cleartext: Some(self.cleartext),
            is_remote: Some(true),
            logon_type: Some(if self.cleartext {
                NETWORK_CLEARTEXT
            } else {
                NETWORK
            }),
            service: Some(Text::Borrowed(service)),
            mechanism: self.mechanism,
            ..Authentication::default()
        };
        let status = match success {
            None => 0,
            Some(true) => SUCCESS,
            Some(false) => FAILURE,
        };
        cx.emit(Draft::new(self.time, LOGON, body).status(status, code));
    }
}
