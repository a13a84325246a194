//! Events for the unit tests of this crate: generated, deterministic.
//!
//! Enters: a range of numbers. Leaves: events. Refuses: randomness.
//! Source: `DESIGN.md` section 4, store.

use std::net::{IpAddr, Ipv4Addr};

use model::class::{Dns, Http, Inventory, Network};
use model::{Connection, Event, EventUid, Meta, Millis, NodeId, Sensitive, SiteKey, Text};

/// 2026-11-23 00:00:00 UTC.
pub(crate) const DAY: i64 = 1_795_392_000_000;

pub(crate) fn key() -> SiteKey {
    SiteKey::new([7; 32])
}

fn meta(n: u64) -> Meta {
    let time = Millis(DAY + i64::try_from(n).unwrap() * 10);
    Meta {
        uid: EventUid {
            node: NodeId(1),
            seq: n,
        },
        time,
        logged_time: Millis(time.0 + 5),
        site: Text::Borrowed("nord"),
        activity: 6,
        severity: 1,
        status: 1,
        ..Meta::default()
    }
}

fn connection(n: u64, app: &'static str, port: u16) -> Option<Box<Connection>> {
    let low = u8::try_from(n % 250).unwrap();
    Some(Box::new(Connection {
        src_ip: Some(IpAddr::V4(Ipv4Addr::new(10, 20, 0, low))),
        src_port: Some(40_000 + u16::from(low)),
        dst_ip: Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, low % 7))),
        dst_port: Some(port),
        dst_zone: n.is_multiple_of(3).then_some(Text::Borrowed("internet")),
        protocol: 6,
        app: Text::Borrowed(app),
        ..Connection::default()
    }))
}

pub(crate) fn network(n: u64) -> Event {
    let body = Network {
        about: Text::Borrowed("flow"),
        bytes: Some(n * 1000),
        packets: Some(n),
        anomalies: if n.is_multiple_of(10) {
            vec![Text::Borrowed("gap")]
        } else {
            Vec::new()
        },
        ..Network::default()
    };
    Event {
        meta: meta(n),
        connection: connection(n, "dicom", 104),
        body: body.into(),
    }
}

pub(crate) fn http(n: u64) -> Event {
    let body = Http {
        method: Some(Text::Borrowed("GET")),
        host: Some(Text::Owned(format!("srv{}.example.org", n % 5))),
        path: Some(Sensitive::path(&format!(
            "/patients/durand{}/dossier.pdf",
            n % 9
        ))),
        code: Some(200),
        ..Http::default()
    };
    Event {
        meta: meta(n),
        connection: connection(n, "http", 80),
        body: body.into(),
    }
}

pub(crate) fn dns(n: u64) -> Event {
    let body = Dns {
        query: Some(Text::Owned(format!("h{}.example.org", n % 11))),
        query_type: Some(Text::Borrowed("A")),
        answer_data: vec![Text::Borrowed("192.0.2.1"), Text::Borrowed("192.0.2.2")],
        answer_ttl: vec![60, 300],
        ..Dns::default()
    };
    Event {
        meta: meta(n),
        connection: connection(n, "dns", 53),
        body: body.into(),
    }
}

pub(crate) fn inventory(n: u64) -> Event {
    let ip = IpAddr::V4(Ipv4Addr::new(10, 1, 2, u8::try_from(n % 250).unwrap()));
    let body = Inventory {
        asset: Text::Owned(format!("asset-{n}")),
        ip: Some(ip),
        ips: vec![ip],
        mac: Some(model::Mac([2, 0, 0, 0, 0, 9])),
        first_seen: Some(Millis(DAY)),
        ..Inventory::default()
    };
    Event {
        meta: meta(n),
        connection: None,
        body: body.into(),
    }
}
