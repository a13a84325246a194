//! Log-ins inside other protocols: NTLMSSP and Kerberos, bare or in SPNEGO.
//!
//! Enters: the security tokens of both sides, as SMB, LDAP, DCERPC, HTTP and RDP carry them, and
//! how it ended, when that was seen. Leaves: one Authentication event. Refuses: responses, hashes
//! and tickets: of an NTLMv2 proof and of a challenge only a digest leaves, the same wherever a
//! response is relayed to. Limits: those of `codec::ntlmssp` and `codec::kerberos`;
//! [`MECHANISMS_MAX`].
//! Source: [MS-NLMP], RFC 4178 section 4.2, RFC 4121 section 4.1.

mod token;

use codec::digest::sha256_hex;
use codec::kerberos::{self, Kind};
use codec::ntlmssp::{Authenticate, Challenge, Message};
use model::class::Authentication;
use model::fact::Facts;
use model::{Nanos, Sensitive, Text, limit};

use super::{Draft, Side};
use token::{Inner, Token};

/// Most mechanisms of one offer that are told.
pub(super) const MECHANISMS_MAX: usize = 8;
/// OCSF activity.
const LOGON: u16 = 1;
/// OCSF kind of log-in: over the network.
const NETWORK: u16 = 3;
/// Hexadecimal digits of a digest that are kept: 128 bits; of a proof 64, enough to know it again.
const DIGEST_CHARS: usize = 32;
const PROOF_CHARS: usize = 16;
/// Longest name kept, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// One log-in, while its tokens pass. Small until the first one.
#[derive(Default)]
pub(super) struct Logon(Option<Box<State>>);

struct State {
    time: Nanos,
    wrapped: bool,
    offered: Vec<&'static str>,
    challenge: Option<Box<Challenge>>,
    authenticate: Option<Box<Authenticate>>,
    shown: Option<Box<kerberos::Message>>,
    error: Option<i32>,
    /// What SPNEGO said at the end.
    accepted: Option<bool>,
}

impl State {
    const fn new(time: Nanos) -> Self {
        Self {
            time,
            wrapped: false,
            offered: Vec::new(),
            challenge: None,
            authenticate: None,
            shown: None,
            error: None,
            accepted: None,
        }
    }
}

impl Logon {
    /// Takes a token that `side` sent; what is no known token is passed over.
    pub(super) fn token(&mut self, side: Side, bytes: &[u8], now: Nanos) {
        let Some(Token {
            wrapped,
            offered,
            state,
            inner,
        }) = token::read(bytes)
        else {
            return;
        };
        let begins = side == Side::Client && self.is_whole();
        if begins {
            self.0 = None;
        }
        let here = self.0.get_or_insert_with(|| Box::new(State::new(now)));
        here.wrapped |= wrapped;
        if here.offered.is_empty() {
            here.offered = offered;
        }
        here.accepted = state.or(here.accepted);
        match inner {
            Inner::Ntlm(Message::Challenge(challenge)) => here.challenge = Some(challenge),
            Inner::Ntlm(Message::Authenticate(auth)) => here.authenticate = Some(auth),
            Inner::Kerberos(message) if message.kind == Kind::ApReq => here.shown = Some(message),
            Inner::Kerberos(message) => here.error = message.error.or(here.error),
            Inner::Ntlm(Message::Negotiate(_)) | Inner::None => {}
        }
    }

    /// True once the client said who it is.
    pub(super) fn is_whole(&self) -> bool {
        let state = self.0.as_ref();
        state.is_some_and(|state| state.authenticate.is_some() || state.shown.is_some())
    }

    /// The event of a log-in that is over, and forgets it; `None` when nobody said who it is.
    /// `outcome` is what the protocol around it said: OCSF status and its own word.
    pub(super) fn take(&mut self, outcome: Option<(u16, Text)>) -> Option<Draft> {
        let state = self
            .0
            .take()
            .filter(|state| state.authenticate.is_some() || state.shown.is_some())?;
        let spnego = match state.accepted {
            Some(true) => (1, Text::Borrowed("accept-completed")),
            Some(false) => (2, Text::Borrowed("reject")),
            None => (0, Text::Borrowed("")),
        };
        let error = state
            .error
            .map(|code| (2, Text::from(kerberos::error_name(code))));
        let (status, code) = outcome.or(error).unwrap_or(spnego);
        let body = state.body();
        let code = Some(code).filter(|code| !code.is_empty());
        Some(Draft::new(state.time, LOGON, body).status(status, code))
    }

    /// Heap bytes held.
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |_| 2048)
    }
}

impl State {
    fn body(&self) -> Authentication {
        let mut body = match (&self.shown, &self.authenticate) {
            (Some(shown), _) => super::kerberos::shown(shown),
            (None, Some(auth)) => self.ntlm(auth),
            (None, None) => Authentication::default(),
        };
        let inner = if self.shown.is_some() {
            "Kerberos"
        } else {
            "NTLMSSP"
        };
        body.mechanism = Some(if self.wrapped {
            Text::from(format!("SPNEGO {inner}"))
        } else {
            Text::Borrowed(inner)
        });
        body.is_cleartext = Some(false);
        body.is_remote = Some(true);
        body.logon_type = Some(NETWORK);
        let mut offered = Facts::of("spnego");
        self.offered.iter().for_each(|name| {
            offered.add("offered", name);
        });
        body.facts.extend(offered.take());
        body
    }

    fn ntlm(&self, auth: &Authenticate) -> Authentication {
        let mut facts = Facts::of("ntlm");
        let proof = auth.proof.map(|proof| digest(&proof, PROOF_CHARS));
        facts.add("version", if proof.is_some() { "v2" } else { "v1" });
        facts.maybe("proof", proof);
        facts.add("workstation", name(&auth.workstation));
        facts.maybe("client_os", auth.version);
        facts.add("target_name", name(&auth.target_name));
        if auth.user.is_empty() {
            facts.add("anonymous", true);
        }
        if let Some(challenge) = &self.challenge {
            facts.add(
                "challenge_digest",
                digest(&challenge.challenge, DIGEST_CHARS),
            );
            facts.maybe("server_os", challenge.version);
            facts.add("server_target", name(&challenge.target));
            facts.add("server_name", name(&challenge.netbios_computer));
            facts.add("server_dns_name", name(&challenge.dns_computer));
            facts.add("server_domain", name(&challenge.dns_domain));
            facts.add("server_forest", name(&challenge.dns_forest));
        }
        let text = |text: &str| (!text.is_empty()).then(|| Text::from(name(text).to_owned()));
        Authentication {
            user: (!auth.user.is_empty()).then(|| Sensitive::text(&auth.user)),
            domain: text(&auth.domain),
            auth_protocol: Some(Text::Borrowed("NTLM")),
            service: text(&auth.target_name),
            facts: facts.take(),
            ..Authentication::default()
        }
    }
}

fn name(text: &str) -> &str {
    limit::cut_to(text, NAME_BYTES_MAX)
}

/// The start of a SHA-256: enough to be the same only for the same octets.
fn digest(octets: &[u8], chars: usize) -> String {
    let mut digest = sha256_hex(octets);
    digest.truncate(chars);
    digest
}

#[cfg(test)]
pub(crate) mod tests;
