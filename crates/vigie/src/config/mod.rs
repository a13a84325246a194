//! Configuration: one strict TOML file.
//!
//! Enters: a file's text, or nothing. Leaves: a [`Config`] with every default in place.
//! Refuses: unknown keys, with the nearest one; values without their unit; contradictions.
//! Source: `DESIGN.md` section 6. `docs/reference/config.md` is made from the comments below.

mod fields;
mod reference;
mod source;
pub(crate) mod suggest;
mod units;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use fields::fields;
pub(crate) use reference::reference;
pub(crate) use source::{Source, SourceKind, SourceSocket};
pub(crate) use units::{Bytes, Span};

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// What the hospital is and allows.
    pub(crate) site: Site,
    /// Where packets come from.
    pub(crate) capture: Capture,
    /// How the packet path behaves.
    pub(crate) wire: Wire,
    /// The packet ring: the latest packets on disk.
    pub(crate) ring: PacketRing,
    /// What is kept, and for how long.
    pub(crate) store: Storage,
    /// The console.
    pub(crate) console: Console,
    /// Memory ceilings of the role processes.
    pub(crate) memory: Memory,
    /// Other sensors whose logs or flows are taken, each in a `[[source]]` of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) source: Vec<Source>,
}

/// What the hospital is and allows.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Site {
    /// Name of the establishment, in every event as `metadata.tenant_uid`.
    pub(crate) name: String,
    /// Zones: name = list of CIDRs. The longest prefix wins. What is in none of them is outside, a
    /// gateway too: name every network. Empty: proposed from what is seen.
    pub(crate) zones: BTreeMap<String, Vec<String>>,
    /// Allowed DICOM application entity titles and the address of each.
    pub(crate) dicom_sources: BTreeMap<String, String>,
    /// Addresses that may send HL7 messages.
    pub(crate) hl7_sources: Vec<String>,
    /// Addresses of administrators.
    pub(crate) admins: Vec<String>,
    /// Addresses that may write to building controllers.
    pub(crate) modbus_masters: Vec<String>,
    /// Partner addresses or names outside.
    pub(crate) partners: Vec<String>,
    /// Cloud names or addresses that staff may use.
    pub(crate) sanctioned_cloud: Vec<String>,
    /// Addresses or names without which care stops.
    pub(crate) care_critical: Vec<String>,
}

/// Where packets come from.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Capture {
    /// Interfaces to watch. Empty: every interface that is up, the loopback excepted.
    pub(crate) interfaces: Vec<String>,
    /// False: no live capture at all.
    pub(crate) enabled: bool,
    /// Put interfaces into promiscuous mode.
    pub(crate) promiscuous: bool,
    /// Size of the ring of each queue.
    pub(crate) ring: Bytes,
    /// Queues (threads) for each interface; 0: one.
    pub(crate) queues: u16,
}

/// How the packet path behaves.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wire {
    /// Hard ceiling of all flow state of one queue; eviction beyond it is counted.
    pub(crate) budget: Bytes,
    /// A flow that lasts longer is reported at this interval.
    pub(crate) interim: Span,
    /// Files that pass get a SHA-256 in their exchange's event; without, type and size only.
    pub(crate) hash_files: bool,
    /// Most bytes of one file that are hashed or inspected; longer ones are truncated.
    pub(crate) file_look: Bytes,
}

/// The packet ring: the latest packets of all flows on disk, sealed with a key per month; one flow
/// at a time comes out, with a reason, traced (`vigie packets`). Off as shipped.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PacketRing {
    /// Most bytes on disk, such as "10GiB", at least "8MiB"; the oldest packets go first. "0B": no
    /// ring.
    pub(crate) size: Bytes,
    /// Only the first bytes of each flow are kept, such as "4MiB"; "0B": all of them.
    pub(crate) keep_bytes_per_flow: Bytes,
    /// Only flows with an end in one of these zones are kept. Empty: all flows.
    pub(crate) zones: Vec<String>,
    /// Flows with one of these ports are left out.
    pub(crate) skip_ports: Vec<u16>,
    /// Disk space that stays free; the oldest packets go first.
    pub(crate) free_min: Bytes,
    /// Share of `size` that pinned flows may hold, in percent, 0 to 90.
    pub(crate) pinned_percent: u8,
}

/// What is kept, and for how long.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Storage {
    /// Days that events are kept.
    pub(crate) retention_days: u32,
    /// Most bytes of events; the oldest go first.
    pub(crate) size_max: Bytes,
    /// Disk space that stays free; the oldest events go first.
    pub(crate) free_min: Bytes,
    /// Days that clear values stay in the vault.
    pub(crate) vault_days: u32,
    /// Most memory that queries may use together.
    pub(crate) query_memory: Bytes,
    /// Longest time that one query may take.
    pub(crate) query_time: Span,
    /// Most rows that one query answers.
    pub(crate) query_rows: usize,
}

/// The console.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Console {
    /// Address and port; port 0 takes a free one. Only loopback until the first account exists.
    pub(crate) listen: String,
    /// Names under which browsers reach the console, besides loopback.
    pub(crate) hosts: Vec<String>,
}

/// Memory ceilings of the role processes.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Memory {
    /// Ceiling of the sensor.
    pub(crate) sensor: Bytes,
    /// Ceiling of core.
    pub(crate) core: Bytes,
    /// Most bytes of events that the sensor spools while core is away.
    pub(crate) spool: Bytes,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            name: "default".to_owned(),
            zones: BTreeMap::new(),
            dicom_sources: BTreeMap::new(),
            hl7_sources: Vec::new(),
            admins: Vec::new(),
            modbus_masters: Vec::new(),
            partners: Vec::new(),
            sanctioned_cloud: Vec::new(),
            care_critical: Vec::new(),
        }
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            enabled: true,
            promiscuous: true,
            ring: Bytes::mib(64),
            queues: 1,
        }
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            budget: Bytes::mib(512),
            interim: Span::seconds(300),
            hash_files: false,
            file_look: Bytes::mib(16),
        }
    }
}

impl Default for PacketRing {
    fn default() -> Self {
        Self {
            size: Bytes(0),
            keep_bytes_per_flow: Bytes(0),
            zones: Vec::new(),
            skip_ports: Vec::new(),
            free_min: Bytes::mib(5 * 1024),
            pinned_percent: capture::ring::PINNED_PERCENT,
        }
    }
}

impl PacketRing {
    fn check(&self) -> Result<(), Refused> {
        let size = self.size.0;
        if size > 0 && size < capture::ring::SIZE_BYTES_MIN {
            return Err(Refused(
                "ring.size: at least \"8MiB\", or \"0B\" for no packet ring".to_owned(),
            ));
        }
        if self.pinned_percent > PINNED_PERCENT_MAX {
            return Err(Refused(format!(
                "ring.pinned_percent: {} is more than {PINNED_PERCENT_MAX}; the rest is for new \
                 packets",
                self.pinned_percent
            )));
        }
        Ok(())
    }
}

/// Most of the packet ring that pins may hold.
const PINNED_PERCENT_MAX: u8 = 90;

impl Default for Storage {
    fn default() -> Self {
        Self {
            retention_days: 180,
            size_max: Bytes::mib(200 * 1024),
            free_min: Bytes::mib(5 * 1024),
            vault_days: 180,
            query_memory: Bytes::mib(1024),
            query_time: Span::seconds(30),
            query_rows: 10_000,
        }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8470".to_owned(),
            hosts: Vec::new(),
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            sensor: Bytes::mib(1024),
            core: Bytes::mib(4096),
            spool: Bytes::mib(1024),
        }
    }
}

/// Why a configuration was refused.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

impl Config {
    /// Reads a file; without a path, `/etc/vigie/vigie.toml` if it exists, else the defaults.
    ///
    /// # Errors
    /// The file cannot be read or is refused; the text names file, line and the nearest key.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, Refused> {
        let usual = PathBuf::from("/etc/vigie/vigie.toml");
        let path = match path {
            Some(path) => path,
            None if usual.exists() => &usual,
            None => return Ok(Self::default()),
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| Refused(format!("{}: cannot be read: {error}", path.display())))?;
        Self::parse(&text).map_err(|refused| Refused(format!("{}: {refused}", path.display())))
    }

    /// Reads a text.
    ///
    /// # Errors
    /// As [`Config::load`], without the file's name.
    pub(crate) fn parse(text: &str) -> Result<Self, Refused> {
        let config: Self = toml::from_str(text).map_err(|error| suggest::explain(&error, text))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Refused> {
        for (name, cidrs) in &self.site.zones {
            for cidr in cidrs {
                cidr.parse::<model::zone::Cidr>().map_err(|_| {
                    Refused(format!(
                        "site.zones.{name}: '{cidr}' is not a network such as 10.20.0.0/16"
                    ))
                })?;
            }
        }
        self.ring.check()?;
        source::check(&self.source)?;
        let listen = &self.console.listen;
        listen
            .parse::<std::net::SocketAddr>()
            .map(|_| ())
            .map_err(|_| {
                Refused(format!(
                    "console.listen: '{listen}' is not address:port such as 127.0.0.1:8470"
                ))
            })
    }

    /// The zones, ready to look up.
    pub(crate) fn zones(&self) -> Vec<(String, Vec<String>)> {
        self.site
            .zones
            .iter()
            .map(|(name, cidrs)| (name.clone(), cidrs.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests;
