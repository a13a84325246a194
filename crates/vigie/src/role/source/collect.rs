//! Flow exporters: NetFlow and IPFIX over UDP.
//!
//! Enters: datagrams of exporters that are allowed. Leaves: events. Refuses: other senders
//! (counted). Exporters send in bursts: what has arrived is taken from the kernel before the next
//! datagram is read, up to [`WAITING_MAX`]. What is sent while nobody listens is lost; the
//! exporters' sequence numbers tell how much, and the kernel what it dropped.
//! Source: RFC 3954, RFC 7011 section 10.3, proc(5).

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use tracing::{error, info};
use wire::log::netflow::Collector;

use super::Identity;
use super::outlet::{Outlet, Totals};
use crate::config::Source;
use crate::time;

/// Longest UDP payload.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Octets that the kernel is asked to hold of a burst.
const RECEIVE_BYTES: usize = 4 << 20;
/// Datagrams that wait here before more are left to the kernel's buffer.
const WAITING_MAX: usize = 8192;
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
    let mut inbox = Inbox::new(socket);
    let (mut bytes, mut strangers, mut told) = (0u64, 0u64, Instant::now());
    while !outlet.stopping() {
        if let Some((ip, datagram)) = inbox.next() {
            if allowed.is_empty() || allowed.iter().any(|network| network.contains(ip)) {
                bytes = bytes.saturating_add(datagram.len() as u64);
                let now = time::now();
                collector.set_logged_time(now);
                collector.datagram(now, ip, &datagram, &mut outlet.events);
            } else {
                strangers = strangers.saturating_add(1);
            }
        }
        if outlet.is_due() {
            outlet.offer();
        }
        if told.elapsed() >= TELL {
            let dropped = inbox.dropped();
            let problem = dropped.map(|dropped| {
                format!(
                    "the kernel dropped {dropped} datagrams: raise net.core.rmem_default, or let \
                     the exporter send evenly"
                )
            });
            let mut totals = totals(&collector, bytes, strangers);
            // The end of a burst leaves no gap in the numbers; what both tell counts once.
            totals.lost = totals.lost.max(dropped.unwrap_or(0));
            outlet.tell(&totals, problem.as_deref());
            told = Instant::now();
        }
    }
    outlet.send();
    let counts = collector.counts();
    info!(source = source.name, flows = counts.flows, "source ended");
}

/// Datagrams that have arrived, in their order.
struct Inbox {
    socket: UdpSocket,
    waiting: VecDeque<(IpAddr, Vec<u8>)>,
    buffer: Vec<u8>,
}

impl Inbox {
    fn new(socket: UdpSocket) -> Self {
        Self {
            socket,
            waiting: VecDeque::new(),
            buffer: vec![0; DATAGRAM_BYTES_MAX],
        }
    }

    /// The oldest datagram, after taking what the kernel holds; waits a little when there is none.
    fn next(&mut self) -> Option<(IpAddr, Vec<u8>)> {
        if self.waiting.is_empty() {
            self.take().ok()?;
        }
        if self.socket.set_nonblocking(true).is_ok() {
            while self.waiting.len() < WAITING_MAX && self.take().is_ok() {}
            let _ = self.socket.set_nonblocking(false);
        }
        self.waiting.pop_front()
    }

    fn take(&mut self) -> io::Result<()> {
        let (length, from) = self.socket.recv_from(&mut self.buffer)?;
        let datagram = self.buffer.get(..length).unwrap_or_default().to_vec();
        self.waiting.push_back((from.ip().to_canonical(), datagram));
        Ok(())
    }

    /// How many datagrams the kernel had no room for, if any.
    fn dropped(&self) -> Option<u64> {
        let here = self.socket.local_addr().ok()?;
        let table = if here.is_ipv4() { "udp" } else { "udp6" };
        let sockets = std::fs::read_to_string(format!("/proc/self/net/{table}")).ok()?;
        dropped_of(&sockets, here).filter(|dropped| *dropped > 0)
    }
}

/// What a socket dropped, from the kernel's list of sockets.
fn dropped_of(sockets: &str, here: SocketAddr) -> Option<u64> {
    let port = format!(":{:04X}", here.port());
    sockets
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| words.get(1).is_some_and(|local| local.ends_with(&port)))
        .and_then(|words| words.last()?.parse().ok())
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
            // The kernel gives what net.core.rmem_max allows.
            rustix::net::sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BYTES)?;
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

#[cfg(test)]
mod tests;
