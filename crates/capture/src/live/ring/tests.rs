use super::*;

/// A block as the kernel lays it out, from its first octet.
fn block(records: &[(u8, Option<u16>, &[u8])]) -> Vec<u8> {
    let mut out = vec![0; 48];
    out[12..16].copy_from_slice(&u32::try_from(records.len()).unwrap().to_ne_bytes());
    out[16..20].copy_from_slice(&48u32.to_ne_bytes());
    for (i, (kind, vlan, bytes)) in records.iter().enumerate() {
        let last = i + 1 == records.len();
        let size = (82 + bytes.len()).next_multiple_of(8);
        let mut record = vec![0; size];
        let len = u32::try_from(bytes.len()).unwrap();
        let status = 1 | if vlan.is_some() { 1u32 << 4 } else { 0 };
        let next = if last {
            0
        } else {
            u32::try_from(size).unwrap()
        };
        let fields = [next, 1_700_000_000, 5, len, len + 10, status];
        for (place, value) in record.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&value.to_ne_bytes());
        }
        record[24..26].copy_from_slice(&82u16.to_ne_bytes());
        record[32..36].copy_from_slice(&u32::from(vlan.unwrap_or(0) | 0xe000).to_ne_bytes());
        record[48 + 10] = *kind;
        record[82..82 + bytes.len()].copy_from_slice(bytes);
        out.extend(record);
    }
    out
}

/// Octets and VLAN of each frame.
type Seen = Vec<(Vec<u8>, Option<u16>)>;

fn walk(octets: &[u8], loopback: bool) -> (Seen, RingStats) {
    let (mut frames, mut stats, mut seen) = (0, RingStats::default(), Vec::new());
    let walk = Walk {
        link: LinkType::ETHERNET,
        loopback,
        frames: &mut frames,
        stats: &mut stats,
    };
    walk.block(&octets[AFTER_STATUS..], &mut |frame| {
        assert_eq!(frame.time, Nanos(1_700_000_000_000_000_005));
        assert_eq!(frame.wire_len as usize, frame.bytes.len() + 10);
        seen.push((frame.bytes.to_vec(), frame.vlan));
        assert_eq!(frame.number, seen.len() as u64);
    });
    (seen, stats)
}

#[test]
fn walks_over_a_block() {
    let octets = block(&[
        (0, None, b"one"),
        (4, Some(7), b"two"),
        (0, Some(0), &[9; 2000]),
    ]);
    let (seen, stats) = walk(&octets, false);
    assert_eq!(seen[0], (b"one".to_vec(), None));
    assert_eq!(seen[1], (b"two".to_vec(), Some(7)));
    assert_eq!(seen[2], (vec![9; 2000], Some(0)));
    assert_eq!(stats, RingStats::default());
    let (seen, stats) = walk(&octets, true);
    assert_eq!((seen.len(), stats.duplicates), (2, 1));
    assert_eq!(walk(&block(&[]), false), (Vec::new(), RingStats::default()));
}

#[test]
fn a_record_that_leads_outside_is_counted() {
    let whole = block(&[(0, None, b"one"), (0, None, b"two")]);
    for cut in 48..whole.len() {
        let (seen, stats) = walk(&whole[..cut], false);
        assert!(seen.len() < 2 || stats.malformed == 0);
        assert_eq!(seen.len() == 2, stats.malformed == 0, "{cut}");
    }
    for at in 12..whole.len() {
        let mut bad = whole.clone();
        bad[at] = 0xff;
        let mut stats = RingStats::default();
        let walk = Walk {
            link: LinkType::ETHERNET,
            loopback: false,
            frames: &mut 0,
            stats: &mut stats,
        };
        walk.block(&bad[AFTER_STATUS..], &mut |_| {});
    }
}

#[test]
fn the_layout_is_the_kernels() {
    assert_eq!((STATUS, AFTER_STATUS, TAG, KIND), (8, 12, 32, 58));
    assert_eq!(size_of::<libc::tpacket_block_desc>(), 48);
}

#[test]
fn a_block_is_ours_only_while_the_kernel_says_so() {
    // Memory of our own stands for the kernel's: this test also runs under Miri.
    let mut words = vec![0u64; 64];
    // Both halves, so that the byte order does not matter; the other one is `num_pkts`.
    words[(256 + STATUS) / 8] = u64::from(libc::TP_STATUS_USER) * 0x1_0000_0001;
    let base = NonNull::new(words.as_mut_ptr().cast()).unwrap();
    let mut map = std::mem::ManuallyDrop::new(Map { base, bytes: 512 });
    assert!(map.block(0, 256).is_none());
    let ready = map.block(256, 256).unwrap();
    assert_eq!(ready.octets().len(), 256 - AFTER_STATUS);
    ready.release();
    assert!(map.block(256, 256).is_none());
    assert!(map.block(512, 256).is_none() && map.block(4, 256).is_none());
}

#[test]
fn parameters_have_ranges() {
    let good = LiveConfig::of("lo");
    assert_eq!(geometry(&good).unwrap(), (64, 1 << 20));
    for bad in [
        LiveConfig {
            ring_mib: 0,
            ..good.clone()
        },
        LiveConfig {
            ring_mib: 5000,
            ..good.clone()
        },
        LiveConfig {
            block_kib: 0,
            ..good.clone()
        },
        LiveConfig {
            block_kib: 1000,
            ..good.clone()
        },
        LiveConfig {
            ring_mib: 1,
            ..good.clone()
        },
        LiveConfig {
            block_timeout_ms: 0,
            ..good
        },
    ] {
        assert_eq!(geometry(&bad).err().unwrap().code(), "live_config");
    }
}
