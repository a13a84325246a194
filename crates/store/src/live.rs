//! The live stream: acknowledged events to whoever watches.
//!
//! Enters: acknowledged, masked events. Leaves: bounded queues, one per subscription.
//! Refuses: to wait for a slow watcher: the newest events are dropped and counted.
//! Source: `STYLE.md` rule 27.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::Event;

/// Which events a watcher wants.
pub type Filter = Box<dyn Fn(&Event) -> bool + Send>;

/// All watchers.
#[derive(Default)]
pub(crate) struct Subscribers {
    list: Mutex<Vec<Watcher>>,
    count: AtomicUsize,
}

struct Watcher {
    queue: SyncSender<Arc<Event>>,
    filter: Option<Filter>,
    dropped: Arc<AtomicU64>,
}

/// One subscription; dropping it ends it.
pub struct Subscription {
    queue: Receiver<Arc<Event>>,
    dropped: Arc<AtomicU64>,
}

impl Subscription {
    /// The next event, waiting at most `wait`; `None` when none came.
    ///
    /// # Errors
    /// [`Ended`] when the store is closed.
    pub fn next(&self, wait: Duration) -> Result<Option<Arc<Event>>, Ended> {
        match self.queue.recv_timeout(wait) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Ended),
        }
    }

    /// Events dropped because this watcher was slow.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The store is closed: no event will come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the live stream ended")]
pub struct Ended;

impl Subscribers {
    /// Adds a watcher with a queue of `events_max`.
    pub(crate) fn add(&self, filter: Option<Filter>, events_max: usize) -> Subscription {
        let (sender, queue) = sync_channel(events_max.max(1));
        let dropped = Arc::new(AtomicU64::new(0));
        let watcher = Watcher {
            queue: sender,
            filter,
            dropped: Arc::clone(&dropped),
        };
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(watcher);
        self.count.store(list.len(), Ordering::Relaxed);
        Subscription { queue, dropped }
    }

    /// True when somebody watches.
    pub(crate) fn any(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }

    /// Hands events to every watcher that wants them.
    pub(crate) fn send(&self, events: Vec<Event>) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            let event = Arc::new(event);
            list.retain(|watcher| watcher.offer(&event));
        }
        self.count.store(list.len(), Ordering::Relaxed);
    }

    /// Ends every subscription.
    pub(crate) fn close(&self) {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.count.store(0, Ordering::Relaxed);
    }
}

impl Watcher {
    /// False when the watcher is gone.
    fn offer(&self, event: &Arc<Event>) -> bool {
        if self.filter.as_ref().is_some_and(|filter| !filter(event)) {
            return true;
        }
        match self.queue.try_send(Arc::clone(event)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}
