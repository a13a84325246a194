use std::collections::BTreeMap;

use proptest::prelude::*;

use super::index::Index;
use super::key::{Key, Tuple, icmp_ports};
use super::wheel::Wheel;
use crate::ip::Addr;

proptest! {
    #[test]
    fn the_index_is_a_map(steps in prop::collection::vec((any::<bool>(), 0u32..300), 1..3000)) {
        // Few distinct hashes, so that chains are long and removal has to shift.
        let hash = |number: u32| (number * 7) % 50 + 1000;
        let mut index = Index::new();
        let mut model = BTreeMap::new();
        for (add, number) in steps {
            if add && !model.contains_key(&number) {
                index.insert(hash(number), number);
                model.insert(number, ());
            } else if !add {
                index.remove(hash(number), number);
                model.remove(&number);
            }
        }
        for number in 0..300 {
            let found = index.find(hash(number), |candidate| candidate == number);
            prop_assert_eq!(found.is_some(), model.contains_key(&number));
        }
    }

    #[test]
    fn the_wheel_gives_every_flow_once_and_in_time(
        start in -5000i64..5000,
        deadlines in prop::collection::vec((-10i64..3000, any::<bool>()), 1..200),
        jumps in prop::collection::vec(1i64..900, 1..30),
    ) {
        let mut wheel = Wheel::new();
        wheel.set(start);
        for (number, (deadline, _)) in (0u32..).zip(&deadlines) {
            wheel.add(number, start + deadline);
        }
        let mut left: BTreeMap<u32, i64> = BTreeMap::new();
        for (number, (deadline, removed)) in (0u32..).zip(&deadlines) {
            if *removed {
                wheel.remove(number);
            } else {
                left.insert(number, start + deadline);
            }
        }
        let mut now = start;
        let mut due = Vec::new();
        for jump in jumps {
            now += jump;
            while wheel.step(now, &mut due) {
                for number in due.drain(..) {
                    let deadline = left[&number];
                    if deadline > now {
                        wheel.add(number, deadline);
                    } else {
                        prop_assert!(left.remove(&number).is_some());
                    }
                }
            }
            prop_assert_eq!(wheel.now(), now);
            for deadline in left.values() {
                prop_assert!(*deadline > now);
            }
        }
    }

    #[test]
    fn both_directions_have_one_key(src in any::<[u8; 4]>(), dst in any::<[u8; 4]>(),
        ports in any::<(u16, u16)>(), seed in any::<u64>()) {
        let there = Tuple {
            src: Addr::v4(src),
            dst: Addr::v4(dst),
            src_port: ports.0,
            dst_port: ports.1,
            protocol: 6,
            v6: false,
            one_way: false,
            tunnel: false,
            space: 0,
        };
        let back = Tuple {
            src: there.dst,
            dst: there.src,
            src_port: ports.1,
            dst_port: ports.0,
            ..there
        };
        let (a, from_high) = Key::of(&there);
        let (b, _) = Key::of(&back);
        prop_assert!(a == b);
        prop_assert_eq!(a.hash(seed), b.hash(seed));
        prop_assert_eq!(a.endpoint(from_high), (there.src, ports.0));
        prop_assert_eq!(a.endpoint(!from_high), (there.dst, ports.1));
        prop_assert_eq!((a.protocol(), a.v6()), (6, false));
    }
}

#[test]
fn hashes_of_neighbouring_addresses_spread() {
    let mut buckets = vec![0u32; 256];
    for i in 0..65_536u32 {
        let tuple = Tuple {
            src: Addr::v4(i.to_be_bytes()),
            dst: Addr::v4([10, 0, 0, 1]),
            src_port: 1024,
            dst_port: 80,
            protocol: 6,
            v6: false,
            one_way: false,
            tunnel: false,
            space: 0,
        };
        let hash = Key::of(&tuple).0.hash(1) >> 32;
        buckets[(hash & 255) as usize] += 1;
    }
    let (least, most) = (buckets.iter().min().unwrap(), buckets.iter().max().unwrap());
    assert!(*least > 180 && *most < 340, "{least} {most}");
}

#[test]
fn icmp_types_are_paired() {
    assert_eq!(icmp_ports(false, 8, 0), (8, 0, false));
    assert_eq!(icmp_ports(false, 0, 0), (0, 8, false));
    assert_eq!(icmp_ports(false, 3, 1), (3, 1, true));
    assert_eq!(icmp_ports(true, 129, 0), (129, 128, false));
}
