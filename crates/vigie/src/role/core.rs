//! Core: store, inventory, queries, console.
//!
//! Enters: events and reports of roles on the link, commands on `vigie.sock`, browsers on the
//! console.
//! Leaves: answers. Refuses: any address beyond loopback before the first account exists.
//! Source: `DESIGN.md` section 3.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use console::{ConsoleState, LiveHub, Settings, SystemClock};
use detect::asset::Inventory;
use identity::{Directory, OsEntropy};
use model::Event;
use model::port::{EventQuery as _, Query};
use store::{Store, StoreConfig};
use tracing::{info, warn};

use super::status::{Reports, View};
use crate::cli::{Cli, Up};
use crate::config::Config;
use crate::link::{self, Receiver};
use crate::output::say;
use crate::pipeline::{Assets, Pipeline};
use crate::state::{DataDir, Run};
use crate::{stop, time};

/// Between two writings of the inventory to the store.
const INVENTORY_EVERY: Duration = Duration::from_secs(300);
/// Most assets read back at a start.
const ASSETS_MAX: usize = 100_000;

/// Opens the store of a folder under its configuration.
pub(crate) fn open_store(cli: &Cli, dir: &DataDir) -> Result<Store> {
    let config = Config::load(cli.config.as_deref())?;
    let store = Store::open(dir.path(), store_config(&config))?;
    Ok(store)
}

fn store_config(config: &Config) -> StoreConfig {
    StoreConfig {
        site: config.site.name.clone().into(),
        retention_days: Some(config.store.retention_days),
        segment_bytes_max: Some(config.store.size_max.0),
        free_bytes_min: config.store.free_min.0,
        vault_days: config.store.vault_days,
        query_memory_bytes: config.store.query_memory.as_usize(),
        ..StoreConfig::default()
    }
}

/// Runs until the supervisor ends it.
pub(crate) fn run(cli: &Cli, up: &Up) -> Result<()> {
    let mut config = Config::load(cli.config.as_deref())?;
    let dir = DataDir::open(cli)?;
    let stop = stop::flag()?;
    super::supervisor::die_with_parent(&dir)?;
    let _lock = dir.role_lock("core")?;
    if let Err(error) = capture::privilege::keep_nothing() {
        warn!(%error, "core keeps privileges that it does not need");
    }
    super::supervisor::limit_memory(config.memory.core.0);
    if config.site.zones.is_empty() {
        let kept: Option<Vec<(String, Vec<String>)>> = dir.json("zones.json");
        config.site.zones = kept.unwrap_or_default().into_iter().collect();
    }
    let store = open_store(cli, &dir)?;
    let pipeline = Arc::new(Pipeline::new(&config, store));
    restore(&pipeline);
    let reports = Arc::new(Reports::default());
    let rooms = Arc::new(Rooms {
        pipeline: Arc::clone(&pipeline),
        reports: Arc::clone(&reports),
    });
    let listener = link::serve(&dir.link_socket(), rooms, Arc::clone(&stop))?;
    super::control::serve(
        &dir.control_socket(),
        Arc::clone(&pipeline),
        Arc::clone(&stop),
    )?;
    let console = Console {
        config: &config,
        dir: &dir,
        up,
        pipeline: &pipeline,
        reports: &reports,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("console")
        .enable_all()
        .build()
        .context("the console's runtime could not be started")?;
    let serving = runtime.block_on(console.start())?;
    let mut written = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100));
        if written.elapsed() >= INVENTORY_EVERY {
            write_inventory(&pipeline);
            written = Instant::now();
        }
    }
    serving.shutdown.notify_waiters();
    let _ = listener.join();
    write_inventory(&pipeline);
    runtime.shutdown_timeout(Duration::from_secs(3));
    Ok(())
}

/// What the link hands over.
struct Rooms {
    pipeline: Arc<Pipeline>,
    reports: Arc<Reports>,
}

impl Receiver for Rooms {
    fn events(&self, _role: &str, events: Vec<Event>) -> Result<(), String> {
        self.pipeline.events(events)
    }

    fn status(&self, role: &str, json: &[u8]) {
        self.reports.take(role, json);
    }
}

/// Reads the inventory of an earlier run back.
pub(crate) fn restore(pipeline: &Pipeline) {
    let query = Query {
        text: "class:inventory_info".to_owned(),
        from: None,
        to: None,
        rows_max: ASSETS_MAX,
        time_ms_max: 30_000,
    };
    match pipeline.store.events(&query, &AtomicBool::new(false)) {
        Ok(found) => {
            let count = found.events.len();
            let mut inventory = pipeline.inventory.lock();
            // Newest first from the store; the oldest must be told first.
            found.events.iter().rev().for_each(|event| {
                inventory.restore(event);
            });
            // Then their history: a change of what was forgotten since makes no asset.
            found.events.iter().rev().for_each(|event| {
                inventory.restore_change(event);
            });
            drop(inventory);
            info!(count, "inventory restored");
        }
        Err(error) => warn!(%error, "the inventory starts empty"),
    }
}

/// Keeps the inventory over a restart.
pub(crate) fn write_inventory(pipeline: &Pipeline) {
    let now = time::now();
    let events = pipeline.inventory.lock().to_events(now);
    if let Err(error) = pipeline.store.ingest(events) {
        warn!(%error, "the inventory could not be written; it is tried again");
    }
}

/// Everything that the console is made of.
struct Console<'a> {
    config: &'a Config,
    dir: &'a DataDir,
    up: &'a Up,
    pipeline: &'a Arc<Pipeline>,
    reports: &'a Arc<Reports>,
}

/// A running console.
struct Serving {
    shutdown: Arc<tokio::sync::Notify>,
}

impl Console<'_> {
    async fn start(&self) -> Result<Serving> {
        let identity = Directory::open(
            &self.dir.path().join("accounts.json"),
            identity::Settings::default(),
            Box::new(OsEntropy),
        )?;
        let identity = Arc::new(identity);
        let wanted = self
            .up
            .console
            .as_ref()
            .unwrap_or(&self.config.console.listen);
        let address = self.address(wanted, identity.first_run())?;
        let listener = bind(address).await?;
        let at = listener.local_addr()?;
        let url = format!("http://{at}/");
        self.first_run(&identity, &url)?;
        let shutdown = Arc::new(tokio::sync::Notify::new());
        let state = self.state(identity);
        let ended = Arc::clone(&shutdown);
        tokio::spawn(async move {
            let stopped = async move { ended.notified().await };
            if let Err(error) = console::serve(listener, state, stopped).await {
                warn!(%error, "the console ended");
            }
        });
        let mut run: Run = self.dir.json("run.json").unwrap_or_default();
        run.metrics = format!("{url}metrics");
        run.console_url = url;
        run.ready = true;
        self.dir.write_json("run.json", &run)?;
        Ok(Serving { shutdown })
    }

    /// Before the first account exists only loopback is bound, whatever was asked for.
    fn address(&self, wanted: &str, first_run: bool) -> Result<SocketAddr> {
        let mut address: SocketAddr = wanted.parse().map_err(|_| {
            crate::exit::Usage(format!("--console: '{wanted}' is not address:port"))
        })?;
        if first_run && !address.ip().is_loopback() {
            say(&format!(
                "vigie: no account exists yet: the console stays on loopback instead of {address}; \
                 make the first account, then restart"
            ));
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        Ok(address)
    }

    /// The one-time link, for the supervisor to print.
    fn first_run(&self, identity: &Directory, url: &str) -> Result<()> {
        match identity.first_token()? {
            Some(token) => {
                let link = format!("{url}#/first-run?token={token}\n");
                self.dir.replace("first-run.url", link.as_bytes())
            }
            None => {
                let _ = std::fs::remove_file(self.dir.path().join("first-run.url"));
                Ok(())
            }
        }
    }

    fn state(&self, identity: Arc<Directory>) -> ConsoleState {
        let matching = Arc::clone(self.pipeline);
        let hub = Arc::new(LiveHub::new(move |text| matching.store.matcher(text)));
        follow(self.pipeline, Arc::clone(&hub));
        ConsoleState {
            query: Arc::new(crate::pipeline::Questions(Arc::clone(self.pipeline))),
            assets: Arc::new(Assets(Arc::clone(self.pipeline))),
            system: Arc::new(View::new(
                self.dir.clone(),
                self.config.clone(),
                Arc::clone(self.pipeline),
                Arc::clone(self.reports),
            )),
            audit: Arc::new(crate::pipeline::Trail(Arc::clone(self.pipeline))),
            identity,
            live: hub,
            clock: Arc::new(SystemClock),
            settings: Settings {
                hosts: self.config.console.hosts.clone(),
                tls: false,
                ui_dir: std::env::var_os("VIGIE_UI_DIR").map(Into::into),
                role: "core",
            },
        }
    }
}

async fn bind(address: SocketAddr) -> Result<tokio::net::TcpListener> {
    match tokio::net::TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) => Err(crate::exit::Usage(format!(
            "{address}: {error}; another program listens there: choose another with [console] \
             listen, [metrics] listen or --console"
        ))
        .into()),
    }
}

/// Hands acknowledged events to the console's live streams.
fn follow(pipeline: &Arc<Pipeline>, hub: Arc<LiveHub>) {
    let events = pipeline.store.subscribe(None);
    let spawned = std::thread::Builder::new()
        .name("live".into())
        .spawn(move || {
            while let Ok(event) = events.next(Duration::from_secs(1)) {
                if let Some(event) = event
                    && hub.is_followed()
                {
                    hub.publish(&event);
                }
            }
        });
    if spawned.is_err() {
        warn!("live streams are not available");
    }
}

/// An inventory with the vendors that ship and those of this system.
pub(crate) fn inventory(config: &Config) -> Inventory {
    let mut vendors = detect::asset::Vendors::built_in();
    for path in ["/usr/share/ieee-data/oui.txt", "/var/lib/ieee-data/oui.txt"] {
        if let Ok(text) = std::fs::read_to_string(path) {
            vendors.add_ieee(&text);
            break;
        }
    }
    Inventory::new(detect::asset::InventoryConfig {
        zones: crate::pipeline::zones(config),
        vendors,
        ..detect::asset::InventoryConfig::default()
    })
}

/// Guards a value that a panicking thread may have left.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
