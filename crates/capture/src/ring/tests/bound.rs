//! The size on disk, eviction, pins, crashes.

use std::fs;

use proptest::prelude::*;

use super::*;

/// Frames of 20 flows, some hundred KiB together.
fn round(seed: u64) -> Vec<Vec<u8>> {
    let one = |n: u16| packet(n, 1400, seed * 1000 + u64::from(n));
    (0..200).map(|n| one(n % 20)).collect()
}

#[test]
fn the_size_on_disk_is_never_exceeded() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let (mut writer, _) = open(config(dir.path()), &keys);
    for n in 0..60u16 {
        show(&mut writer, i64::from(n) * 1000, &round(u64::from(n)));
        assert!(on_disk(dir.path()) <= SIZE_BYTES_MIN);
        assert!(writer.status().bytes <= SIZE_BYTES_MIN);
    }
    let status = writer.status();
    assert!(status.bytes > SIZE_BYTES_MIN / 2, "{status:?}");
    assert_eq!(status.dropped_disk, 0);
    // The oldest went, the latest are there.
    assert!(status.oldest.unwrap().millis().0 > NOW.0);
    writer.finish(Millis(NOW.0 + 100_000));
    let (said, _) = extract(dir.path(), &keys, &flow(3));
    assert_eq!(said.skipped_blocks, 0);
    assert_eq!(said.last.unwrap().millis().0, NOW.0 + 59_000 + 183);
    // A smaller size holds from the start on.
    let (writer, found) = open(config(dir.path()), &keys);
    assert_eq!((found.killed, found.torn), (false, 0));
    drop(writer);
}

#[test]
fn a_killed_writer_costs_its_open_block_and_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let (mut writer, _) = open(config(dir.path()), &keys);
    show(&mut writer, 0, &round(1));
    show(&mut writer, 1000, &[packet(77, 100, 5)]);
    let blocks = writer.status().blocks;
    assert!(blocks >= 3);
    // As kill -9 leaves it: nothing is ended, a block half written.
    std::mem::forget(writer);
    fs::write(dir.path().join("000000000099.part"), [1; 5000]).unwrap();
    fs::write(dir.path().join("000000000098.blk"), b"not a block").unwrap();
    let (writer, found) = open(config(dir.path()), &keys);
    assert_eq!(found.blocks, blocks);
    assert_eq!((found.killed, found.torn, found.unreadable), (true, 1, 1));
    assert!(found.newest.is_some());
    assert_eq!(extract(dir.path(), &keys, &flow(77)).0.packets, 0);
    assert!(extract(dir.path(), &keys, &flow(3)).0.packets > 0);
    // Numbers go on after what was ever there.
    let mut writer = writer;
    show(&mut writer, 5000, &round(2));
    assert!(dir.path().join("000000000099.blk").exists());
}

#[test]
fn pinned_blocks_stay_within_their_share_until_released() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let (mut writer, _) = open(config(dir.path()), &keys);
    show(&mut writer, 0, &[packet(500, 1000, 1)]);
    show(&mut writer, 1, &round(1));
    writer.close(NOW);
    let mut pins = Pins::load(dir.path()).unwrap();
    let pin = Pin {
        flow: flow(500),
        made: NOW,
        until: Millis(NOW.0 + 86_400_000),
        why: "a\tdetection".to_owned(),
    };
    pins.pin(dir.path(), pin).unwrap();
    assert_eq!(Pins::load(dir.path()).unwrap().list()[0].why, "a detection");
    for n in 2..60u16 {
        show(&mut writer, i64::from(n) * 1000, &round(u64::from(n)));
    }
    assert_eq!(extract(dir.path(), &keys, &flow(500)).0.packets, 1);
    let status = writer.status();
    assert!(
        status.pinned_bytes > 0 && status.unpinned == 0,
        "{status:?}"
    );
    // After a restart, too.
    writer.finish(NOW);
    let (mut writer, _) = open(config(dir.path()), &keys);
    assert!(writer.status().pinned_bytes > 0);
    assert!(pins.release(dir.path(), &flow(500)).unwrap());
    assert!(!pins.release(dir.path(), &flow(500)).unwrap());
    for n in 60..120u16 {
        show(&mut writer, i64::from(n) * 1000, &round(u64::from(n)));
    }
    assert_eq!(extract(dir.path(), &keys, &flow(500)).0.packets, 0);
    assert_eq!(writer.status().pinned_bytes, 0);
}

#[test]
fn pins_beyond_their_share_lose_their_oldest_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let (mut writer, _) = open(config(dir.path()), &keys);
    let mut pins = Pins::default();
    let pin = Pin {
        flow: flow(3),
        made: NOW,
        until: Millis(i64::MAX),
        why: String::new(),
    };
    // Flow 3 is in every block.
    pins.pin(dir.path(), pin).unwrap();
    for n in 0..60u16 {
        show(&mut writer, i64::from(n) * 1000, &round(u64::from(n)));
        assert!(on_disk(dir.path()) <= SIZE_BYTES_MIN);
    }
    let status = writer.status();
    assert!(status.unpinned > 0);
    assert_eq!(status.dropped_disk, 0);
    assert!(
        pins.pin(
            dir.path(),
            Pin {
                flow: "no".to_owned(),
                ..pins.list()[0].clone()
            }
        )
        .is_err()
    );
}

#[test]
fn a_full_disk_costs_the_oldest_blocks_then_packets_of_the_ring_only() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let floor = Config {
        free_bytes_min: 1000,
        free_bytes: |_| Some(0),
        ..config(dir.path())
    };
    let (mut writer, _) = open(floor, &keys);
    show(&mut writer, 0, &round(1));
    let status = writer.status();
    assert_eq!(status.blocks, 0);
    assert!(status.dropped_disk > 0);
    assert!(writer.error().unwrap().contains("no room"));
}

#[test]
fn what_is_too_old_goes_although_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let short = Config {
        days_max: 2,
        ..config(dir.path())
    };
    let (mut writer, _) = open(short, &keys);
    show(&mut writer, 0, &[packet(1, 10, 1)]);
    writer.tick(Millis(NOW.0 + 70_000));
    assert_eq!(writer.status().blocks, 1);
    show(&mut writer, 3 * 86_400_000, &[packet(2, 10, 1)]);
    writer.close(Millis(NOW.0 + 3 * 86_400_000));
    assert_eq!(extract(dir.path(), &keys, &flow(1)).0.packets, 0);
    assert_eq!(extract(dir.path(), &keys, &flow(2)).0.packets, 1);
}

#[test]
fn ports_networks_and_later_bytes_of_a_flow_can_be_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Ringkeys::default());
    let some = Config {
        keep_bytes_per_flow: Some(3000),
        filter: Filter {
            skip_ports: vec![10_002],
            inside: Some(Box::new(|ip| ip == std::net::IpAddr::from([10, 0, 0, 1]))),
        },
        ..config(dir.path())
    };
    let (mut writer, _) = open(some, &keys);
    let mut frames: Vec<Vec<u8>> = (0..10).map(|n| packet(1, 1000, n)).collect();
    frames.push(packet(2, 10, 1));
    let foreign = testing::ip4([9, 9, 9, 9], [8, 8, 8, 8], 17, 0, &testing::udp(1, 2, b"x"));
    frames.push(testing::ethernet([2; 6], [4; 6], 0x0800, &foreign));
    show(&mut writer, 0, &frames);
    writer.close(NOW);
    assert_eq!(writer.status().packets, 3);
    assert_eq!(writer.status().skipped, 9);
    assert_eq!(extract(dir.path(), &keys, &flow(1)).0.packets, 3);
    assert_eq!(extract(dir.path(), &keys, &flow(2)).0.packets, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever comes, in whatever order, with kills between: the size holds, and what the ring
    /// says it has is there.
    #[test]
    fn the_size_holds_whatever_comes(
        steps in prop::collection::vec((0u8..5, 1u16..120, 20usize..1400), 1..24),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let keys = Arc::new(Ringkeys::default());
        let (mut writer, _) = open(config(dir.path()), &keys);
        for (at, (what, count, octets)) in (0u16..).zip(steps) {
            let at_ms = i64::from(at) * 100_000;
            match what {
                0 => {
                    std::mem::forget(writer);
                    writer = open(config(dir.path()), &keys).0;
                }
                1 => writer.close(Millis(NOW.0 + at_ms)),
                _ => {
                    let seed = |n: u16| u64::from(at) * 1000 + u64::from(n);
                    let frame = |n: u16| packet(n % 50, octets, seed(n));
                    let frames: Vec<Vec<u8>> = (0..count * 5).map(frame).collect();
                    show(&mut writer, at_ms, &frames);
                }
            }
            prop_assert!(on_disk(dir.path()) <= SIZE_BYTES_MIN);
        }
        let status = writer.status();
        let found = reader(dir.path(), &keys).status().unwrap();
        prop_assert_eq!(status.blocks, found.blocks);
        prop_assert!(found.bytes <= status.bytes);
        prop_assert_eq!(status.dropped_disk, 0);
    }
}
