//! Plans: how the fields of one class nest, worked out once.
//!
//! Enters: field tables. Leaves: per field its object, its key and its companions.
//! Refuses: nothing; a test keeps paths in contiguous groups. Source: `record::Field::path`.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

use super::companion::{self, Derive};
use crate::class::{CLASSES, Class};
use crate::event::Event;
use crate::record::Field;

/// Node of everything that OCSF names.
pub(super) const ROOT: usize = 0;
/// Node of `unmapped`, which is written last.
pub(super) const UNMAPPED: usize = 1;
/// Slot of the first field of the body; connection fields stand before it.
pub(super) const BODY_SLOT: usize = 64;

/// One object, or one list of objects.
pub(super) struct Node {
    /// The object around it.
    pub(super) parent: usize,
    /// Objects around it.
    pub(super) depth: usize,
    /// Key, opening bracket and constants.
    pub(super) open: Box<[u8]>,
    /// Members of each element when it is a list: `{` and constants.
    pub(super) element: Box<[u8]>,
    /// Slots that must be there, and the members that stand in.
    pub(super) stand_ins: Vec<(usize, Box<[u8]>)>,
}

/// One field.
pub(super) struct Step {
    /// The object or list that it stands in.
    pub(super) node: usize,
    /// True when its node is a list of objects.
    pub(super) in_list: bool,
    /// `"key":`.
    pub(super) key: Box<[u8]>,
    /// The column as a key, for `tokens` and `codes`.
    pub(super) column: Box<[u8]>,
    /// Under [`UNMAPPED`].
    pub(super) unmapped: bool,
    /// Its siblings.
    pub(super) derive: Option<Derive>,
    /// Facts: each element is a member of its own.
    pub(super) spread: bool,
    /// The numbers that OCSF names.
    pub(super) named: Option<&'static [RangeInclusive<u64>]>,
}

/// The plan of one class.
pub(super) struct Plan {
    pub(super) class: &'static Class,
    pub(super) nodes: Vec<Node>,
    connection: Vec<Step>,
    body: Vec<Step>,
    /// Per known activity: everything up to the value of `severity_id`.
    pub(super) heads: Vec<(u16, Box<[u8]>)>,
    /// The end of `metadata` that never changes.
    pub(super) metadata: Box<[u8]>,
    /// Slots of an object that must be there, and what stands there when none of them was seen.
    pub(super) required: Option<(u128, &'static str)>,
}

static PLANS: LazyLock<Vec<Plan>> =
    LazyLock::new(|| CLASSES.iter().copied().map(Plan::new).collect());

impl Plan {
    /// The plan of a class.
    pub(super) fn of(class: &Class) -> Option<&'static Self> {
        PLANS.iter().find(|plan| plan.class.uid == class.uid)
    }

    /// The step of a slot.
    pub(super) fn step(&self, slot: usize) -> Option<&Step> {
        match slot.checked_sub(BODY_SLOT) {
            Some(index) => self.body.get(index),
            None => self.connection.get(slot),
        }
    }

    /// True when `outer` is `inner` or around it.
    pub(super) fn is_around(&self, outer: usize, inner: usize) -> bool {
        let mut at = inner;
        let depth = self.nodes.get(outer).map_or(0, |node| node.depth);
        while let Some(node) = self.nodes.get(at) {
            if node.depth <= depth {
                break;
            }
            at = node.parent;
        }
        at == outer
    }

    fn new(class: &'static Class) -> Self {
        let mut builder = Builder {
            class,
            nodes: Vec::new(),
            paths: Vec::new(),
        };
        builder.node("", ROOT, 0, false, "");
        builder.node("", UNMAPPED, 0, false, "");
        let connection = if class.network {
            builder.steps(Event::connection_fields(), 0)
        } else {
            Vec::new()
        };
        let body = builder.steps(class.fields, BODY_SLOT);
        Self {
            class,
            nodes: builder.nodes,
            connection,
            body,
            heads: heads(class),
            metadata: metadata(class),
            required: companion::required(class.uid).map(|(prefix, member)| {
                let numbered = class.fields.iter().enumerate();
                let within = numbered.filter(|(_, field)| field.path.starts_with(prefix));
                let slots = within.fold(0, |slots, (index, _)| slots | 1 << (BODY_SLOT + index));
                (slots, member)
            }),
        }
    }
}

struct Builder {
    class: &'static Class,
    nodes: Vec<Node>,
    paths: Vec<String>,
}

impl Builder {
    fn node(&mut self, path: &str, parent: usize, depth: usize, list: bool, key: &str) -> usize {
        let constants = companion::constants(path);
        let open = if list {
            format!("\"{key}\":[")
        } else {
            format!("\"{key}\":{{{constants}")
        };
        self.nodes.push(Node {
            parent,
            depth,
            open: open.into_bytes().into(),
            element: format!("{{{constants}").into_bytes().into(),
            stand_ins: Vec::new(),
        });
        self.paths.push(path.to_owned());
        self.nodes.len() - 1
    }

    fn steps(&mut self, fields: &[Field], first_slot: usize) -> Vec<Step> {
        let numbered = fields.iter().enumerate();
        numbered
            .map(|(index, field)| self.step(field, first_slot + index))
            .collect()
    }

    fn step(&mut self, field: &Field, slot: usize) -> Step {
        let path = companion::place(self.class, field.path);
        let unmapped = path.strip_prefix("unmapped.");
        let mut node = if unmapped.is_some() { UNMAPPED } else { ROOT };
        let mut in_list = false;
        let mut walked = String::from(if unmapped.is_some() { "unmapped" } else { "" });
        let mut key = "";
        let mut parts = unmapped.unwrap_or(path).split('.').peekable();
        while let Some(part) = parts.next() {
            key = part;
            if parts.peek().is_none() {
                break;
            }
            if !walked.is_empty() {
                walked.push('.');
            }
            walked.push_str(part);
            in_list = part.ends_with("[]");
            node = self.child(&walked, node, in_list, part.trim_end_matches("[]"));
        }
        let stand_in = companion::stand_in(field.path);
        if let (Some(members), Some(at)) = (stand_in, self.nodes.get_mut(node)) {
            at.stand_ins.push((slot, members.as_bytes().into()));
        }
        Step {
            node,
            in_list,
            key: format!("\"{key}\":").into_bytes().into(),
            column: format!("\"{}\":", field.column).into_bytes().into(),
            unmapped: unmapped.is_some(),
            derive: companion::derived(field.path),
            spread: field.path == super::spread::PATH,
            named: companion::named(field.path),
        }
    }

    fn child(&mut self, path: &str, parent: usize, list: bool, key: &str) -> usize {
        if let Some(known) = self.paths.iter().position(|known| known == path) {
            return known;
        }
        let depth = self.nodes.get(parent).map_or(0, |node| node.depth) + 1;
        self.node(path, parent, depth, list, key)
    }
}

/// Everything up to the value of `severity_id`, for one activity.
pub(super) fn head(class: &Class, activity: u16) -> String {
    let type_uid = u64::from(class.uid) * 100 + u64::from(activity);
    format!(
        "{{\"activity_id\":{activity},\"activity_name\":\"{}\",\"category_uid\":{},\
         \"category_name\":\"{}\",\"class_uid\":{},\"class_name\":\"{}\",\"type_uid\":{type_uid},\
         \"severity_id\":",
        class.activity(activity),
        class.category_uid,
        class.category,
        class.uid,
        class.caption,
    )
}

fn heads(class: &Class) -> Vec<(u16, Box<[u8]>)> {
    let known = class.activities.iter().map(|(id, _)| *id);
    known
        .chain([0, 99])
        .map(|id| (id, head(class, id).into_bytes().into()))
        .collect()
}

/// True for classes of the `health` extension.
fn is_health(class: &Class) -> bool {
    class.uid / 100_000 == 999
}

fn metadata(class: &Class) -> Box<[u8]> {
    let product = concat!(
        r#""version":"1.8.0","product":{"name":"Vigie","vendor_name":"Vigie","version":""#,
        env!("CARGO_PKG_VERSION"),
        r#""},"#
    );
    let extension = if is_health(class) {
        format!(
            concat!(
                r#""profiles":["health/health"],"#,
                r#""extensions":[{{"name":"health","uid":"{}","version":"{}"}}],"#
            ),
            super::HEALTH_UID,
            super::HEALTH_VERSION,
        )
    } else {
        String::new()
    };
    format!("{product}{extension}").into_bytes().into()
}
