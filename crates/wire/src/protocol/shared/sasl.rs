//! Who logs in with SASL.
//!
//! Enters: the mechanism, what the client answers. Leaves: the user's name. Refuses: to keep a
//! password, a token or a proof: they are read over. Limits: [`STEPS_MAX`] answers.
//! Source: RFC 4422, RFC 4616 (PLAIN), RFC 2195 (CRAM-MD5), RFC 2831 (DIGEST-MD5), RFC 5802
//! (SCRAM), RFC 7628 (OAUTHBEARER), [MS-XLOGIN], [MS-NLMP].

use codec::ntlmssp::{self, Message};

use super::text::{after, base64, readable};

/// Most answers that are looked at.
const STEPS_MAX: u8 = 8;

/// One exchange.
#[derive(Clone, Debug, Default)]
pub(in crate::protocol) struct Sasl {
    /// Mechanism, upper case.
    pub(in crate::protocol) mechanism: String,
    /// The user, once known.
    pub(in crate::protocol) user: Option<String>,
    /// The user's domain, when the mechanism tells one.
    pub(in crate::protocol) domain: Option<String>,
    answers: u8,
    challenges: u8,
    reads: u8,
}

impl Sasl {
    /// An exchange with this mechanism.
    pub(in crate::protocol) fn new(mechanism: &[u8]) -> Self {
        let name = mechanism.get(..32).unwrap_or(mechanism);
        Self {
            mechanism: readable(name).to_ascii_uppercase(),
            ..Self::default()
        }
    }

    /// Takes the initial response that came with the command, Base64.
    pub(in crate::protocol) fn initial(&mut self, text: &[u8]) {
        self.read(&base64(text.trim_ascii()));
    }

    /// Takes the client's answer, Base64.
    pub(in crate::protocol) fn answer(&mut self, line: &[u8]) {
        self.answers = self.answers.saturating_add(1);
        if self.answers <= STEPS_MAX {
            self.read(&base64(line.trim_ascii()));
        }
    }

    /// Takes the server's challenge; true when the client's answer is still to come.
    pub(in crate::protocol) const fn challenge(&mut self) -> bool {
        self.challenges = self.challenges.saturating_add(1);
        self.challenges > self.answers
    }

    /// True when the client has more to say even before the next challenge was seen.
    pub(in crate::protocol) fn wants_more(&self) -> bool {
        let wanted = match self.mechanism.as_str() {
            "LOGIN" => 2,
            "PLAIN" | "CRAM-MD5" | "XOAUTH2" | "OAUTHBEARER" => 1,
            _ => 0,
        };
        self.reads < wanted
    }

    /// True when the secret itself crosses the wire.
    pub(in crate::protocol) fn is_cleartext(&self) -> bool {
        let open = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "ANONYMOUS"];
        open.contains(&self.mechanism.as_str())
    }

    fn read(&mut self, answer: &[u8]) {
        self.reads = self.reads.saturating_add(1);
        let found = match self.mechanism.as_str() {
            "PLAIN" => {
                let mut parts = answer.split(|&octet| octet == 0);
                let (other, own) = (parts.next(), parts.next());
                own.filter(|own| !own.is_empty()).or(other)
            }
            "LOGIN" => (self.reads == 1).then_some(answer),
            "CRAM-MD5" => answer.rsplitn(2, |&octet| octet == b' ').nth(1),
            "DIGEST-MD5" => quoted(answer, b"username="),
            "XOAUTH2" => part(answer, 1, b"user="),
            "OAUTHBEARER" => part(answer, b',', b"a="),
            "NTLM" | "GSS-SPNEGO" => return self.ntlm(answer),
            name if name.starts_with("SCRAM-") => part(answer, b',', b"n="),
            _ => None,
        };
        let user = found.filter(|user| !user.is_empty());
        if let (None, Some(user)) = (&self.user, user) {
            self.user = Some(readable(user));
        }
    }

    fn ntlm(&mut self, answer: &[u8]) {
        let found = ntlmssp::find(answer).and_then(Message::read);
        if let Some(Message::Authenticate(auth)) = found {
            let some = |text: String| (!text.is_empty()).then_some(text);
            self.user = some(auth.user);
            self.domain = some(auth.domain);
        }
    }
}

/// What follows `key` in the parts of `answer`.
fn part<'a>(answer: &'a [u8], between: u8, key: &[u8]) -> Option<&'a [u8]> {
    let mut parts = answer.split(|&octet| octet == between);
    parts.find_map(|part| after(part, key))
}

/// The quoted value that follows `key`.
fn quoted<'a>(answer: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let at = answer
        .windows(key.len())
        .position(|window| window.eq_ignore_ascii_case(key))?;
    let value = answer.get(at + key.len()..)?.strip_prefix(b"\"")?;
    let end = value.iter().position(|&octet| octet == b'"')?;
    value.get(..end)
}
