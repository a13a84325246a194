//! DIMSE operations of an association, each request paired with its responses.
//!
//! Enters: commands with what their data sets said. Leaves: one [`Medical`] draft per operation.
//! Refuses: more than [`OPERATIONS_MAX`] unanswered operations: the oldest is emitted unanswered.
//! Source: DICOM PS3.7 sections 9 and 10, annexes C and E.

use codec::dicom::command::{Command, is_pending, is_success, operation};
use codec::dicom::dataset::Tag;
use codec::dicom::{code, text};
use model::class::Medical;
use model::{Nanos, Sensitive, Text, limit};

use super::association::Association;
use crate::file::{Carver, Facts};
use crate::protocol::{Context, Draft, Side};

/// Most operations of one association that wait for their final response.
pub(super) const OPERATIONS_MAX: usize = 256;

/// Elements that are looked for in data sets.
pub(in crate::protocol) static WANTED: [Tag; 14] = [
    Tag(0x0008, 0x0005),
    Tag(0x0008, 0x0052),
    Tag(0x0008, 0x0060),
    Tag(0x0008, 0x0070),
    Tag(0x0008, 0x1010),
    Tag(0x0008, 0x1040),
    Tag(0x0008, 0x1090),
    Tag(0x0010, 0x0010),
    Tag(0x0010, 0x0020),
    Tag(0x0010, 0x0021),
    Tag(0x0018, 0x1000),
    Tag(0x0018, 0x1020),
    Tag(0x0020, 0x000d),
    Tag(0x0020, 0x000e),
];

/// What the head of a data set said.
#[derive(Default)]
pub(in crate::protocol) struct Head {
    values: Vec<(Tag, Vec<u8>)>,
}

impl Head {
    /// Keeps one element.
    pub(in crate::protocol) fn add(&mut self, tag: Tag, value: &[u8]) {
        if self.values.len() < WANTED.len() {
            self.values.push((tag, value.to_vec()));
        }
    }

    fn value(&self, group: u16, element: u16) -> Option<&[u8]> {
        let tag = Tag(group, element);
        let found = self.values.iter().find(|(known, _)| *known == tag);
        found.map(|(_, value)| value.as_slice())
    }

    /// Writes what it says into a body; what stands there already is kept.
    pub(in crate::protocol) fn write(&self, body: &mut Medical) {
        let charset = self.value(0x0008, 0x0005).unwrap_or(&[]);
        let words = |element: (u16, u16)| {
            let text = text(self.value(element.0, element.1)?, charset);
            Some(text).filter(|text| !text.is_empty())
        };
        let plain = |element: (u16, u16)| {
            let code = code(self.value(element.0, element.1)?).into_owned();
            Some(code).filter(|code| !code.is_empty()).map(Text::from)
        };
        fill(&mut body.query_level, plain((0x0008, 0x0052)));
        fill(&mut body.modality, plain((0x0008, 0x0060)));
        fill(
            &mut body.manufacturer,
            words((0x0008, 0x0070)).map(Text::from),
        );
        fill(&mut body.model, words((0x0008, 0x1090)).map(Text::from));
        fill(&mut body.study_uid, plain((0x0020, 0x000d)));
        fill(&mut body.series_uid, plain((0x0020, 0x000e)));
        for (slot, element) in [
            (&mut body.station, (0x0008, 0x1010)),
            (&mut body.department, (0x0008, 0x1040)),
            (&mut body.serial, (0x0018, 0x1000)),
            (&mut body.software, (0x0018, 0x1020)),
        ] {
            // Several versions are one text, with the separator of the standard.
            fill(slot, words(element).map(Text::from));
        }
        // A name's component groups (alphabetic=ideographic=phonetic) and components are words.
        let name = words((0x0010, 0x0010)).map(|name| name.replace(['^', '='], " "));
        let name = name.map(|name| name.trim().to_owned());
        fill(
            &mut body.patient_name,
            name.filter(|name| !name.is_empty() && name != "*")
                .map(|name| Sensitive::text(&name)),
        );
        // A wild card is no identifier.
        let identifier = words((0x0010, 0x0020)).filter(|id| !id.contains(['*', '?']));
        let assigner = words((0x0010, 0x0021)).unwrap_or_default();
        let patient = identifier.map(|id| Sensitive::patient(&assigner, &id));
        fill(&mut body.patient, patient);
    }
}

fn fill<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// Facts of a command that outlive its bytes.
#[derive(Clone, Default)]
pub(super) struct Order {
    pub(super) field: u16,
    pub(super) message: Option<u16>,
    pub(super) responds_to: Option<u16>,
    pub(super) sop_class: Option<Text>,
    pub(super) sop_instance: Option<Text>,
    move_destination: Option<Text>,
    status: Option<u16>,
    completed: Option<u16>,
    pub(super) response: bool,
    pub(super) data_set: bool,
}

impl Order {
    /// Copies what matters out of a command; `class` is the abstract syntax of its context, taken
    /// when the command names no SOP class.
    pub(super) fn new(command: &Command<'_>, class: Option<&Text>) -> Self {
        let owned = |text: &str| Text::from(limit::cut_to(text, 128).to_owned());
        Self {
            field: command.field,
            message: command.message,
            responds_to: command.responds_to,
            sop_class: command.sop_class.as_deref().map(owned).or(class.cloned()),
            sop_instance: command.sop_instance.as_deref().map(owned),
            move_destination: command.move_destination.as_deref().map(owned),
            status: command.status,
            completed: command.completed,
            response: command.is_response(),
            data_set: command.has_data_set(),
        }
    }
}

/// A data set that belongs to an order, as far as it was seen.
#[derive(Default)]
pub(super) struct Data {
    pub(super) head: Head,
    pub(super) bytes: u64,
    pub(super) transfer_syntax: Option<Text>,
    /// The object that it is, and what came of it.
    pub(super) carver: Option<Box<Carver>>,
    pub(super) facts: Option<Facts>,
}

impl Data {
    /// Octets of the data set.
    pub(super) fn carve(&mut self, bytes: &[u8]) {
        let Some(carver) = &mut self.carver else {
            return;
        };
        if carver.wants() > 0 {
            carver.bytes(bytes);
        } else {
            carver.pass(u64::try_from(bytes.len()).unwrap_or(0));
        }
    }

    /// The object is over.
    pub(super) fn close(&mut self, whole: bool, name: Option<&str>, drafts: &mut Vec<Draft>) {
        if let Some(mut carver) = self.carver.take() {
            if whole {
                carver.close();
            }
            self.facts = Some(carver.end(name, drafts));
        }
    }
}

/// An operation under way.
struct Operation {
    side: Side,
    message: u16,
    time: Nanos,
    field: u16,
    body: Medical,
    matches: u32,
}

/// The operations under way of one association, oldest first.
#[derive(Default)]
pub(super) struct Operations {
    waiting: Vec<Operation>,
}

impl Operations {
    /// A request from `side` was read; its data set follows.
    pub(super) fn request(
        &mut self,
        side: Side,
        order: &Order,
        association: &Association,
        cx: &mut Context<'_>,
    ) {
        let Some(message) = order.message else {
            return cx.anomaly("dicom-message-id-missing");
        };
        if let Some(at) = self.find(side, message) {
            cx.anomaly("dicom-message-id-reused");
            self.drop_at(at, None, association, cx);
        }
        if self.waiting.len() >= OPERATIONS_MAX {
            cx.anomaly("dicom-operations-limit");
            self.drop_at(0, None, association, cx);
        }
        self.waiting
            .push(operation_of(side, message, order, cx.now));
    }

    /// The data set of a request ended, or as much of it as will come.
    pub(super) fn request_data(&mut self, side: Side, message: u16, data: &Data) {
        if let Some(at) = self.find(side, message)
            && let Some(operation) = self.waiting.get_mut(at)
        {
            data.head.write(&mut operation.body);
            add_data(&mut operation.body, data);
        }
    }

    /// A response from `side` was read, with its data set if it has one; `orphan` is a data set of
    /// the other side whose command was not seen.
    pub(super) fn response(
        &mut self,
        side: Side,
        order: &Order,
        (data, orphan): (&Data, Option<Data>),
        association: &Association,
        cx: &mut Context<'_>,
    ) {
        let message = order.responds_to.unwrap_or(0);
        let requestor = side.other();
        let at = self.find(requestor, message).unwrap_or_else(|| {
            cx.anomaly("dicom-response-without-request");
            if self.waiting.len() >= OPERATIONS_MAX {
                self.drop_at(0, None, association, cx);
            }
            let mut operation = operation_of(requestor, message, order, cx.now);
            if let Some(orphan) = orphan {
                orphan.head.write(&mut operation.body);
                add_data(&mut operation.body, &orphan);
            }
            self.waiting.push(operation);
            self.waiting.len() - 1
        });
        let Some(operation) = self.waiting.get_mut(at) else {
            return;
        };
        fill(&mut operation.body.sop_class_uid, order.sop_class.clone());
        add_data(&mut operation.body, data);
        let name = operation_name(operation.field);
        if matches!(name, "C-MOVE" | "C-GET")
            && let Some(completed) = order.completed
        {
            operation.body.object_count = Some(u32::from(completed));
        }
        if order.status.is_some_and(is_pending) {
            operation.matches = operation.matches.saturating_add(1);
            return;
        }
        self.drop_at(at, order.status, association, cx);
    }

    /// The association is over: what waits is emitted, `aborted` or unanswered.
    pub(super) fn end(&mut self, aborted: bool, association: &Association, cx: &mut Context<'_>) {
        for mut operation in std::mem::take(&mut self.waiting) {
            count(&mut operation, None);
            association.titles(&mut operation.body);
            let mut draft = Draft::new(operation.time, activity(operation.field), operation.body);
            if aborted {
                draft = draft.status(2, Some(Text::Borrowed("aborted")));
                if let model::class::Body::Medical(body) = &mut draft.body {
                    body.status = Some(Text::Borrowed("aborted"));
                }
            }
            cx.emit(draft);
        }
    }

    /// Heap bytes held, estimated.
    pub(super) fn heap_bytes(&self) -> usize {
        self.waiting.capacity() * size_of::<Operation>() + self.waiting.len() * 512
    }

    fn find(&self, side: Side, message: u16) -> Option<usize> {
        let same = |operation: &Operation| operation.side == side && operation.message == message;
        self.waiting.iter().position(same)
    }

    fn drop_at(
        &mut self,
        at: usize,
        status: Option<u16>,
        association: &Association,
        cx: &mut Context<'_>,
    ) {
        if at >= self.waiting.len() {
            return;
        }
        let mut operation = self.waiting.remove(at);
        count(&mut operation, status);
        association.titles(&mut operation.body);
        let word = status.map(|status| Text::from(format!("0x{status:04x}")));
        operation.body.status.clone_from(&word);
        let ocsf = match status {
            None => 0,
            Some(status) if is_success(status) => 1,
            Some(_) => 2,
        };
        let activity = activity(operation.field);
        cx.emit(Draft::new(operation.time, activity, operation.body).status(ocsf, word));
    }
}

fn operation_of(side: Side, message: u16, order: &Order, time: Nanos) -> Operation {
    let field = order.field & 0x7fff;
    let body = Medical {
        standard: Text::Borrowed("dicom"),
        operation: Some(Text::Borrowed(operation_name(field))),
        sop_class_uid: order.sop_class.clone(),
        move_destination: order.move_destination.clone(),
        // Images of a C-GET come from the side that was called.
        sender: (side == Side::Server).then_some(Text::Borrowed("server")),
        ..Medical::default()
    };
    Operation {
        side,
        message,
        time,
        field,
        body,
        matches: 0,
    }
}

fn add_data(body: &mut Medical, data: &Data) {
    if data.bytes == 0 {
        return;
    }
    if let Some(facts) = &data.facts {
        facts.medical(body);
    }
    body.bytes = Some(body.bytes.unwrap_or(0).saturating_add(data.bytes));
    if let Some(syntax) = &data.transfer_syntax
        && body.transfer_syntaxes.is_empty()
    {
        body.transfer_syntaxes.push(syntax.clone());
    }
}

/// Sets the number of objects that the operation concerned.
fn count(operation: &mut Operation, status: Option<u16>) {
    let body = &mut operation.body;
    match operation_name(operation.field) {
        "C-STORE" => body.object_count = status.map(|status| u32::from(is_success(status))),
        "C-FIND" => body.object_count = Some(operation.matches),
        _ => {}
    }
}

fn operation_name(field: u16) -> &'static str {
    operation(field).unwrap_or("DIMSE")
}

/// OCSF activity of a command field.
fn activity(field: u16) -> u16 {
    match operation_name(field) {
        "C-ECHO" => 2,
        "C-STORE" => 3,
        "C-FIND" => 4,
        "C-MOVE" | "C-GET" => 5,
        _ => 7,
    }
}
