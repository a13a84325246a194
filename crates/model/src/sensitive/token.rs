//! Site-keyed tokens: equality without the value.
//!
//! Enters: a secret key of 32 octets and words. Leaves: 64-bit tokens. Refuses: `Debug` of the key.
//! Source: RFC 2104 (HMAC) with SHA-256, cut to 64 bits; `DESIGN.md` section 5.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// 64 bits of HMAC-SHA-256 under the site key; written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The key of a site. It has no `Debug` and is wiped when dropped.
#[derive(Clone)]
pub struct SiteKey {
    octets: Zeroizing<[u8; 32]>,
    ready: Hmac<Sha256>,
    /// The same after the domain of words.
    ready_for_words: Hmac<Sha256>,
}

impl SiteKey {
    /// The key made of these octets.
    #[must_use]
    pub fn new(octets: [u8; 32]) -> Self {
        let padded: &[u8] = &octets;
        // HMAC takes keys of any length; a 32-octet key cannot be refused.
        let ready = Hmac::<Sha256>::new_from_slice(padded)
            .unwrap_or_else(|_| Hmac::new(&Default::default()));
        let mut ready_for_words = ready.clone();
        ready_for_words.update(WORD_DOMAIN.as_bytes());
        ready_for_words.update(&[0]);
        Self {
            octets: Zeroizing::new(octets),
            ready,
            ready_for_words,
        }
    }

    /// The octets, for sealing the key at rest.
    #[must_use]
    pub fn octets(&self) -> &[u8; 32] {
        &self.octets
    }

    /// The token of `value` within `domain` ("word", "patient").
    #[must_use]
    pub fn token(&self, domain: &str, value: &str) -> Token {
        let mut mac = self.ready.clone();
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        finish(mac, value)
    }

    /// The token of one word, as events carry it and as a search for that word computes it.
    #[must_use]
    pub fn word(&self, word: &str) -> Token {
        finish(self.ready_for_words.clone(), word)
    }

    /// The token of a patient identifier of one assigner (empty when unknown).
    #[must_use]
    pub fn patient(&self, assigner: &str, identifier: &str) -> Token {
        let assigner = assigner.trim().to_lowercase();
        let identifier: String = identifier.trim().to_lowercase();
        self.token("patient", &format!("{assigner}|{identifier}"))
    }
}

/// Domain of the tokens of words.
const WORD_DOMAIN: &str = "word";

fn finish(mut mac: Hmac<Sha256>, value: &str) -> Token {
    mac.update(value.as_bytes());
    let out: [u8; 32] = mac.finalize().into_bytes().into();
    let [a, b, c, d, e, f, g, h, ..] = out;
    Token(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
}

/// The distinct words of a text as they are tokenised: lower case, Latin accents folded, split at
/// everything that is neither letter nor digit, at least two characters, at most `words_max`.
#[must_use]
pub fn normalise_words(text: &str, words_max: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    each_word(text, |word| {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
        words.len() < words_max
    });
    words
}

/// Shows every word of a text, repeated ones too, until `visit` says that it has enough.
pub(super) fn each_word(text: &str, mut visit: impl FnMut(&str) -> bool) {
    let mut word = String::with_capacity(WORD_BYTES);
    for c in text.chars().chain(std::iter::once(' ')) {
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        } else if !c.is_ascii() && c.is_alphanumeric() {
            c.to_lowercase().for_each(|c| push_folded(c, &mut word));
        } else if !is_combining(c) {
            if word.chars().nth(1).is_some() && !visit(&word) {
                return;
            }
            word.clear();
        }
    }
}

/// Octets of most words.
const WORD_BYTES: usize = 32;

/// Combining diacritical marks: dropped, so that decomposed and composed spellings agree.
const fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Folds the accented letters of French and its neighbours to ASCII.
fn push_folded(c: char, out: &mut String) {
    let folded = match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' | 'č' | 'ć' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        'š' => 's',
        'ž' => 'z',
        'œ' => return out.push_str("oe"),
        'æ' => return out.push_str("ae"),
        'ß' => return out.push_str("ss"),
        other => other,
    };
    out.push(folded);
}
