//! The sending end: a role's events on their way to core.
//!
//! Enters: events from the packet plane, through a bounded queue (`drop_newest`).
//! Leaves: batches on the socket; while core is away, in the spool. Refuses: to block its caller.
//! Limits: [`QUEUE_BATCHES`] batches queued, [`WINDOW_BATCHES`] sent and not acknowledged.
//! Source: `DESIGN.md` section 3.

use std::collections::VecDeque;
use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::{Event, metric};
use tracing::{info, warn};

use super::frame::{encode_events, read_message, write_message};
use super::spool::Spool;
use super::{Message, VERSION};

/// Batches between the packet plane and the uplink.
const QUEUE_BATCHES: usize = 256;
/// Batches sent and not yet acknowledged.
const WINDOW_BATCHES: usize = 64;
/// Between two attempts to reach core.
const RETRY: Duration = Duration::from_millis(200);
/// How long a sender without spool waits for a core that is away before it gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a stopping role waits for the last acknowledgements before it spools them.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where and how to send.
pub(crate) struct UplinkConfig {
    /// Name of the role.
    pub(crate) role: String,
    /// Socket of core.
    pub(crate) socket: PathBuf,
    /// Spool for the time when core is away; `None`: wait for core instead.
    pub(crate) spool: Option<Spool>,
}

/// A role's way to core.
pub(crate) struct Uplink {
    queue: SyncSender<Item>,
    thread: Option<JoinHandle<u64>>,
    stopping: Arc<AtomicBool>,
    depth: Arc<AtomicU64>,
    settled: Arc<AtomicU64>,
}

enum Item {
    Events(Vec<Event>),
    Status(Vec<u8>),
}

impl Uplink {
    /// Starts the sending thread.
    pub(crate) fn start(config: UplinkConfig) -> io::Result<Self> {
        let (queue, items) = mpsc::sync_channel(QUEUE_BATCHES);
        let stopping = Arc::new(AtomicBool::new(false));
        let depth = Arc::new(AtomicU64::new(0));
        let settled = Arc::new(AtomicU64::new(0));
        let mut sender = Sender {
            config,
            items,
            stopping: Arc::clone(&stopping),
            depth: Arc::clone(&depth),
            settled: Arc::clone(&settled),
            taken: 0,
            under_way: VecDeque::new(),
            connection: None,
            unacked: VecDeque::new(),
            spooled: VecDeque::new(),
            number: 0,
            tried: None,
            away: None,
        };
        let thread = std::thread::Builder::new()
            .name("uplink".into())
            .spawn(move || sender.run())?;
        Ok(Self {
            queue,
            thread: Some(thread),
            stopping,
            depth,
            settled,
        })
    }

    /// Hands events over without blocking; false (and counted) when the queue is full.
    pub(crate) fn offer(&self, events: Vec<Event>) -> bool {
        let count = u64::try_from(events.len()).unwrap_or(0);
        match self.queue.try_send(Item::Events(events)) {
            Ok(()) => {
                self.depth.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                metric::LINK_DROPPED.add(count);
                false
            }
        }
    }

    /// Hands events over and waits for room in the queue: for files, which can wait.
    pub(crate) fn send(&self, events: Vec<Event>) -> bool {
        self.depth.fetch_add(1, Ordering::Relaxed);
        self.queue.send(Item::Events(events)).is_ok()
    }

    /// Reports the role's state; dropped when the queue is full.
    pub(crate) fn status(&self, json: Vec<u8>) {
        let _ = self.queue.try_send(Item::Status(json));
    }

    /// Batches now in the queue, and its capacity.
    pub(crate) fn depth(&self) -> (u64, u64) {
        (
            self.depth.load(Ordering::Relaxed),
            u64::try_from(QUEUE_BATCHES).unwrap_or(0),
        )
    }

    /// How many of the batches handed over, in their order, are on disk: in core's store or in the
    /// spool. Those that neither could take count too: they were counted as dropped.
    pub(crate) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    /// Sends what is left and ends; returns the batches that could be neither delivered nor
    /// spooled.
    pub(crate) fn finish(mut self) -> u64 {
        self.stopping.store(true, Ordering::Relaxed);
        drop(self.queue);
        self.thread
            .take()
            .and_then(|thread| thread.join().ok())
            .unwrap_or(0)
    }
}

struct Connection {
    stream: UnixStream,
    acked: Arc<Mutex<VecDeque<u64>>>,
    broken: Arc<AtomicBool>,
}

struct Sender {
    config: UplinkConfig,
    items: mpsc::Receiver<Item>,
    stopping: Arc<AtomicBool>,
    depth: Arc<AtomicU64>,
    settled: Arc<AtomicU64>,
    /// Batches taken from the queue.
    taken: u64,
    /// Those sent without a detour: the number on the link, and which one of the queue it was.
    under_way: VecDeque<(u64, u64)>,
    connection: Option<Connection>,
    unacked: VecDeque<(u64, Vec<u8>)>,
    /// Numbers of batches that came from a spool file: the file, and its last batch.
    spooled: VecDeque<(u64, u64)>,
    number: u64,
    /// Last attempt to reach core.
    tried: Option<Instant>,
    /// Since when core has been away, for a sender without spool.
    away: Option<Instant>,
}

impl Sender {
    fn run(&mut self) -> u64 {
        loop {
            self.connect();
            self.take_acks();
            self.refill();
            if self.connection.is_none() && self.config.spool.is_none() && !self.unacked.is_empty()
            {
                // Nowhere to put more: the queue waits with us, and nothing of it is given up.
                let since = *self.away.get_or_insert_with(Instant::now);
                if self.stopping.load(Ordering::Relaxed) && since.elapsed() > PATIENCE {
                    return self.farewell();
                }
                std::thread::sleep(Duration::from_millis(20));
                continue;
            }
            self.away = None;
            if self.unacked.len() >= WINDOW_BATCHES && self.connection.is_some() {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            }
            let wait = if self.unacked.is_empty() { 50 } else { 2 };
            match self.items.recv_timeout(Duration::from_millis(wait)) {
                Ok(item) => self.item(item),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.farewell(),
            }
        }
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Status(json) => self.transmit(&Message::Status(json)),
            Item::Events(events) => {
                self.depth.fetch_sub(1, Ordering::Relaxed);
                let bytes = encode_events(&events);
                let count = u64::try_from(events.len()).unwrap_or(0);
                self.taken += 1;
                self.batch(bytes, count);
                self.settle();
            }
        }
    }

    /// Sends a batch, or spools it: order is kept, so nothing overtakes a spool that is not empty.
    fn batch(&mut self, bytes: Vec<u8>, events: u64) {
        let waiting = self
            .config
            .spool
            .as_ref()
            .is_some_and(|spool| !spool.is_empty());
        if (self.connection.is_none() || waiting)
            && let Some(spool) = &mut self.config.spool
        {
            match spool.push(&bytes) {
                Ok(true) => metric::LINK_SPOOLED.set(spool.bytes()),
                Ok(false) => {
                    metric::LINK_DROPPED.add(events);
                    warn!(
                        events,
                        "spool full: newest events dropped; core must come back"
                    );
                }
                Err(error) => {
                    metric::LINK_DROPPED.add(events);
                    warn!(%error, events, "spool cannot be written: events dropped");
                }
            }
            return;
        }
        self.send_new(bytes);
        self.under_way.push_back((self.number, self.taken));
    }

    /// Everything before the oldest batch under way is settled.
    fn settle(&mut self) {
        let oldest = self.unacked.front().map_or(u64::MAX, |(number, _)| *number);
        while self
            .under_way
            .front()
            .is_some_and(|(number, _)| *number < oldest)
        {
            self.under_way.pop_front();
        }
        let waiting = self.under_way.front().map(|(_, taken)| taken - 1);
        self.settled
            .store(waiting.unwrap_or(self.taken), Ordering::Relaxed);
    }

    fn send_new(&mut self, bytes: Vec<u8>) {
        self.number += 1;
        let message = Message::Batch {
            number: self.number,
            bytes,
        };
        self.transmit(&message);
        if let Message::Batch { number, bytes } = message {
            self.unacked.push_back((number, bytes));
        }
    }

    fn transmit(&mut self, message: &Message) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        if write_message(&mut connection.stream, message).is_err() {
            self.connection = None;
        }
    }

    fn connect(&mut self) {
        let broken = self
            .connection
            .as_ref()
            .is_some_and(|link| link.broken.load(Ordering::Relaxed));
        if broken {
            warn!("core is away: events wait");
            self.connection = None;
        }
        if self.connection.is_some() {
            return;
        }
        if self.tried.is_some_and(|tried| tried.elapsed() < RETRY) {
            return;
        }
        self.tried = Some(Instant::now());
        let Ok(connection) = Connection::open(&self.config.socket, &self.config.role) else {
            return;
        };
        info!("connected to core");
        self.connection = Some(connection);
        let again: Vec<(u64, Vec<u8>)> = self.unacked.drain(..).collect();
        for (number, bytes) in again {
            let message = Message::Batch { number, bytes };
            self.transmit(&message);
            if let Message::Batch { number, bytes } = message {
                self.unacked.push_back((number, bytes));
            }
        }
    }

    fn take_acks(&mut self) {
        let Some(connection) = &self.connection else {
            return;
        };
        let Ok(mut acked) = connection.acked.lock() else {
            return;
        };
        for number in acked.drain(..) {
            self.unacked.retain(|(known, _)| *known != number);
            while let Some((file, last)) = self.spooled.front().copied() {
                let pending = self.unacked.iter().any(|(known, _)| *known <= last);
                if pending || last > self.number {
                    break;
                }
                self.spooled.pop_front();
                if let Some(spool) = &mut self.config.spool {
                    if let Err(error) = spool.remove(file) {
                        warn!(%error, "a delivered spool file stays; core refuses duplicates");
                    }
                    metric::LINK_SPOOLED.set(spool.bytes());
                }
            }
        }
        drop(acked);
        self.settle();
    }

    /// Sends the oldest spool file when nothing else is under way.
    fn refill(&mut self) {
        if self.connection.is_none() || !self.unacked.is_empty() || !self.spooled.is_empty() {
            return;
        }
        let Some(spool) = &mut self.config.spool else {
            return;
        };
        match spool.oldest() {
            Ok(Some((file, batches))) => {
                for bytes in batches {
                    self.send_new(bytes);
                }
                self.spooled.push_back((file, self.number));
                if self.unacked.is_empty() {
                    self.spooled.clear();
                    self.drop_file(file);
                }
            }
            Ok(None) => {}
            Err(error) => warn!(%error, "the spool cannot be read; it is tried again"),
        }
    }

    fn drop_file(&mut self, file: u64) {
        if let Some(spool) = &mut self.config.spool
            && let Err(error) = spool.remove(file)
        {
            warn!(%error, "an empty spool file stays");
        }
    }

    /// The last acknowledgements, or the spool.
    fn farewell(&mut self) -> u64 {
        let mut waited = Duration::ZERO;
        let patience = match self.config.spool {
            Some(_) => FAREWELL,
            None => PATIENCE,
        };
        while waited < patience && (!self.unacked.is_empty() || !self.spooled.is_empty()) {
            self.connect();
            self.take_acks();
            if self.connection.is_none() && self.config.spool.is_some() {
                // Core is away: the disk takes what is left at once.
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
            waited += Duration::from_millis(5);
        }
        let queued = self
            .items
            .try_iter()
            .filter(|item| matches!(item, Item::Events(_)));
        let mut lost = u64::try_from(queued.count()).unwrap_or(u64::MAX);
        let left: Vec<(u64, Vec<u8>)> = self.unacked.drain(..).collect();
        for (number, bytes) in left {
            let on_disk = self.spooled.iter().any(|(_, last)| number <= *last);
            let kept = match &mut self.config.spool {
                Some(_) if on_disk => true,
                Some(spool) => spool.push(&bytes).unwrap_or(false),
                None => false,
            };
            lost += u64::from(!kept);
        }
        if let Some(spool) = &mut self.config.spool {
            let _ = spool.close_file();
        }
        lost
    }
}

impl Connection {
    fn open(socket: &std::path::Path, role: &str) -> io::Result<Self> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        let hello = Message::Hello {
            version: VERSION,
            role: role.to_owned(),
        };
        write_message(&mut stream, &hello)?;
        let acked = Arc::new(Mutex::new(VecDeque::new()));
        let broken = Arc::new(AtomicBool::new(false));
        let (list, flag, input) = (Arc::clone(&acked), Arc::clone(&broken), stream.try_clone()?);
        std::thread::Builder::new()
            .name("uplink-acks".into())
            .spawn(move || {
                let mut input = BufReader::new(input);
                while let Ok(Some(message)) = read_message(&mut input) {
                    if let (Message::Ack { number }, Ok(mut list)) = (message, list.lock()) {
                        list.push_back(number);
                    }
                }
                flag.store(true, Ordering::Relaxed);
            })?;
        Ok(Self {
            stream,
            acked,
            broken,
        })
    }
}
