//! The ring's thread, and what hands packets to it.
//!
//! Enters: frames of capture threads ([`Tap`]), in batches through a queue of [`QUEUE_BATCHES`].
//! Leaves: the writer's blocks; figures. Refuses: to let a capture thread wait: a batch that finds
//! the queue full is dropped and counted (`drop_newest`). Batches are reused, not allocated.
//! Source: `DESIGN.md` section 3, Two planes.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::{Millis, metric};
use wire::Frame;

use super::{Status, Writer, record, writer};

/// Bytes of a batch.
const BATCH_BYTES: usize = 256 * 1024;
/// Batches between the capture threads and the ring's: 32 MiB.
const QUEUE_BATCHES: usize = 128;
/// A batch waits no longer for others.
const BATCH_AGE: Duration = Duration::from_millis(100);
/// Between two looks at the clock.
const TICK: Duration = Duration::from_millis(100);

struct Batch {
    bytes: Vec<u8>,
    back: SyncSender<Vec<u8>>,
}

struct Shared {
    status: Mutex<(Status, Option<String>)>,
    depth: AtomicU64,
    dropped: AtomicU64,
}

/// Owner of the ring's thread.
pub struct Keeper {
    queue: SyncSender<Batch>,
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Keeper {
    /// Starts the thread; `clock` says what time it is.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(writer: Writer, clock: fn() -> Millis) -> io::Result<Self> {
        let (queue, batches) = mpsc::sync_channel(QUEUE_BATCHES);
        let shared = Arc::new(Shared {
            status: Mutex::new((writer.status(), None)),
            depth: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        });
        let told = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("packet-ring".to_owned())
            .spawn(move || keep(writer, &batches, &told, clock))?;
        Ok(Self {
            queue,
            shared,
            thread,
        })
    }

    /// A way in for one capture thread.
    #[must_use]
    pub fn tap(&self) -> Tap {
        let (back, spare) = mpsc::sync_channel(QUEUE_BATCHES);
        Tap {
            bytes: Vec::with_capacity(BATCH_BYTES),
            packets: 0,
            sent: Instant::now(),
            queue: self.queue.clone(),
            back,
            spare,
            shared: Arc::clone(&self.shared),
        }
    }

    /// The ring now; why its last block could not be written.
    #[must_use]
    pub fn status(&self) -> (Status, Option<String>) {
        let told = self.shared.status.lock();
        let mut told = told.unwrap_or_else(PoisonError::into_inner).clone();
        told.0.dropped_queue = self.shared.dropped.load(Ordering::Relaxed);
        told
    }

    /// Batches in the queue, and its capacity.
    #[must_use]
    pub fn depth(&self) -> (u64, u64) {
        let depth = self.shared.depth.load(Ordering::Relaxed);
        (depth, u64::try_from(QUEUE_BATCHES).unwrap_or(0))
    }

    /// Ends in order, once every [`Tap`] is dropped: what was handed over is on disk then.
    pub fn finish(self) {
        drop(self.queue);
        // A thread that panicked has said so itself.
        let _ = self.thread.join();
    }
}

/// One capture thread's way into the ring.
pub struct Tap {
    bytes: Vec<u8>,
    packets: u64,
    sent: Instant,
    queue: SyncSender<Batch>,
    back: SyncSender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
    shared: Arc<Shared>,
}

impl Tap {
    /// Takes a frame: a copy into the batch, no more.
    #[inline]
    pub fn frame(&mut self, frame: &Frame<'_>) {
        let Some(cost) = record::cost(frame) else {
            return self.dropped(1);
        };
        if self.bytes.len() + cost > BATCH_BYTES && !self.bytes.is_empty() {
            self.send();
        }
        record::push(frame, &mut self.bytes);
        self.packets += 1;
    }

    /// Hands over what waits for too long; to be called now and then.
    pub fn beat(&mut self) {
        if !self.bytes.is_empty() && self.sent.elapsed() >= BATCH_AGE {
            self.send();
        }
    }

    fn send(&mut self) {
        self.sent = Instant::now();
        let fresh = self.spare.try_recv();
        let fresh = fresh.unwrap_or_else(|_| Vec::with_capacity(BATCH_BYTES));
        let batch = Batch {
            bytes: std::mem::replace(&mut self.bytes, fresh),
            back: self.back.clone(),
        };
        let packets = std::mem::take(&mut self.packets);
        self.shared.depth.fetch_add(1, Ordering::Relaxed);
        if let Err(full) = self.queue.try_send(batch) {
            self.shared.depth.fetch_sub(1, Ordering::Relaxed);
            self.dropped(packets);
            let (mpsc::TrySendError::Full(batch) | mpsc::TrySendError::Disconnected(batch)) = full;
            let mut bytes = batch.bytes;
            bytes.clear();
            let _ = self.back.try_send(bytes);
        }
    }

    fn dropped(&self, packets: u64) {
        self.shared.dropped.fetch_add(packets, Ordering::Relaxed);
        metric::CAPTURE_RING_DROPPED_QUEUE.add(packets);
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.send();
        }
    }
}

fn keep(mut writer: Writer, batches: &Receiver<Batch>, shared: &Shared, clock: fn() -> Millis) {
    let mut ticked = Instant::now();
    loop {
        match batches.recv_timeout(TICK) {
            Ok(batch) => {
                shared.depth.fetch_sub(1, Ordering::Relaxed);
                let Batch { mut bytes, back } = batch;
                writer.take(&bytes, clock());
                bytes.clear();
                // A tap that is gone needs no more batches.
                let _ = back.try_send(bytes);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if ticked.elapsed() >= TICK {
            ticked = Instant::now();
            writer.tick(clock());
            publish(&writer, shared);
        }
    }
    writer.close(clock());
    publish(&writer, shared);
    writer.finish(clock());
}

fn publish(writer: &Writer, shared: &Shared) {
    let status = writer.status();
    metric::CAPTURE_RING_BYTES.set(status.bytes);
    metric::CAPTURE_RING_BLOCKS.set(status.blocks);
    metric::CAPTURE_RING_PINNED.set(status.pinned_bytes);
    let oldest = status.oldest.map_or(0, |oldest| oldest.millis().0 / 1000);
    metric::CAPTURE_RING_OLDEST.set(u64::try_from(oldest).unwrap_or(0));
    metric::CAPTURE_RING_PACKETS.set(status.packets);
    metric::CAPTURE_RING_DROPPED_DISK.set(status.dropped_disk);
    metric::CAPTURE_RING_SKIPPED.set(status.skipped);
    metric::CAPTURE_RING_UNPINNED.set(status.unpinned);
    let error = writer.error().map(str::to_owned);
    *shared.status.lock().unwrap_or_else(PoisonError::into_inner) = (status, error);
}

/// Asks the writer of the ring in `dir`, in whatever process, to put the latest packets on disk;
/// true once it did, false when nobody did within `patience`.
#[must_use]
pub fn ask_to_close(dir: &Path, patience: Duration) -> bool {
    let path = dir.join(writer::CLOSE);
    if !dir.join(writer::RUNNING).exists() || fs::write(&path, b"").is_err() {
        return false;
    }
    let until = Instant::now() + patience;
    while path.exists() {
        if Instant::now() >= until {
            let _ = fs::remove_file(&path);
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}
