//! The real server on loopback: disconnection, streams, shutdown.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use identity::{NewAccount, Role, Secret};
use model::Millis;
use model::class::Dns;
use model::{Event, Meta};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::fake::{Client, Console, NOW, PASSWORD, made};
use crate::{ServeError, Settings};

struct Server {
    console: Console,
    client: Client,
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

async fn server() -> Server {
    let made = made(Settings::default());
    let new = NewAccount {
        name: "analyst".to_owned(),
        display: String::new(),
        role: Role::Analyst,
        password: Secret::new(PASSWORD),
    };
    made.console.identity.create(&new, Millis(NOW)).unwrap();
    let client = made.console.sign_in("analyst").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(crate::serve(listener, made.state, async move {
        let _ = stopped.await;
    }));
    Server {
        console: made.console,
        client,
        address,
        stop,
        served,
    }
}

impl Server {
    async fn open(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let cookie = &self.client.cookie;
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }
}

/// Reads until `mark` was seen.
async fn read_until(stream: &mut TcpStream, mark: &str) -> String {
    let mut seen = String::new();
    let mut buffer = [0; 4096];
    while !seen.contains(mark) {
        let read = timeout(Duration::from_secs(20), stream.read(&mut buffer));
        let n = read.await.unwrap().unwrap();
        assert!(n > 0, "closed after {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..n]));
    }
    seen
}

async fn until(what: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited too long");
}

fn event(t: i64) -> Arc<Event> {
    Arc::new(Event {
        meta: Meta {
            time: Millis(t),
            ..Meta::default()
        },
        connection: None,
        body: Dns::default().into(),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_cancels_its_query() {
    let server = server().await;
    let store = &server.console.store;
    store.waits.store(true, Ordering::Relaxed);
    let stream = server.open("/api/v1/events").await;
    until(|| store.waiting.load(Ordering::SeqCst) == 1).await;
    drop(stream);
    until(|| store.cancelled.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_so_many_queries_run_at_once() {
    let server = server().await;
    let store = &server.console.store;
    store.waits.store(true, Ordering::Relaxed);
    let mut open = Vec::new();
    for _ in 0..crate::limit::QUERIES_MAX + 3 {
        open.push(server.open("/api/v1/events").await);
    }
    until(|| store.waiting.load(Ordering::SeqCst) == crate::limit::QUERIES_MAX).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        store.waiting.load(Ordering::SeqCst),
        crate::limit::QUERIES_MAX
    );
    drop(open);
    until(|| store.cancelled.load(Ordering::SeqCst) >= crate::limit::QUERIES_MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_gives_events_and_ends_with_its_session() {
    let server = server().await;
    let mut wrong = server.open("/api/v1/stream?q=x").await;
    read_until(&mut wrong, "\"syntax\"").await;
    let mut stream = server.open("/api/v1/stream").await;
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.contains("text/event-stream"), "{head}");
    server.console.hub.publish(&event(42));
    let seen = read_until(&mut stream, "\"time\":42").await;
    assert!(seen.contains("event: ocsf"), "{seen}");
    let id = server
        .client
        .cookie
        .split_once('=')
        .map_or("", |(_, id)| id);
    server.console.identity.sign_out(id);
    let mut rest = Vec::new();
    let closed = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
    // The body ends with its last chunk; the connection itself may stay open for the next request.
    let _ = timeout(Duration::from_secs(8), closed).await;
    assert!(String::from_utf8_lossy(&rest).ends_with("0\r\n\r\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_idle_connections_and_streams() {
    let server = server().await;
    let mut stream = server.open("/api/v1/stream").await;
    read_until(&mut stream, "\r\n\r\n").await;
    let idle = TcpStream::connect(server.address).await.unwrap();
    server.stop.send(()).unwrap();
    let limit = Duration::from_secs(crate::limit::SHUTDOWN_S_MAX + 10);
    timeout(limit, server.served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    drop(idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_address_of_the_client_is_the_peer() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    read_until(&mut stream, "vigie_console_requests_total").await;
}
