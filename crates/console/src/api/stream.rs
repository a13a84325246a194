//! The live stream: server-sent events.
//!
//! Enters: a search. Leaves: `event: ocsf` with one OCSF JSON each, `event: dropped` with the
//! number of events that did not fit since the beginning, comments as heartbeat. Refuses: more than
//! `limit::STREAMS_MAX` streams; a stream ends when its session does.
//! Source: WHATWG HTML, server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Message, Sse};
use futures_core::Stream;
use identity::Permission;
use model::ocsf::{Clearance, EventWriter};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::IntoParams;

use crate::app::App;
use crate::body::Params;
use crate::error::{Answer, ApiError, ErrorBody};
use crate::limit::{HEARTBEAT_S, QUERY_BYTES_MAX};
use crate::live::Subscription;
use crate::session::Signed;

/// Query parameters of the stream.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StreamParams {
    /// Search; all events when empty.
    q: Option<String>,
}

/// Follows events as they arrive.
#[utoipa::path(get, path = "/stream", tag = "events", operation_id = "stream",
    params(StreamParams),
    responses((status = 200, content_type = "text/event-stream", body = String),
        (status = "4XX", body = ErrorBody)))]
pub(crate) async fn stream(
    State(app): State<App>,
    signed: Signed,
    Params(params): Params<StreamParams>,
) -> Answer<Sse<Follow>> {
    signed.need(Permission::Hunt)?;
    let search = params.q.unwrap_or_default();
    if search.len() > QUERY_BYTES_MAX {
        return Err(ApiError::bad_value("the search is longer than 16 KiB"));
    }
    let permit = app.streams.clone().try_acquire_owned().map_err(|_| {
        ApiError::new(
            axum::http::StatusCode::TOO_MANY_REQUESTS,
            "too_many",
            "too many live streams are open, close one",
        )
    })?;
    let subscription = app
        .call(move |state| state.live.subscribe(&search))
        .await??;
    let mut heartbeat = interval(Duration::from_secs(HEARTBEAT_S));
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(Sse::new(Follow {
        app,
        session: signed.id,
        subscription,
        heartbeat,
        dropped: 0,
        writer: EventWriter::default(),
        _permit: permit,
    }))
}

/// One client's stream.
pub(crate) struct Follow {
    app: App,
    session: String,
    subscription: Subscription,
    heartbeat: Interval,
    dropped: u64,
    writer: EventWriter,
    _permit: OwnedSemaphorePermit,
}

impl Stream for Follow {
    type Item = Result<Message, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        // The heartbeat first: a busy stream must notice that its session ended, too.
        if this.heartbeat.poll_tick(cx).is_ready() {
            let identity = &this.app.state.identity;
            if identity
                .peek_session(&this.session, this.app.now())
                .is_none()
            {
                return Poll::Ready(None);
            }
            let dropped = this.subscription.dropped.load(Ordering::Relaxed);
            let message = if dropped == this.dropped {
                Message::default().comment("")
            } else {
                this.dropped = dropped;
                Message::default()
                    .event("dropped")
                    .data(dropped.to_string())
            };
            return Poll::Ready(Some(Ok(message)));
        }
        match this.subscription.events.poll_recv(cx) {
            Poll::Ready(Some(event)) => {
                let mut line = Vec::new();
                this.writer.write(&event, &mut line, Clearance::Masked);
                let line = String::from_utf8_lossy(&line);
                Poll::Ready(Some(Ok(Message::default().event("ocsf").data(line))))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}
