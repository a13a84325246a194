//! The store's door: events become masked columns before they meet the log.
//!
//! Enters: typed events of any class. Leaves: one [`Submission`]; the caller's thread does the work
//! that can run beside others (masking, columns, encoding). Refuses: nothing; limits are the
//! caller's batch. Source: `DESIGN.md` section 1, Privacy.

pub(crate) mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::SyncSender;

use model::{Event, EventUid, metric};

use crate::batch::BatchBuilder;
use crate::core::Core;
use crate::error::StoreError;
use crate::hot::{BATCH_ROWS, ClassBatch};
use crate::schema::ClassSchema;
use crate::seen::Range;
use crate::store::Ack;
use crate::tenant::replay_of;
use crate::vault::Clear;
use crate::wal::rows::{self, Encoded};

/// One call of `ingest` on its way to the log.
pub(crate) struct Submission {
    pub(crate) parts: Vec<(ClassBatch, Encoded)>,
    pub(crate) rows: usize,
    pub(crate) ranges: Vec<Range>,
    /// True when two events of this call have one identity.
    pub(crate) repeats: bool,
    pub(crate) clear: Vec<Clear>,
    /// Replays that some of the rows belong to.
    pub(crate) replays: Vec<Box<str>>,
    /// Events left out because their replay was purged.
    pub(crate) purged: usize,
    pub(crate) events: Option<Vec<Event>>,
    pub(crate) reply: SyncSender<Result<Ack, StoreError>>,
}

/// What the log thread is asked to do.
pub(crate) enum Message {
    /// Store events.
    Submit(Box<Submission>),
    /// Close the generation; answers which one is the last to be sealed.
    Rotate(SyncSender<Result<u64, StoreError>>),
}

/// Masks events and brings them into columns.
pub(crate) fn prepare(
    core: &Core,
    mut events: Vec<Event>,
    reply: SyncSender<Result<Ack, StoreError>>,
) -> Result<Submission, StoreError> {
    let (replays, purged) = without_purged(core, &mut events);
    let clear = admit(core, &mut events);
    let parts = columns(&events)?;
    let (ranges, repeats) = ranges_of(&events);
    let rows = events.len();
    let events = core.subscribers.any().then_some(events);
    Ok(Submission {
        parts,
        rows,
        ranges,
        repeats,
        clear,
        replays,
        purged,
        events,
        reply,
    })
}

/// Leaves out what belongs to purged replays: the replays that stay, and how many events went.
fn without_purged(core: &Core, events: &mut Vec<Event>) -> (Vec<Box<str>>, usize) {
    let named: BTreeSet<Box<str>> = events
        .iter()
        .filter_map(|event| replay_of(&event.meta.labels).map(Box::from))
        .collect();
    let (gone, kept): (Vec<_>, Vec<_>) = named.into_iter().partition(|id| core.is_purged(id));
    if gone.is_empty() {
        return (kept, 0);
    }
    let before = events.len();
    events.retain(|event| {
        replay_of(&event.meta.labels).is_none_or(|id| gone.iter().all(|gone| **gone != *id))
    });
    let purged = before - events.len();
    metric::STORE_PURGED.add(purged as u64);
    (kept, purged)
}

/// Completes the spine and masks; what was clear is returned for the vault.
fn admit(core: &Core, events: &mut [Event]) -> Vec<Clear> {
    let key = core.vault.site_key();
    let mut clear = Vec::new();
    let mut now = None;
    for event in events {
        if event.meta.logged_time.0 == 0 {
            event.meta.logged_time = *now.get_or_insert_with(|| (core.config.now)());
        }
        if event.meta.site.is_empty() {
            event.meta.site = core.config.site.clone();
        }
        let taken = event.mask(key).0;
        if !taken.is_empty() {
            clear.push(Clear {
                uid: event.meta.uid,
                logged_ms: event.meta.logged_time.0,
                replay: replay_of(&event.meta.labels).map(Box::from),
                values: taken,
            });
        }
    }
    clear
}

/// The events in columns, by class, in batches of at most [`BATCH_ROWS`].
fn columns(events: &[Event]) -> Result<Vec<(ClassBatch, Encoded)>, StoreError> {
    let mut builders: BTreeMap<u32, BatchBuilder> = BTreeMap::new();
    let mut parts = Vec::new();
    for event in events {
        let uid = event.body.class().uid;
        let Some(schema) = ClassSchema::of(uid) else {
            return Err(StoreError::Columns("unknown class".to_owned()));
        };
        let builder = builders
            .entry(uid)
            .or_insert_with(|| BatchBuilder::new(schema));
        builder.push(event);
        if builder.rows() >= BATCH_ROWS {
            parts.push(finished(schema, builder)?);
        }
    }
    for (uid, mut builder) in builders {
        if let Some(schema) = ClassSchema::of(uid)
            && builder.rows() > 0
        {
            parts.push(finished(schema, &mut builder)?);
        }
    }
    Ok(parts)
}

fn finished(
    schema: &'static ClassSchema,
    builder: &mut BatchBuilder,
) -> Result<(ClassBatch, Encoded), StoreError> {
    let batch = builder.finish()?;
    let encoded = rows::encode(schema, &batch)?;
    Ok(((schema, batch), encoded))
}

/// The identities as ranges, ascending, and whether one came twice.
fn ranges_of(events: &[Event]) -> (Vec<Range>, bool) {
    let mut uids: Vec<EventUid> = events.iter().map(|event| event.meta.uid).collect();
    uids.sort_unstable();
    let mut ranges: Vec<Range> = Vec::new();
    let mut repeats = false;
    for uid in uids {
        let (node, seq) = (uid.node.0, uid.seq);
        match ranges.last_mut() {
            Some(last) if last.node == node && last.to == seq => repeats = true,
            Some(last) if last.node == node && last.to.checked_add(1) == Some(seq) => last.to = seq,
            _ => ranges.push(Range {
                node,
                from: seq,
                to: seq,
                blurred: false,
            }),
        }
    }
    (ranges, repeats)
}
