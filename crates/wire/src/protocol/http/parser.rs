//! Heads of messages: what is kept of them, and how their bodies are framed.
//!
//! Enters: lines. Leaves: the parts of an event, and the framing. Refuses: credentials, cookies and
//! every field that is not listed. Limits: below. Source: RFC 9110, RFC 9112 sections 5 and 6.

use std::borrow::Cow;

use codec::http::{StartLine, Target, field, host_port};
use model::class::Http;
use model::limit::cut;
use model::sensitive::Shape;
use model::{Sensitive, Text};

use super::file::Said;
use super::logon::Shown;
use super::medical::Hints;

/// Longest line.
pub(super) const LINE_BYTES_MAX: usize = 32 * 1024;
/// Longest head.
pub(super) const HEAD_BYTES_MAX: usize = 256 * 1024;
/// Most fields of a head.
pub(super) const FIELDS_MAX: usize = 512;

/// Longest name of a field that is kept: `proxy-authorization`, and some more.
const NAME_BYTES_MAX: usize = 32;
/// Most octets kept of the extensions that an answer agrees to.
const EXTENSIONS_BYTES_MAX: usize = 256;

/// How the body after a head is framed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Framing {
    pub(super) length: Option<u64>,
    pub(super) chunked: bool,
    pub(super) upgrade: Option<Upgrade>,
}

/// What an answer 101 leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Upgrade {
    /// TLS in the same connection.
    Tls,
    /// HTTP/2 in the clear.
    Http2,
    /// WebSocket, with the extensions and the subprotocol agreed.
    WebSocket {
        extensions: Vec<u8>,
        protocol: Option<String>,
    },
}

/// A head that is being read.
pub(super) struct Head {
    /// Code of a response; `None` for a request.
    pub(super) code: Option<u16>,
    /// What the event will say.
    pub(super) http: Http,
    pub(super) framing: Framing,
    /// What the event does not keep but observers of the exchange want to know.
    pub(super) hints: Hints,
    /// What it shows of log-ins.
    pub(super) logons: Vec<Shown>,
    /// What it says of the file after it.
    pub(super) file: Said,
    /// True for a request line without version.
    pub(super) is_simple: bool,
    pub(super) anomalies: Vec<&'static str>,
    /// Extensions and subprotocol that an answer agrees to, of WebSocket.
    extensions: Vec<u8>,
    protocol: Option<String>,
    fields: usize,
    bytes: usize,
    folding: Option<Kept>,
}

/// Fields whose value may go on in the next line.
#[derive(Clone, Copy)]
enum Kept {
    UserAgent,
    Server,
}

impl Head {
    /// Reads a first line.
    pub(super) fn start(line: &[u8]) -> Option<Self> {
        let mut head = Self::empty(line.len());
        match StartLine::parse(line)? {
            StartLine::Request {
                method,
                target,
                version,
            } => {
                head.is_simple = version == b"0.9";
                head.request(method, target, version);
            }
            StartLine::Status { code, reason, .. } => {
                head.code = Some(code);
                head.http.code = Some(code);
                head.http.reason = (!reason.is_empty()).then(|| word(reason));
            }
        }
        Some(head)
    }

    fn empty(bytes: usize) -> Self {
        Self {
            code: None,
            http: Http::default(),
            framing: Framing::default(),
            hints: Hints::default(),
            logons: Vec::new(),
            file: Said::default(),
            is_simple: false,
            anomalies: Vec::new(),
            extensions: Vec::new(),
            protocol: None,
            fields: 0,
            bytes,
            folding: None,
        }
    }

    fn request(&mut self, method: &[u8], target: &[u8], version: &[u8]) {
        self.http.method = Some(word(method));
        self.http.version = Some(word(version));
        self.target(Target::parse(method, target));
    }

    fn target(&mut self, parts: Target<'_>) {
        self.http.path = parts.path.map(|path| Sensitive::path(&lossy(path)));
        let query = parts.query.filter(|query| !query.is_empty());
        self.http.query = query.map(|query| Sensitive::new(Shape::Query, &lossy(query)));
        if let Some(authority) = parts.authority {
            self.authority(authority);
        }
    }

    fn authority(&mut self, value: &[u8]) {
        let (host, port) = host_port(value);
        if host.is_empty() {
            return;
        }
        match &self.http.host {
            // The target wins over the Host field.
            Some(known) if *known != host => self.note("http-host-mismatch"),
            Some(_) => {}
            None => {
                self.http.host = Some(cut(&host).to_owned().into());
                self.http.port = port;
            }
        }
    }

    /// True for a request.
    pub(super) const fn is_request(&self) -> bool {
        self.code.is_none()
    }

    /// Reads a field line; false when the head is too long to go on.
    pub(super) fn line(&mut self, line: &[u8]) -> bool {
        self.bytes = self.bytes.saturating_add(line.len());
        self.fields += 1;
        if self.bytes > HEAD_BYTES_MAX || self.fields > FIELDS_MAX {
            self.note("http-long-head");
            return false;
        }
        if line.first().is_some_and(|octet| b" \t".contains(octet)) {
            self.fold(line);
            return true;
        }
        self.folding = None;
        match field(line) {
            Some((name, value)) => {
                let mut lower = [0; NAME_BYTES_MAX];
                // A longer name is none of those that are kept.
                if let Some(known) = lower.get_mut(..name.len()) {
                    known.copy_from_slice(name);
                    known.make_ascii_lowercase();
                    self.field(known, value);
                }
            }
            None => self.note("http-bad-field"),
        }
        true
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"content-length" => self.content_length(value),
            b"transfer-encoding" => {
                let last = value.rsplit(|&octet| octet == b',').next();
                let last = last.unwrap_or(value).trim_ascii();
                self.framing.chunked |= last.eq_ignore_ascii_case(b"chunked");
                self.smuggling();
            }
            b"content-type" => {
                self.hints.content_type(value);
                let bare = value.split(|&octet| octet == b';').next().unwrap_or(value);
                let bare = (!bare.is_empty()).then(|| lower(bare));
                if self.is_request() {
                    self.http.request_type = bare;
                } else {
                    self.http.content_type = bare;
                }
            }
            b"content-encoding" => {
                self.hints.encoded = !value.trim_ascii().eq_ignore_ascii_case(b"identity");
                self.file.coding(value);
            }
            b"content-disposition" => self.file.disposition(value),
            b"upgrade" => {
                let is = |name: &[u8]| {
                    let head = value.get(..name.len());
                    head.is_some_and(|head| head.eq_ignore_ascii_case(name))
                };
                let (extensions, protocol) = (Vec::new(), None);
                self.framing.upgrade = if is(b"tls/") {
                    Some(Upgrade::Tls)
                } else if is(b"h2c") {
                    Some(Upgrade::Http2)
                } else if is(b"websocket") {
                    Some(Upgrade::WebSocket {
                        extensions,
                        protocol,
                    })
                } else {
                    None
                };
                self.web_socket();
            }
            b"sec-websocket-extensions" if !self.is_request() => {
                self.extensions = value.get(..EXTENSIONS_BYTES_MAX).unwrap_or(value).to_vec();
                self.web_socket();
            }
            b"sec-websocket-protocol" if !self.is_request() => {
                self.protocol = Some(text(value).into_owned());
                self.web_socket();
            }
            _ if self.is_request() => self.request_field(name, value),
            b"www-authenticate" | b"proxy-authenticate" => self.logon_field(name, value),
            b"server" => {
                self.http.server = Some(text(value));
                self.folding = Some(Kept::Server);
            }
            _ => {}
        }
    }

    /// Brings together what an answer says about WebSocket, in whatever order.
    fn web_socket(&mut self) {
        if let Some(Upgrade::WebSocket {
            extensions,
            protocol,
        }) = &mut self.framing.upgrade
        {
            extensions.clone_from(&self.extensions);
            protocol.clone_from(&self.protocol);
        }
    }

    /// The head of an HTTP/2 request or answer, without its fields.
    pub(super) fn second(request: bool) -> Self {
        let mut head = Self::empty(0);
        if request {
            head.http.version = Some(Text::Borrowed("2"));
        } else {
            head.code = Some(0);
        }
        head
    }

    /// Takes a field of an HTTP/2 head.
    pub(super) fn second_field(&mut self, name: &[u8], value: &[u8]) {
        self.bytes = self.bytes.saturating_add(name.len() + value.len());
        self.fields += 1;
        if self.bytes > HEAD_BYTES_MAX || self.fields > FIELDS_MAX {
            return self.note("http-long-head");
        }
        match name {
            b":method" => self.http.method = Some(text(value)),
            b":authority" => self.authority(value),
            b":path" => {
                let parts = Target::parse(b"", value);
                self.target(parts);
            }
            b":status" => {
                let code = std::str::from_utf8(value).ok();
                self.code = Some(code.and_then(|code| code.parse().ok()).unwrap_or(0));
                self.http.code = self.code.filter(|&code| code > 0);
            }
            [b':', ..] => {}
            name => self.field(&name.to_ascii_lowercase(), value),
        }
    }

    fn request_field(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"host" => self.authority(value),
            b"accept" => self.hints.accept(value),
            b"user-agent" => {
                self.http.user_agent = Some(text(value));
                self.folding = Some(Kept::UserAgent);
            }
            b"referer" => self.http.referrer = Some(Sensitive::path(&lossy(value))),
            b"authorization" | b"proxy-authorization" => {
                self.logon_field(name, value);
                let scheme = value.split(|&octet| octet == b' ').next().unwrap_or(&[]);
                let plain = |o: &u8| o.is_ascii_alphanumeric() || b"-_".contains(o);
                // A value without scheme is a credential: it is not kept.
                let kept = scheme.len() < value.len() && scheme.len() <= 24;
                if kept && !scheme.is_empty() && scheme.iter().all(plain) {
                    self.http.auth_scheme = Some(lower(scheme));
                }
            }
            _ => {}
        }
    }

    fn content_length(&mut self, value: &[u8]) {
        let first = value.split(|&octet| octet == b',').next().unwrap_or(value);
        let digits = std::str::from_utf8(first.trim_ascii()).ok();
        let Some(length) = digits.and_then(|digits| digits.parse::<u64>().ok()) else {
            return self.note("http-bad-length");
        };
        if self.framing.length.is_some_and(|known| known != length) {
            self.note("http-two-lengths");
        }
        self.framing.length.get_or_insert(length);
        self.smuggling();
    }

    /// Chunks count, but a length beside them is how requests are smuggled (RFC 9112 section 6.1).
    fn smuggling(&mut self) {
        if self.framing.chunked && self.framing.length.is_some() {
            self.note("http-length-and-chunks");
        }
    }

    fn fold(&mut self, line: &[u8]) {
        let kept = match self.folding {
            Some(Kept::UserAgent) => &mut self.http.user_agent,
            Some(Kept::Server) => &mut self.http.server,
            None => return,
        };
        if let Some(kept) = kept {
            let more = format!("{kept} {}", lossy(line.trim_ascii()));
            *kept = owned(more.into());
        }
    }

    /// Octets that it holds beside itself, at most: every text comes from its lines.
    pub(super) fn heap_bytes(&self) -> usize {
        const TEXTS: usize = 12 * 24;
        self.bytes.min(HEAD_BYTES_MAX) + TEXTS + self.anomalies.capacity() * size_of::<&str>()
    }

    /// Notes an anomaly once.
    pub(super) fn note(&mut self, anomaly: &'static str) {
        if !self.anomalies.contains(&anomaly) {
            self.anomalies.push(anomaly);
        }
    }
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn text(bytes: &[u8]) -> Text {
    owned(lossy(bytes))
}

/// Cuts a text; copies it only when it is borrowed.
fn owned(text: Cow<'_, str>) -> Text {
    let kept = cut(&text).len();
    match text {
        Cow::Owned(mut text) => {
            text.truncate(kept);
            text.into()
        }
        Cow::Borrowed(text) => cut(text).to_owned().into(),
    }
}

/// A text that is nearly always one of [`WORDS`].
fn word(bytes: &[u8]) -> Text {
    let known = WORDS.iter().find(|known| known.as_bytes() == bytes);
    known.map_or_else(|| text(bytes), |known| Text::Borrowed(known))
}

/// Methods, versions and reasons of nearly all messages, the most frequent first.
const WORDS: &[&str] = &[
    "1.1",
    "GET",
    "OK",
    "POST",
    "1.0",
    "HEAD",
    "PUT",
    "Not Found",
    "Found",
    "Not Modified",
    "Moved Permanently",
    "No Content",
    "Created",
    "Partial Content",
    "Bad Request",
    "Unauthorized",
    "Forbidden",
    "Internal Server Error",
    "OPTIONS",
    "DELETE",
    "PATCH",
    "CONNECT",
];

fn lower(bytes: &[u8]) -> Text {
    let mut text = text(bytes.trim_ascii()).into_owned();
    text.make_ascii_lowercase();
    text.into()
}
