//! Live events: from the pipeline to clients, never slowing the pipeline down.
//!
//! Enters: masked events. Leaves: bounded queues, one a client. Refuses: to wait: an event that a
//! full queue cannot take is dropped for that client and counted.
//! Limits: `limit::STREAMS_MAX` clients, `limit::STREAM_QUEUE` events each.
//! Source: the HTTP contract, `openapi.json`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Event;
use model::port::QueryError;
use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::limit::{STREAM_QUEUE, STREAMS_MAX};

/// Where live events come from.
pub trait LiveEvents: Send + Sync {
    /// Subscribes to the events that match a search; the empty search matches all but replays.
    ///
    /// # Errors
    /// The search is wrong, or cannot be followed live.
    fn subscribe(&self, search: &str) -> Result<Subscription, QueryError>;
}

/// One client's queue.
pub struct Subscription {
    /// Events in the order of arrival; closed when the source ends.
    pub events: Receiver<Arc<Event>>,
    /// Events that did not fit since the beginning.
    pub dropped: Arc<AtomicU64>,
}

/// The other end of a [`Subscription`].
pub struct LiveSender {
    events: Sender<Arc<Event>>,
    dropped: Arc<AtomicU64>,
}

impl LiveSender {
    /// Offers an event; false once the client is gone.
    pub fn offer(&self, event: &Arc<Event>) -> bool {
        match self.events.try_send(Arc::clone(event)) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.dropped.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        }
    }

    /// True once the client is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.events.is_closed()
    }
}

/// A queue of [`STREAM_QUEUE`] events between a source and one client.
#[must_use]
pub fn live_queue() -> (LiveSender, Subscription) {
    let (sender, receiver) = mpsc::channel(STREAM_QUEUE);
    let dropped = Arc::new(AtomicU64::new(0));
    let sender = LiveSender {
        events: sender,
        dropped: Arc::clone(&dropped),
    };
    let subscription = Subscription {
        events: receiver,
        dropped,
    };
    (sender, subscription)
}

/// Whether an event matches a search.
pub type Matcher = Box<dyn Fn(&Event) -> bool + Send + Sync>;
/// Makes the matcher of a search.
type Compile = Box<dyn Fn(&str) -> Result<Matcher, QueryError> + Send + Sync>;

/// A source that the pipeline publishes to.
pub struct LiveHub {
    compile: Compile,
    clients: Mutex<Vec<(Matcher, LiveSender)>>,
}

impl LiveHub {
    /// A hub; `compile` makes matchers of searches, the empty one among them.
    #[must_use]
    pub fn new(
        compile: impl Fn(&str) -> Result<Matcher, QueryError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            compile: Box::new(compile),
            clients: Mutex::new(Vec::new()),
        }
    }

    /// Offers a masked event to every client that wants it; never waits for one.
    pub fn publish(&self, event: &Arc<Event>) {
        self.lock()
            .retain(|(matches, sender)| match matches(event) {
                true => sender.offer(event),
                false => !sender.is_closed(),
            });
    }

    /// True when publishing reaches somebody: callers may skip making the `Arc`.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        !self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Matcher, LiveSender)>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LiveEvents for LiveHub {
    fn subscribe(&self, search: &str) -> Result<Subscription, QueryError> {
        // The empty search too: what it leaves out, replays, is the store's to say.
        let matcher = (self.compile)(search.trim())?;
        let (sender, subscription) = live_queue();
        let mut clients = self.lock();
        clients.retain(|(_, sender)| !sender.is_closed());
        if clients.len() >= STREAMS_MAX {
            return Err(QueryError {
                code: "too_many",
                detail: format!("{STREAMS_MAX} live streams are open, close one"),
                position: None,
                suggestion: None,
            });
        }
        clients.push((matcher, sender));
        Ok(subscription)
    }
}

#[cfg(test)]
mod tests;
