//! One flow out of the ring: the packets of the source, and nothing that is damaged.

use std::fs;

use super::*;
use crate::file::Source;

/// Time and octets of the packets of a capture.
fn frames(pcap: &[u8]) -> Vec<(Nanos, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.pcap");
    fs::write(&path, pcap).unwrap();
    let mut source = Source::open(&path).unwrap();
    let mut out = Vec::new();
    while let Some(frame) = source.next().unwrap() {
        out.push((frame.time, frame.bytes.to_vec()));
    }
    out
}

#[test]
fn a_flow_comes_out_as_it_went_in() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let (mut writer, _) = open(config(dir.path()), &keys);
    let mut mixed = Vec::new();
    let talk = talk();
    for (n, frame) in (0u16..).zip(&talk) {
        mixed.push(frame.clone());
        mixed.extend((0..30).map(|k| packet(k, 1200, u64::from(n) * 100 + u64::from(k))));
    }
    show(&mut writer, 0, &mixed);
    assert!(writer.status().blocks >= 2);
    writer.finish(NOW);
    let ends = [[10, 0, 0, 1], [10, 0, 0, 2]].map(std::net::IpAddr::from);
    let id = model::community::community_id(ends[1], ends[0], 6, 80, 40_000);
    let (said, pcap) = extract(dir.path(), &keys, &id);
    let found = frames(&pcap);
    assert_eq!(
        found
            .iter()
            .map(|(_, bytes)| bytes.clone())
            .collect::<Vec<_>>(),
        talk
    );
    assert!(found.is_sorted_by_key(|(time, _)| *time));
    assert_eq!(said.packets, u64::try_from(talk.len()).unwrap());
    assert_eq!(said.bytes, u64::try_from(pcap.len()).unwrap());
    assert_eq!((said.skipped_blocks, said.limited), (0, false));
    // A span, a limit, a flow that is not there, a name that is none.
    let mut out = Vec::new();
    let first = said.first.unwrap();
    let ask = Ask {
        flow: &id,
        from: Some(first),
        to: Some(Nanos(first.0 + 31_000_000)),
        bytes_max: u64::MAX,
    };
    let reader = reader(dir.path(), &keys);
    assert_eq!(reader.extract(&ask, &mut out).unwrap().packets, 2);
    let little = Ask {
        from: None,
        to: None,
        bytes_max: 120,
        ..ask.clone()
    };
    let said = reader.extract(&little, &mut Vec::new()).unwrap();
    assert_eq!((said.packets, said.limited), (1, true));
    assert_eq!(
        extract(dir.path(), &keys, &flow(999)),
        (Extracted::default(), Vec::new())
    );
    assert!(matches!(
        reader.extract(&Ask { flow: "1:x", ..ask }, &mut out),
        Err(RingError::Flow(_))
    ));
}

#[test]
fn a_vlan_tag_that_the_kernel_took_is_put_back() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let (mut writer, _) = open(config(dir.path()), &keys);
    let plain = packet(1, 20, 1);
    let mut frame = testing::frame(Nanos(NOW.0 * 1_000_000), 1, &plain);
    frame.vlan = Some(42);
    let mut record = Vec::new();
    record::push(&frame, &mut record);
    writer.take(&record, NOW);
    writer.finish(NOW);
    let (_, pcap) = extract(dir.path(), &keys, &flow(1));
    let tagged = [&plain[..12], &[0x81, 0, 0, 42], &plain[12..]].concat();
    assert_eq!(frames(&pcap)[0].1, tagged);
}

#[test]
fn damage_costs_the_damaged_part_and_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let big = Config {
        block_bytes: 2 * 1024 * 1024,
        ..Config::of(dir.path(), 8 * SIZE_BYTES_MIN)
    };
    let (mut writer, _) = open(big, &keys);
    let frames: Vec<Vec<u8>> = (0..3000)
        .map(|n: u16| packet(n / 300, 1200, u64::from(n)))
        .collect();
    show(&mut writer, 0, &frames);
    writer.finish(NOW);
    let path = dir.path().join("000000000001.blk");
    let good = fs::read(&path).unwrap();
    let all = |n| extract(dir.path(), &keys, &flow(n)).0;
    assert_eq!(all(0).packets, 300);
    // A bit of the last chunk: only flows in it are touched.
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    fs::write(&path, &bad).unwrap();
    assert_eq!((all(0).packets, all(0).skipped_blocks), (300, 0));
    let whole = (0..10).map(|n| all(n).skipped_blocks).sum::<u64>();
    assert!(whole >= 1);
    // Cut off: what stands before is there, and it is said.
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    assert_eq!((all(0).packets, all(0).skipped_blocks), (300, 1));
    fs::write(&path, &good[..good.len() / 6]).unwrap();
    assert!((1..300).contains(&all(0).packets));
    // The index: the block is lost.
    let mut bad = good.clone();
    bad[layout::HEAD_BYTES + 3] ^= 1;
    fs::write(&path, &bad).unwrap();
    assert_eq!(
        all(0).skipped,
        [("000000000001.blk".to_owned(), Skipped::Damaged)]
    );
    // A later version; a key that was destroyed.
    let mut newer = good.clone();
    newer[8] = 9;
    fs::write(&path, &newer).unwrap();
    assert_eq!(all(0).skipped[0].1, Skipped::Newer);
    fs::write(&path, &good).unwrap();
    keys.keys.lock().unwrap().clear();
    assert_eq!(all(0).skipped[0].1, Skipped::KeyGone);
    assert_eq!(reader(dir.path(), &keys).forget(1700).unwrap(), 2);
    assert!(!path.exists());
}

/// A head, an index or a record of any octets never panics and never reads beyond its end.
#[test]
fn any_octets_are_refused_in_peace() {
    let mut seed = 1u64;
    for length in (0..400).chain([4096]) {
        let mut bytes = vec![0; length];
        seed += 1;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        hasher.finalize_xof().fill(&mut bytes);
        assert!(layout::Head::decode(&bytes).is_err());
        assert!(index::Index::decode(&bytes).is_none());
        for (_, octets) in record::Records::new(&bytes) {
            assert!(octets <= length);
        }
    }
}

fn clock() -> Millis {
    NOW
}

#[test]
fn the_thread_takes_what_taps_hand_over_and_closes_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let (writer, _) = open(Config::of(dir.path(), SIZE_BYTES_MIN), &keys);
    let keeper = Keeper::start(writer, clock).unwrap();
    let mut tap = keeper.tap();
    let frames: Vec<Vec<u8>> = (0..1000)
        .map(|n| packet(n % 7, 500, u64::from(n)))
        .collect();
    for bytes in &frames {
        tap.frame(&testing::frame(Nanos(NOW.0 * 1_000_000), 1, bytes));
    }
    drop(tap);
    let wait = std::time::Duration::from_secs(20);
    assert!(ask_to_close(dir.path(), wait));
    let mut seen = extract(dir.path(), &keys, &flow(0)).0.packets;
    // The batches may still have been in the queue.
    while seen < 143 {
        assert!(ask_to_close(dir.path(), wait));
        seen = extract(dir.path(), &keys, &flow(0)).0.packets;
    }
    keeper.finish();
    assert_eq!(extract(dir.path(), &keys, &flow(0)).0.packets, 143);
    assert!(!dir.path().join("running").exists());
}

#[test]
fn a_full_queue_drops_from_the_ring_only_and_counts() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let (writer, _) = open(Config::of(dir.path(), SIZE_BYTES_MIN), &keys);
    // A writer that does not come round: its lock is held by this test.
    let held = keys.keys.lock().unwrap();
    let keeper = Keeper::start(writer, clock).unwrap();
    let mut tap = keeper.tap();
    let bytes = packet(1, 1400, 1);
    let shown = 300_000u64;
    for _ in 0..shown {
        tap.frame(&testing::frame(Nanos(NOW.0 * 1_000_000), 1, &bytes));
    }
    let dropped = keeper.status().0.dropped_queue;
    assert!(dropped > 0);
    drop(held);
    drop(tap);
    let depth = keeper.depth().1;
    assert_eq!(depth, 128);
    let shared = keeper;
    shared.finish();
    let kept = reader(dir.path(), &keys).status().unwrap().packets;
    assert!(kept > 0 && kept < shown);
}
