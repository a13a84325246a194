//! Frames from the network interfaces of this machine.
//!
//! Enters: the name of an interface. Leaves: borrowed frames, drop counters of the kernel, a list
//! of interfaces. Refuses: to send, to change an interface beyond promiscuous mode, to go on after
//! an interface went down: the caller opens it again, periodically.
//! Source: the kernel's `Documentation/networking/packet_mmap.rst`, `packet(7)`.

mod interface;
mod ring;
mod sys;

use std::io;

pub use interface::{Interface, interfaces};
pub use ring::Ring;

/// How to capture on one interface; one `Ring` is one queue, read by one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveConfig {
    /// Its name.
    pub interface: String,
    /// Size of the ring, 1 to 4096 MiB.
    pub ring_mib: u32,
    /// Size of one block, a power of two from 64 to 16384 KiB, at most half of the ring.
    pub block_kib: u32,
    /// Shares the interface's packets, by flow in both directions, among all rings of one group;
    /// the kernel then reassembles IPv4 fragments. `None`: this ring sees all of them as they are.
    pub fanout_group: Option<u16>,
    /// Sees packets for other machines too, as on a mirror port.
    pub promiscuous: bool,
    /// Most milliseconds that a packet waits for its block to fill, 1 to 1000.
    pub block_timeout_ms: u32,
}

impl LiveConfig {
    /// The defaults for one interface: one ring of 64 MiB, promiscuous.
    #[must_use]
    pub fn of(interface: &str) -> Self {
        Self {
            interface: interface.to_owned(),
            ring_mib: 64,
            block_kib: 1024,
            fanout_group: None,
            promiscuous: true,
            block_timeout_ms: 20,
        }
    }
}

/// Counters of one ring since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingStats {
    /// Packets that the kernel had for this ring, those dropped included.
    pub packets: u64,
    /// Packets that it dropped because the ring was full.
    pub dropped: u64,
    /// Times that the ring was full.
    pub freezes: u64,
    /// Records of the ring that contradicted themselves, and were skipped.
    pub malformed: u64,
    /// Second copies on a loopback interface, left out.
    pub duplicates: u64,
}

/// Why there is no capture on an interface.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The process may not capture.
    #[error(
        "capture {interface}: no permission; run `sudo setcap cap_net_raw+ep {binary}`, or start \
         it as root, or by systemd with AmbientCapabilities=CAP_NET_RAW"
    )]
    Permission {
        /// The interface.
        interface: String,
        /// The path of this program.
        binary: String,
    },
    /// There is no such interface.
    #[error("capture {interface}: no such interface{}", suggestion(.interface))]
    NoInterface {
        /// The interface.
        interface: String,
    },
    /// The interface is down, or went away; it may come back.
    #[error("capture {interface}: the interface is down; nothing is seen until it is up again")]
    Down {
        /// The interface.
        interface: String,
    },
    /// A parameter is outside its range.
    #[error("capture {interface}: {parameter} is {value}, allowed is {allowed}")]
    Config {
        /// The interface.
        interface: String,
        /// The parameter.
        parameter: &'static str,
        /// Its value.
        value: u64,
        /// Its range.
        allowed: &'static str,
    },
    /// There is not enough memory for the ring.
    #[error("capture {interface}: no memory for a ring of {ring_mib} MiB; lower ring_mib")]
    Memory {
        /// The interface.
        interface: String,
        /// The size asked for.
        ring_mib: u32,
    },
    /// Packets of this kind of interface are not understood.
    #[error("capture {interface}: hardware type {hardware} is not supported")]
    Hardware {
        /// The interface.
        interface: String,
        /// Its `ARPHRD_` number.
        hardware: u16,
    },
    /// The system refused for another reason.
    #[error("capture {interface}: {step} failed: {source}")]
    System {
        /// The interface.
        interface: String,
        /// What was asked.
        step: &'static str,
        /// What it said.
        source: io::Error,
    },
}

impl LiveError {
    /// A stable word for the cause.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Permission { .. } => "live_permission",
            Self::NoInterface { .. } => "live_no_interface",
            Self::Down { .. } => "live_down",
            Self::Config { .. } => "live_config",
            Self::Memory { .. } => "live_memory",
            Self::Hardware { .. } => "live_hardware",
            Self::System { .. } => "live_system",
        }
    }

    /// True when opening again later may succeed without anybody changing the configuration.
    #[must_use]
    pub const fn may_retry(&self) -> bool {
        match self {
            Self::NoInterface { .. }
            | Self::Down { .. }
            | Self::Memory { .. }
            | Self::System { .. } => true,
            Self::Permission { .. } | Self::Config { .. } | Self::Hardware { .. } => false,
        }
    }
}

/// The interfaces that there are, for who mistyped one.
fn suggestion(name: &str) -> String {
    let Ok(list) = interfaces() else {
        return String::new();
    };
    let names: Vec<&str> = list.iter().map(|one| one.name.as_str()).collect();
    if names.is_empty() || names.contains(&name) {
        return String::new();
    }
    format!("; there are {}", names.join(", "))
}

#[cfg(test)]
mod tests;
