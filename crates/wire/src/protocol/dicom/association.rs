//! One association: who calls whom, with which implementations, for what.
//!
//! Enters: association PDUs item by item. Leaves: the `ASSOCIATE` event; titles and transfer
//! syntaxes for the operations. Refuses: more than [`CONTEXTS_MAX`] contexts (there are 128 odd
//! identifiers). Source: DICOM PS3.8 sections 7.1 and 9.3, PS3.7 annex D.

use codec::dicom::pdu::{self, Associate, Item, PresentationContext, UserInformation};
use model::class::Medical;
use model::{Nanos, Text, limit};

use crate::protocol::{Context, Draft, Side};

/// Most presentation contexts of one association.
pub(super) const CONTEXTS_MAX: usize = 128;
/// Longest UID kept; the standard allows 64.
const UID_BYTES_MAX: usize = 128;
/// OCSF activity of an association.
const ACTIVITY: u16 = 1;

/// What is known of one association.
#[derive(Default)]
pub(super) struct Association {
    time: Option<Nanos>,
    /// Who asked for it, once seen or told by the answer.
    requestor: Option<Side>,
    calling: Option<Text>,
    called: Option<Text>,
    calling_implementation: Option<Text>,
    called_implementation: Option<Text>,
    calling_version: Option<Text>,
    called_version: Option<Text>,
    contexts: Vec<Proposed>,
    anomalies: Vec<Text>,
    /// Its event was emitted.
    told: bool,
}

struct Proposed {
    id: u8,
    abstract_syntax: Text,
    result: Option<u8>,
    transfer_syntax: Option<Text>,
}

/// How an association was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted,
    /// Result, source, reason.
    Rejected([u8; 3]),
    /// Source and reason.
    Aborted([u8; 2]),
    None,
}

impl Association {
    /// A request or acceptance from `side` starts.
    pub(super) fn start(&mut self, kind: u8, side: Side, fixed: &Associate<'_>, now: Nanos) {
        self.requestor = Some(if kind == pdu::ASSOCIATE_RQ {
            side
        } else {
            side.other()
        });
        self.time.get_or_insert(now);
        // An acceptance repeats both titles; they are believed when the request was not seen.
        let title = |title: &str| {
            Some(title.to_owned())
                .filter(|t| !t.is_empty())
                .map(Text::from)
        };
        if kind == pdu::ASSOCIATE_RQ || self.calling.is_none() {
            self.calling = title(&fixed.calling);
        }
        if kind == pdu::ASSOCIATE_RQ || self.called.is_none() {
            self.called = title(&fixed.called);
        }
    }

    /// One item of a request or acceptance.
    pub(super) fn item(&mut self, kind: u8, item: &Item<'_>) {
        match item.kind {
            pdu::ITEM_CONTEXT_RQ | pdu::ITEM_CONTEXT_AC => {
                if let Some(context) = PresentationContext::read(item.bytes) {
                    self.context(item.kind == pdu::ITEM_CONTEXT_AC, &context);
                }
            }
            pdu::ITEM_USER => {
                let user = UserInformation::read(item.bytes);
                let implementation = user.implementation.as_deref().map(uid);
                let version = user.version_name.as_deref().map(uid);
                if kind == pdu::ASSOCIATE_RQ {
                    self.calling_implementation = implementation;
                    self.calling_version = version;
                } else {
                    self.called_implementation = implementation;
                    self.called_version = version;
                }
            }
            _ => {}
        }
    }

    fn context(&mut self, answer: bool, context: &PresentationContext<'_>) {
        let transfer = context.transfer_syntaxes.first().map(|syntax| uid(syntax));
        let full = self.contexts.len() >= CONTEXTS_MAX;
        let mut known = self.contexts.iter_mut();
        match known.find(|known| known.id == context.id) {
            Some(known) if answer => {
                known.result = Some(context.result);
                known.transfer_syntax = transfer.filter(|_| context.result == 0);
            }
            _ if full => self.wrong("dicom-contexts-limit"),
            _ => self.contexts.push(Proposed {
                id: context.id,
                abstract_syntax: uid(&context.abstract_syntax),
                result: answer.then_some(context.result),
                transfer_syntax: transfer.filter(|_| answer && context.result == 0),
            }),
        }
    }

    /// Notes an anomaly for its event.
    pub(super) fn wrong(&mut self, code: &'static str) {
        if !self.anomalies.iter().any(|known| known == code) {
            self.anomalies.push(Text::Borrowed(code));
        }
    }

    /// True when a request was seen that has no answer yet.
    pub(super) const fn is_open_question(&self) -> bool {
        self.time.is_some() && !self.told
    }

    /// The transfer syntax accepted for a context.
    pub(super) fn transfer_syntax(&self, id: u8) -> Option<&Text> {
        let context = self.contexts.iter().find(|context| context.id == id)?;
        context.transfer_syntax.as_ref()
    }

    /// The abstract syntax of a context.
    pub(super) fn abstract_syntax(&self, id: u8) -> Option<&Text> {
        let context = self.contexts.iter().find(|context| context.id == id)?;
        Some(&context.abstract_syntax).filter(|uid| !uid.is_empty())
    }

    /// Writes both titles into the body of an operation.
    pub(super) fn titles(&self, body: &mut Medical) {
        body.calling_ae.clone_from(&self.calling);
        body.called_ae.clone_from(&self.called);
    }

    /// Emits its event, once.
    pub(super) fn tell(&mut self, answer: Answer, cx: &mut Context<'_>) {
        if self.told {
            return;
        }
        self.told = true;
        let (status, word, code) = match answer {
            Answer::Accepted => (1, Some("accepted"), None),
            Answer::Rejected(why) => (2, Some("rejected"), Some(Text::from(rejection(why)))),
            Answer::Aborted([source, reason]) => {
                let code = format!("abort source {source} reason {reason}");
                (2, Some("aborted"), Some(Text::from(code)))
            }
            Answer::None => (0, None, None),
        };
        let mut body = Medical {
            standard: Text::Borrowed("dicom"),
            operation: Some(Text::Borrowed("ASSOCIATE")),
            status: word.map(Text::Borrowed),
            calling_implementation: self.calling_implementation.clone(),
            called_implementation: self.called_implementation.clone(),
            calling_version: self.calling_version.clone(),
            called_version: self.called_version.clone(),
            ..Medical::default()
        };
        self.titles(&mut body);
        self.list_contexts(&mut body, answer, cx);
        body.anomalies.clone_from(&self.anomalies);
        let time = self.time.unwrap_or(cx.now);
        let code = code.or_else(|| word.map(Text::Borrowed));
        cx.emit(Draft::new(time, ACTIVITY, body).status(status, code));
    }

    fn list_contexts(&mut self, body: &mut Medical, answer: Answer, cx: &mut Context<'_>) {
        if self.contexts.len() > limit::LIST_ITEMS_MAX {
            cx.anomaly("dicom-context-list-cut");
            self.wrong("dicom-context-list-cut");
        }
        for context in self.contexts.iter().take(limit::LIST_ITEMS_MAX) {
            body.abstract_syntaxes.push(context.abstract_syntax.clone());
            if answer == Answer::Accepted {
                body.context_results
                    .push(Text::Borrowed(result(context.result)));
            }
        }
        for context in &self.contexts {
            let Some(syntax) = &context.transfer_syntax else {
                continue;
            };
            let room = body.transfer_syntaxes.len() < limit::LIST_ITEMS_MAX;
            if room && !body.transfer_syntaxes.contains(syntax) {
                body.transfer_syntaxes.push(syntax.clone());
            }
        }
    }

    /// Heap bytes held, estimated.
    pub(super) fn heap_bytes(&self) -> usize {
        self.contexts.capacity() * (size_of::<Proposed>() + 64) + 256
    }
}

fn uid(uid: &str) -> Text {
    Text::from(limit::cut_to(uid, UID_BYTES_MAX).to_owned())
}

const fn result(result: Option<u8>) -> &'static str {
    match result {
        Some(0) => "accepted",
        Some(1) => "user-rejection",
        Some(2) => "no-reason",
        Some(3) => "abstract-syntax-not-supported",
        Some(4) => "transfer-syntaxes-not-supported",
        Some(_) => "unknown",
        None => "unanswered",
    }
}

/// The result, source and reason of a rejection in words (PS3.8 table 9-21).
fn rejection([result, source, reason]: [u8; 3]) -> String {
    let lasting = match result {
        1 => "permanent",
        2 => "transient",
        _ => "unknown",
    };
    let why = match (source, reason) {
        (1 | 2, 1) => "no-reason-given",
        (1, 2) => "application-context-name-not-supported",
        (1, 3) => "calling-ae-title-not-recognized",
        (1, 7) => "called-ae-title-not-recognized",
        (2, 2) => "protocol-version-not-supported",
        (3, 1) => "temporary-congestion",
        (3, 2) => "local-limit-exceeded",
        _ => return format!("{lasting}/source-{source}-reason-{reason}"),
    };
    format!("{lasting}/{why}")
}
