//! What the System page shows: roles, captures, queues, storage, zones.
//!
//! Enters: reports of roles, `roles.json`, the store's own figures. Leaves: one [`SystemStatus`].
//! Refuses: reports of more than [`REPORTS_MAX`] roles. Source: `DESIGN.md` section 3.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use model::metric;
use model::port::{PacketsAsk, PacketsFound, RingStatus, RoleStatus, SystemStatus, SystemView};

use super::core::lock;
use super::sensor::SensorStatus;
use crate::config::Config;
use crate::pipeline::Pipeline;
use crate::state::DataDir;

const REPORTS_MAX: usize = 64;

/// The latest report of each role.
#[derive(Default)]
pub(crate) struct Reports(Mutex<BTreeMap<String, SensorStatus>>);

impl Reports {
    /// Takes a report; one that is no report is left out.
    pub(crate) fn take(&self, role: &str, json: &[u8]) {
        let Ok(report) = serde_json::from_slice::<SensorStatus>(json) else {
            return;
        };
        let mut reports = lock(&self.0);
        if reports.len() < REPORTS_MAX || reports.contains_key(role) {
            reports.insert(role.to_owned(), report);
        }
    }

    /// Metrics of core and of every role that reported, in Prometheus form.
    pub(crate) fn metrics(&self) -> String {
        let mut text = metric::render("core");
        let reports = lock(&self.0);
        for report in reports.values() {
            // Help and type lines stand once, in core's part.
            let lines = report.metrics.lines().filter(|line| !line.starts_with('#'));
            lines.for_each(|line| {
                text.push_str(line);
                text.push('\n');
            });
        }
        text
    }
}

/// Interfaces of this machine that could be watched.
fn interfaces() -> Vec<String> {
    let all = capture::live::interfaces().unwrap_or_default();
    all.into_iter().map(|interface| interface.name).collect()
}

/// The view of the console on this installation.
pub(crate) struct View {
    dir: DataDir,
    config: Config,
    pipeline: Arc<Pipeline>,
    reports: Arc<Reports>,
}

impl View {
    /// A view of this folder.
    pub(crate) const fn new(
        dir: DataDir,
        config: Config,
        pipeline: Arc<Pipeline>,
        reports: Arc<Reports>,
    ) -> Self {
        Self {
            dir,
            config,
            pipeline,
            reports,
        }
    }
}

impl SystemView for View {
    fn ring(&self) -> Option<RingStatus> {
        let reports = lock(&self.reports.0);
        reports.values().find_map(|report| report.ring.clone())
    }

    fn packets(&self, ask: &PacketsAsk) -> Result<PacketsFound, String> {
        let request = crate::ring::PacketsRequest {
            flow: ask.flow.clone(),
            uid: ask.uid.clone(),
            from: ask.from.map(|from| from.0),
            to: ask.to.map(|to| to.0),
            reason: ask.reason.clone(),
            actor: ask.actor.clone(),
            bytes_max: Some(ask.bytes_max),
        };
        let mut pcap = Vec::new();
        let (dir, store) = (self.dir.path(), &self.pipeline.store);
        let (_, found) = crate::ring::extract(dir, store, &request, true, &mut pcap)?;
        Ok(PacketsFound {
            pcap,
            packets: found.packets,
            limited: found.limited,
            skipped_blocks: found.skipped_blocks,
        })
    }

    fn status(&self) -> SystemStatus {
        let mut roles: Vec<RoleStatus> = self.dir.json("roles.json").unwrap_or_default();
        for role in &mut roles {
            role.memory_bytes = role.pid.map_or(0, super::supervisor::resident_bytes);
        }
        let reports = lock(&self.reports.0);
        let zones = lock(&self.pipeline.zones);
        SystemStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            site: self.config.site.name.clone(),
            roles,
            captures: reports
                .values()
                .flat_map(|report| report.captures.clone())
                .collect(),
            queues: reports
                .values()
                .flat_map(|report| report.queues.clone())
                .collect(),
            storage: self.pipeline.store.status(),
            zones: zones
                .iter()
                .map(|(name, cidrs)| {
                    (
                        name.to_owned(),
                        cidrs.iter().map(ToString::to_string).collect(),
                    )
                })
                .collect(),
            interfaces: interfaces(),
        }
    }

    fn metrics(&self) -> String {
        self.reports.metrics()
    }

    fn set_zones(&self, zones: &[(String, Vec<String>)]) -> Result<(), String> {
        let file = Config::load(None).is_ok_and(|config| !config.site.zones.is_empty());
        if file {
            return Err("zones stand in the configuration file: change [site.zones] there".into());
        }
        let made = model::zone::Zones::new(zones).map_err(|error| error.to_string())?;
        self.dir
            .write_json("zones.json", &zones)
            .map_err(|error| format!("zones.json could not be written: {error:#}"))?;
        self.pipeline.inventory.lock().set_zones(made.clone());
        *lock(&self.pipeline.zones) = made;
        Ok(())
    }
}
