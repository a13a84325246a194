//! A capture read by several workers that share nothing.
//!
//! Enters: frames of a capture file. Leaves: the events that one worker would send, in its order
//! and with its identities, as whatever `render` makes of them. Each worker has a thread, its part
//! of the address pairs and its part of the budget. Refuses: more than `wire::WORKERS_MAX` workers.
//! Limits: [`BATCH_FRAMES`] and [`BATCH_BYTES`] a batch, [`UNDER_WAY_MAX`] steps under way: memory
//! does not grow with the file. What the budget makes a worker drop is its own affair: only there
//! may several workers differ from one.
//! Source: `DESIGN.md` section 4, wire.

mod batch;
mod merge;

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};

use model::port::EventSink;
use model::{Event, Nanos};
use wire::{Share, Stats, WORKERS_MAX, WireConfig, Worker};

use crate::file::{CaptureError, Source};
use batch::{Batch, Item};
use merge::{Merger, Out, Place};

/// Frames read before they are handed out.
const BATCH_FRAMES: usize = 4096;
/// Octets of frames read before they are handed out.
const BATCH_BYTES: usize = 4 << 20;
/// Steps (batches, renderings) that workers have before them.
const UNDER_WAY_MAX: usize = 4;
/// Events below which rendering is not shared out.
const RENDER_EVENTS_MIN: usize = 64;

/// What is done with the events of a capture.
pub struct Fan<'a, T> {
    /// How many workers.
    pub workers: u32,
    /// What each worker is told; the budget is divided among them.
    pub config: WireConfig,
    /// Completes an event on its worker's thread; false leaves it out.
    pub prepare: &'a (dyn Fn(&mut Event) -> bool + Sync),
    /// Makes output of events that follow each other, on any worker's thread.
    pub render: &'a (dyn Fn(Vec<Event>) -> T + Sync),
}

/// How reading ended.
#[derive(Debug)]
pub struct Ended {
    /// What each worker counted.
    pub stats: Vec<Stats>,
    /// Frames read.
    pub frames: u64,
    /// Why the capture could not be read to its end.
    pub error: Option<CaptureError>,
}

impl<T: Send> Fan<'_, T> {
    /// Reads a capture to its end, or until `take` says no; `take` gets the output in order.
    pub fn read(&self, source: &mut Source, take: &mut dyn FnMut(T) -> bool) -> Ended {
        let workers = self.workers.clamp(1, WORKERS_MAX);
        std::thread::scope(|scope| {
            let crew = (0..workers).map(|index| self.hire(scope, index, workers));
            let mut desk = Desk {
                crew: crew.collect(),
                merger: Merger::new(self.config.node, self.config.sequence),
                under_way: VecDeque::new(),
                take,
                going: true,
            };
            let (frames, error) = desk.read(source);
            let stats = desk.close();
            Ended {
                stats,
                frames,
                error,
            }
        })
    }

    fn hire<'s>(&'s self, scope: &'s Scope<'s, '_>, index: u32, of: u32) -> Hand<'s, T> {
        let (jobs, inbox) = channel();
        let (outbox, done) = channel();
        let config = WireConfig {
            budget_bytes: self.config.budget_bytes / usize::try_from(of).unwrap_or(1),
            share: Share { index, of },
            ..self.config.clone()
        };
        let thread = scope.spawn(move || self.work(config, &inbox, &outbox));
        Hand { jobs, done, thread }
    }

    /// A worker's life.
    fn work(&self, config: WireConfig, inbox: &Receiver<Job>, outbox: &Sender<Done<T>>) -> Stats {
        let mut worker = Worker::new(config);
        for job in inbox {
            let done = match job {
                Job::Frames(batch) => {
                    let mut sink = Collect::new(self.prepare);
                    batch.each(&mut |item| match item {
                        Item::Time(time, number) => {
                            sink.begin(number, 0);
                            worker.time(time, number, &mut sink);
                        }
                        Item::Frame(frame, owner) => {
                            sink.begin(frame.number, 1);
                            worker.frame_of(&frame, owner, &mut sink);
                        }
                    });
                    Done::Events(sink.out, Some(batch))
                }
                Job::Finish(time, number) => {
                    let mut sink = Collect::new(self.prepare);
                    sink.begin(number, 0);
                    worker.time(time, number, &mut sink);
                    sink.begin(number + 1, 0);
                    worker.finish_as(number + 1, &mut sink);
                    Done::Events(sink.out, None)
                }
                Job::Render(events) => Done::Output((self.render)(events)),
            };
            if outbox.send(done).is_err() {
                break;
            }
        }
        worker.stats().clone()
    }
}

/// A worker as the reader sees it.
struct Hand<'s, T> {
    jobs: Sender<Job>,
    done: Receiver<Done<T>>,
    thread: ScopedJoinHandle<'s, Stats>,
}

enum Job {
    Frames(Batch),
    /// The time and the number of the last frame.
    Finish(Nanos, u64),
    Render(Vec<Event>),
}

enum Done<T> {
    Events(Vec<Out>, Option<Batch>),
    Output(T),
}

/// What every worker has before it, in this order.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Events,
    Output,
}

/// Hands out and gathers.
struct Desk<'s, 't, T> {
    crew: Vec<Hand<'s, T>>,
    merger: Merger,
    under_way: VecDeque<Step>,
    take: &'t mut dyn FnMut(T) -> bool,
    going: bool,
}

impl<T> Desk<'_, '_, T> {
    fn read(&mut self, source: &mut Source) -> (u64, Option<CaptureError>) {
        let mut split = batch::Split::new(u32::try_from(self.crew.len()).unwrap_or(1));
        let mut error = None;
        let mut more = true;
        while more && self.going {
            while split.frames() < BATCH_FRAMES && split.bytes() < BATCH_BYTES {
                match source.next() {
                    Ok(Some(frame)) => split.add(&frame),
                    Ok(None) => more = false,
                    Err(broken) => {
                        more = false;
                        error = Some(broken);
                    }
                }
                if !more {
                    break;
                }
            }
            let batches = split.take().into_iter().map(Job::Frames);
            self.hand_out(Step::Events, batches);
            while self.under_way.len() > UNDER_WAY_MAX {
                self.gather(&mut split);
            }
        }
        let (time, number) = split.last();
        let last = (0..self.crew.len()).map(|_| Job::Finish(time, number));
        self.hand_out(Step::Events, last);
        while !self.under_way.is_empty() {
            self.gather(&mut split);
        }
        (source.counts().frames, error)
    }

    fn hand_out(&mut self, step: Step, jobs: impl Iterator<Item = Job>) {
        for (hand, job) in self.crew.iter().zip(jobs) {
            // A worker that is gone has panicked, which the scope passes on.
            let _ = hand.jobs.send(job);
        }
        self.under_way.push_back(step);
    }

    /// Takes what every worker made of the oldest step.
    fn gather(&mut self, split: &mut batch::Split) {
        let Some(step) = self.under_way.pop_front() else {
            return;
        };
        let mut parts = Vec::new();
        for hand in &self.crew {
            match hand.done.recv() {
                Ok(Done::Events(events, batch)) => {
                    parts.push(events);
                    batch.into_iter().for_each(|batch| split.reuse(batch));
                }
                Ok(Done::Output(output)) => self.going = self.going && (self.take)(output),
                Err(_) => self.going = false,
            }
        }
        if step == Step::Output {
            return;
        }
        let mut events = self.merger.merge(parts);
        if events.is_empty() || !self.going {
            return;
        }
        let each = events
            .len()
            .div_ceil(self.crew.len())
            .max(RENDER_EVENTS_MIN);
        let chunks = (0..self.crew.len()).map(|_| {
            let rest = events.split_off(events.len().min(each));
            Job::Render(std::mem::replace(&mut events, rest))
        });
        let chunks: Vec<_> = chunks.collect();
        self.hand_out(Step::Output, chunks.into_iter());
    }

    fn close(self) -> Vec<Stats> {
        let mut threads = Vec::new();
        for hand in self.crew {
            drop(hand.jobs);
            threads.push(hand.thread);
        }
        let stats = threads.into_iter().map(ScopedJoinHandle::join);
        stats
            .map(|stats| stats.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    }
}

/// A worker's events with their places.
struct Collect<'a> {
    prepare: &'a (dyn Fn(&mut Event) -> bool + Sync),
    place: Place,
    out: Vec<Out>,
}

impl<'a> Collect<'a> {
    fn new(prepare: &'a (dyn Fn(&mut Event) -> bool + Sync)) -> Self {
        Self {
            prepare,
            place: Place::default(),
            out: Vec::new(),
        }
    }

    /// The events to come are of this packet: 0 before it, 1 of the packet itself.
    const fn begin(&mut self, number: u64, phase: u8) {
        self.place = Place {
            number,
            phase,
            major: i64::MIN,
            minor: 0,
        };
    }
}

impl EventSink for Collect<'_> {
    fn event(&mut self, mut event: Event) {
        let kept = (self.prepare)(&mut event);
        self.out.push(Out {
            place: self.place,
            event: kept.then_some(event),
        });
    }

    fn place(&mut self, major: i64, minor: u64) {
        self.place.major = major;
        self.place.minor = minor;
    }
}

#[cfg(test)]
mod tests;
