//! Flows that another flow announced: FTP's data connections, TFTP's transfers.
//!
//! Enters: announcements, then the first octets of new flows. Leaves: what the flow was announced
//! for. Refuses: more than [`EXPECTED_MAX`] announcements of a worker (the oldest goes), or one
//! older than [`AGE_MS_MAX`]. Flows between the same two addresses meet in one worker, so that
//! the table needs no lock.
//! Source: RFC 959 section 3.2, RFC 2428, RFC 1350 section 4.

use std::collections::VecDeque;
use std::net::IpAddr;

use model::Nanos;

/// Most announcements of one worker.
pub(crate) const EXPECTED_MAX: usize = 512;
/// Longest time between an announcement and the flow's first octets.
pub(crate) const AGE_MS_MAX: u64 = 300_000;

/// What the announced flow is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// FTP: what is transferred is said later.
    Ftp(Transfer),
    /// TFTP.
    Tftp(Transfer),
}

/// One transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transfer {
    /// Command that asks for it, upper case; empty as long as none came.
    pub(crate) command: String,
    /// Path that it names.
    pub(crate) path: String,
    /// User logged in.
    pub(crate) user: Option<String>,
    /// `active` or `passive`; TFTP's mode.
    pub(crate) mode: &'static str,
}

struct Expected {
    number: u64,
    time: Nanos,
    host: IpAddr,
    port: u16,
    purpose: Purpose,
}

/// The announcements of one worker, oldest first.
#[derive(Default)]
pub(crate) struct Expectations {
    waiting: VecDeque<Expected>,
    count: u64,
}

impl Expectations {
    /// Announces a flow to or from this endpoint; returns the announcement's number.
    pub(crate) fn add(&mut self, now: Nanos, host: IpAddr, port: u16, purpose: Purpose) -> u64 {
        self.forget(now);
        self.waiting
            .retain(|known| (known.host, known.port) != (host, port));
        if self.waiting.len() >= EXPECTED_MAX {
            self.waiting.pop_front();
        }
        self.count += 1;
        self.waiting.push_back(Expected {
            number: self.count,
            time: now,
            host,
            port,
            purpose,
        });
        self.count
    }

    /// Says what an announced flow will carry.
    pub(crate) fn say(&mut self, number: u64, transfer: &Transfer) {
        let known = self.waiting.iter_mut().find(|known| known.number == number);
        if let Some(known) = known {
            let (Purpose::Ftp(said) | Purpose::Tftp(said)) = &mut known.purpose;
            said.command.clone_from(&transfer.command);
            said.path.clone_from(&transfer.path);
            said.user.clone_from(&transfer.user);
        }
    }

    /// Takes the announcement of a flow that begins, by one of its endpoints.
    #[inline]
    pub(crate) fn take(
        &mut self,
        now: Nanos,
        hosts: [IpAddr; 2],
        ports: [u16; 2],
        wanted: fn(&Purpose) -> bool,
    ) -> Option<Purpose> {
        if self.waiting.is_empty() {
            return None;
        }
        self.forget(now);
        let ([client, server], [client_port, server_port]) = (hosts, ports);
        let (client, server) = ((client, client_port), (server, server_port));
        let at = self.waiting.iter().rposition(|known| {
            let here = (known.host, known.port);
            (here == server || here == client) && wanted(&known.purpose)
        })?;
        self.waiting.remove(at).map(|known| known.purpose)
    }

    /// Heap bytes held, at most.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.waiting.capacity() * (size_of::<Expected>() + 64)
    }

    fn forget(&mut self, now: Nanos) {
        while let Some(oldest) = self.waiting.front()
            && now.since(oldest.time) > AGE_MS_MAX * 1_000_000
        {
            self.waiting.pop_front();
        }
    }
}
