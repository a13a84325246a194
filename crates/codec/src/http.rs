//! HTTP/1 framing, as lenient as the traffic of the field.
//!
//! Enters: lines. Leaves: start lines, fields, targets, chunk sizes. Refuses: lines that cannot
//! start a message. Limits: [`METHOD_BYTES_MAX`] octets a method. Source: RFC 9112; RFC 1945 for
//! 0.9.

/// Longest method that is taken for one.
pub const METHOD_BYTES_MAX: usize = 32;

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// A request.
    Request {
        /// Method as written.
        method: &'a [u8],
        /// Target as written.
        target: &'a [u8],
        /// Version without "HTTP/"; "0.9" when the line has none.
        version: &'a [u8],
    },
    /// A response.
    Status {
        /// Version without "HTTP/".
        version: &'a [u8],
        /// Status code.
        code: u16,
        /// Reason phrase; may be empty.
        reason: &'a [u8],
    },
}

impl<'a> StartLine<'a> {
    /// Reads a line without its end.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        Self::status(line).or_else(|| Self::request(line))
    }

    fn status(line: &'a [u8]) -> Option<Self> {
        let (version, rest) = token(without_prefix(line, b"HTTP/")?);
        let (code, rest) = token(trim(rest));
        let digits = code.get(..3).filter(|d| d.iter().all(u8::is_ascii_digit))?;
        if !version.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let code = digits
            .iter()
            .fold(0u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        Some(Self::Status {
            version,
            code,
            reason: trim(rest),
        })
    }

    fn request(line: &'a [u8]) -> Option<Self> {
        let (method, rest) = token(line);
        if !is_method_like(method) {
            return None;
        }
        let rest = trim(rest);
        if rest.is_empty() {
            return None;
        }
        let at = rest
            .iter()
            .rposition(|&octet| matches!(octet, b' ' | b'\t'));
        if let Some(at) = at
            && let (target, last) = rest.split_at_checked(at)?
            && let Some(version) = without_prefix(trim(last), b"HTTP/")
        {
            return Some(Self::Request {
                method,
                target: trim(target),
                version,
            });
        }
        let simple = is_method(method) && !rest.contains(&b' ');
        simple.then_some(Self::Request {
            method,
            target: rest,
            version: b"0.9",
        })
    }
}

/// The next line without its end, and the octets it takes with it; `None` when it is not whole.
#[must_use]
pub fn split_line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let end = bytes.iter().position(|&octet| octet == b'\n')?;
    let line = bytes.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// Name and value of a field line; `None` without a colon.
#[must_use]
pub fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|&octet| octet == b':')?;
    let (name, value) = line.split_at_checked(at)?;
    Some((trim(name), trim(value.get(1..)?)))
}

/// The size of a chunk, extensions ignored.
#[must_use]
pub fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|octet| matches!(octet, b';' | b' ' | b'\t'));
    let digits = digits.map(trim).find(|part| !part.is_empty())?;
    if digits.len() > 15 {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(sum * 16 + u64::from(value))
    })
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target<'a> {
    /// Host and port of the absolute or authority form, without user information.
    pub authority: Option<&'a [u8]>,
    /// Path; `None` for the authority form.
    pub path: Option<&'a [u8]>,
    /// Query, after the question mark.
    pub query: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// Reads a target in any of its four forms.
    #[must_use]
    pub fn parse(method: &[u8], target: &'a [u8]) -> Self {
        if method.eq_ignore_ascii_case(b"CONNECT") {
            return Self {
                authority: Some(target),
                ..Self::default()
            };
        }
        let (authority, rest) = absolute(target).unwrap_or((None, target));
        let at = rest.iter().position(|&octet| octet == b'?');
        let split = at.and_then(|at| rest.split_at_checked(at));
        match split {
            Some((path, query)) => Self {
                authority,
                path: Some(path),
                query: query.get(1..),
            },
            None => Self {
                authority,
                path: Some(rest),
                query: None,
            },
        }
    }
}

fn absolute(target: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let rest =
        without_prefix(target, b"http://").or_else(|| without_prefix(target, b"https://"))?;
    let end = rest.iter().position(|octet| matches!(octet, b'/' | b'?'));
    let (authority, rest) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
    let user = authority.iter().rposition(|&octet| octet == b'@');
    let host = authority.get(user.map_or(0, |at| at + 1)..)?;
    Some((Some(host), if rest.is_empty() { b"/" } else { rest }))
}

/// Host in lower case and port of `host`, `host:port`, `[v6]:port`.
#[must_use]
pub fn host_port(text: &[u8]) -> (String, Option<u16>) {
    let text = String::from_utf8_lossy(trim(text)).to_ascii_lowercase();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => {
            let bare = host.contains(':') && !host.ends_with(']');
            if bare {
                (text.as_str(), "")
            } else {
                (host, port)
            }
        }
        _ => (text.as_str(), ""),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (host.trim_end_matches('.').to_owned(), port.parse().ok())
}

/// True for a method that IANA or a widespread product knows.
#[must_use]
pub fn is_method(name: &[u8]) -> bool {
    METHODS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// True when a line can only be the start of an HTTP message: used to find one after a gap.
#[must_use]
pub fn is_start(line: &[u8]) -> bool {
    match StartLine::parse(line) {
        Some(StartLine::Status { .. }) => true,
        Some(StartLine::Request { version, .. }) => version != b"0.9",
        None => false,
    }
}

fn is_method_like(name: &[u8]) -> bool {
    let token = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_!#$%&'*+.^`|~".contains(octet);
    (1..=METHOD_BYTES_MAX).contains(&name.len()) && name.iter().all(token)
}

/// The first word, and the rest.
fn token(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|octet| matches!(octet, b' ' | b'\t'));
    bytes
        .split_at_checked(end.unwrap_or(bytes.len()))
        .unwrap_or((bytes, &[]))
}

const fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

fn without_prefix<'a>(bytes: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Methods of RFC 9110, of WebDAV and its kin, of UPnP and of RPC over HTTP.
const METHODS: [&[u8]; 44] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"PUT",
    b"OPTIONS",
    b"DELETE",
    b"CONNECT",
    b"PATCH",
    b"TRACE",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"SEARCH",
    b"REPORT",
    b"ACL",
    b"BIND",
    b"REBIND",
    b"UNBIND",
    b"LINK",
    b"UNLINK",
    b"MERGE",
    b"CHECKIN",
    b"CHECKOUT",
    b"UNCHECKOUT",
    b"UPDATE",
    b"LABEL",
    b"MKACTIVITY",
    b"MKWORKSPACE",
    b"MKCALENDAR",
    b"VERSION-CONTROL",
    b"BASELINE-CONTROL",
    b"ORDERPATCH",
    b"NOTIFY",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"POLL",
    b"RPC_CONNECT",
    b"RPC_IN_DATA",
    b"RPC_OUT_DATA",
    b"PURGE",
];

#[cfg(test)]
mod tests;
