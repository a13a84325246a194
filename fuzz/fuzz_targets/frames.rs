//! The whole packet path: the input is cut into frames.
#![no_main]

use model::{Event, Nanos};
use wire::{Frame, LinkType, Worker, WireConfig};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut worker = Worker::new(WireConfig::default());
    let mut events: Vec<Event> = Vec::new();
    let mut rest = input;
    let mut number = 0;
    while let Some((len, tail)) = rest.split_first() {
        let (bytes, tail) = tail.split_at((usize::from(*len) * 8).min(tail.len()));
        number += 1;
        worker.frame(
            &Frame {
                time: Nanos(i64::try_from(number).unwrap_or(0) * 1_000_000),
                number,
                link: LinkType::ETHERNET,
                wire_len: u32::try_from(bytes.len()).unwrap_or(0),
                bytes,
                vlan: None,
            },
            &mut events,
        );
        rest = tail;
    }
    worker.finish(&mut events);
});
