//! Console: the HTTP API, the live stream and the web UI of Vigie.
//!
//! Enters: HTTP/1.1 requests on a listener that the caller bound. Leaves: JSON by the contract in
//! `openapi.json`, server-sent events, static files. Refuses: names that are not this machine's,
//! other origins, requests without session or anti-forgery value, bodies, times and numbers of
//! connections beyond [`limit`]. Source: `DESIGN.md` section 3; OWASP ASVS 4.

mod api;
mod app;
mod body;
mod error;
mod guard;
mod headers;
pub mod limit;
mod live;
mod openapi;
mod serve;
mod session;
mod sql;
mod state;
mod table;
mod ui;

pub use app::router;
pub use live::{LiveEvents, LiveHub, LiveSender, Matcher, Subscription, live_queue};
pub use openapi::openapi_json;
pub use serve::{ServeError, serve};
pub use state::{Clock, ConsoleState, Settings, SystemClock};

#[cfg(test)]
mod tests;
