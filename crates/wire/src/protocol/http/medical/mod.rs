//! FHIR and DICOMweb inside HTTP: an observer of one exchange.
//!
//! Enters: what the heads of an exchange say, and pieces of its bodies. Leaves: one [`Medical`]
//! draft beside the exchange's own, when a content type, the path or the body itself proves one of
//! both standards. Refuses: exchanges that show neither; bodies beyond [`BODY_BYTES_MAX`] (what was
//! seen counts, noted as `body-cut`), compressed ones (`body-encoded`). It knows nothing of HTTP's
//! version: any session that has a [`Http`] record and body bytes can feed it.
//! Source: HL7 FHIR R4 section 3.1 (RESTful API); DICOM PS3.18 (web services).

mod dicomweb;
mod fhir;
mod json;
mod part;
mod query;
mod xml;

use model::class::{Http, Medical};
use model::{Nanos, Sensitive, Text};

use self::dicomweb::DicomWeb;
use self::fhir::Fhir;
use self::json::{Item, Json};
use self::part::Part;
use self::xml::Xml;
use crate::protocol::{Context, Draft};

/// Most bytes of one body that are looked at.
pub(in crate::protocol) const BODY_BYTES_MAX: u64 = 256 * 1024;

/// What the observer wants to know of a head beyond what the event keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::protocol) struct Hints {
    content: Kind,
    syntax: Syntax,
    accept: Kind,
    /// True when the body is compressed.
    pub(in crate::protocol) encoded: bool,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Syntax {
    #[default]
    Other,
    Json,
    Xml,
}

impl Hints {
    /// Takes a Content-Type field with its parameters.
    pub(in crate::protocol) fn content_type(&mut self, value: &[u8]) {
        self.content = kind(value);
        self.syntax = if has(value, b"json") {
            Syntax::Json
        } else if has(value, b"xml") {
            Syntax::Xml
        } else {
            Syntax::Other
        };
    }

    /// Takes an Accept field.
    pub(in crate::protocol) fn accept(&mut self, value: &[u8]) {
        self.accept = kind(value);
    }
}

/// Watches one exchange.
pub(in crate::protocol) struct Observer {
    content: Content,
    /// A content type or the path proves the standard.
    sure: bool,
    looks: [Look; 2],
    anomalies: Vec<Text>,
}

enum Content {
    Fhir(Box<Fhir>),
    Web(Box<DicomWeb>),
}

/// One body.
#[derive(Default)]
struct Look {
    format: Format,
    seen: u64,
    cut: bool,
}

#[derive(Default)]
enum Format {
    #[default]
    None,
    Json(Json),
    Xml(Xml),
    Part(Part),
}

/// What a content type says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    Fhir,
    Dicom,
    #[default]
    Neither,
}

fn kind(content_type: &[u8]) -> Kind {
    if has(content_type, b"fhir") {
        Kind::Fhir
    } else if has(content_type, b"application/dicom") {
        Kind::Dicom
    } else {
        Kind::Neither
    }
}

/// True when `text` holds `word`, whatever the case.
fn has(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}

impl Observer {
    /// Looks at the head of a request; `None` when it concerns neither standard.
    pub(in crate::protocol) fn of_request(http: &Http, hints: &Hints) -> Option<Box<Self>> {
        let said = match hints.content {
            Kind::Neither => hints.accept,
            kind @ (Kind::Fhir | Kind::Dicom) => kind,
        };
        let mut observer = Self::open(http, said)?;
        observer.head(false, hints);
        Some(Box::new(observer))
    }

    /// Looks at the head of an answer whose request was not of interest, or not seen.
    pub(in crate::protocol) fn of_answer(http: &Http, hints: &Hints) -> Option<Box<Self>> {
        let said = hints.content;
        if said == Kind::Neither {
            return None;
        }
        Self::open(http, said).map(Box::new)
    }

    fn open(http: &Http, said: Kind) -> Option<Self> {
        let clear = |value: &Option<Sensitive>| {
            let clear = value.as_ref().and_then(Sensitive::reveal);
            clear.map_or(String::new(), |(_, clear)| clear.to_owned())
        };
        let (path, query) = (clear(&http.path), clear(&http.query));
        let method = http.method.as_deref().unwrap_or("");
        let (content, sure) = match said {
            Kind::Fhir => (
                Content::Fhir(Box::new(Fhir::of_target(method, &path, &query, true)?)),
                true,
            ),
            Kind::Dicom => (
                Content::Web(Box::new(
                    DicomWeb::of_target(method, &path, &query, true)?.0,
                )),
                true,
            ),
            Kind::Neither => {
                if let Some((web, sure)) = DicomWeb::of_target(method, &path, &query, false) {
                    (Content::Web(Box::new(web)), sure)
                } else {
                    let sure = fhir::is_base(&path);
                    (
                        Content::Fhir(Box::new(Fhir::of_target(method, &path, &query, sure)?)),
                        sure,
                    )
                }
            }
        };
        Some(Self {
            content,
            sure,
            looks: [Look::default(), Look::default()],
            anomalies: Vec::new(),
        })
    }

    /// Takes the head of a message: what its body is.
    pub(in crate::protocol) fn head(&mut self, of_answer: bool, hints: &Hints) {
        let kind = hints.content;
        self.sure |= match self.content {
            Content::Fhir(_) => kind == Kind::Fhir,
            Content::Web(_) => kind == Kind::Dicom,
        };
        let [of_request, of_response] = &mut self.looks;
        let look = if of_answer { of_response } else { of_request };
        look.format = if hints.encoded {
            if !self.anomalies.iter().any(|known| known == "body-encoded") {
                self.anomalies.push(Text::Borrowed("body-encoded"));
            }
            Format::None
        } else if hints.syntax == Syntax::Json {
            Format::Json(Json::default())
        } else if hints.syntax == Syntax::Xml && matches!(self.content, Content::Fhir(_)) {
            Format::Xml(Xml::default())
        } else if kind == Kind::Dicom {
            Format::Part(Part::default())
        } else {
            Format::None
        };
    }

    /// Most bytes of a body that it still wants to see; 0 when they may pass uncopied.
    pub(in crate::protocol) const fn wants(&self, of_answer: bool) -> u64 {
        let [of_request, of_response] = &self.looks;
        let look = if of_answer { of_response } else { of_request };
        let most = match &look.format {
            Format::None => 0,
            Format::Json(_) | Format::Xml(_) => BODY_BYTES_MAX,
            Format::Part(_) => part::PART_BYTES_MAX,
        };
        most.saturating_sub(look.seen)
    }

    /// Sees the next bytes of a body, without holes; what it does not want is passed over.
    pub(in crate::protocol) fn body(&mut self, of_answer: bool, bytes: &[u8]) {
        let wants = usize::try_from(self.wants(of_answer)).unwrap_or(usize::MAX);
        let seen = bytes.get(..wants).unwrap_or(bytes);
        let [of_request, of_response] = &mut self.looks;
        let look = if of_answer { of_response } else { of_request };
        look.cut |= seen.len() < bytes.len();
        look.seen += u64::try_from(seen.len()).unwrap_or(0);
        let content = &mut self.content;
        let mut say = |path: &str, item: Item<'_>| match content {
            Content::Fhir(fhir) => fhir.item(of_answer, path, item),
            Content::Web(web) => web.item(of_answer, path, item),
        };
        match &mut look.format {
            Format::None => {}
            Format::Json(json) => json.feed(seen, &mut say),
            Format::Xml(xml) => xml.feed(seen, &mut say),
            Format::Part(part) => part.feed(seen),
        }
    }

    /// Notes that bytes of a body passed unseen.
    pub(in crate::protocol) const fn passed(&mut self, of_answer: bool) {
        let [of_request, of_response] = &mut self.looks;
        let look = if of_answer { of_response } else { of_request };
        look.cut |= !matches!(look.format, Format::None | Format::Part(_));
        // What follows a hole has no place in the document.
        if !matches!(look.format, Format::None) {
            look.seen = BODY_BYTES_MAX;
        }
    }

    /// Heap bytes held, estimated.
    pub(in crate::protocol) fn heap_bytes(&self) -> usize {
        let looks = self.looks.iter().map(|look| match &look.format {
            Format::None => 0,
            Format::Json(json) => json.heap_bytes(),
            Format::Xml(xml) => xml.heap_bytes(),
            Format::Part(part) => part.heap_bytes(),
        });
        size_of::<Self>() + looks.sum::<usize>() + 1024
    }

    /// Emits the medical exchange that this HTTP exchange was, if it was one.
    pub(in crate::protocol) fn emit(mut self, time: Nanos, http: &Http, cx: &mut Context<'_>) {
        let proven = match &self.content {
            Content::Fhir(fhir) => fhir.is_proven(),
            Content::Web(web) => web.is_proven(),
        };
        if !self.sure && !proven {
            return;
        }
        let mut body = Medical {
            status: http.code.map(|code| Text::from(code.to_string())),
            ack_delay_ms: http.latency_ms,
            bytes: sum(http.request_bytes, http.response_bytes),
            ..Medical::default()
        };
        let activity = match self.content {
            Content::Fhir(fhir) => fhir.write(&mut body),
            Content::Web(web) => {
                let [of_request, of_response] = &self.looks;
                for look in [of_request, of_response] {
                    if let Format::Part(part) = &look.format {
                        part.write(&mut body);
                    }
                }
                web.write(&mut body)
            }
        };
        if self.looks.iter().any(|look| look.cut) {
            self.anomalies.push(Text::Borrowed("body-cut"));
        }
        let unseen = self.anomalies.iter().any(|known| known == "body-encoded");
        if unseen && body.object_count == Some(0) {
            body.object_count = None;
        }
        body.anomalies.append(&mut self.anomalies);
        let status = match http.code {
            None => 0,
            Some(code) if code < 400 => 1,
            Some(_) => 2,
        };
        let code = body.status.clone();
        cx.emit(Draft::new(time, activity, body).status(status, code));
    }
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    match (one, other) {
        (None, None) => None,
        (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
    }
}

/// The one patient that an exchange concerns; none when it concerns several.
#[derive(Default)]
struct OnePatient {
    assigner: String,
    identifier: String,
    name: Option<String>,
    /// Identifier of the FHIR resource.
    id: Option<String>,
    several: bool,
}

impl OnePatient {
    /// A patient is named; `id` is the identifier of its FHIR resource.
    fn add(&mut self, assigner: &str, identifier: &str, id: Option<&str>) {
        let by_id = id.is_some() && self.id.as_deref() == id;
        let known = self.identifier == identifier && self.assigner == assigner;
        if identifier.is_empty() && id.is_none() || known && !identifier.is_empty() {
            return;
        }
        if self.identifier.is_empty() && (self.id.is_none() || by_id) {
            identifier.clone_into(&mut self.identifier);
            assigner.clone_into(&mut self.assigner);
            if let Some(id) = id {
                self.id = Some(id.to_owned());
            }
        } else if !by_id {
            self.several = true;
        }
    }

    fn write(self, body: &mut Medical) {
        if self.several {
            return;
        }
        let id = if self.identifier.is_empty() {
            self.id
        } else {
            Some(self.identifier)
        };
        if let Some(id) = id.filter(|_| body.patient.is_none()) {
            body.patient = Some(Sensitive::patient(&self.assigner, &id));
        }
        if let Some(name) = self.name.filter(|_| body.patient_name.is_none()) {
            body.patient_name = Some(Sensitive::text(&name));
        }
    }
}

#[cfg(test)]
mod tests;
