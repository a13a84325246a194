//! From a flow's streams to its driver.
//!
//! Enters: bytes and gaps in order. Leaves: drafts, anomalies, counters. Refuses: nothing.
//! Source: `DESIGN.md` section 4, wire.

use std::sync::Arc;

use model::Nanos;

use crate::file::{Files, Policy};
use crate::flow::key::Key;
use crate::flow::record::App;
use crate::protocol::{Context, Draft, Driver, Protocol, Side, Transport};
use crate::secrets::Secrets;
use crate::tcp::Stream;

/// What a packet's processing fills, reused from packet to packet.
#[derive(Default)]
pub(super) struct Scratch {
    /// Events drafted.
    pub(super) drafts: Vec<Draft>,
    /// Anomalies met.
    pub(super) anomalies: Vec<&'static str>,
    /// Payload bytes that came again.
    pub(super) repeated: u64,
    /// Payload bytes that never came.
    pub(super) lost: u64,
    /// What the sessions share about files.
    pub(super) files: Files,
    /// True when the driver was shown something.
    pub(super) touched: bool,
}

impl Scratch {
    /// Empty, with what is done with files.
    pub(super) fn new(files: Policy) -> Self {
        Self {
            files: Files::new(files),
            ..Self::default()
        }
    }

    /// True when a packet left something to tell.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.drafts.is_empty() && self.anomalies.is_empty() && self.repeated == 0 && self.lost == 0
    }
}

/// One packet's way to the driver of its flow.
pub(super) struct Feed<'a> {
    pub(super) app: &'a mut App,
    pub(super) scratch: &'a mut Scratch,
    pub(super) registry: &'static [&'static dyn Protocol],
    pub(super) secrets: Option<&'a Arc<dyn Secrets>>,
    pub(super) now: Nanos,
    pub(super) transport: Transport,
    pub(super) key: &'a Key,
    /// True when the client is the key's `high` endpoint.
    pub(super) client_high: bool,
    /// True when the stream's start was not seen.
    pub(super) picked_up: bool,
}

impl Feed<'_> {
    /// Runs `act` with the driver. While nobody knows the bytes and none are held, nothing is kept
    /// of it but how far it came.
    fn with(&mut self, act: impl FnOnce(&mut Driver, &mut Context<'_>)) {
        let (client, client_port) = self.key.endpoint(self.client_high);
        let (server, server_port) = self.key.endpoint(!self.client_high);
        let v6 = self.key.v6();
        let mut context = Context {
            now: self.now,
            transport: self.transport,
            client_port,
            server_port,
            hosts: [client.ip(v6), server.ip(v6)],
            files: &mut self.scratch.files,
            drafts: &mut self.scratch.drafts,
            anomalies: &mut self.scratch.anomalies,
        };
        let mut driver = match &mut *self.app {
            App::Live(driver) => {
                self.scratch.touched = true;
                return act(driver, &mut context);
            }
            App::Dead => return,
            App::Tried(blank) => Driver::of_blank(self.registry, *blank),
            App::Fresh if self.picked_up => Driver::new(self.registry).picked_up(),
            App::Fresh => Driver::new(self.registry),
        }
        .with_secrets(self.secrets);
        act(&mut driver, &mut context);
        if let Some(blank) = driver.blank() {
            *self.app = App::Tried(blank);
        } else {
            self.scratch.touched = true;
            *self.app = App::Live(Box::new(driver));
        }
    }

    /// The flow is over.
    pub(super) fn end(&mut self) {
        if matches!(self.app, App::Live(_)) {
            self.with(|driver, context| driver.end(context));
        }
    }
}

impl Stream for Feed<'_> {
    #[inline]
    fn wanted(&self) -> bool {
        match &*self.app {
            App::Fresh | App::Tried(_) => true,
            App::Live(driver) => !driver.is_done(),
            App::Dead => false,
        }
    }

    #[inline]
    fn bytes(&mut self, side: Side, bytes: &[u8]) {
        if self.wanted() {
            self.with(|driver, context| driver.bytes(side, bytes, context));
        }
    }

    fn gap(&mut self, side: Side, missing: u64) {
        self.scratch.lost += missing;
        if self.wanted() {
            self.with(|driver, context| driver.gap(side, missing, context));
        }
    }

    #[inline]
    fn repeated(&mut self, n: u32) {
        self.scratch.repeated += u64::from(n);
    }

    fn anomaly(&mut self, code: &'static str) {
        self.scratch.anomalies.push(code);
    }
}
