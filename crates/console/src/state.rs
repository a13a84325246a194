//! What the console is given: ports, identities, a clock, settings.
//!
//! Enters: implementations chosen by `vigie`. Leaves: one value that a router is made of.
//! Refuses: to know who implements them.
//! Source: the HTTP contract, `openapi.json`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use identity::Directory;
use model::Millis;
use model::port::{AssetView, AuditTrail, EventQuery, SystemView};

use crate::live::LiveEvents;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now(&self) -> Millis;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let ms = since.map_or(0, |since| since.as_millis());
        Millis(i64::try_from(ms).unwrap_or(i64::MAX))
    }
}

/// How the console answers.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Names and addresses, beside the loopback ones, under which the console may be asked for;
    /// without port. Others are refused, so that a rebound name reaches nothing.
    pub hosts: Vec<String>,
    /// True when clients arrive over TLS: cookies are `Secure`, HSTS is sent.
    pub tls: bool,
    /// Folder of the built web UI, for binaries without `embed-ui`.
    pub ui_dir: Option<PathBuf>,
    /// The role process that `/metrics` names ("core").
    pub role: &'static str,
}

/// Everything that the console asks.
pub struct ConsoleState {
    /// Questions to the store.
    pub query: Arc<dyn EventQuery>,
    /// Questions to the inventory.
    pub assets: Arc<dyn AssetView>,
    /// Questions to the supervisor.
    pub system: Arc<dyn SystemView>,
    /// The trail of what people did to Vigie.
    pub audit: Arc<dyn AuditTrail>,
    /// Accounts and sessions.
    pub identity: Arc<Directory>,
    /// Events as they arrive.
    pub live: Arc<dyn LiveEvents>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// How the console answers.
    pub settings: Settings,
}
