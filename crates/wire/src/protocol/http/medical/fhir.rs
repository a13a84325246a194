//! FHIR: the interaction that a target asks for, and what resources in bodies say.
//!
//! Enters: method, path, query, items of JSON or XML. Leaves: the fields of a [`Medical`] record.
//! Refuses: targets without a resource type of FHIR, unless a content type or the base says FHIR.
//! Source: HL7 FHIR R4 section 3.1.0 (style guide), DSTU2 to R5 for names of resources.

mod names;

use model::class::Medical;
use model::{Text, limit};

use self::names::RESOURCES;
use super::json::Item;
use super::{OnePatient, query};

/// Longest name of a resource type or an operation.
const NAME_BYTES_MAX: usize = 64;

/// One exchange.
#[derive(Default)]
pub(super) struct Fhir {
    operation: &'static str,
    activity: u16,
    resource: Option<String>,
    called: Option<String>,
    asked: OnePatient,
    /// What the resource in the request's body says, then that of the answer.
    bodies: [Resources; 2],
}

/// What a body says.
#[derive(Default)]
struct Resources {
    outer: Option<String>,
    bundle: Option<String>,
    total: Option<u32>,
    entries: u32,
    patients: OnePatient,
    current: Resource,
    device: Device,
}

/// The resource that is being read.
#[derive(Default)]
struct Resource {
    kind: String,
    id: String,
    system: String,
    value: String,
    /// An identifier was taken.
    identified: bool,
    subject: String,
    name: Vec<String>,
}

#[derive(Default)]
struct Device {
    manufacturer: Option<String>,
    model: Option<String>,
    serial: Option<String>,
    software: Option<String>,
    application: Option<String>,
    fhir: Option<String>,
}

/// True when the base of a path names FHIR.
pub(super) fn is_base(path: &str) -> bool {
    path.split('/').any(|part| {
        let part = part.to_ascii_lowercase();
        part == "fhir" || part.starts_with("fhir-") || part.ends_with("-fhir")
    })
}

impl Fhir {
    /// The interaction that a target starts; `typed` says that a content type or the base of the
    /// path names FHIR.
    pub(super) fn of_target(method: &str, path: &str, query: &str, typed: bool) -> Option<Self> {
        let all: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let starts = |part: &&str| {
            RESOURCES.contains(part)
                || typed && (is_word(part) || part.starts_with(['$', '_']) || *part == "metadata")
        };
        let at = all.iter().position(starts);
        if at.is_none() && !typed {
            return None;
        }
        let parts = all.get(at.unwrap_or(all.len())..).unwrap_or(&[]);
        let mut fhir = Self::default();
        fhir.interaction(method, parts);
        query::each(query, &mut |name, value| fhir.parameter(name, value));
        Some(fhir)
    }

    fn interaction(&mut self, method: &str, parts: &[&str]) {
        let reads = matches!(method, "GET" | "HEAD");
        let resource = parts.first().filter(|part| is_word(part));
        self.resource = resource.map(|part| (*part).to_owned());
        if let Some(called) = parts.iter().find(|part| part.starts_with('$')) {
            self.called = Some(limit::cut_to(called, NAME_BYTES_MAX).to_owned());
        }
        let id = parts.get(1).filter(|_| resource.is_some());
        let id = id.filter(|part| !part.starts_with(['$', '_']));
        if let (Some(&"Patient"), Some(id)) = (resource, id) {
            self.asked.add("", "", Some(id));
        }
        (self.operation, self.activity) = match (parts, method) {
            ([.., "_search"], _) => ("search", 4),
            _ if self.called.is_some() => ("operation", if reads { 5 } else { 7 }),
            (["metadata"], _) => ("capabilities", 5),
            ([.., "_history"], _) => ("history", 5),
            ([.., "_history", _], _) => ("vread", 5),
            ([_], _) if reads => ("search", 4),
            ([_, _, compartment], _) if reads && is_word(compartment) => {
                self.resource = Some((*compartment).to_owned());
                ("search", 4)
            }
            ([_, _, ..], _) if reads => ("read", 5),
            ([], "POST") => ("batch", 7),
            ([], _) if reads => ("search", 4),
            (_, "POST") => ("create", 3),
            (_, "PUT") => ("update", 7),
            (_, "PATCH") => ("patch", 7),
            (_, "DELETE") => ("delete", 7),
            _ => ("other", 99),
        };
    }

    fn parameter(&mut self, name: &str, value: &str) {
        let name = name.split(':').next().unwrap_or(name);
        let of_patient = self.resource.as_deref() == Some("Patient");
        match name {
            "patient" | "subject" => {
                let (kind, id) = reference(value);
                if name == "patient" || kind == Some("Patient") {
                    self.asked.add("", "", Some(id));
                }
            }
            "_id" if of_patient => self.asked.add("", "", Some(value)),
            "identifier" if of_patient => {
                let (system, value) = value.split_once('|').unwrap_or(("", value));
                self.asked.add(assigner(system), value, None);
            }
            _ => {}
        }
    }

    /// One item of a body.
    pub(super) fn item(&mut self, of_answer: bool, path: &str, item: Item<'_>) {
        let [of_request, of_response] = &mut self.bodies;
        let body = if of_answer { of_response } else { of_request };
        body.item(path, item);
    }

    /// True when a body says which resource it is.
    pub(super) fn is_proven(&self) -> bool {
        let named = |body: &Resources| {
            let outer = body.outer.as_deref();
            outer.is_some_and(|outer| RESOURCES.contains(&outer))
        };
        self.bodies.iter().any(named)
    }

    /// Writes what is known and returns the activity.
    pub(super) fn write(mut self, body: &mut Medical) -> u16 {
        let [request, answer] = self.bodies;
        if self.operation == "batch" && request.bundle.as_deref() == Some("transaction") {
            self.operation = "transaction";
        }
        let text = |value: &str| Text::from(limit::cut_to(value, NAME_BYTES_MAX).to_owned());
        body.standard = Text::Borrowed("fhir");
        body.operation = Some(Text::Borrowed(self.operation));
        body.trigger = self.called.map(|called| text(&called));
        let outer = request.outer.as_deref().or(answer.outer.as_deref());
        let resource = self.resource.as_deref().or(outer);
        body.resource_type = resource.filter(|name| is_word(name)).map(text);
        body.object_count = if request.entries > 0 {
            Some(request.entries)
        } else if answer.is_bundle() {
            Some(answer.entries.max(match self.operation {
                // What a search says it matched may be more than what it returned.
                "search" => answer.total.unwrap_or(0),
                _ => 0,
            }))
        } else {
            let one = answer.outer.as_deref().or(request.outer.as_deref());
            one.filter(|name| *name != "OperationOutcome").map(|_| 1)
        };
        for device in [answer.device, request.device] {
            device.write(body);
        }
        // One resource may be named by its number in the path and by an identifier in the body.
        let mut patients = self.asked;
        for found in [request.patients, answer.patients] {
            patients.merge(found);
        }
        patients.write(body);
        self.activity
    }
}

impl OnePatient {
    fn merge(&mut self, other: Self) {
        if other.several {
            // Who was asked for is known even when several were answered.
            self.several |= self.id.is_none() && self.identifier.is_empty();
            return;
        }
        self.add(&other.assigner, &other.identifier, other.id.as_deref());
        if self.name.is_none() {
            self.name = other.name;
        }
    }
}

impl Device {
    fn write(self, body: &mut Medical) {
        let text = |value: String| Text::from(limit::cut_to(&value, 128).to_owned());
        for (slot, value) in [
            (&mut body.manufacturer, self.manufacturer),
            (&mut body.model, self.model),
            (&mut body.serial, self.serial),
            (&mut body.software, self.software),
            (&mut body.receiving_app, self.application),
            (&mut body.version, self.fhir),
        ] {
            if let Some(value) = value.filter(|_| slot.is_none()) {
                *slot = Some(text(value));
            }
        }
    }
}

impl Resources {
    fn is_bundle(&self) -> bool {
        self.outer.as_deref() == Some("Bundle")
    }

    fn item(&mut self, path: &str, item: Item<'_>) {
        let inner = path.strip_prefix("entry.resource");
        let is_entry = inner.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        match item {
            Item::Begin if path == "entry" => self.entries = self.entries.saturating_add(1),
            Item::Begin => {}
            Item::End if path.is_empty() || path == "entry.resource" => self.resource_end(),
            Item::End => {
                let local = inner.map_or(path, |rest| rest.trim_start_matches('.'));
                if local == "identifier" {
                    let resource = &mut self.current;
                    resource.identified |= !resource.value.is_empty();
                }
            }
            Item::Value(value) => {
                if !is_entry {
                    self.outer(path, value);
                }
                let local = inner.map_or(path, |rest| rest.trim_start_matches('.'));
                if is_entry || !self.is_bundle() {
                    self.current.value(local, value);
                }
            }
        }
    }

    fn outer(&mut self, path: &str, value: &str) {
        let device = &mut self.device;
        let slot = match path {
            "resourceType" => &mut self.outer,
            "type" if self.outer.as_deref() == Some("Bundle") => &mut self.bundle,
            "total" => {
                self.total = value.parse().ok();
                return;
            }
            "fhirVersion" => &mut device.fhir,
            "software.name" => &mut device.application,
            "software.version" => &mut device.software,
            _ if self.outer.as_deref() != Some("Device") => return,
            "manufacturer" => &mut device.manufacturer,
            "modelNumber" | "model" => &mut device.model,
            "serialNumber" => &mut device.serial,
            _ => return,
        };
        slot.get_or_insert_with(|| value.to_owned());
    }

    fn resource_end(&mut self) {
        let mut resource = std::mem::take(&mut self.current);
        let id = Some(resource.id.as_str()).filter(|id| !id.is_empty());
        if resource.kind == "Patient" {
            let system = assigner(&resource.system);
            self.patients.add(system, &resource.value, id);
            let name = std::mem::take(&mut resource.name).join(" ");
            if !name.is_empty() {
                self.patients.name.get_or_insert(name);
            }
        } else if let (Some("Patient"), id) = reference(&resource.subject) {
            self.patients.add("", "", Some(id));
        }
    }
}

impl Resource {
    fn value(&mut self, path: &str, value: &str) {
        let slot = match path {
            "resourceType" => &mut self.kind,
            "id" => &mut self.id,
            "identifier.system" if !self.identified => &mut self.system,
            "identifier.value" if !self.identified => &mut self.value,
            "subject.reference" | "patient.reference" | "beneficiary.reference" => {
                &mut self.subject
            }
            // One name is enough.
            "name.family" | "name.given" if self.name.len() < 4 => {
                return self.name.push(value.to_owned());
            }
            _ => return,
        };
        value.clone_into(slot);
    }
}

/// Type and identifier of a reference: `Patient/7`, a URL that ends so, or a bare identifier.
fn reference(text: &str) -> (Option<&str>, &str) {
    let text = text.split_once("/_history/").map_or(text, |(text, _)| text);
    match text.rsplit_once('/') {
        Some((base, id)) => (base.rsplit('/').next(), id),
        None => (None, text),
    }
}

/// Who assigned an identifier, without the scheme that FHIR puts before an OID.
fn assigner(system: &str) -> &str {
    system.strip_prefix("urn:oid:").unwrap_or(system)
}

/// True for what may be the name of a resource type.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.len() <= NAME_BYTES_MAX
        && text.bytes().all(|b| b.is_ascii_alphabetic())
}
