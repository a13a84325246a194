//! Frames on their way to workers, copied once.
//!
//! Enters: frames of a source. Leaves: one [`Batch`] a worker: the frames it has a part in, and the
//! times at which something may be over. Refuses: nothing; the reader bounds it.
//! Source: `wire::parts_of`.

use model::Nanos;
use wire::{Frame, LinkType, parts_of};

/// How far time may go back within one capture: as the worker has it, an hour.
const BACK_NS_MAX: u64 = 3_600_000_000_000;
/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// Frames and times for one worker.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    items: Vec<Kept>,
}

enum Kept {
    Time(Nanos, u64),
    Frame(Head),
}

/// A frame without its octets.
struct Head {
    time: Nanos,
    number: u64,
    link: LinkType,
    wire_len: u32,
    vlan: Option<u16>,
    owner: bool,
    len: usize,
}

/// What a worker is shown.
pub(super) enum Item<'a> {
    /// The time and the number of a frame.
    Time(Nanos, u64),
    /// A frame, and whether this worker counts it.
    Frame(Frame<'a>, bool),
}

impl Batch {
    /// Shows everything in order.
    pub(super) fn each(&self, show: &mut dyn FnMut(Item<'_>)) {
        let mut rest = self.bytes.as_slice();
        for item in &self.items {
            match item {
                Kept::Time(time, number) => show(Item::Time(*time, *number)),
                Kept::Frame(head) => {
                    let (bytes, after) = rest.split_at_checked(head.len).unwrap_or((rest, &[]));
                    rest = after;
                    let frame = Frame {
                        time: head.time,
                        number: head.number,
                        link: head.link,
                        wire_len: head.wire_len,
                        bytes,
                        vlan: head.vlan,
                    };
                    show(Item::Frame(frame, head.owner));
                }
            }
        }
    }

    fn add(&mut self, frame: &Frame<'_>, owner: bool) {
        self.bytes.extend_from_slice(frame.bytes);
        self.items.push(Kept::Frame(Head {
            time: frame.time,
            number: frame.number,
            link: frame.link,
            wire_len: frame.wire_len,
            vlan: frame.vlan,
            owner,
            len: frame.bytes.len(),
        }));
    }
}

/// Deals frames out to batches.
pub(super) struct Split {
    workers: u32,
    batches: Vec<Batch>,
    spare: Vec<Batch>,
    frames: usize,
    bytes: usize,
    now: Nanos,
    number: u64,
}

impl Split {
    pub(super) fn new(workers: u32) -> Self {
        let mut split = Self {
            workers,
            batches: Vec::new(),
            spare: Vec::new(),
            frames: 0,
            bytes: 0,
            now: Nanos(i64::MIN),
            number: 0,
        };
        split.batches = split.fresh();
        split
    }

    /// Frames since the last batches were taken.
    pub(super) const fn frames(&self) -> usize {
        self.frames
    }

    /// Their octets.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Time and number of the last frame.
    pub(super) const fn last(&self) -> (Nanos, u64) {
        (self.now, self.number)
    }

    /// Deals out one frame.
    pub(super) fn add(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        self.bytes += frame.bytes.len();
        self.number = frame.number;
        let back = self.now.since(frame.time) > BACK_NS_MAX;
        if frame.time > self.now || back {
            let second = |time: Nanos| time.0.div_euclid(SECOND);
            if second(frame.time) != second(self.now) {
                for batch in &mut self.batches {
                    batch.items.push(Kept::Time(frame.time, frame.number));
                }
            }
            self.now = frame.time;
        }
        let parts = parts_of(frame, self.workers);
        for (index, batch) in (0..).zip(&mut self.batches) {
            if parts.set >> index & 1 == 1 {
                batch.add(frame, parts.owner == index);
            }
        }
    }

    /// The batches, one a worker.
    pub(super) fn take(&mut self) -> Vec<Batch> {
        self.frames = 0;
        self.bytes = 0;
        let fresh = self.fresh();
        std::mem::replace(&mut self.batches, fresh)
    }

    /// Takes a batch back whose frames were seen.
    pub(super) fn reuse(&mut self, mut batch: Batch) {
        batch.bytes.clear();
        batch.items.clear();
        self.spare.push(batch);
    }

    fn fresh(&mut self) -> Vec<Batch> {
        (0..self.workers)
            .map(|_| self.spare.pop().unwrap_or_default())
            .collect()
    }
}
