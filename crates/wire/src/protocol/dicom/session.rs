//! Both sides of an association: PDUs to messages to operations.
//!
//! Enters: bytes of both sides. Leaves: drafts through [`Association`] and [`Operations`]. Refuses:
//! command sets longer than [`COMMAND_BYTES_MAX`], more than [`MESSAGES_MAX`] messages under way on
//! one side (one per context in practice). Source: DICOM PS3.8 annex E.

use codec::dicom::command::{C_CANCEL, Command};
use codec::dicom::dataset::{Encoding, Scanner};
use codec::dicom::pdu::{self, PdvHeader};

use super::association::{Answer, Association};
use super::object;
use super::operation::{Data, Operations, Order, WANTED};
use super::parser::{Found, Hole, Parser, Piece};
use crate::protocol::{Context, Session, Side, Step};

/// Longest command set kept; real ones have some hundred bytes.
const COMMAND_BYTES_MAX: usize = 16 * 1024;
/// Most messages under way on one side.
const MESSAGES_MAX: usize = 16;

/// The session of one flow.
#[derive(Default)]
pub(super) struct DicomSession {
    association: Association,
    operations: Operations,
    sides: [Half; 2],
    seen: bool,
}

#[derive(Default)]
struct Half {
    parser: Parser,
    /// Bytes shown but not used up.
    left_over: u64,
    messages: Vec<Message>,
    /// The last data set whose command was not seen.
    orphan: Option<Data>,
}

/// A message of one presentation context, of which fragments still come.
struct Message {
    context: u8,
    command: Vec<u8>,
    order: Option<Order>,
    scanner: Option<Scanner>,
    data: Data,
}

impl Session for DicomSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let mut consumed = 0;
        while let Some(rest) = bytes.get(consumed..).filter(|rest| !rest.is_empty()) {
            let (used, found) = self.half(side).parser.next(rest);
            consumed += used;
            match found {
                None if used == 0 => break,
                None => {}
                Some(Found::GaveUp) => return Step::DONE,
                Some(Found::Wrong("dicom-pdu-unknown")) if !self.seen => return Step::NOT_MINE,
                Some(found) => self.found(side, found, cx),
            }
        }
        let left_over = bytes.len().saturating_sub(consumed);
        self.half(side).left_over = u64::try_from(left_over).unwrap_or(0);
        match self.skippable(side) {
            0 => Step::consumed(consumed),
            skip => Step::skip(consumed, skip),
        }
    }

    fn skipped(&mut self, side: Side, n: u64, cx: &mut Context<'_>) {
        let in_fragment = self.half(side).parser.in_fragment();
        if let Some((pdv, _)) = in_fragment
            && let Some(message) = self.message(side, pdv.context, cx)
        {
            message.data.bytes += n;
            if let Some(scanner) = &mut message.scanner {
                scanner.skip(n);
            }
            if let Some(carver) = &mut message.data.carver {
                carver.pass(n);
            }
        }
        if let Some((pdv, true)) = self.half(side).parser.skipped(n) {
            self.fragment_end(side, pdv, cx);
        }
    }

    fn gap(&mut self, side: Side, missing: u64, cx: &mut Context<'_>) -> bool {
        let half = self.half(side);
        let lost = half.left_over.saturating_add(missing);
        half.left_over = 0;
        match half.parser.hole(lost) {
            Hole::Harmless => {}
            Hole::InAssociate(kind) => {
                self.association.wrong("dicom-gap");
                self.associate_end(kind, cx);
            }
            Hole::InFragment(pdv, n, ends) => {
                if let Some(message) = self.message(side, pdv.context, cx) {
                    message.damage(&pdv, n);
                }
                if ends {
                    self.fragment_end(side, pdv, cx);
                }
            }
            Hole::Lost => self.drop_messages(side, cx),
        }
        true
    }

    fn end(&mut self, cx: &mut Context<'_>) {
        self.over(Answer::None, cx);
    }

    fn heap_bytes(&self) -> usize {
        let messages = self.sides.iter().flat_map(|half| &half.messages);
        let held = messages.map(|message| {
            let scanner = message.scanner.as_ref().map_or(0, Scanner::heap_bytes);
            let carver = message.data.carver.as_ref();
            let carver = carver.map_or(0, |carver| carver.heap_bytes());
            size_of::<Message>() + message.command.capacity() + scanner + carver + 1024
        });
        held.sum::<usize>() + self.association.heap_bytes() + self.operations.heap_bytes()
    }
}

impl DicomSession {
    const fn half(&mut self, side: Side) -> &mut Half {
        let [client, server] = &mut self.sides;
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    fn found(&mut self, side: Side, found: Found<'_>, cx: &mut Context<'_>) {
        match found {
            Found::Associate(kind, fixed, ends) => {
                self.seen = true;
                if kind == pdu::ASSOCIATE_RQ {
                    // A new association on the same connection.
                    self.over(Answer::None, cx);
                }
                if fixed.version & 1 == 0 {
                    cx.anomaly("dicom-version-unknown");
                }
                self.association.start(kind, side, &fixed, cx.now);
                if ends {
                    self.associate_end(kind, cx);
                }
            }
            Found::Item(kind, item, ends) => {
                self.association.item(kind, &item);
                if ends {
                    self.associate_end(kind, cx);
                }
            }
            Found::AssociateEnd(kind, why) => {
                cx.anomaly(why);
                self.association.wrong(why);
                self.associate_end(kind, cx);
            }
            Found::Reject(why) => {
                self.seen = true;
                self.over(Answer::Rejected(why), cx);
            }
            Found::Release(_) => self.seen = true,
            Found::Abort(why) => {
                self.seen = true;
                self.over(Answer::Aborted(why), cx);
            }
            Found::Piece(piece) => {
                self.seen = true;
                self.piece(side, &piece, cx);
            }
            Found::Wrong(why) => {
                cx.anomaly(why);
                if why == "dicom-pdu-unknown" {
                    self.drop_messages(side, cx);
                }
            }
            Found::GaveUp => {}
        }
    }

    fn associate_end(&mut self, kind: u8, cx: &mut Context<'_>) {
        if kind == pdu::ASSOCIATE_AC {
            self.association.tell(Answer::Accepted, cx);
        }
    }

    /// The association is over; another may follow on the same connection.
    fn over(&mut self, answer: Answer, cx: &mut Context<'_>) {
        for side in [Side::Client, Side::Server] {
            self.drop_messages(side, cx);
        }
        let rejected = matches!(answer, Answer::Rejected(_));
        if self.association.is_open_question() || rejected {
            self.association.tell(answer, cx);
        } else if matches!(answer, Answer::Aborted(_)) {
            cx.anomaly("dicom-aborted");
        }
        let aborted = matches!(answer, Answer::Aborted(_));
        self.operations.end(aborted, &self.association, cx);
        self.association = Association::default();
    }

    /// Gives up the messages under way of a side; what their data sets said is kept.
    fn drop_messages(&mut self, side: Side, cx: &mut Context<'_>) {
        for mut message in std::mem::take(&mut self.half(side).messages) {
            message.close(false, cx);
            if let Some(order) = &message.order
                && let (false, Some(id)) = (order.response, order.message)
            {
                self.operations.request_data(side, id, &message.data);
            }
        }
    }

    fn message(&mut self, side: Side, context: u8, cx: &mut Context<'_>) -> Option<&mut Message> {
        let messages = &mut self.half(side).messages;
        let known = messages
            .iter()
            .position(|message| message.context == context);
        let at = known.unwrap_or_else(|| {
            if messages.len() >= MESSAGES_MAX {
                cx.anomaly("dicom-messages-limit");
                messages.remove(0);
            }
            messages.push(Message::new(context));
            messages.len() - 1
        });
        messages.get_mut(at)
    }

    fn piece(&mut self, side: Side, piece: &Piece<'_>, cx: &mut Context<'_>) {
        let syntax = self.association.transfer_syntax(piece.pdv.context).cloned();
        let Some(message) = self.message(side, piece.pdv.context, cx) else {
            return;
        };
        if piece.pdv.is_command() {
            let room = COMMAND_BYTES_MAX.saturating_sub(message.command.len());
            if piece.bytes.len() > room {
                cx.anomaly("dicom-command-long");
            }
            let kept = piece.bytes.get(..room).unwrap_or(piece.bytes);
            message.command.extend_from_slice(kept);
        } else {
            message.data.bytes += u64::try_from(piece.bytes.len()).unwrap_or(0);
            if message.scanner.is_none() {
                message.open_data(side, syntax, cx);
            }
            if let Some(scanner) = &mut message.scanner {
                let head = &mut message.data.head;
                scanner.feed(piece.bytes, &mut |tag, value| head.add(tag, value));
            }
            message.data.carve(piece.bytes);
        }
        if piece.ends {
            self.fragment_end(side, piece.pdv, cx);
        }
    }

    fn fragment_end(&mut self, side: Side, pdv: PdvHeader, cx: &mut Context<'_>) {
        if !pdv.is_last() {
            return;
        }
        let messages = &mut self.half(side).messages;
        let at = messages
            .iter()
            .position(|message| message.context == pdv.context);
        let Some(mut message) = at.map(|at| messages.swap_remove(at)) else {
            return;
        };
        if !pdv.is_command() {
            return self.message_end(side, message, cx);
        }
        let Some(command) = Command::read(&message.command) else {
            return cx.anomaly("dicom-command-malformed");
        };
        let class = self.association.abstract_syntax(pdv.context);
        let order = Order::new(&command, class);
        if order.field == C_CANCEL {
            return;
        }
        if !order.response {
            self.operations.request(side, &order, &self.association, cx);
        }
        let more = order.data_set;
        message.command = Vec::new();
        message.order = Some(order);
        message.data = Data::default();
        message.scanner = None;
        if more {
            self.half(side).messages.push(message);
        } else {
            self.message_end(side, message, cx);
        }
    }

    fn message_end(&mut self, side: Side, mut message: Message, cx: &mut Context<'_>) {
        message.close(true, cx);
        if message.scanner.as_ref().is_some_and(Scanner::is_broken) {
            cx.anomaly("dicom-data-set-malformed");
        }
        let Some(order) = &message.order else {
            cx.anomaly("dicom-data-without-command");
            self.half(side).orphan = Some(message.data);
            return;
        };
        if order.response {
            self.early_answer(side.other(), order.responds_to, cx);
            let data = (&message.data, self.half(side.other()).orphan.take());
            self.operations
                .response(side, order, data, &self.association, cx);
        } else if let Some(id) = order.message {
            self.operations.request_data(side, id, &message.data);
        }
    }

    /// A request is answered although its data set still comes: what it said so far counts.
    fn early_answer(&mut self, side: Side, id: Option<u16>, cx: &mut Context<'_>) {
        let messages = &mut self.half(side).messages;
        let asked = |message: &&mut Message| {
            let order = message.order.as_ref();
            order.is_some_and(|order| !order.response && order.message == id)
        };
        if let (Some(message), Some(id)) = (messages.iter_mut().find(asked), id) {
            let mut data = std::mem::take(&mut message.data);
            data.close(false, None, cx.drafts);
            self.operations.request_data(side, id, &data);
        }
    }

    /// Bytes of `side` that need not be shown.
    fn skippable(&mut self, side: Side) -> u64 {
        let half = self.half(side);
        if half.left_over > 0 {
            return 0;
        }
        let Some((pdv, left)) = half.parser.in_fragment() else {
            return half.parser.passing();
        };
        if pdv.is_command() {
            return 0;
        }
        let same = |message: &&Message| message.context == pdv.context;
        let message = half.messages.iter().find(same);
        let carver = message.and_then(|message| message.data.carver.as_ref());
        if carver.is_some_and(|carver| carver.wants() > 0) {
            return 0;
        }
        let scanner = message.and_then(|message| message.scanner.as_ref());
        scanner.map_or(0, |scanner| scanner.skippable().min(left))
    }
}

impl Message {
    /// The object in it is over.
    fn close(&mut self, whole: bool, cx: &mut Context<'_>) {
        let order = self.order.as_ref();
        let name = order.and_then(|order| order.sop_instance.as_deref());
        self.data.close(whole, name, cx.drafts);
    }

    fn new(context: u8) -> Self {
        Self {
            context,
            command: Vec::new(),
            order: None,
            scanner: None,
            data: Data::default(),
        }
    }

    /// The first piece of the data set came.
    fn open_data(&mut self, side: Side, syntax: Option<model::Text>, cx: &mut Context<'_>) {
        let encoding = syntax.as_deref().map(Encoding::of_transfer_syntax);
        self.scanner = Some(match encoding {
            // Deflated: nothing is looked for in it.
            Some(None) => {
                cx.anomaly("dicom-deflated");
                Scanner::new(&[], None)
            }
            Some(encoding) => Scanner::new(&WANTED, encoding),
            None => Scanner::new(&WANTED, None),
        });
        if let Some(order) = &self.order {
            let names = (order.sop_class.as_deref(), order.sop_instance.as_deref());
            let kind = (order.field, order.response);
            self.data.carver = object::begin(kind, names, syntax.as_deref(), (side, &*cx));
        }
        self.data.transfer_syntax = syntax;
    }

    /// `n` bytes of the fragment were lost.
    fn damage(&mut self, pdv: &PdvHeader, n: u64) {
        if pdv.is_command() {
            // A command with a hole says nothing sure.
            self.command.clear();
            return;
        }
        self.data.bytes += n;
        if let Some(carver) = &mut self.data.carver {
            carver.lose(n, "gap");
        }
        match &mut self.scanner {
            Some(scanner) => scanner.skip(n),
            None => self.scanner = Some(Scanner::new(&[], None)),
        }
    }
}
