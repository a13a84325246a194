//! `[[source]]`: other sensors.
//!
//! Enters: tables of the file. Leaves: checked [`Source`]s. Refuses: names used twice, keys that
//! another kind needs, a collector open to everybody. Source: `DESIGN.md` section 6.

use std::net::SocketAddr;
use std::path::PathBuf;

use model::zone::Cidr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Refused;
use super::units::Span;

/// Another sensor whose log or flows are taken; one table each.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Source {
    /// Its name on screens and in the position kept; letters, digits, `-`, `_`. Required.
    pub(crate) name: String,
    /// `eve` (Suricata), `zeek`, or `netflow` (version 5, 9 and IPFIX).
    pub(crate) kind: SourceKind,
    /// eve: the log, followed across rotation, or the UNIX socket; zeek: the folder of current
    /// logs. A log that is new here is read from its begin.
    pub(crate) path: PathBuf,
    /// eve: `file`, or the socket that is made at `path` for Suricata's `filetype: unix_stream`
    /// (`stream`) or `unix_dgram` (`datagram`).
    pub(crate) socket: SourceSocket,
    /// netflow: UDP address and port.
    pub(crate) listen: String,
    /// netflow: addresses or networks of exporters that are heard; required when `listen` is not
    /// loopback. Others are counted as dropped.
    pub(crate) exporters: Vec<String>,
    /// netflow: figures are multiplied by this for exporters that sample without saying so.
    pub(crate) sampling: u32,
    /// Silence after which the source is shown as failing.
    pub(crate) silent_after: Span,
}

/// Kinds of sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SourceKind {
    /// Suricata's EVE log.
    Eve,
    /// Zeek's logs.
    Zeek,
    /// NetFlow and IPFIX.
    Netflow,
}

/// How a log arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SourceSocket {
    /// A file that grows.
    File,
    /// A UNIX stream socket.
    Stream,
    /// A UNIX datagram socket.
    Datagram,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: SourceKind::Eve,
            path: PathBuf::new(),
            socket: SourceSocket::File,
            listen: "127.0.0.1:2055".to_owned(),
            exporters: Vec::new(),
            sampling: 1,
            silent_after: Span::seconds(600),
        }
    }
}

impl Source {
    /// The networks of [`Source::exporters`]; a configuration that was loaded has no wrong one.
    pub(crate) fn networks(&self) -> Vec<Cidr> {
        self.exporters
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect()
    }

    fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || !self.name.chars().all(plain) || self.name.len() > 64 {
            return Err("name: needs letters, digits, - or _, at most 64".to_owned());
        }
        if self.kind != SourceKind::Netflow {
            if self.path.as_os_str().is_empty() {
                return Err("path: is missing".to_owned());
            }
            if self.kind == SourceKind::Zeek && self.socket != SourceSocket::File {
                return Err("socket: only for kind = \"eve\"".to_owned());
            }
            return Ok(());
        }
        let listen: SocketAddr = self.listen.parse().map_err(|_| {
            format!(
                "listen: '{}' is not address:port such as 127.0.0.1:2055",
                self.listen
            )
        })?;
        for network in &self.exporters {
            network.parse::<Cidr>().map_err(|_| {
                format!("exporters: '{network}' is no address or network such as 10.20.0.1")
            })?;
        }
        if !listen.ip().is_loopback() && self.exporters.is_empty() {
            return Err("exporters: name who may send to an address that others reach".to_owned());
        }
        Ok(())
    }
}

/// Refuses the whole when one source is wrong.
pub(super) fn check(sources: &[Source]) -> Result<(), Refused> {
    if sources.len() > SOURCES_MAX {
        return Err(Refused(format!("source: more than {SOURCES_MAX} of them")));
    }
    for (index, source) in sources.iter().enumerate() {
        source
            .check()
            .map_err(|why| Refused(format!("source '{}': {why}", source.name)))?;
        let before = sources.get(..index).unwrap_or(&[]);
        if before.iter().any(|other| other.name == source.name) {
            return Err(Refused(format!(
                "source '{}': the name is used twice",
                source.name
            )));
        }
    }
    Ok(())
}

/// Most sources of one machine.
const SOURCES_MAX: usize = 32;
