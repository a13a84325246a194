//! DICOMweb: what a target asks for, and what a JSON body says.
//!
//! Enters: method, path, query, items of DICOM JSON. Leaves: the fields of a [`Medical`] record.
//! Refuses: targets whose path has none of the service's resources.
//! Source: DICOM PS3.18 sections 8 to 11 (studies, worklist), 9 (URI service), annex F (JSON).

use model::class::Medical;
use model::{Text, limit};

use super::json::Item;
use super::{OnePatient, query};

/// Longest UID that is believed.
const UID_BYTES_MAX: usize = 64;

/// One exchange.
#[derive(Default)]
pub(super) struct DicomWeb {
    operation: &'static str,
    activity: u16,
    level: Option<&'static str>,
    study: Option<String>,
    series: Option<String>,
    asked: OnePatient,
    found: OnePatient,
    answer: Answer,
    request_objects: u32,
}

/// What DICOM JSON of an answer or a stored object says.
#[derive(Default)]
struct Answer {
    objects: u32,
    stored: Option<u32>,
    failed: u32,
    tags: u32,
    issuer: String,
    identifier: String,
    modality: Option<String>,
    manufacturer: Option<String>,
    model: Option<String>,
    station: Option<String>,
    serial: Option<String>,
    study: Option<String>,
    several_studies: bool,
}

impl DicomWeb {
    /// The exchange that a target starts, and whether the target alone proves it. `typed` says that
    /// a content type did.
    pub(super) fn of_target(
        method: &str,
        path: &str,
        query: &str,
        typed: bool,
    ) -> Option<(Self, bool)> {
        let mut web = Self::default();
        let mut uri_service = false;
        query::each(query, &mut |name, value| {
            uri_service |=
                name.eq_ignore_ascii_case("requestType") && value.eq_ignore_ascii_case("wado");
            web.parameter(name, value);
        });
        if uri_service {
            web.set("retrieve", 5, "IMAGE");
            return Some((web, true));
        }
        let known = web.path(method, path);
        if !known && !typed {
            return None;
        }
        if !known {
            web.by_method(method);
        }
        let lower = path.to_ascii_lowercase();
        let base = ["dicom-web", "dicomweb", "wado", "/rs/studies", "/aets/"];
        let sure = typed || known && base.iter().any(|word| lower.contains(word));
        let sure = sure || web.study.as_deref().is_some_and(|uid| uid.len() > 16);
        Some((web, sure))
    }

    const fn set(&mut self, operation: &'static str, activity: u16, level: &'static str) {
        self.operation = operation;
        self.activity = activity;
        self.level = Some(level);
    }

    fn by_method(&mut self, method: &str) {
        (self.operation, self.activity) = match method {
            "POST" | "PUT" => ("store", 3),
            "DELETE" => ("delete", 7),
            _ => ("retrieve", 5),
        };
    }

    /// Reads the path; false when it holds no resource of the service.
    fn path(&mut self, method: &str, path: &str) -> bool {
        let all: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let first = |part: &&str| matches!(*part, "studies" | "series" | "instances" | "workitems");
        let Some(at) = all.iter().position(first) else {
            return false;
        };
        let parts = all.get(at..).unwrap_or(&[]);
        if parts.first() == Some(&"workitems") {
            self.operation = "worklist";
            self.activity = if method == "GET" { 4 } else { 7 };
            return true;
        }
        let mut level = "STUDY";
        let mut collection = true;
        let mut rest = parts.iter();
        while let Some(part) = rest.next() {
            level = match *part {
                "studies" => "STUDY",
                "series" => "SERIES",
                "instances" => "IMAGE",
                // Metadata, frames, rendered: parts of what stands before.
                _ => break,
            };
            let Some(next) = rest.as_slice().first() else {
                collection = true;
                break;
            };
            collection = !is_uid(next);
            if collection {
                // A word where a UID must stand: another service's path.
                if !matches!(*next, "series" | "instances") {
                    return false;
                }
                continue;
            }
            match level {
                "STUDY" => self.study = Some((*next).to_owned()),
                "SERIES" => self.series = Some((*next).to_owned()),
                _ => {}
            }
            rest.next();
        }
        match method {
            "GET" | "HEAD" if collection => self.set("search", 4, level),
            "GET" | "HEAD" => self.set("retrieve", 5, level),
            "POST" | "PUT" => self.set("store", 3, level),
            "DELETE" => self.set("delete", 7, level),
            _ => self.set("other", 99, level),
        }
        true
    }

    fn parameter(&mut self, name: &str, value: &str) {
        let wild = value.contains(['*', '?']);
        match name {
            "PatientID" | "00100020" if !wild => self.asked.add("", value, None),
            "StudyInstanceUID" | "0020000D" | "studyUID" if is_uid(value) => {
                self.study = Some(value.to_owned());
            }
            "SeriesInstanceUID" | "0020000E" | "seriesUID" if is_uid(value) => {
                self.series = Some(value.to_owned());
            }
            "ModalitiesInStudy" | "00080061" | "Modality" | "00080060" => {
                self.answer.modality = Some(value.to_owned());
            }
            _ => {}
        }
    }

    /// One item of a JSON body.
    pub(super) fn item(&mut self, of_answer: bool, path: &str, item: Item<'_>) {
        match item {
            Item::Begin if path.is_empty() && of_answer => self.answer.objects += 1,
            Item::Begin if path.is_empty() => self.request_objects += 1,
            Item::Begin => match path {
                // Referenced SOP sequence and failed SOP sequence of a store response.
                "00081199.Value" => {
                    self.answer.stored = Some(self.answer.stored.unwrap_or(0).saturating_add(1));
                }
                "00081198.Value" => self.answer.failed = self.answer.failed.saturating_add(1),
                _ => {}
            },
            Item::End if path.is_empty() => {
                let (issuer, identifier) = (
                    std::mem::take(&mut self.answer.issuer),
                    std::mem::take(&mut self.answer.identifier),
                );
                self.found.add(&issuer, &identifier, None);
            }
            Item::End => {}
            Item::Value(value) => self.value(path, value),
        }
    }

    fn value(&mut self, path: &str, value: &str) {
        let Some((tag, "Value" | "Value.Alphabetic")) = path.split_once('.') else {
            if path.len() == 11 && path.ends_with(".vr") {
                self.answer.tags = self.answer.tags.saturating_add(1);
            }
            return;
        };
        let answer = &mut self.answer;
        let slot = match tag {
            "00100020" => {
                value.clone_into(&mut answer.identifier);
                return;
            }
            "00100021" => {
                value.clone_into(&mut answer.issuer);
                return;
            }
            "00100010" => {
                let name = value.replace(['^', '='], " ").trim().to_owned();
                self.found.name.get_or_insert(name);
                return;
            }
            "0020000D" => {
                let known = answer.study.get_or_insert_with(|| value.to_owned());
                answer.several_studies |= known != value;
                return;
            }
            "00080060" => &mut answer.modality,
            "00080070" => &mut answer.manufacturer,
            "00081090" => &mut answer.model,
            "00081010" => &mut answer.station,
            "00181000" => &mut answer.serial,
            _ => return,
        };
        slot.get_or_insert_with(|| value.to_owned());
    }

    /// True when a body shows attributes in DICOM JSON.
    pub(super) const fn is_proven(&self) -> bool {
        self.answer.tags > 0
    }

    /// Writes what is known and returns the activity.
    pub(super) fn write(self, body: &mut Medical) -> u16 {
        let text = |value: Option<String>| {
            let value = value.filter(|value| !value.is_empty());
            value.map(|value| Text::from(limit::cut_to(&value, 128).to_owned()))
        };
        body.standard = Text::Borrowed("dicomweb");
        body.operation = Some(Text::Borrowed(self.operation));
        body.query_level = self.level.map(Text::Borrowed);
        let answer = self.answer;
        let found = answer.study.filter(|_| !answer.several_studies);
        body.study_uid = text(self.study.or(found)).or_else(|| body.study_uid.take());
        body.series_uid = text(self.series).or_else(|| body.series_uid.take());
        for (slot, value) in [
            (&mut body.modality, answer.modality),
            (&mut body.manufacturer, answer.manufacturer),
            (&mut body.model, answer.model),
            (&mut body.station, answer.station),
            (&mut body.serial, answer.serial),
        ] {
            if let Some(value) = text(value).filter(|_| slot.is_none()) {
                *slot = Some(value);
            }
        }
        body.object_count = match self.operation {
            "store" => answer
                .stored
                .or(Some(self.request_objects).filter(|n| *n > 0)),
            _ => Some(answer.objects).filter(|n| *n > 0 || self.operation == "search"),
        };
        if answer.failed > 0 {
            body.anomalies
                .push(Text::Borrowed("dicomweb-store-failures"));
        }
        self.asked.write(body);
        self.found.write(body);
        self.activity
    }
}

fn is_uid(text: &str) -> bool {
    let digits = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    digits && text.contains('.') && text.len() <= UID_BYTES_MAX
}
