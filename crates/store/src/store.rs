//! The store as other rooms see it.
//!
//! Enters: events, queries. Leaves: acknowledgements, answers, the state of the disk.
//! Refuses: a second process in the same directory. All calls block; the store owns its threads.
//! Source: `DESIGN.md` sections 3 and 4.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{UInt32Type, UInt64Type};
use model::port::{AuditEntry, StorageStatus};
use model::{Event, Millis};

use crate::audit::{Trail, Verified};
use crate::catalog::{Catalog as _, Change, LocalCatalog, segment_files};
use crate::config::StoreConfig;
use crate::core::Core;
use crate::disk;
use crate::error::StoreError;
use crate::executor::LocalExecutor;
use crate::ingest::{Message, prepare, writer::Writer};
use crate::live::{Filter, Subscription};
use crate::maintain;
use crate::schema::ClassSchema;
use crate::seal::{self, SealJob};
use crate::seen::{Known, Seen};
use crate::segment::write::column;
use crate::segment::{SegmentMeta, layout};
use crate::vault::{Keys, Vault};
use crate::wal::{self, log::Log, replay};

/// What became of a batch: every event of it is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Events stored by this call.
    pub accepted: usize,
    /// Events that the store already had.
    pub duplicates: usize,
    /// Events left out because their replay was purged.
    pub purged: usize,
}

/// What the last start found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Rows read back from the log.
    pub replayed: u64,
    /// Log files whose torn end was cut off: writes that were never acknowledged.
    pub torn: u64,
    /// Damaged places in the log: file and offset. What stood there is lost.
    pub damaged: Vec<(PathBuf, u64)>,
    /// Files without a catalog entry that were removed.
    pub orphans: u64,
    /// Segments of the catalog whose file is gone, with their events; they left the catalog.
    pub missing: u64,
    /// What is wrong at the end of the audit trail since the last start; it is in the trail, too.
    pub trail: Option<Verified>,
}

/// The store.
pub struct Store {
    pub(crate) core: Arc<Core>,
    pub(crate) executor: LocalExecutor,
    trail: Arc<Trail>,
    recovery: Recovery,
    queue: Mutex<Option<SyncSender<Message>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    _lock: File,
}

impl Store {
    /// Opens the store in a directory, or begins one; replays what was acknowledged and not sealed.
    ///
    /// # Errors
    /// Another process holds it; failures of the disk; a newer format; keys that do not open.
    pub fn open(root: &Path, config: StoreConfig) -> Result<Self, StoreError> {
        disk::make_dir(root)?;
        let lock = lock(&root.join("store.lock"))?;
        for dir in ["wal", layout::DIR, "tmp"] {
            disk::make_dir(&root.join(dir))?;
        }
        disk::empty(&root.join("tmp"))?;
        let keys = Keys::open(&root.join("keys"))?;
        let trail = Arc::new(Trail::open(&root.join("audit"), keys.site())?);
        let mut recovery = Recovery {
            trail: trail.found_at_start().cloned(),
            ..Recovery::default()
        };
        tell(&trail, (config.now)())?;
        let vault = Vault::open(root, keys, Arc::clone(&trail))?;
        let catalog = LocalCatalog::open(root)?;
        let first_segment = clean(root, &catalog, &mut recovery)?;
        // A crash behind the commit of a purge may have left its clear values.
        for replay in catalog.current().purged.iter() {
            vault.forget(replay)?;
        }
        let executor = LocalExecutor::new(root, &config)?;
        let core = Core::new(
            root.to_owned(),
            config,
            Box::new(catalog),
            vault,
            first_segment,
        );
        let core = Arc::new(core);

        let (seal_sender, seal_jobs) = sync_channel(SEALS_MAX);
        let mut backlog = Vec::new();
        let (last, asked, seen) = recover(&core, &mut backlog, &mut recovery)?;
        let log = first_log(&core, last + 1)?;
        let (queue, messages) = sync_channel(QUEUE_MAX);
        let writer = Writer::new(Arc::clone(&core), log, seen, asked, seal_sender);
        let (sealing, caring) = (Arc::clone(&core), Arc::clone(&core));
        let threads = vec![
            spawn("store-log", move || writer.run(&messages))?,
            spawn("store-seal", move || {
                seal::run(&sealing, backlog, &seal_jobs)
            })?,
            spawn("store-care", move || maintain::run(&caring))?,
        ];
        Ok(Self {
            core,
            executor,
            trail,
            recovery,
            queue: Mutex::new(Some(queue)),
            threads: Mutex::new(threads),
            _lock: lock,
        })
    }

    /// Stores events; when it returns they are on disk and a query finds them. Sensitive values are
    /// masked on the way, their clear form goes to the vault.
    ///
    /// # Errors
    /// Nothing of the batch counts as stored; the caller may repeat it, duplicates are recognised.
    pub fn ingest(&self, events: Vec<Event>) -> Result<Ack, StoreError> {
        if events.is_empty() {
            return Ok(Ack {
                accepted: 0,
                duplicates: 0,
                purged: 0,
            });
        }
        let (reply, answer) = sync_channel(1);
        let submission = prepare(&self.core, events, reply)?;
        if submission.rows == 0 {
            return Ok(Ack {
                accepted: 0,
                duplicates: 0,
                purged: submission.purged,
            });
        }
        self.send(Message::Submit(Box::new(submission)))?;
        answer.recv().map_err(|_| StoreError::Closed)?
    }

    /// Seals everything acknowledged so far and waits until it is in segments.
    ///
    /// # Errors
    /// The generation could not be closed, or was not sealed within `wait`.
    pub fn flush(&self, wait: Duration) -> Result<(), StoreError> {
        let (reply, answer) = sync_channel(1);
        self.send(Message::Rotate(reply))?;
        let generation = answer.recv().map_err(|_| StoreError::Closed)??;
        let step = Duration::from_millis(2);
        let mut left = wait;
        while self.core.sealed.load(Ordering::Acquire) < generation {
            left = left.checked_sub(step).ok_or_else(|| {
                let late = std::io::ErrorKind::TimedOut.into();
                StoreError::io(&self.core.root, "seal in time", late)
            })?;
            std::thread::sleep(step);
        }
        Ok(())
    }

    /// One round of compaction, retention and cleaning, now.
    ///
    /// # Errors
    /// Failures of the disk.
    pub fn maintain(&self) -> Result<(), StoreError> {
        maintain::round(&self.core)
    }

    /// Watches acknowledged events from now on; `filter` decides which.
    #[must_use]
    pub fn subscribe(&self, filter: Option<Filter>) -> Subscription {
        self.core
            .subscribers
            .add(filter, self.core.config.subscriber_events_max)
    }

    /// The state of the disk.
    #[must_use]
    pub fn status(&self) -> StorageStatus {
        maintain::status(&self.core)
    }

    /// Days of events that fit at today's rate; `None` before an hour of history.
    #[must_use]
    pub fn forecast_days(&self) -> Option<f64> {
        self.status().forecast_days
    }

    /// What the start found.
    #[must_use]
    pub const fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The vault of clear values.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.core.vault
    }

    /// The audit trail.
    #[must_use]
    pub fn trail(&self) -> &Arc<Trail> {
        &self.trail
    }

    fn send(&self, message: Message) -> Result<(), StoreError> {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        queue
            .ok_or(StoreError::Closed)?
            .send(message)
            .map_err(|_| StoreError::Closed)
    }

    /// Ends the threads; what is acknowledged stays. Dropping the store does the same.
    pub fn close(&self) {
        self.core.stop.store(true, Ordering::Relaxed);
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        self.core.subscribers.close();
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the store ended badly");
            }
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|e| StoreError::io(path, "open", e))?;
    file.try_lock().map_err(|_| StoreError::InUse {
        path: path.to_owned(),
    })?;
    Ok(file)
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|e| StoreError::io(Path::new(name), "start the thread", e))
}

/// The log's first file; a start on a full disk makes room for it.
fn first_log(core: &Core, generation: u64) -> Result<Log, StoreError> {
    let dir = core.root.join("wal");
    match Log::create(&dir, generation) {
        Err(StoreError::DiskFull { .. }) => {
            core.make_room(0)?;
            Log::create(&dir, generation)
        }
        outcome => outcome,
    }
}

/// Removes files that no catalog entry names; the first free segment identifier.
fn clean(root: &Path, catalog: &LocalCatalog, recovery: &mut Recovery) -> Result<u64, StoreError> {
    let version = catalog.current();
    let mut first = version
        .segments
        .iter()
        .map(|segment| segment.id + 1)
        .max()
        .unwrap_or(1);
    for path in segment_files(root)? {
        if let Some(id) = identifier(&path) {
            first = first.max(id + 1);
        }
        if !version.segments.iter().any(|segment| segment.path == path) {
            disk::remove(&root.join(&path))?;
            recovery.orphans += 1;
        }
    }
    let dir = root.join(layout::DIR);
    for name in disk::names(&dir)?
        .iter()
        .filter(|name| name.ends_with(".part"))
    {
        disk::remove(&dir.join(name))?;
        recovery.orphans += 1;
    }
    let gone = |segment: &&Arc<SegmentMeta>| !root.join(&segment.path).is_file();
    let missing: Vec<&Arc<SegmentMeta>> = version.segments.iter().filter(gone).collect();
    for segment in &missing {
        let events = segment.rows;
        tracing::error!(
            path = segment.path,
            events,
            "segment missing: its events are lost"
        );
    }
    if !missing.is_empty() {
        // One missing file must not fail every query.
        recovery.missing = missing.len() as u64;
        let change = Change {
            remove: missing.iter().map(|segment| segment.id).collect(),
            ..Change::default()
        };
        catalog.commit(&change, version.number)?;
    }
    Ok(first)
}

/// Writes into the trail itself what is wrong at its end.
fn tell(trail: &Trail, now: Millis) -> Result<(), StoreError> {
    let what = match trail.found_at_start() {
        None | Some(Verified::Whole(_)) => return Ok(()),
        Some(Verified::Truncated { entries, lost }) => {
            format!("{lost} entries were cut off behind entry {entries}")
        }
        Some(Verified::Broken(line)) => format!("line {line} was written anew"),
        Some(Verified::HeadLost(entries)) => {
            format!("the sealed head of {entries} entries is gone")
        }
    };
    tracing::error!(what, "audit trail damaged");
    trail.append(&AuditEntry {
        time: now.0,
        actor: "system".to_owned(),
        action: "audit_trail_damaged".to_owned(),
        object: "audit trail".to_owned(),
        reason: what,
        outcome: "failure".to_owned(),
    })
}

fn identifier(path: &str) -> Option<u64> {
    let name = path.rsplit('/').next()?.strip_suffix(".parquet")?;
    u64::from_str_radix(name, 16).ok()
}

/// Replays the log into memory and asks the sealer for it: the last generation, the last one that
/// the sealer was asked for, and the identities that are known.
fn recover(
    core: &Core,
    backlog: &mut Vec<SealJob>,
    recovery: &mut Recovery,
) -> Result<(u64, u64, Seen), StoreError> {
    let dir = core.root.join("wal");
    let version = core.catalog.current();
    let mut seen = version.seen.clone();
    let mut last = version.sealed;
    let mut asked = version.sealed;
    let mut generations: Vec<u64> = disk::names(&dir)?
        .iter()
        .filter_map(|name| wal::generation_of(name))
        .collect();
    generations.sort_unstable();
    for generation in generations {
        let path = wal::path_of(&dir, generation);
        last = last.max(generation);
        if generation <= version.sealed {
            disk::remove(&path)?;
            continue;
        }
        let replayed = replay::replay(&path)?;
        for offset in replayed.damaged {
            tracing::error!(path = %path.display(), offset, "log damaged; rows there are lost");
            recovery.damaged.push((path.clone(), offset));
        }
        if let Some(at) = replayed.torn_at {
            recovery.torn += 1;
            replay::cut(&path, at)?;
        }
        let mut own = Seen::default();
        let mut batches = Vec::new();
        for (schema, batch) in replayed.batches {
            if let Some(batch) = fresh(schema, batch, &seen, &mut own)? {
                recovery.replayed += batch.num_rows() as u64;
                batches.push((schema, batch));
            }
        }
        if batches.is_empty() && recovery.damaged.iter().all(|(damaged, _)| *damaged != path) {
            disk::remove(&path)?;
            continue;
        }
        seen.merge(&own);
        core.publish(generation, batches)?;
        let size = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        core.wal_bytes.fetch_add(size, Ordering::Relaxed);
        let job = SealJob {
            generation,
            ranges: own.ranges(),
            wal_bytes: size,
        };
        asked = generation;
        backlog.push(job);
    }
    Ok((last, asked, seen))
}

/// The rows that were not seen before: a batch may stand in the log twice after a failed sync.
fn fresh(
    schema: &ClassSchema,
    batch: RecordBatch,
    seen: &Seen,
    own: &mut Seen,
) -> Result<Option<RecordBatch>, StoreError> {
    debug_assert_eq!(batch.num_columns(), schema.arrow.fields().len());
    let nodes = column::<UInt32Type>(&batch, "node")?;
    let seqs = column::<UInt64Type>(&batch, "seq")?;
    let mut mask = Vec::with_capacity(batch.num_rows());
    for (node, seq) in nodes.iter().zip(seqs) {
        let new = seen.known(*node, *seq) != Known::Yes && own.known(*node, *seq) != Known::Yes;
        if new {
            own.insert(*node, *seq);
        }
        mask.push(new);
    }
    let left = mask.iter().filter(|new| **new).count();
    if left == mask.len() {
        return Ok(Some(batch));
    }
    if left == 0 {
        return Ok(None);
    }
    Ok(Some(filter_record_batch(
        &batch,
        &BooleanArray::from(mask),
    )?))
}

/// Submissions waiting for the log thread; more wait in their callers (block).
const QUEUE_MAX: usize = 64;
/// Closed generations in the sealer's queue; the log thread keeps more itself and never waits.
const SEALS_MAX: usize = 8;
