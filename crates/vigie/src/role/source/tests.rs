use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Parser as _;
use model::{Event, NodeId};
use wire::Sequence;
use wire::log::{LogConfig, LogKind};

use super::Lanes;
use super::follow::log::Log;
use super::place::{Place, Places};
use crate::cli::Cli;
use crate::state::DataDir;

fn config() -> LogConfig {
    LogConfig {
        node: NodeId(0x80),
        site: "test".into(),
        sequence: Sequence::Counter(1000),
    }
}

fn data_dir(path: &Path) -> DataDir {
    let cli = Cli::parse_from(["vigie", "--data-dir", path.to_str().unwrap(), "doctor"]);
    DataDir::open(&cli).unwrap()
}

/// A line of EVE whose event carries `n`.
fn eve(n: u32) -> String {
    format!(
        "{{\"timestamp\":\"2026-11-23T10:00:00.000000+0000\",\"event_type\":\"dns\",\
         \"dns\":{{\"type\":\"request\",\"rrname\":\"n{n}.test\"}}}}\n"
    )
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn log(path: &Path, kept: Option<Place>) -> Log {
    Log::new(path.to_owned(), Some(LogKind::Eve), config(), kept)
}

/// Reads until there are so many events, or for longer than any rotation needs.
fn until(log: &mut Log, events: &mut Vec<Event>, count: usize) {
    let end = Instant::now() + Duration::from_secs(20);
    while events.len() < count && Instant::now() < end {
        if !log.read(events).unwrap() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Sequence and name asked for.
fn told(events: &[Event]) -> Vec<(u64, String)> {
    let name = |event: &Event| {
        let model::Body::Dns(dns) = &event.body else {
            panic!("another class")
        };
        dns.query.clone().unwrap().into_owned()
    };
    events
        .iter()
        .map(|event| (event.meta.uid.seq, name(event)))
        .collect()
}

fn expected(names: &[u32]) -> Vec<(u64, String)> {
    (1000..)
        .zip(names.iter().map(|n| format!("n{n}.test")))
        .collect()
}

#[test]
fn a_log_is_followed_across_rename_and_truncation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eve.json");
    let mut log = log(&path, None);
    let mut events = Vec::new();
    assert!(!log.read(&mut events).unwrap());
    assert!(log.problem().unwrap().ends_with("there is no such file"));
    // A line is taken when its end is there.
    append(&path, &eve(1));
    append(&path, eve(2).trim_end());
    until(&mut log, &mut events, 1);
    assert!(!log.read(&mut events).unwrap() && events.len() == 1);
    append(&path, "\n");
    until(&mut log, &mut events, 2);
    // The writer goes on in the renamed file for a while.
    fs::rename(&path, folder.path().join("eve.json.1")).unwrap();
    append(&folder.path().join("eve.json.1"), &eve(3));
    append(&path, &eve(4));
    until(&mut log, &mut events, 4);
    // copytruncate.
    fs::OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(&path)
        .unwrap();
    until(&mut log, &mut events, 4);
    assert!(log.read(&mut events).unwrap(), "the truncation is seen");
    append(&path, &eve(5));
    until(&mut log, &mut events, 5);
    assert_eq!(told(&events), expected(&[1, 2, 3, 4, 5]));
    assert_eq!(log.totals().records, 5);
}

#[test]
fn a_restart_neither_loses_nor_doubles_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eve.json");
    append(&path, &(eve(1) + &eve(2) + "{\"half"));
    let mut events = Vec::new();
    let mut first = log(&path, None);
    until(&mut first, &mut events, 2);
    let place = first.place().unwrap();
    // Rotated while nobody reads, then written anew.
    fs::rename(&path, folder.path().join("eve-old.json")).unwrap();
    append(
        &folder.path().join("eve-old.json"),
        &("\": 1}\n".to_owned() + &eve(3)),
    );
    append(&path, &eve(4));
    let mut second = log(&path, Some(place.clone()));
    until(&mut second, &mut events, 4);
    assert_eq!(told(&events), expected(&[1, 2, 3, 4]));
    // The same again from the same place gives the same identities: the store refuses them.
    let mut again = Vec::new();
    until(&mut log(&path, Some(place.clone())), &mut again, 2);
    assert_eq!(told(&again), told(&events)[2..]);
    // Gone for good: what can be read gets numbers that were never given, and the loss is counted.
    fs::remove_file(folder.path().join("eve-old.json")).unwrap();
    let (mut third, mut rest) = (log(&path, Some(place)), Vec::new());
    until(&mut third, &mut rest, 1);
    assert_eq!(told(&rest), [(1000, "n4.test".to_owned())]);
    assert_eq!(third.totals().lost, 1);
}

#[test]
fn a_new_file_under_the_same_number_is_not_taken_for_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eve.json");
    append(&path, &eve(1));
    let mut events = Vec::new();
    let mut first = log(&path, None);
    until(&mut first, &mut events, 1);
    let place = first.place().unwrap();
    // Written over in place: number and length are those of the old one.
    fs::write(&path, eve(2) + &eve(3)).unwrap();
    let mut second = log(&path, Some(place));
    until(&mut second, &mut events, 3);
    assert_eq!(told(&events)[1].1, "n2.test");
}

#[test]
fn the_head_of_a_tsv_log_is_known_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dns.log");
    let head = "#separator \\x09\n#path\tdns\n#fields\tts\tquery\n#types\ttime\tstring\n";
    append(&path, &format!("{head}1.0\tn1.test\n"));
    let mut events = Vec::new();
    let mut first = Log::new(path.clone(), None, config(), None);
    until(&mut first, &mut events, 1);
    append(&path, "2.0\tn2.test\n");
    let mut second = Log::new(path, None, config(), first.place());
    until(&mut second, &mut events, 2);
    assert_eq!(told(&events), expected(&[1, 2]));
}

#[test]
fn a_place_is_kept_once_its_events_are_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let dir = data_dir(&folder.path().join("state"));
    let at = |bytes| {
        let place = Place {
            bytes,
            ..Place::default()
        };
        std::collections::BTreeMap::from([("eve.json".to_owned(), place)])
    };
    let mut places = Places::open(&dir, "x");
    places.note(1, at(10));
    places.note(2, at(20));
    places.note(3, at(30));
    places.keep(2, true);
    assert_eq!(Places::open(&dir, "x").of("eve.json").unwrap().bytes, 20);
    places.keep(3, true);
    assert_eq!(Places::open(&dir, "x").of("eve.json").unwrap().bytes, 30);
}

#[test]
fn a_log_keeps_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let dir = data_dir(&folder.path().join("state"));
    let mut lanes = Lanes::open(&dir);
    let first = lanes.of("zeek/conn.log").unwrap();
    assert_ne!(lanes.of("zeek/dns.log"), Some(first));
    assert_eq!(Lanes::open(&dir).of("zeek/conn.log"), Some(first));
    for n in 0..super::LANES_MAX {
        let _ = lanes.of(&format!("zeek/{n}.log"));
    }
    assert_eq!(lanes.of("zeek/one-more.log"), None);
    assert!(lanes.known.values().all(|lane| (0x80..0xff).contains(lane)));
}
