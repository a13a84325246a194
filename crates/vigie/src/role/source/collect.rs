//! Flow exporters: NetFlow and IPFIX over UDP.
//!
//! Enters: datagrams of exporters that are allowed. Leaves: events. Refuses: other senders
//! (counted). What is sent while nobody listens is lost; the exporters' sequence numbers tell how
//! much. Source: RFC 3954, RFC 7011 section 10.3.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use tracing::{error, info};
use wire::log::netflow::Collector;

use super::Identity;
use super::outlet::{Outlet, Totals};
use crate::config::Source;
use crate::time;

/// Longest UDP payload.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Longest wait for a datagram.
const WAIT: Duration = Duration::from_millis(20);
/// Between two reports, and between two attempts to listen.
const TELL: Duration = Duration::from_millis(500);
const AGAIN: Duration = Duration::from_secs(2);

/// Collects until the role ends.
pub(super) fn run(source: &Source, identity: &Identity, mut outlet: Outlet) {
    let now = u64::try_from(time::now().0)
        .unwrap_or(0)
        .saturating_mul(1000);
    let Some(config) = identity.of("udp", now) else {
        return error!("too many sources: one is not read");
    };
    let Some(socket) = listen(&source.listen, &mut outlet) else {
        return;
    };
    let allowed = source.networks();
    let mut collector = Collector::new(&config, source.sampling);
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let (mut bytes, mut strangers, mut told) = (0u64, 0u64, Instant::now());
    while !outlet.stopping() {
        if let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let ip = from.ip().to_canonical();
            if allowed.is_empty() || allowed.iter().any(|network| network.contains(ip)) {
                bytes = bytes.saturating_add(length as u64);
                let now = time::now();
                collector.set_logged_time(now);
                let datagram = buffer.get(..length).unwrap_or(&[]);
                collector.datagram(now, ip, datagram, &mut outlet.events);
            } else {
                strangers = strangers.saturating_add(1);
            }
        }
        if outlet.is_due() {
            outlet.offer();
        }
        if told.elapsed() >= TELL {
            outlet.tell(&totals(&collector, bytes, strangers), None);
            told = Instant::now();
        }
    }
    outlet.send();
    let counts = collector.counts();
    info!(source = source.name, flows = counts.flows, "source ended");
}

fn totals(collector: &Collector, bytes: u64, strangers: u64) -> Totals {
    let counts = collector.counts();
    Totals {
        records: counts.flows,
        bytes,
        refused: counts.refused.saturating_add(strangers),
        lost: counts
            .lost_flows
            .saturating_add(counts.lost_datagrams)
            .saturating_add(counts.without_template),
        unknown: counts.options,
    }
}

fn listen(address: &str, outlet: &mut Outlet) -> Option<UdpSocket> {
    while !outlet.stopping() {
        let made = UdpSocket::bind(address).and_then(|socket| {
            socket.set_read_timeout(Some(WAIT))?;
            Ok(socket)
        });
        match made {
            Ok(socket) => {
                info!(address, source = outlet.name, "listening");
                return Some(socket);
            }
            Err(error) => {
                let text = format!("{address}: cannot listen: {error}");
                outlet.tell(&Totals::default(), Some(&text));
                std::thread::sleep(AGAIN);
            }
        }
    }
    None
}
