//! Serving the router on a listener that the caller bound.
//!
//! Enters: connections. Leaves: answered requests. Refuses: more than `limit::CONNECTIONS_MAX`
//! connections (the next ones wait in the kernel's backlog), heads that are slow or long. At
//! shutdown open requests may end for `limit::SHUTDOWN_S_MAX`; live streams are cut.
//! Source: the HTTP contract, `openapi.json`.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt as _;

use crate::limit;
use crate::state::ConsoleState;

/// Why serving ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener gives no connections any more.
    #[error("the console's listener failed: {0}")]
    Accept(#[source] io::Error),
}

/// Serves the console until `shutdown` completes.
///
/// # Errors
/// The listener failed for another reason than one connection's.
pub async fn serve(
    listener: TcpListener,
    state: ConsoleState,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let router = crate::router(state);
    let (ask, asked) = watch::channel(false);
    let room = Arc::new(Semaphore::new(limit::CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &room) => accepted?,
        };
        while connections.try_join_next().is_some() {}
        if let Some((stream, peer, permit)) = accepted {
            let router = router.clone();
            connections.spawn(connection(stream, peer, router, asked.clone(), permit));
        }
    }
    drop(listener);
    // Nobody listens any more when every connection has ended already.
    let _ = ask.send(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(Duration::from_secs(limit::SHUTDOWN_S_MAX), ended).await;
    connections.shutdown().await;
    Ok(())
}

/// The next connection once there is room for it; `None` after a failure of one connection only.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Result<Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)>, ServeError> {
    let Ok(permit) = Arc::clone(room).acquire_owned().await else {
        return Ok(None);
    };
    match listener.accept().await {
        Ok((stream, peer)) => Ok(Some((stream, peer, permit))),
        Err(error) if is_of_one_connection(&error) => Ok(None),
        Err(error) if is_out_of_files(&error) => {
            tracing::warn!(%error, "console out of file descriptors, waiting");
            sleep(Duration::from_millis(200)).await;
            Ok(None)
        }
        Err(error) => Err(ServeError::Accept(error)),
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    mut asked: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
) {
    // Answers are small: waiting to fill a segment only costs the reader time.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limit::HEAD_S_MAX))
        .max_buf_size(limit::HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(served);
    let result = tokio::select! {
        result = served.as_mut() => result,
        () = asked_to_end(&mut asked) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "console connection ended");
    }
}

async fn asked_to_end(asked: &mut watch::Receiver<bool>) {
    // The sender outlives the connections: an error here means the same as true.
    let _ = asked.wait_for(|asked| *asked).await;
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// EMFILE and ENFILE of Linux: they pass when other connections end.
fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}
