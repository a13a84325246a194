//! The log thread: group commit, acknowledgement, publication.
//!
//! Enters: submissions by a bounded queue (block). Leaves: acknowledgements; rows in the view;
//! closed generations for the sealer. Refuses: identities that the store has: counted, acknowledged
//! again, not stored; events beyond `hot_bytes_max` of unsealed log: counted, their sender repeats.
//! Acknowledging never waits for the sealer below that bound; from half of it on the log rests
//! between two commits (`pace`), so that the bound is met by no burst and no stall.
//! Limits: [`COMMIT_ROWS_MAX`], [`ROOM_TRIES`]. Source: `facts/store.md` sections 4.3 and 6.

mod rotate;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use datafusion::arrow::array::BooleanArray;
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{UInt32Type, UInt64Type};
use model::{Event, metric};

use super::{Message, Submission};
use crate::core::Core;
use crate::error::StoreError;
use crate::hot::ClassBatch;
use crate::seal::SealJob;
use crate::seen::{Known, Range, Seen};
use crate::segment::read::sequences;
use crate::segment::write::column;
use crate::store::Ack;
use crate::wal::log::Log;
use crate::wal::rows::{self, Encoded};

/// Rows after which a group is committed without looking for more.
const COMMIT_ROWS_MAX: usize = 8192;
/// How often age is looked at when nothing comes.
const TICK: Duration = Duration::from_millis(50);
/// Times that room is made for one commit.
const ROOM_TRIES: usize = 8;

/// The state of the log thread.
pub(crate) struct Writer {
    core: Arc<Core>,
    log: Log,
    seen: Seen,
    ranges: Seen,
    rows: u64,
    born_ms: i64,
    /// Last generation that the sealer was asked for.
    asked: u64,
    /// Closed generations that did not fit into the sealer's queue.
    waiting: VecDeque<SealJob>,
    seal: SyncSender<SealJob>,
}

/// A submission with what is left of it.
struct Ready {
    parts: Vec<(ClassBatch, Encoded)>,
    ack: Ack,
    submission: Submission,
}

impl Writer {
    pub(crate) fn new(
        core: Arc<Core>,
        log: Log,
        seen: Seen,
        asked: u64,
        seal: SyncSender<SealJob>,
    ) -> Self {
        let born_ms = (core.config.now)().0;
        let ranges = Seen::default();
        Self {
            core,
            log,
            seen,
            ranges,
            rows: 0,
            born_ms,
            asked,
            waiting: VecDeque::new(),
            seal,
        }
    }

    /// Runs until every sender is gone; what is not sealed then is replayed at the next start.
    pub(crate) fn run(mut self, queue: &Receiver<Message>) {
        loop {
            let mut rows = 0;
            match queue.recv_timeout(TICK) {
                Ok(Message::Submit(first)) => {
                    let (group, rotate) = gather(*first, queue);
                    rows = group.iter().map(|one| one.rows).sum();
                    self.commit(group);
                    if let Some(reply) = rotate {
                        self.answer_rotate(&reply);
                    }
                }
                Ok(Message::Rotate(reply)) => self.answer_rotate(&reply),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.is_due() {
                self.rotate();
            }
            self.hand_over();
            self.pace(rows);
        }
    }

    /// Commits a group and answers every member.
    fn commit(&mut self, group: Vec<Submission>) {
        let mut pending = Seen::default();
        let mut ready = Vec::new();
        for submission in group {
            match self.admit(submission, &mut pending) {
                Ok(one) => ready.push(one),
                Err((reply, error)) => drop(reply.send(Err(error))),
            }
        }
        let outcome = self.wait_for_memory().and_then(|()| self.write(&ready));
        match outcome {
            Ok(()) => self.acknowledge(ready),
            Err(error) => {
                tracing::error!(%error, "events were not acknowledged");
                for one in ready {
                    metric::STORE_REFUSED.add(one.ack.accepted as u64);
                    let failed = again(&error);
                    drop(one.submission.reply.send(Err(failed)));
                }
            }
        }
    }

    /// Takes out what the store already has.
    fn admit(
        &self,
        mut submission: Submission,
        pending: &mut Seen,
    ) -> Result<Ready, (SyncSender<Result<Ack, StoreError>>, StoreError)> {
        // A purge began since the door looked: what is in the log before it, it removes itself.
        if submission.replays.iter().any(|id| self.core.is_purged(id)) {
            return Err((submission.reply, StoreError::Purging));
        }
        let clean = !submission.repeats
            && submission
                .ranges
                .iter()
                .all(|range| self.seen.is_clear(range) && pending.is_clear(range));
        let mut parts = std::mem::take(&mut submission.parts);
        let mut duplicates = 0;
        if !clean {
            match self.filter(&mut submission, parts, pending) {
                Ok((left, dropped)) => {
                    parts = left;
                    duplicates = dropped;
                }
                Err(error) => return Err((submission.reply, error)),
            }
        }
        submission
            .ranges
            .iter()
            .for_each(|range| pending.add(*range));
        let accepted = submission.rows - duplicates;
        Ok(Ready {
            parts,
            ack: Ack {
                accepted,
                duplicates,
                purged: submission.purged,
            },
            submission,
        })
    }

    fn filter(
        &self,
        submission: &mut Submission,
        parts: Vec<(ClassBatch, Encoded)>,
        pending: &Seen,
    ) -> Result<(Vec<(ClassBatch, Encoded)>, usize), StoreError> {
        let mut known = self.looked_up(submission)?;
        let mut left = Vec::new();
        let mut dropped = 0;
        let mut kept = BTreeSet::new();
        for ((schema, batch), encoded) in parts {
            let nodes = column::<UInt32Type>(&batch, "node")?;
            let seqs = column::<UInt64Type>(&batch, "seq")?;
            let mask: Vec<bool> = nodes
                .iter()
                .zip(seqs)
                .map(|(node, seq)| {
                    let fresh = self.seen.known(*node, *seq) != Known::Yes
                        && pending.known(*node, *seq) == Known::New
                        && known.insert((*node, *seq));
                    if fresh {
                        kept.insert((*node, *seq));
                    }
                    fresh
                })
                .collect();
            let gone = mask.iter().filter(|fresh| !**fresh).count();
            dropped += gone;
            if gone == 0 {
                left.push(((schema, batch), encoded));
            } else if gone < mask.len() {
                let batch = filter_record_batch(&batch, &BooleanArray::from(mask))?;
                let encoded = rows::encode(schema, &batch)?;
                left.push(((schema, batch), encoded));
            }
        }
        submission
            .clear
            .retain(|clear| kept.contains(&(clear.uid.node.0, clear.uid.seq)));
        if let Some(events) = &mut submission.events {
            let mut once = kept.clone();
            events.retain(|event| once.remove(&(event.meta.uid.node.0, event.meta.uid.seq)));
        }
        metric::STORE_DUPLICATES.add(dropped as u64);
        Ok((left, dropped))
    }

    /// The identities of this submission that the rows themselves have, where ranges cannot tell.
    fn looked_up(&self, submission: &Submission) -> Result<BTreeSet<(u32, u64)>, StoreError> {
        let mut found = BTreeSet::new();
        let view = self.core.view();
        for (node, wanted) in questions(&self.seen, &submission.ranges) {
            let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else {
                continue;
            };
            for segment in &view.catalog.segments {
                let may = segment
                    .nodes
                    .iter()
                    .any(|(known, from, to)| *known == node && from <= last && to >= first);
                if may {
                    let path = self.core.root.join(&segment.path);
                    let hits = sequences(&path, node, &wanted)?;
                    found.extend(hits.into_iter().map(|seq| (node, seq)));
                }
            }
            for generation in &view.hot {
                for (_, batches) in generation.classes() {
                    for batch in batches {
                        let nodes = column::<UInt32Type>(batch, "node")?;
                        let seqs = column::<UInt64Type>(batch, "seq")?;
                        let rows = nodes.iter().zip(seqs).filter(|(known, _)| **known == node);
                        let hits = rows.filter(|(_, seq)| wanted.binary_search(seq).is_ok());
                        found.extend(hits.map(|(_, seq)| (node, *seq)));
                    }
                }
            }
        }
        Ok(found)
    }

    /// Vault, then log, both synced. Makes room when the disk is full.
    fn write(&mut self, ready: &[Ready]) -> Result<(), StoreError> {
        let clear: Vec<_> = ready
            .iter()
            .flat_map(|one| one.submission.clear.iter().cloned())
            .collect();
        let encoded: Vec<&Encoded> = ready
            .iter()
            .flat_map(|one| one.parts.iter().map(|(_, encoded)| encoded))
            .collect();
        if encoded.is_empty() {
            return Ok(());
        }
        let mut kept = clear.is_empty();
        for _ in 0..ROOM_TRIES {
            let outcome = self.write_once(&clear, &encoded, &mut kept);
            let Err(StoreError::DiskFull { path }) = outcome else {
                return outcome;
            };
            let wanted: usize = encoded.iter().map(|batch| batch.body.len()).sum();
            let wanted = (wanted as u64).saturating_add(self.core.headroom());
            if self.core.make_room(wanted)? == 0 && !self.seal_for_room() {
                return Err(StoreError::DiskFull { path });
            }
        }
        Err(StoreError::DiskFull {
            path: self.core.root.clone(),
        })
    }

    fn write_once(
        &mut self,
        clear: &[crate::vault::Clear],
        encoded: &[&Encoded],
        kept: &mut bool,
    ) -> Result<(), StoreError> {
        if !*kept {
            self.core.vault.keep(clear)?;
            *kept = true;
        }
        if self.log.is_broken() {
            self.try_rotate()?;
        }
        let before = self.log.bytes();
        let left = self.core.bytes_left();
        self.log
            .commit(encoded, left.saturating_sub(self.core.headroom()))?;
        self.core
            .wal_bytes
            .fetch_add(self.log.bytes() - before, Ordering::Relaxed);
        metric::STORE_WAL_BYTES.set(self.core.wal_bytes.load(Ordering::Relaxed));
        Ok(())
    }

    /// Publishes, answers, and hands the events to the live stream.
    fn acknowledge(&mut self, ready: Vec<Ready>) {
        let mut batches = Vec::new();
        let mut replies = Vec::new();
        let mut live: Vec<Event> = Vec::new();
        for one in ready {
            metric::STORE_ACKNOWLEDGED.add(one.ack.accepted as u64);
            for range in &one.submission.ranges {
                self.seen.add(*range);
                self.ranges.add(*range);
            }
            batches.extend(one.parts.into_iter().map(|(batch, _)| batch));
            live.extend(one.submission.events.unwrap_or_default());
            replies.push((one.submission.reply, one.ack));
        }
        match self.core.publish(self.log.generation, batches) {
            Ok(rows) => self.rows = rows,
            Err(error) => tracing::error!(%error, "acknowledged rows stay unseen until a restart"),
        }
        for (reply, ack) in replies {
            // A caller that no longer waits is no failure: its events are safe.
            drop(reply.send(Ok(ack)));
        }
        if !live.is_empty() {
            self.core.subscribers.send(live);
        }
    }
}

/// What waits in the queue, up to a group.
fn gather(
    first: Submission,
    queue: &Receiver<Message>,
) -> (Vec<Submission>, Option<SyncSender<Result<u64, StoreError>>>) {
    let mut rows = first.rows;
    let mut group = vec![first];
    while rows < COMMIT_ROWS_MAX {
        match queue.try_recv() {
            Ok(Message::Submit(next)) => {
                rows += next.rows;
                group.push(*next);
            }
            Ok(Message::Rotate(reply)) => return (group, Some(reply)),
            Err(_) => break,
        }
    }
    (group, None)
}

/// Per node: the sequences, ascending, that only the rows can tell.
fn questions(seen: &Seen, ranges: &[Range]) -> Vec<(u32, Vec<u64>)> {
    let mut out: Vec<(u32, Vec<u64>)> = Vec::new();
    for range in ranges {
        for seq in range.from..=range.to {
            if seen.known(range.node, seq) != Known::Perhaps {
                continue;
            }
            match out.last_mut() {
                Some((node, wanted)) if *node == range.node => wanted.push(seq),
                _ => out.push((range.node, vec![seq])),
            }
        }
    }
    out
}

/// The same failure for another caller of the group.
fn again(error: &StoreError) -> StoreError {
    if let StoreError::DiskFull { path } = error {
        StoreError::DiskFull { path: path.clone() }
    } else if let StoreError::Behind { unsealed, most } = error {
        StoreError::Behind {
            unsealed: *unsealed,
            most: *most,
        }
    } else {
        StoreError::Columns(error.to_string())
    }
}
