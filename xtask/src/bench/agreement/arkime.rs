//! Arkime's sessions beside our flows.
//!
//! Enters: captures with a `.test` file each. Leaves: how many flows agree on endpoints, packets,
//! octets and Community ID; each difference in a line. Refuses: sessions without IP.
//! Source: Arkime's session records; `docs/benchmarks/agreement.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

use super::ours::{self, text};

/// Most octets of a frame that do not belong to its IP packet: Ethernet, two tags, padding to 60;
/// of a packet inside a tunnel, the headers around it too.
const AROUND: u64 = 128;

/// Packets and octets by end, and the Community IDs.
#[derive(Default)]
struct Flow {
    ends: BTreeMap<String, (u64, u64)>,
    communities: BTreeSet<String>,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Outcome {
    /// Flows of Arkime.
    pub(super) flows: u64,
    /// Flows with the same endpoints.
    pub(super) endpoints: u64,
    /// Those with the same packets in each direction.
    pub(super) packets: u64,
    /// Those whose octets differ by no more than what stands around each IP packet.
    pub(super) octets: u64,
    /// Flows with a Community ID in both.
    pub(super) communities: u64,
    /// Those with the same.
    pub(super) same_community: u64,
    /// What differs.
    pub(super) differences: Vec<(String, String)>,
}

/// Compares every capture of a folder.
pub(super) fn run(binary: &Path, folder: &Path) -> Result<Outcome> {
    let mut tests: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|e| e.path()).collect();
    tests.retain(|path| path.extension().is_some_and(|e| e == "test"));
    tests.sort();
    let mut out = Outcome::default();
    for (name, theirs, ours) in super::each(&tests, |test| pair(binary, test))? {
        for (key, flow) in theirs {
            out.compare(&name, &key, &flow, ours.get(&key));
        }
    }
    Ok(out)
}

type Flows = BTreeMap<String, Flow>;

fn pair(binary: &Path, test: &Path) -> Result<(String, Flows, Flows)> {
    let name = test
        .file_stem()
        .map_or(String::new(), |stem| stem.to_string_lossy().into());
    let mut theirs = Flows::new();
    let sessions: Value = serde_json::from_str(&fs::read_to_string(test)?)?;
    for session in sessions["sessions3"].as_array().into_iter().flatten() {
        let body = &session["body"];
        let protocol = text(body, "/ipProtocol");
        let community = text(body, "/network/community_id");
        add(
            &mut theirs,
            &protocol,
            &community,
            ["source", "destination"].map(|end| {
                let end = &body[end];
                let count = |name: &str| end[name].as_u64().unwrap_or(0);
                (
                    text(end, "/ip"),
                    text(end, "/port"),
                    count("packets"),
                    count("bytes"),
                )
            }),
        );
    }
    let mut ours = Flows::new();
    let capture = ["pcap", "pcapng"].map(|kind| test.with_extension(kind));
    let Some(capture) = capture.iter().find(|path| path.is_file()) else {
        return Ok((name, theirs, ours));
    };
    ours::events(binary, "ndjson", capture, |event| {
        if event["unmapped"]["about"] != "flow" {
            return;
        }
        let protocol = text(&event, "/connection_info/protocol_num");
        let community = text(&event, "/connection_info/community_uid");
        let traffic = |name: &str| event["traffic"][name].as_u64().unwrap_or(0);
        let end = |name: &str, side: &str| {
            let (packets, octets) = (format!("packets_{side}"), format!("bytes_{side}"));
            let (ip, port) = (format!("/{name}/ip"), format!("/{name}/port"));
            (
                text(&event, &ip),
                text(&event, &port),
                traffic(&packets),
                traffic(&octets),
            )
        };
        let ends = [end("src_endpoint", "out"), end("dst_endpoint", "in")];
        add(&mut ours, &protocol, &community, ends);
    })?;
    Ok((name, theirs, ours))
}

fn add(flows: &mut Flows, protocol: &str, community: &str, ends: [(String, String, u64, u64); 2]) {
    let has_ports = matches!(protocol, "6" | "17" | "132");
    let named = ends.map(|(ip, port, packets, octets)| {
        let port = if has_ports && !port.is_empty() {
            port
        } else {
            "0".to_owned()
        };
        (format!("{ip} {port}"), packets, octets)
    });
    if named.iter().any(|(name, ..)| name.starts_with(' ')) {
        return;
    }
    let mut names = [&named[0].0, &named[1].0];
    names.sort();
    let flow = flows
        .entry(format!("{protocol} {} {}", names[0], names[1]))
        .or_default();
    if !community.is_empty() {
        flow.communities.insert(community.to_owned());
    }
    for (name, packets, octets) in named {
        let sum = flow.ends.entry(name).or_default();
        sum.0 += packets;
        sum.1 += octets;
    }
}

impl Outcome {
    fn compare(&mut self, capture: &str, key: &str, theirs: &Flow, ours: Option<&Flow>) {
        self.flows += 1;
        let mut differs = |what: String| {
            self.differences
                .push((capture.to_owned(), format!("{key}: {what}")));
        };
        let Some(ours) = ours else {
            differs("not a flow of ours".to_owned());
            return;
        };
        self.endpoints += 1;
        let (mut packets, mut octets) = (true, true);
        for (end, mine) in &ours.ends {
            let other = theirs.ends.get(end).copied().unwrap_or_default();
            packets &= other.0 == mine.0;
            octets &= other.1 >= mine.1 && other.1 - mine.1 <= mine.0 * AROUND;
        }
        let shown = |flow: &Flow| format!("{:?}", flow.ends.values().collect::<Vec<_>>());
        if !packets || !octets {
            differs(format!("Arkime {}, Vigie {}", shown(theirs), shown(ours)));
        }
        if !theirs.communities.is_empty() && !ours.communities.is_empty() {
            self.communities += 1;
            let same = theirs.communities.is_subset(&ours.communities);
            if !same {
                differs("another Community ID".to_owned());
            }
            self.same_community += u64::from(same);
        }
        self.packets += u64::from(packets);
        self.octets += u64::from(packets && octets);
    }
}
