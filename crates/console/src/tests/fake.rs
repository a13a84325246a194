//! Ports whose answers the test chooses, and a client.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use identity::{Directory, NewAccount, OsEntropy, PasswordCost, Role, Secret};
use model::port::{
    Asset, AssetView, AuditEntry, AuditTrail, CaptureStatus, Column, Datum, EventQuery, Events,
    PacketsAsk, PacketsFound, Query, QueryError, RingStatus, RoleStatus, Rows, SystemStatus,
    SystemView,
};
use model::{Event, Millis};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::{Clock, ConsoleState, LiveEvents, LiveHub, Settings};

pub(super) const NOW: i64 = 1_700_000_000_000;
pub(super) const PASSWORD: &str = "éléphant-violet-7";

/// Rows for the queries that start so.
pub(super) type Prepared = (&'static str, Vec<Vec<Datum>>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}

/// A clock that the test moves.
pub(super) struct Hands(pub(super) AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }
}

/// A store: answers by the beginning of the query, and remembers what it was asked.
#[derive(Default)]
pub(super) struct Store {
    pub(super) answers: Mutex<Vec<Prepared>>,
    pub(super) events: Mutex<Vec<Event>>,
    pub(super) asked: Mutex<Vec<String>>,
    pub(super) error: Mutex<Option<QueryError>>,
    pub(super) waits: AtomicBool,
    pub(super) waiting: AtomicUsize,
    pub(super) cancelled: AtomicUsize,
}

impl Store {
    fn ask(&self, query: &Query, cancel: &AtomicBool) -> Result<(), QueryError> {
        locked(&self.asked).push(query.text.clone());
        if self.waits.load(Ordering::Relaxed) {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            for _ in 0..2_000 {
                if cancel.load(Ordering::Acquire) {
                    self.cancelled.fetch_add(1, Ordering::SeqCst);
                    return Err(error("cancelled"));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        match locked(&self.error).clone() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

pub(super) fn error(code: &'static str) -> QueryError {
    QueryError {
        code,
        detail: "why".to_owned(),
        position: Some(3),
        suggestion: Some("proto".to_owned()),
    }
}

impl EventQuery for Store {
    fn rows(&self, query: &Query, cancel: &AtomicBool) -> Result<Rows, QueryError> {
        self.ask(query, cancel)?;
        let answers = locked(&self.answers);
        let found = answers
            .iter()
            .find(|(start, _)| query.text.starts_with(start));
        Ok(Rows {
            columns: vec![Column {
                name: "x".to_owned(),
                kind: "text",
            }],
            rows: found.map(|(_, rows)| rows.clone()).unwrap_or_default(),
            limited: None,
            took_ms: 1,
        })
    }

    fn events(&self, query: &Query, cancel: &AtomicBool) -> Result<Events, QueryError> {
        self.ask(query, cancel)?;
        let events = locked(&self.events).clone();
        Ok(Events {
            events: events.into_iter().take(query.rows_max).collect(),
            limited: None,
            took_ms: 1,
        })
    }
}

/// Inventory and supervisor.
#[derive(Default)]
pub(super) struct Site {
    pub(super) zones: Mutex<Vec<(String, Vec<String>)>>,
    pub(super) role_state: Mutex<&'static str>,
}

impl AssetView for Site {
    fn assets(&self) -> Vec<Asset> {
        let one = |n: u8, name: &str| Asset {
            id: format!("02:00:00:00:00:{n:02x}"),
            ips: vec![[10, 0, 0, n].into()],
            mac: None,
            vendor: Some("Dell".to_owned()),
            names: vec![name.to_owned()],
            zone: Some("servers".to_owned()),
            role: None,
            speaks: vec!["dns".to_owned()],
            serves: Vec::new(),
            first_seen: NOW - 1_000,
            last_seen: NOW - i64::from(n),
            peers: u64::from(n),
            bytes: 100 - u64::from(n),
            ..Asset::default()
        };
        vec![one(1, "pacs"), one(2, "labo"), one(3, "dpi")]
    }
}

impl SystemView for Site {
    fn status(&self) -> SystemStatus {
        SystemStatus {
            version: "0".to_owned(),
            site: "Test".to_owned(),
            captures: vec![CaptureStatus {
                interface: "eth1".to_owned(),
                packets: 900,
                bytes: 1,
                dropped: 100,
                last_packet: Some(NOW - 120_000),
                error: None,
            }],
            roles: vec![RoleStatus {
                role: "core".to_owned(),
                pid: Some(7),
                state: (*locked(&self.role_state)).to_owned(),
                restarts: 0,
                memory_bytes: 1,
                since: NOW,
            }],
            zones: locked(&self.zones).clone(),
            interfaces: vec!["eth1".to_owned()],
            ..SystemStatus::default()
        }
    }

    fn ring(&self) -> Option<RingStatus> {
        Some(RingStatus {
            bytes: 5,
            ..RingStatus::default()
        })
    }

    fn packets(&self, ask: &PacketsAsk) -> Result<PacketsFound, String> {
        let packets = match ask.flow.as_deref() {
            Some("1:none") => 0,
            Some(_) => 2,
            None => return Err("name one flow".to_owned()),
        };
        Ok(PacketsFound {
            pcap: format!("{} {} {}", ask.actor, ask.reason, ask.bytes_max).into_bytes(),
            packets,
            limited: true,
            skipped_blocks: 3,
        })
    }

    fn set_zones(&self, zones: &[(String, Vec<String>)]) -> Result<(), String> {
        if zones.iter().any(|(name, _)| name == "refused") {
            return Err("the file cannot be written".to_owned());
        }
        zones.clone_into(&mut locked(&self.zones));
        Ok(())
    }
}

/// An audit trail.
#[derive(Default)]
pub(super) struct Trail {
    pub(super) entries: Mutex<Vec<AuditEntry>>,
    pub(super) broken: AtomicBool,
}

impl AuditTrail for Trail {
    fn record(&self, entry: &AuditEntry) -> Result<(), String> {
        if self.broken.load(Ordering::Relaxed) {
            return Err("disk full".to_owned());
        }
        locked(&self.entries).push(entry.clone());
        Ok(())
    }

    fn latest(&self, limit: usize) -> Result<Vec<AuditEntry>, String> {
        let entries = locked(&self.entries);
        Ok(entries.iter().rev().take(limit).cloned().collect())
    }
}

/// A console with everything that the test looks at.
pub(super) struct Console {
    pub(super) router: Router,
    pub(super) store: Arc<Store>,
    pub(super) site: Arc<Site>,
    pub(super) trail: Arc<Trail>,
    pub(super) clock: Arc<Hands>,
    pub(super) identity: Arc<Directory>,
    pub(super) hub: Arc<LiveHub>,
    _folder: tempfile::TempDir,
}

pub(super) struct Made {
    pub(super) console: Console,
    pub(super) state: ConsoleState,
}

/// A console without accounts, and its state for `serve`.
pub(super) fn made(settings: Settings) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let cost = PasswordCost {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
    let cheap = identity::Settings {
        cost,
        ..identity::Settings::default()
    };
    let file = folder.path().join("accounts.json");
    let identity = Arc::new(Directory::open(&file, cheap, Box::new(OsEntropy)).unwrap());
    let store = Arc::new(Store::default());
    let site = Arc::new(Site::default());
    *site.role_state.lock().unwrap() = "running";
    let trail = Arc::new(Trail::default());
    let clock = Arc::new(Hands(AtomicI64::new(NOW)));
    let hub = Arc::new(LiveHub::new(|search| match search {
        "" => Ok(Box::new(|_| true)),
        _ => Err(error("syntax")),
    }));
    let state = || ConsoleState {
        query: Arc::clone(&store) as Arc<dyn EventQuery>,
        assets: Arc::clone(&site) as Arc<dyn AssetView>,
        system: Arc::clone(&site) as Arc<dyn SystemView>,
        audit: Arc::clone(&trail) as Arc<dyn AuditTrail>,
        identity: Arc::clone(&identity),
        live: Arc::clone(&hub) as Arc<dyn LiveEvents>,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        settings: settings.clone(),
    };
    let router = crate::router(state());
    let state = state();
    Made {
        console: Console {
            router,
            store,
            site,
            trail,
            clock,
            identity,
            hub,
            _folder: folder,
        },
        state,
    }
}

/// A console with one account of each role, and its password.
pub(super) fn console() -> Console {
    let console = made(Settings::default()).console;
    for role in Role::ALL {
        let new = NewAccount {
            name: role.name().to_owned(),
            display: String::new(),
            role,
            password: Secret::new(PASSWORD),
        };
        console.identity.create(&new, Millis(NOW)).unwrap();
    }
    console
}

/// An answer, read whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) response: Response<()>,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.response.headers().get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

/// A signed-in client.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) router: Router,
    pub(super) cookie: String,
    pub(super) csrf: String,
}

impl Console {
    pub(super) fn stranger(&self) -> Client {
        Client {
            router: self.router.clone(),
            cookie: String::new(),
            csrf: String::new(),
        }
    }

    pub(super) async fn sign_in(&self, name: &str) -> Client {
        let stranger = self.stranger();
        let body = serde_json::json!({"name": name, "password": PASSWORD});
        let answer = stranger.send("POST", "/api/v1/session", Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let cookie = answer.header("set-cookie");
        Client {
            cookie: cookie.split(';').next().unwrap_or("").to_owned(),
            csrf: answer.json()["csrf"].as_str().unwrap_or("").to_owned(),
            ..stranger
        }
    }
}

impl Client {
    pub(super) fn request(&self, method: &str, path: &str, body: Option<Value>) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost:8443");
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        if !self.csrf.is_empty() {
            request = request.header("x-vigie-csrf", &self.csrf);
        }
        let peer: SocketAddr = "10.9.9.9:4000".parse().unwrap();
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        request.extension(ConnectInfo(peer)).body(body).unwrap()
    }

    pub(super) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.send_request(self.request(method, path, body)).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send("GET", &format!("/api/v1{path}"), None).await
    }

    pub(super) async fn send_request(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            response: Response::from_parts(parts, ()),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
