//! Secrets of TLS connections, given with a capture by whoever owns both.
//!
//! Enters: a key log in the form that browsers and servers write. Leaves: secrets, by label and
//! client random. Refuses: lines that are none, counted; labels that reading does not need. Limits:
//! [`SECRETS_MAX`] secrets of one log. Secrets are wiped when they go, and appear in no text.
//! Source: RFC 9850 (the SSLKEYLOGFILE format).

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroizing;

/// Most secrets that one log may hold.
pub const SECRETS_MAX: usize = 1_000_000;

/// Longest secret: the digest of SHA-384, or the master secret of TLS 1.2.
const SECRET_BYTES_MAX: usize = 48;

/// A source of secrets.
pub trait Secrets: Send + Sync {
    /// The secret of the connection whose client hello had this random value.
    fn secret(&self, label: Label, client_random: &[u8; 32]) -> Option<Zeroizing<Vec<u8>>>;
}

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Label {
    /// The master secret of TLS 1.2: `CLIENT_RANDOM`.
    Master,
    /// `CLIENT_HANDSHAKE_TRAFFIC_SECRET`.
    ClientHandshake,
    /// `SERVER_HANDSHAKE_TRAFFIC_SECRET`.
    ServerHandshake,
    /// `CLIENT_TRAFFIC_SECRET_0`.
    ClientTraffic,
    /// `SERVER_TRAFFIC_SECRET_0`.
    ServerTraffic,
}

impl Label {
    fn of(text: &[u8]) -> Option<Self> {
        Some(match text {
            b"CLIENT_RANDOM" => Self::Master,
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Self::ClientHandshake,
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Self::ServerHandshake,
            b"CLIENT_TRAFFIC_SECRET_0" => Self::ClientTraffic,
            b"SERVER_TRAFFIC_SECRET_0" => Self::ServerTraffic,
            _ => return None,
        })
    }
}

/// A key log that was read.
#[derive(Default)]
pub struct KeyLog {
    secrets: BTreeMap<([u8; 32], Label), Zeroizing<Vec<u8>>>,
    refused: u64,
}

impl KeyLog {
    /// Reads a log, or one more: several may be given.
    pub fn add(&mut self, log: &[u8]) {
        for line in log.split(|&octet| octet == b'\n') {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let known = parse(line);
            if self.secrets.len() >= SECRETS_MAX {
                self.refused += 1;
                continue;
            }
            match known {
                Line::Secret(random, label, secret) => {
                    self.secrets.insert((random, label), secret);
                }
                Line::Other => {}
                Line::Bad => self.refused += 1,
            }
        }
    }

    /// Takes the secrets of another log.
    pub fn merge(&mut self, other: Self) {
        self.refused = self.refused.saturating_add(other.refused);
        for (key, secret) in other.secrets {
            if self.secrets.len() >= SECRETS_MAX {
                self.refused += 1;
                continue;
            }
            self.secrets.insert(key, secret);
        }
    }

    /// Secrets held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// True without a secret.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Lines that were no lines of a key log, or too many.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

impl Secrets for KeyLog {
    fn secret(&self, label: Label, client_random: &[u8; 32]) -> Option<Zeroizing<Vec<u8>>> {
        self.secrets.get(&(*client_random, label)).cloned()
    }
}

/// Secrets that a capture itself brings while it is read; those given beforehand go first. For the
/// reading of files: its lock has no place where packets are live.
#[derive(Default)]
pub struct Growing {
    given: Option<Arc<dyn Secrets>>,
    found: RwLock<KeyLog>,
}

impl Growing {
    /// Starts with the secrets given, if any.
    #[must_use]
    pub fn new(given: Option<Arc<dyn Secrets>>) -> Self {
        Self {
            given,
            found: RwLock::default(),
        }
    }

    /// Takes secrets that were found.
    pub fn add(&self, log: KeyLog) {
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        found.merge(log);
    }
}

impl Secrets for Growing {
    fn secret(&self, label: Label, client_random: &[u8; 32]) -> Option<Zeroizing<Vec<u8>>> {
        let given = self.given.as_ref();
        given
            .and_then(|given| given.secret(label, client_random))
            .or_else(|| {
                let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
                found.secret(label, client_random)
            })
    }
}

enum Line {
    Secret([u8; 32], Label, Zeroizing<Vec<u8>>),
    /// A label that reading does not need.
    Other,
    Bad,
}

fn parse(line: &[u8]) -> Line {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let (Some(label), Some(random), Some(secret), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Line::Bad;
    };
    let Some(label) = Label::of(label) else {
        let word = label
            .iter()
            .all(|o| o.is_ascii_alphanumeric() || *o == b'_');
        return if word { Line::Other } else { Line::Bad };
    };
    let random = hex(random).and_then(|random| random.as_slice().try_into().ok());
    match (random, hex(secret)) {
        (Some(random), Some(secret)) if secret.len() <= SECRET_BYTES_MAX => {
            Line::Secret(random, label, secret)
        }
        _ => Line::Bad,
    }
}

fn hex(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || pairs.is_empty() || pairs.len() > SECRET_BYTES_MAX {
        return None;
    }
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let octets = pairs.iter().map(|[high, low]| {
        let value = digit(*high)? << 4 | digit(*low)?;
        u8::try_from(value).ok()
    });
    octets.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}

#[cfg(test)]
mod tests;
