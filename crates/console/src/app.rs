//! The application: ports, pools, router.
//!
//! Enters: [`ConsoleState`]. Leaves: an axum router with every guard around it. Refuses: more
//! blocking calls at once than its pools hold; a client that goes away cancels its query.
//! Source: the HTTP contract, `openapi.json`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::{Router, middleware};
use model::Millis;
use model::port::{AuditEntry, Events, Query, QueryError, Rows};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::error::{Answer, ApiError};
use crate::limit;
use crate::state::ConsoleState;
use crate::{api, guard, ui};

/// What every handler is given.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) state: Arc<ConsoleState>,
    queries: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    hashes: Arc<Semaphore>,
    pub(crate) streams: Arc<Semaphore>,
}

/// The whole console as a router. Clients' addresses come as `ConnectInfo<SocketAddr>`, which
/// [`crate::serve`] provides.
pub fn router(state: ConsoleState) -> Router {
    let app = App {
        state: Arc::new(state),
        queries: Arc::new(Semaphore::new(limit::QUERIES_MAX)),
        calls: Arc::new(Semaphore::new(limit::CALLS_MAX)),
        hashes: Arc::new(Semaphore::new(limit::HASHES_MAX)),
        streams: Arc::new(Semaphore::new(limit::STREAMS_MAX)),
    };
    let (api, _) = api::routes().split_for_parts();
    Router::new()
        .merge(api)
        .merge(api::plain_routes())
        .fallback(ui::serve)
        .layer(axum::extract::DefaultBodyLimit::max(limit::BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .with_state(app)
}

impl App {
    pub(crate) fn now(&self) -> Millis {
        self.state.clock.now()
    }

    /// Answers a query with a table.
    pub(crate) async fn rows(&self, query: Query) -> Answer<Rows> {
        self.query(query, |state, query, cancel| {
            state.query.rows(query, cancel)
        })
        .await
    }

    /// Answers a search with events.
    pub(crate) async fn events(&self, query: Query) -> Answer<Events> {
        self.query(query, |state, query, cancel| {
            state.query.events(query, cancel)
        })
        .await
    }

    async fn query<T: Send + 'static>(&self, query: Query, run: impl Ask<T>) -> Answer<T> {
        if query.text.len() > limit::QUERY_BYTES_MAX {
            return Err(ApiError::bad_value("the query is longer than 16 KiB"));
        }
        let permit = turn(&self.queries).await?;
        let cancel = Arc::new(AtomicBool::new(false));
        // Dropped with this future: when the client goes away, or when the time is over.
        let _cancel_on_drop = CancelOnDrop(Arc::clone(&cancel));
        let state = Arc::clone(&self.state);
        let longest = query.time_ms_max.saturating_add(limit::QUERY_GRACE_MS);
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            run(&state, &query, &cancel)
        });
        match timeout(Duration::from_millis(longest), work).await {
            Ok(Ok(answer)) => Ok(answer?),
            Ok(Err(_)) => Err(ApiError::internal("the query ended abnormally")),
            Err(_) => Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "limit_time",
                "the query took longer than it may, narrow it",
            )),
        }
    }

    /// Runs a call of another port that may block.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        run: impl FnOnce(&ConsoleState) -> T + Send + 'static,
    ) -> Answer<T> {
        self.blocking(&self.calls, run).await
    }

    /// Runs a call that hashes a password or writes the accounts.
    pub(crate) async fn identify<T: Send + 'static>(
        &self,
        run: impl FnOnce(&ConsoleState) -> T + Send + 'static,
    ) -> Answer<T> {
        self.blocking(&self.hashes, run).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        pool: &Arc<Semaphore>,
        run: impl FnOnce(&ConsoleState) -> T + Send + 'static,
    ) -> Answer<T> {
        let permit = turn(pool).await?;
        let state = Arc::clone(&self.state);
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            run(&state)
        });
        work.await
            .map_err(|_| ApiError::internal("the call ended abnormally"))
    }

    /// Writes an entry of the audit trail: when it fails, the action must not be taken.
    pub(crate) async fn record(&self, entry: Entry) -> Answer<()> {
        let time = self.now().0;
        let entry = AuditEntry {
            time,
            actor: entry.actor,
            action: entry.action.to_owned(),
            object: entry.object,
            reason: String::new(),
            outcome: entry.outcome,
        };
        let written = self.call(move |state| state.audit.record(&entry)).await?;
        written.map_err(|error| {
            tracing::error!(error, "audit trail not written, action refused");
            ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "trail_failed",
                "the audit trail cannot be written, so nothing was done",
            )
        })
    }
}

/// A call of the store.
trait Ask<T>:
    FnOnce(&ConsoleState, &Query, &AtomicBool) -> Result<T, QueryError> + Send + 'static
{
}

impl<T, F> Ask<T> for F where
    F: FnOnce(&ConsoleState, &Query, &AtomicBool) -> Result<T, QueryError> + Send + 'static
{
}

/// An entry of the audit trail, but for its time.
pub(crate) struct Entry {
    pub(crate) actor: String,
    pub(crate) action: &'static str,
    pub(crate) object: String,
    pub(crate) outcome: String,
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

async fn turn(pool: &Arc<Semaphore>) -> Answer<OwnedSemaphorePermit> {
    let wait = Duration::from_millis(limit::TURN_MS_MAX);
    match timeout(wait, Arc::clone(pool).acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "busy",
            "too many requests at once, try again",
        )),
    }
}
