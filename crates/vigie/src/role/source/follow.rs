//! Logs in files, followed as they grow, are rotated and truncated.
//!
//! Enters: the log of `path`, or every `*.log` of that folder. Leaves: events, places.
//! Refuses: more logs than there are numbers for. Of a log that was rotated away while Vigie was
//! down, the rest is read when its file lies uncompressed in the same folder, else it is lost, and
//! that is said; a log that was truncated loses what had not been read.
//! Source: none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::{info, warn};
use wire::log::LogKind;

use super::Identity;
use super::outlet::{Outlet, Totals, sum};
use super::place::{Place, Places};
use crate::config::{Source, SourceKind};
use crate::state::DataDir;
use crate::time;

pub(super) mod log;

use log::Log;

/// Between two looks at a log that had nothing new.
const IDLE: Duration = Duration::from_millis(100);
/// Between two looks at a folder.
const LIST: Duration = Duration::from_secs(1);
/// Between two reports.
const TELL: Duration = Duration::from_millis(500);
/// Entries of a folder that are looked at.
pub(super) const ENTRIES_MAX: usize = 4096;

/// Follows until the role ends.
pub(super) fn run(source: &Source, identity: &Identity, dir: &DataDir, outlet: Outlet) {
    let mut follow = Follow {
        source,
        identity,
        outlet,
        places: Places::open(dir, &source.name),
        logs: BTreeMap::new(),
        reached: BTreeMap::new(),
        before: Totals::default(),
        problem: None,
    };
    let (mut listed, mut told) = (None::<Instant>, Instant::now());
    while !follow.outlet.stopping() {
        if listed.is_none_or(|at| at.elapsed() >= LIST) {
            follow.list();
            listed = Some(Instant::now());
        }
        let moved = follow.turn();
        follow.places.keep(follow.outlet.settled(), false);
        if told.elapsed() >= TELL {
            follow.tell();
            told = Instant::now();
        }
        if !moved {
            std::thread::sleep(IDLE);
        }
    }
    follow.send();
    follow.tell();
    follow.places.keep(follow.outlet.settled(), true);
    let records = follow.totals().records;
    info!(source = source.name, records, "source ended");
}

struct Follow<'a> {
    source: &'a Source,
    identity: &'a Identity,
    outlet: Outlet,
    places: Places,
    logs: BTreeMap<String, Log>,
    /// The place reached in each log.
    reached: BTreeMap<String, Place>,
    /// Of logs that are gone.
    before: Totals,
    problem: Option<String>,
}

impl Follow<'_> {
    /// Looks for logs that are not followed yet.
    fn list(&mut self) {
        self.problem = None;
        let found = match self.source.kind {
            SourceKind::Zeek => self.folder(),
            SourceKind::Eve | SourceKind::Netflow => vec![self.source.path.clone()],
        };
        for path in found {
            let Some(name) = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
            else {
                continue;
            };
            if !self.logs.contains_key(&name) {
                self.begin(name, path);
            }
        }
    }

    fn folder(&mut self) -> Vec<PathBuf> {
        let folder = &self.source.path;
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.problem = Some(format!("{}: {error}", folder.display()));
                return Vec::new();
            }
        };
        let paths = entries
            .take(ENTRIES_MAX)
            .filter_map(|entry| Some(entry.ok()?.path()));
        let is_log = |path: &PathBuf| path.extension().is_some_and(|end| end == "log");
        paths.filter(is_log).collect()
    }

    fn begin(&mut self, name: String, path: PathBuf) {
        let kept = self.places.of(&name).cloned();
        // Microseconds: later runs sort after earlier ones.
        let now = u64::try_from(time::now().0)
            .unwrap_or(0)
            .saturating_mul(1000);
        let Some(config) = self.identity.of(&name, now) else {
            self.problem = Some(format!("{}: too many logs; it is not read", path.display()));
            return;
        };
        if let Some(kept) = &kept {
            self.reached.insert(name.clone(), kept.clone());
        }
        let kind = match self.source.kind {
            SourceKind::Zeek => None,
            SourceKind::Eve | SourceKind::Netflow => Some(LogKind::Eve),
        };
        self.logs.insert(name, Log::new(path, kind, config, kept));
    }

    /// Reads a piece of every log; false when none had any.
    fn turn(&mut self) -> bool {
        let mut moved = false;
        let names: Vec<String> = self.logs.keys().cloned().collect();
        for name in names {
            let Some(log) = self.logs.get_mut(&name) else {
                continue;
            };
            match log.read(&mut self.outlet.events) {
                Ok(more) => moved |= more,
                Err(error) => {
                    let text = format!("{}: {error}", log.path().display());
                    if self.problem.as_ref() != Some(&text) {
                        warn!(
                            source = self.source.name,
                            error = text,
                            "a log cannot be read"
                        );
                    }
                    self.problem = Some(text);
                }
            }
            if let Some(begin) = log.take_fresh() {
                self.places.first(name.clone(), begin);
            }
            if let Some(place) = log.place() {
                self.reached.insert(name, place);
            }
            if self.outlet.is_due() {
                self.send();
            }
        }
        if self.outlet.is_due() {
            self.send();
        } else if moved && self.outlet.events.is_empty() {
            // Lines without an event move the place too.
            self.places.note(self.outlet.batches, self.reached.clone());
        }
        moved
    }

    fn send(&mut self) {
        self.outlet.send();
        self.places.note(self.outlet.batches, self.reached.clone());
    }

    fn totals(&self) -> Totals {
        let mut totals = self.before.clone();
        for log in self.logs.values() {
            let more = log.totals();
            totals.records += more.records;
            totals.bytes += more.bytes;
            totals.refused += more.refused;
            totals.lost += more.lost;
            totals.unknown += more.unknown;
        }
        totals
    }

    fn tell(&mut self) {
        let totals = self.totals();
        let missing = self.logs.values().find_map(Log::problem);
        let problem = self.problem.clone().or(missing);
        self.outlet.tell(&totals, problem.as_deref());
    }
}

/// The file of `place` in the folder of `path`, under another name.
pub(super) fn rotated(path: &Path, place: &Place) -> Option<std::fs::File> {
    use std::os::unix::fs::MetadataExt as _;
    let entries = std::fs::read_dir(path.parent()?).ok()?;
    for entry in entries.take(ENTRIES_MAX).flatten() {
        let Ok(about) = entry.metadata() else {
            continue;
        };
        if about.is_file() && (about.dev(), about.ino()) == place.file {
            let file = std::fs::File::open(entry.path()).ok()?;
            return place.is_of(&file).ok()?.then_some(file);
        }
    }
    None
}

/// What a reader met, as totals.
pub(super) fn totals(counts: &wire::log::LogCounts, bytes: u64) -> Totals {
    let passed = sum(&counts.passed_over);
    let unknown = sum(&counts.unknown);
    let records = counts.lines.saturating_sub(counts.refused);
    Totals {
        records: records.saturating_sub(passed).saturating_sub(unknown),
        bytes,
        refused: counts.refused,
        lost: 0,
        unknown,
    }
}
