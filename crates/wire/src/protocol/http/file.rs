//! The two bodies of an exchange, as files.
//!
//! Enters: what heads say of a body's name and coding, its octets, its holes, its end. Leaves: the
//! file's fields of the exchange's event. Refuses: content codings other than gzip, deflate, zstd:
//! such a body has neither type nor hash. Parts of `multipart/form-data` are not told apart.
//! Source: RFC 6266 (Content-Disposition), RFC 9110 sections 8.4 and 14.4.

use codec::compress::Format;
use model::Sensitive;
use model::class::Http;

use crate::file::facts::extension;
use crate::file::{Carver, Coding, Meta};
use crate::protocol::shared::mime;
use crate::protocol::{Context, Side};

/// What a head says of the file after it.
#[derive(Clone, Default)]
pub(super) struct Said {
    name: Option<Box<str>>,
    coding: Coding,
}

impl Said {
    /// Takes a Content-Encoding field.
    pub(super) fn coding(&mut self, value: &[u8]) {
        let value = value.trim_ascii();
        let is = |word: &str| value.eq_ignore_ascii_case(word.as_bytes());
        self.coding = if is("gzip") || is("x-gzip") {
            Coding::Packed(Format::Gzip)
        } else if is("deflate") {
            Coding::Packed(Format::Zlib)
        } else if is("zstd") {
            Coding::Packed(Format::Zstd)
        } else if is("identity") || value.is_empty() {
            Coding::Plain
        } else {
            Coding::Other
        };
    }

    /// Takes a Content-Disposition field.
    pub(super) fn disposition(&mut self, value: &[u8]) {
        let name = mime::parameter(value, b"filename");
        self.name = name
            .filter(|name| !name.is_empty())
            .map(String::into_boxed_str);
    }
}

/// The bodies of a request and of its answer.
#[derive(Default)]
pub(super) struct Bodies([Option<Box<Body>>; 2]);

struct Body {
    said: Said,
    carver: Option<Carver>,
}

impl Bodies {
    /// Takes what a head said; nothing is kept for a head that said nothing.
    pub(super) fn head(&mut self, of_answer: bool, said: Said) {
        if said.name.is_some() || said.coding != Coding::Plain {
            *self.of(of_answer) = Some(Box::new(Body { said, carver: None }));
        }
    }

    /// A body begins, unless it did.
    pub(super) fn begin(
        &mut self,
        of_answer: bool,
        bytes: Option<u64>,
        http: &Http,
        (sender, cx): (Side, &Context<'_>),
    ) {
        let slot = self.of(of_answer);
        let said = match slot.take() {
            Some(body) if body.carver.is_some() => {
                *slot = Some(body);
                return;
            }
            Some(body) => body.said,
            None => Said::default(),
        };
        let policy = &cx.files.policy;
        // A name is looked up only for somebody who wants it.
        let path = policy
            .observer
            .as_ref()
            .and_then(|_| clear(http.path.as_ref()));
        let kind = if of_answer {
            &http.content_type
        } else {
            &http.request_type
        };
        let meta = Meta {
            time: cx.now,
            protocol: "http",
            sender,
            hosts: cx.hosts,
            ports: [cx.client_port, cx.server_port],
            name: said.name.as_deref().or(path),
            mime: kind.as_deref(),
            bytes: bytes.filter(|_| said.coding == Coding::Plain),
        };
        let carver = Carver::begin(policy, said.coding, &meta);
        *slot = Some(Box::new(Body {
            said,
            carver: Some(carver),
        }));
    }

    /// How many of the next octets should be shown.
    pub(super) fn wants(&self, of_answer: bool) -> u64 {
        let [request, answer] = &self.0;
        let body = if of_answer { answer } else { request };
        let carver = body.as_ref().and_then(|body| body.carver.as_ref());
        carver.map_or(0, Carver::wants)
    }

    /// The body under way.
    pub(super) fn carver(&mut self, of_answer: bool) -> Option<&mut Carver> {
        self.of(of_answer).as_mut()?.carver.as_mut()
    }

    /// The exchange is over: writes what is known of its files.
    pub(super) fn end(&mut self, http: &mut Http, cx: &mut Context<'_>) {
        let [request, answer] = std::mem::take(&mut self.0);
        let path = clear(http.path.as_ref()).map(str::to_owned);
        let path = path.as_deref();
        if let Some((said, facts)) = finish(request, http, path, cx) {
            facts.request(http);
            http.upload_name = said.name.as_deref().map(Sensitive::path);
            let put = path.filter(|_| http.method.as_deref() == Some("PUT"));
            http.upload_ext = said.name.as_deref().or(put).and_then(extension);
        }
        if let Some((said, facts)) = finish(answer, http, path, cx) {
            facts.answer(http);
            http.file_name = said.name.as_deref().map(Sensitive::path);
            http.file_ext = said.name.as_deref().or(path).and_then(extension);
        }
    }

    /// Octets that it holds beside itself.
    pub(super) fn heap_bytes(&self) -> usize {
        let bodies = self.0.iter().flatten().map(|body| {
            let name = body.said.name.as_ref().map_or(0, |name| name.len());
            let carver = body.carver.as_ref().map_or(0, Carver::heap_bytes);
            size_of::<Body>() + name + carver + 32
        });
        bodies.sum()
    }

    const fn of(&mut self, of_answer: bool) -> &mut Option<Box<Body>> {
        let [request, answer] = &mut self.0;
        if of_answer { answer } else { request }
    }
}

fn finish(
    body: Option<Box<Body>>,
    http: &Http,
    path: Option<&str>,
    cx: &mut Context<'_>,
) -> Option<(Said, crate::file::Facts)> {
    let body = body?;
    let mut carver = body.carver.filter(|carver| !carver.is_empty())?;
    if http.code == Some(206) {
        carver.spoil("range");
    }
    let name = body.said.name.as_deref().or(path);
    let facts = carver.end(name, cx.drafts);
    Some((body.said, facts))
}

fn clear(value: Option<&Sensitive>) -> Option<&str> {
    value.and_then(Sensitive::reveal).map(|(_, clear)| clear)
}
