//! Events as OCSF JSON, one object each.
//!
//! Enters: events and a clearance. Leaves: JSON without line feed at the end of a buffer.
//! Refuses: to print clear values for [`Clearance::Masked`]: `HIDDEN` stands there instead.
//! Limits: lists of objects have at most [`COLUMNS_MAX`] columns. Source: OCSF 1.8.0.

use super::plan::{BODY_SLOT, Plan, ROOT, Step, UNMAPPED, head};
use super::{Clearance, HIDDEN, json, spread};
use crate::event::{Event, Meta};
use crate::record::{Cell, Record as _, Text};
use crate::sensitive::Sensitive;

/// Octets of most events: room is made for them at once.
const EVENT_BYTES: usize = 2048;
/// Most columns that are zipped into one list of objects.
pub(super) const COLUMNS_MAX: usize = 8;

/// Appends `event` as one JSON object, without line feed.
pub fn write_event(event: &Event, out: &mut Vec<u8>, clearance: Clearance) {
    EventWriter::default().write(event, out, clearance);
}

/// Writes many events; keeps its buffers between them.
#[derive(Default)]
pub struct EventWriter {
    unmapped: Vec<u8>,
    tokens: Vec<u8>,
    codes: Vec<u8>,
}

impl EventWriter {
    /// Appends `event` as one JSON object, without line feed.
    pub fn write(&mut self, event: &Event, out: &mut Vec<u8>, clearance: Clearance) {
        out.reserve(EVENT_BYTES);
        self.unmapped.clear();
        self.tokens.clear();
        self.codes.clear();
        // Every class has a plan: both come from `CLASSES`.
        let Some(plan) = Plan::of(event.body.class()) else {
            return;
        };
        write_head(&event.meta, plan, out);
        let mut walk = Walk {
            plan,
            clearance,
            mapped: Branch { out, at: ROOT },
            unmapped: Branch {
                out: &mut self.unmapped,
                at: UNMAPPED,
            },
            tokens: &mut self.tokens,
            codes: &mut self.codes,
            seen: 0,
            columns: [(0, Cell::Null); COLUMNS_MAX],
            columns_len: 0,
        };
        if let (Some(connection), true) = (&event.connection, plan.class.network) {
            connection.each(&mut |index, cell| walk.present(index, cell));
        }
        event
            .body
            .each(&mut |index, cell| walk.present(BODY_SLOT + index, cell));
        walk.finish();
        self.write_tail(out);
    }

    fn write_tail(&mut self, out: &mut Vec<u8>) {
        let parts = [&self.unmapped, &self.tokens, &self.codes];
        if parts.iter().any(|part| !part.is_empty()) {
            out.extend_from_slice(b"\"unmapped\":{");
            out.extend_from_slice(&self.unmapped);
            for (key, members) in [("tokens", &self.tokens), ("codes", &self.codes)] {
                if !members.is_empty() {
                    out.push(b'"');
                    out.extend_from_slice(key.as_bytes());
                    out.extend_from_slice(b"\":{");
                    out.extend_from_slice(members);
                    json::close(out, b'}');
                    out.push(b',');
                }
            }
            json::close(out, b'}');
            out.push(b',');
        }
        json::close(out, b'}');
    }
}

fn write_head(meta: &Meta, plan: &Plan, out: &mut Vec<u8>) {
    match plan.heads.iter().find(|(id, _)| *id == meta.activity) {
        Some((_, known)) => out.extend_from_slice(known),
        None => out.extend_from_slice(head(plan.class, meta.activity).as_bytes()),
    }
    json::unsigned(out, u64::from(meta.severity));
    out.extend_from_slice(b",\"status_id\":");
    json::unsigned(out, u64::from(meta.status));
    if let Some(code) = &meta.status_code {
        out.extend_from_slice(b",\"status_code\":");
        json::text(out, code);
    }
    out.extend_from_slice(b",\"time\":");
    json::signed(out, meta.time.0);
    out.extend_from_slice(b",\"metadata\":{");
    out.extend_from_slice(&plan.metadata);
    out.extend_from_slice(b"\"uid\":");
    json::uid(out, meta.uid);
    out.extend_from_slice(b",\"logged_time\":");
    json::signed(out, meta.logged_time.0);
    out.extend_from_slice(b",\"tenant_uid\":");
    json::text(out, &meta.site);
    if !meta.labels.is_empty() {
        out.extend_from_slice(b",\"labels\":");
        list(out, &meta.labels, |out, label| json::text(out, label));
        origin(&meta.labels, out);
    }
    out.extend_from_slice(b"},");
}

/// Who wrote the log that the event was read from, as label `log:PRODUCT/NAME` says.
fn origin(labels: &[Text], out: &mut Vec<u8>) {
    let named = labels.iter().find_map(|label| label.strip_prefix("log:"));
    if let Some((product, name)) = named.and_then(|log| log.split_once('/')) {
        out.extend_from_slice(b",\"log_provider\":");
        json::text(out, product);
        out.extend_from_slice(b",\"log_name\":");
        json::text(out, name);
    }
}

/// One of the two trees, and the object of it that is open.
struct Branch<'o> {
    out: &'o mut Vec<u8>,
    at: usize,
}

struct Walk<'e, 'o> {
    plan: &'static Plan,
    clearance: Clearance,
    mapped: Branch<'o>,
    unmapped: Branch<'o>,
    tokens: &'o mut Vec<u8>,
    codes: &'o mut Vec<u8>,
    /// One bit per slot that was present.
    seen: u128,
    /// Columns of the list of objects that is being gathered, with their slots.
    columns: [(usize, Cell<'e>); COLUMNS_MAX],
    columns_len: usize,
}

impl<'e> Walk<'e, '_> {
    /// Most fields of most events are absent: they end here, without a call.
    #[inline(always)]
    fn present(&mut self, slot: usize, cell: Cell<'e>) {
        if !matches!(cell, Cell::Null) {
            self.field(slot, cell);
        }
    }

    #[inline(never)]
    fn field(&mut self, slot: usize, cell: Cell<'e>) {
        let Some(step) = self.plan.step(slot) else {
            return;
        };
        self.seen |= 1u128
            .checked_shl(u32::try_from(slot).unwrap_or(0))
            .unwrap_or(0);
        if self.columns_len > 0 && self.gathered_node() != step.node {
            self.flush();
        }
        if step.in_list {
            if let Some(column) = self.columns.get_mut(self.columns_len) {
                *column = (slot, cell);
                self.columns_len += 1;
            }
            return;
        }
        let branch = if step.unmapped {
            &mut self.unmapped
        } else {
            &mut self.mapped
        };
        go(self.plan, branch, step.node, self.seen);
        if let (true, Cell::TextList(facts)) = (step.spread, cell) {
            return spread::write(branch.out, facts);
        }
        step.key.put(branch.out);
        value(branch.out, step, cell, self.clearance, self.codes);
        branch.out.push(b',');
        if let Some(derive) = step.derive {
            derive(cell, self.clearance, branch.out);
        }
        if let Cell::Sensitive(sensitive) = cell {
            tokens(self.tokens, step, sensitive);
        }
    }

    fn gathered_node(&self) -> usize {
        let first = self
            .columns
            .first()
            .and_then(|(slot, _)| self.plan.step(*slot));
        first.map_or(ROOT, |step| step.node)
    }

    /// Writes the gathered columns as a list of objects.
    fn flush(&mut self) {
        let columns = self.columns.get(..self.columns_len).unwrap_or(&[]);
        let Some(first) = columns.first().and_then(|(slot, _)| self.plan.step(*slot)) else {
            return;
        };
        let Some(node) = self.plan.nodes.get(first.node) else {
            return;
        };
        let branch = if first.unmapped {
            &mut self.unmapped
        } else {
            &mut self.mapped
        };
        go(self.plan, branch, node.parent, self.seen);
        let out = &mut *branch.out;
        node.open.put(out);
        let rows = columns
            .iter()
            .map(|(_, cell)| len(*cell))
            .max()
            .unwrap_or(0);
        for row in 0..rows {
            out.extend_from_slice(&node.element);
            for (slot, cell) in columns {
                let element = element(*cell, row);
                if let (Some(step), false) = (self.plan.step(*slot), matches!(element, Cell::Null))
                {
                    step.key.put(out);
                    value(out, step, element, self.clearance, self.codes);
                    out.push(b',');
                    if let Some(derive) = step.derive {
                        derive(element, self.clearance, out);
                    }
                }
            }
            json::close(out, b'}');
            out.push(b',');
        }
        json::close(out, b']');
        out.push(b',');
        self.columns_len = 0;
    }

    fn finish(&mut self) {
        self.flush();
        go(self.plan, &mut self.mapped, ROOT, self.seen);
        if let Some((slots, member)) = self.plan.required
            && self.seen & slots == 0
        {
            self.mapped.out.extend_from_slice(member.as_bytes());
        }
        go(self.plan, &mut self.unmapped, UNMAPPED, self.seen);
    }
}

/// Closes and opens objects until `target` is the one that is open.
#[inline]
fn go(plan: &Plan, branch: &mut Branch<'_>, target: usize, seen: u128) {
    if branch.at == target {
        return;
    }
    while branch.at != target && !plan.is_around(branch.at, target) {
        let Some(node) = plan.nodes.get(branch.at) else {
            return;
        };
        for (slot, member) in &node.stand_ins {
            if seen >> slot & 1 == 0 {
                branch.out.extend_from_slice(member);
            }
        }
        json::close(branch.out, b'}');
        branch.out.push(b',');
        branch.at = node.parent;
    }
    open(plan, branch, target);
}

/// Opens the objects between the open one and `target`; as deep as paths are, at most five.
fn open(plan: &Plan, branch: &mut Branch<'_>, target: usize) {
    if branch.at == target {
        return;
    }
    if let Some(node) = plan.nodes.get(target) {
        open(plan, branch, node.parent);
        node.open.put(branch.out);
        branch.at = target;
    }
}

fn value(
    out: &mut Vec<u8>,
    step: &Step,
    cell: Cell<'_>,
    clearance: Clearance,
    codes: &mut Vec<u8>,
) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Bool(value) => json::boolean(out, value),
        Cell::U64(value) => {
            let unnamed = step
                .named
                .is_some_and(|named| !named.iter().any(|range| range.contains(&value)));
            if unnamed {
                codes.extend_from_slice(&step.column);
                json::unsigned(codes, value);
                codes.push(b',');
            }
            json::unsigned(out, if unnamed { 99 } else { value });
        }
        Cell::I64(value) => json::signed(out, value),
        Cell::Text(value) => json::text(out, value),
        Cell::Ip(value) => json::ip(out, value),
        Cell::Mac(value) => json::mac(out, value),
        Cell::Time(value) => json::signed(out, value.0),
        Cell::Sensitive(value) => json::text(out, display(value, clearance)),
        Cell::TextList(items) => list(out, items, |out, item| json::text(out, item)),
        Cell::U64List(items) => list(out, items, |out, item| json::unsigned(out, *item)),
        Cell::IpList(items) => list(out, items, |out, item| json::ip(out, *item)),
    }
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut item: impl FnMut(&mut Vec<u8>, &T)) {
    if items.is_empty() {
        return out.extend_from_slice(b"[]");
    }
    out.push(b'[');
    for value in items {
        item(out, value);
        out.push(b',');
    }
    json::close(out, b']');
}

/// What may be shown of a sensitive value.
pub(super) fn display(value: &Sensitive, clearance: Clearance) -> &str {
    match (value.as_masked(), clearance) {
        (Some(masked), _) => &masked.display,
        (None, Clearance::Clear) => value.reveal().map_or(HIDDEN, |(_, clear)| clear),
        (None, Clearance::Masked) => HIDDEN,
    }
}

fn tokens(out: &mut Vec<u8>, step: &Step, value: &Sensitive) {
    if let Some(masked) = value.as_masked() {
        out.extend_from_slice(&step.column);
        list(out, &masked.tokens, |out, token| json::token(out, *token));
        out.push(b',');
    }
}

fn len(cell: Cell<'_>) -> usize {
    if let Cell::TextList(items) = cell {
        items.len()
    } else if let Cell::U64List(items) = cell {
        items.len()
    } else if let Cell::IpList(items) = cell {
        items.len()
    } else {
        1
    }
}

/// Element `row` of a column; a scalar is a column of one.
fn element(cell: Cell<'_>, row: usize) -> Cell<'_> {
    if let Cell::TextList(items) = cell {
        items.get(row).map_or(Cell::Null, |item| Cell::Text(item))
    } else if let Cell::U64List(items) = cell {
        items.get(row).map_or(Cell::Null, |item| Cell::U64(*item))
    } else if let Cell::IpList(items) = cell {
        items.get(row).map_or(Cell::Null, |item| Cell::Ip(*item))
    } else if row == 0 {
        cell
    } else {
        Cell::Null
    }
}
