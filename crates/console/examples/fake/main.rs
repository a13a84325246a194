//! A console with a made-up hospital behind it, to develop and test the web UI without a network.
//!
//! `cargo run -p vigie-console --example fake -- [--port N] [--ui DIR] [--accounts]`
//! Without `--accounts` the one-time link of the first account is printed; with it the accounts
//! `admin`, `analyst` and `rssi` exist, each with the password `demonstration-hopital-42`.
//! Everything is generated from a fixed seed and ends with the process.

mod fleet;
mod hospital;
mod ports;
mod statement;
mod store;

use std::path::PathBuf;
use std::sync::Arc;

use identity::{Directory, NewAccount, OsEntropy, Role, Secret};
use ports::{FakeSystem, FakeTrail, Fleet};
use store::FakeStore;
use vigie_console::{Clock as _, ConsoleState, LiveHub, Settings, SystemClock};

const PASSWORD: &str = "demonstration-hopital-42";

struct Arguments {
    port: u16,
    ui: Option<PathBuf>,
    accounts: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut out = Arguments {
        port: 8790,
        ui: None,
        accounts: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--port" => out.port = value()?.parse().map_err(|_| "--port N".to_owned())?,
            "--ui" => out.ui = Some(PathBuf::from(value()?)),
            "--accounts" => out.accounts = true,
            _ => return Err(format!("unknown argument {word}")),
        }
    }
    Ok(out)
}

#[expect(clippy::print_stdout, reason = "an example talks to its user")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = arguments()?;
    let folder = tempfile::tempdir()?;
    let clock = SystemClock;
    let file = folder.path().join("accounts.json");
    let identity = Directory::open(&file, identity::Settings::default(), Box::new(OsEntropy))?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", arguments.port)).await?;
    let port = listener.local_addr()?.port();
    if arguments.accounts {
        for role in Role::ALL {
            let new = NewAccount {
                name: role.name().to_owned(),
                display: String::new(),
                role,
                password: Secret::new(PASSWORD),
            };
            identity.create(&new, clock.now())?;
        }
        println!("http://localhost:{port}/  admin, analyst or rssi / {PASSWORD}");
    } else if let Some(token) = identity.first_token()? {
        println!("http://localhost:{port}/#/first-run?token={token}");
    }

    let hub = Arc::new(LiveHub::new(|search| {
        let search = store::Search::parse(search)?;
        Ok(Box::new(move |event| {
            search.matches(&store::columns(event))
        }))
    }));
    let store = Arc::new(FakeStore::new(hospital::history(clock.now())));
    let system = Arc::new(FakeSystem::new(clock.now()));
    let state = ConsoleState {
        query: Arc::clone(&store) as _,
        assets: Arc::new(Fleet(clock)),
        system: Arc::clone(&system) as _,
        audit: Arc::new(FakeTrail::default()),
        identity: Arc::new(identity),
        live: Arc::clone(&hub) as _,
        clock: Arc::new(clock),
        settings: Settings {
            hosts: Vec::new(),
            tls: false,
            ui_dir: arguments.ui,
            role: "core",
        },
    };
    let traffic = std::thread::spawn(move || {
        let mut live = hospital::Live::default();
        loop {
            std::thread::sleep(std::time::Duration::from_millis(700));
            let event = Arc::new(live.next(clock.now()));
            system.packets(37);
            hub.publish(&event);
            store.add((*event).clone());
        }
    });
    let stopped = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    vigie_console::serve(listener, state, stopped).await?;
    drop(traffic);
    Ok(())
}
