use std::fs;
use std::path::{Path, PathBuf};

use capture::ring::{Ask, Config as RingConfig, Extracted, Reader, SIZE_BYTES_MIN, Tap};
use model::Nanos;
use wire::testing::{self, Talk};

use super::*;

/// 2026-11-23 00:00:00 UTC.
const NOW: Millis = Millis(1_795_392_000_000);
/// Of the talk below.
const FLOW: &str = "1:KGcFIUrJwJ9zL7OCkEbg6haUUGI=";

fn now() -> Millis {
    NOW
}

/// A talk with words that must not stand on disk, and other flows around it.
fn frames() -> Vec<Vec<u8>> {
    let talk = Talk::to_port(2575)
        .open()
        .say(wire::protocol::Side::Client, b"PID|1||DURAND^JEANNE")
        .close();
    let talk = talk.frames.into_iter().map(|(_, bytes)| bytes);
    let other = |n: u8| {
        let datagram = testing::udp(5000, 53, &[n; 40]);
        let packet = testing::ip4([10, 1, 0, n], [10, 0, 0, 53], 17, 0, &datagram);
        testing::ethernet([2; 6], [4; 6], 0x0800, &packet)
    };
    talk.zip(0..)
        .flat_map(|(frame, n)| [frame, other(n), other(100 + n)])
        .collect()
}

fn show(tap: &mut Tap) {
    for (ms, bytes) in (0..).zip(&frames()) {
        let time = Nanos((NOW.0 + ms) * 1_000_000);
        tap.frame(&testing::frame(time, 1, bytes));
    }
}

/// Writes a ring of one block below a data folder.
fn write(dir: &Path) {
    let config = RingConfig::of(&folder(dir), SIZE_BYTES_MIN);
    let (writer, _) = Writer::open(config, keys(dir).unwrap(), NOW).unwrap();
    let keeper = Keeper::start(writer, now).unwrap();
    show(&mut keeper.tap());
    keeper.finish();
}

fn read(dir: &Path) -> (Extracted, Vec<u8>) {
    let mut pcap = Vec::new();
    let ask = Ask {
        flow: FLOW,
        from: None,
        to: None,
        bytes_max: u64::MAX,
    };
    let reader = Reader::new(&folder(dir), keys(dir).unwrap());
    let said = reader.extract(&ask, &mut pcap).unwrap();
    (said, pcap)
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|part| part == words)
}

#[test]
fn packets_are_sealed_and_go_with_their_key() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    for file in fs::read_dir(folder(dir.path())).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!holds(&bytes, b"DURAND"));
    }
    let (said, pcap) = read(dir.path());
    assert_eq!((said.packets, said.skipped_blocks), (7, 0));
    assert!(holds(&pcap, b"DURAND^JEANNE"));
    assert_eq!(forget(dir.path(), "2026-11").unwrap(), 1);
    assert_eq!(read(dir.path()).0, Extracted::default());
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/ring-1")
}

/// Rings written by past versions open: one folder per format version in `testdata`.
#[test]
fn the_fixture_of_version_1_opens() {
    let dir = tempfile::tempdir().unwrap();
    for part in ["ring", "keys"] {
        fs::create_dir(dir.path().join(part)).unwrap();
        for file in fs::read_dir(fixture().join(part)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), dir.path().join(part).join(file.file_name())).unwrap();
        }
    }
    let (said, pcap) = read(dir.path());
    assert_eq!((said.packets, said.skipped_blocks, said.blocks), (7, 0, 1));
    assert!(holds(&pcap, b"DURAND^JEANNE"));
    assert_eq!(capture::ring::VERSION, 1);
}

/// Writes the fixture of the present version; run once per format version.
#[test]
#[ignore = "writes the fixture of a new format version"]
fn write_the_fixture() {
    let _ = fs::remove_dir_all(fixture());
    write(&fixture());
}

/// How long one flow takes out of a ring of 1 GiB: `-- --ignored --nocapture measure`.
#[test]
#[ignore = "a measure: a gigabyte is written"]
fn measure_one_flow_out_of_a_gigabyte() {
    let dir = tempfile::tempdir().unwrap();
    let config = RingConfig::of(&folder(dir.path()), 1 << 30);
    let (mut writer, _) = Writer::open(config, keys(dir.path()).unwrap(), NOW).unwrap();
    let talk = frames();
    // What does not compress: the ring is full then.
    let noise: Vec<u8> = (0..64u64)
        .flat_map(|n| blake3::hash(&n.to_le_bytes()).as_bytes().to_vec())
        .collect();
    let started = std::time::Instant::now();
    let packets = 1_000_000u32;
    let mut record = Vec::new();
    for n in 0..packets {
        let time = Nanos((NOW.0 * 1000 + i64::from(n)) * 1000);
        let [_, a, b, c] = (n / 8).to_be_bytes();
        let mut payload = noise.get(..1000).unwrap().to_vec();
        payload
            .iter_mut()
            .zip(blake3::hash(&n.to_le_bytes()).as_bytes().iter().cycle())
            .for_each(|(octet, key)| *octet = octet.wrapping_mul(*key | 1) ^ key);
        let datagram = testing::udp(5000, 53, &payload);
        let packet = testing::ip4([10, a, b, c], [10, 0, 0, 53], 17, 0, &datagram);
        let frame = testing::ethernet([2; 6], [4; 6], 0x0800, &packet);
        record.clear();
        capture::ring::record_of(&testing::frame(time, 1, &frame), &mut record);
        if n % 50_000 == 0 {
            let part = usize::try_from(n / 50_000 * 3).unwrap() % talk.len();
            capture::ring::record_of(&testing::frame(time, 1, &talk[part]), &mut record);
        }
        writer.take(&record, NOW);
    }
    let status = writer.status();
    writer.finish(NOW);
    let wrote = started.elapsed();
    let started = std::time::Instant::now();
    let (said, _) = read(dir.path());
    println!(
        "{packets} packets in {wrote:?}; {} blocks, {} bytes; one flow ({} packets, {} blocks) \
         in {:?}",
        status.blocks,
        status.bytes,
        said.packets,
        said.blocks,
        started.elapsed()
    );
    assert!(said.packets > 5);
}
