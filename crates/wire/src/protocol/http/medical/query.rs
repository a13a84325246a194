//! Parameters of a URL's query.
//!
//! Enters: the query. Leaves: decoded names and values. Refuses: more than [`PARAMETERS_MAX`].
//! Source: WHATWG URL, `application/x-www-form-urlencoded`.

/// Most parameters that are looked at.
const PARAMETERS_MAX: usize = 64;

/// Calls `say` with every name and value.
pub(super) fn each(query: &str, say: &mut dyn FnMut(&str, &str)) {
    for pair in query.split('&').take(PARAMETERS_MAX) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        say(&decoded(name), &decoded(value));
    }
}

/// Text without percent escapes; invalid UTF-8 becomes replacement characters.
pub(super) fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |octet: &u8| char::from(*octet).to_digit(16);
                let octet = digit(high).zip(digit(low)).map(|(h, l)| h * 16 + l);
                match octet.and_then(|octet| u8::try_from(octet).ok()) {
                    Some(octet) => {
                        out.push(octet);
                        rest = after;
                    }
                    None => out.push(b'%'),
                }
            }
            (b'+', _) => out.push(b' '),
            (first, _) => out.push(*first),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
