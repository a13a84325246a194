#![expect(clippy::cast_possible_truncation, reason = "test data are small")]

use super::*;
use proptest::prelude::*;

#[derive(Default)]
struct Sink {
    bytes: Vec<u8>,
    gaps: Vec<(usize, u64)>,
    codes: Vec<&'static str>,
    repeated: u64,
    deaf: bool,
}

impl Stream for Sink {
    fn wanted(&self) -> bool {
        !self.deaf
    }
    fn bytes(&mut self, _: Side, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
    fn gap(&mut self, _: Side, missing: u64) {
        self.gaps.push((self.bytes.len(), missing));
    }
    fn repeated(&mut self, n: u32) {
        self.repeated += u64::from(n);
    }
    fn anomaly(&mut self, code: &'static str) {
        self.codes.push(code);
    }
}

fn segment(seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Segment<'_> {
    Segment {
        src_port: 1,
        dst_port: 2,
        seq,
        ack,
        flags,
        payload,
        payload_len: payload.len() as u32,
    }
}

fn content(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 7 % 251) as u8).collect()
}

proptest! {
    /// Cut anywhere, repeated with other cuts, reordered within a window: the same bytes.
    #[test]
    fn any_arrival_within_the_window_gives_the_same_bytes(
        isn in any::<u32>(),
        cuts in prop::collection::vec(1usize..400, 1..60),
        again in prop::collection::vec((0usize..5000, 1usize..600), 0..30),
        swaps in prop::collection::vec((0usize..90, 1usize..12), 0..60),
    ) {
        let total: usize = cuts.iter().sum();
        let data = content(total);
        let mut pieces = Vec::new();
        let mut at = 0;
        for cut in &cuts {
            pieces.push((at, *cut));
            at += cut;
        }
        for (i, (at, len)) in again.iter().enumerate() {
            let at = at % total;
            pieces.insert((i * 3) % pieces.len(), (at, (*len).min(total - at)));
        }
        for (a, by) in swaps {
            let n = pieces.len();
            pieces.swap(a % n, (a + by) % n);
        }
        let mut tcp = Tcp::default();
        let mut sink = Sink::default();
        tcp.segment(Side::Client, &segment(isn, 0, SYN, &[]), Nanos(0), &mut sink);
        for (at, len) in pieces {
            let seq = isn.wrapping_add(1).wrapping_add(at as u32);
            tcp.segment(Side::Client, &segment(seq, 0, ACK, &data[at..at + len]), Nanos(0),
                &mut sink);
        }
        prop_assert_eq!(&sink.bytes, &data);
        prop_assert!(sink.gaps.is_empty());
        prop_assert!(sink.codes.is_empty());
        prop_assert_eq!(tcp.heap_bytes(), 0);
    }

    /// Lost pieces are gaps exactly where they were.
    #[test]
    fn lost_pieces_are_gaps(
        isn in any::<u32>(),
        cuts in prop::collection::vec((1usize..400, prop::bool::weighted(0.3)), 1..60),
    ) {
        let total: usize = cuts.iter().map(|(cut, _)| cut).sum();
        let data = content(total);
        let mut tcp = Tcp::default();
        let mut sink = Sink::default();
        tcp.segment(Side::Client, &segment(isn, 0, SYN, &[]), Nanos(0), &mut sink);
        let (mut at, mut kept) = (0, Vec::new());
        let mut lost = 0;
        for (cut, drop) in &cuts {
            let seq = isn.wrapping_add(1).wrapping_add(at as u32);
            if *drop {
                lost += *cut as u64;
            } else {
                kept.extend_from_slice(&data[at..at + cut]);
                tcp.segment(Side::Client, &segment(seq, 0, ACK, &data[at..at + cut]), Nanos(0),
                    &mut sink);
            }
            at += cut;
        }
        let end = isn.wrapping_add(1).wrapping_add(total as u32);
        tcp.segment(Side::Client, &segment(end, 0, FIN | ACK, &[]), Nanos(0), &mut sink);
        tcp.finish(&mut sink);
        prop_assert_eq!(&sink.bytes, &kept);
        prop_assert_eq!(sink.gaps.iter().map(|(_, n)| n).sum::<u64>(), lost);
        prop_assert_eq!(tcp.heap_bytes(), 0);
    }

    #[test]
    fn random_segments_never_panic_and_stay_bounded(
        segments in prop::collection::vec(
            (any::<bool>(), any::<u32>(), any::<u32>(), any::<u8>(), 0usize..1500, 0u32..70_000),
                1..200),
        near in any::<bool>(),
    ) {
        let data = vec![1; 1500];
        let mut tcp = Tcp::default();
        let mut sink = Sink::default();
        for (client, seq, ack, flags, len, extra) in segments {
            let side = if client { Side::Client } else { Side::Server };
            let (seq, ack) = if near { (seq % 500_000, ack % 500_000) } else { (seq, ack) };
            let mut one = segment(seq, ack, flags, &data[..len]);
            one.payload_len += extra;
            tcp.segment(side, &one, Nanos(i64::from(seq)), &mut sink);
            prop_assert!(tcp.heap_bytes() < 2 * 600 * 1024);
            sink.bytes.clear();
            sink.gaps.clear();
        }
        tcp.finish(&mut sink);
        prop_assert_eq!(tcp.heap_bytes(), 0);
    }
}

fn opened() -> (Tcp, Sink) {
    let mut tcp = Tcp::default();
    let mut sink = Sink::default();
    tcp.segment(Side::Client, &segment(99, 0, SYN, &[]), Nanos(0), &mut sink);
    tcp.segment(
        Side::Server,
        &segment(499, 100, SYN | ACK, &[]),
        Nanos(0),
        &mut sink,
    );
    (tcp, sink)
}

#[test]
fn the_first_copy_of_differing_overlap_wins() {
    let (mut tcp, mut sink) = opened();
    let mut show = |tcp: &mut Tcp, seq, bytes: &[u8]| {
        tcp.segment(
            Side::Client,
            &segment(seq, 500, ACK, bytes),
            Nanos(0),
            &mut sink,
        );
    };
    show(&mut tcp, 104, b"EFGH");
    show(&mut tcp, 102, b"cdxxgh");
    show(&mut tcp, 100, b"ABCD");
    assert_eq!(sink.bytes, b"ABcdEFGH");
    assert!(sink.codes.contains(&"tcp-overlap-differs"));
}

#[test]
fn an_acknowledged_hole_is_skipped_after_some_patience() {
    let (mut tcp, mut sink) = opened();
    tcp.segment(
        Side::Client,
        &segment(110, 500, ACK, b"later"),
        Nanos(0),
        &mut sink,
    );
    for _ in 0..2 {
        tcp.segment(
            Side::Server,
            &segment(500, 115, ACK, &[]),
            Nanos(0),
            &mut sink,
        );
        assert!(sink.gaps.is_empty());
    }
    tcp.segment(
        Side::Server,
        &segment(500, 115, ACK, &[]),
        Nanos(0),
        &mut sink,
    );
    assert_eq!(sink.gaps, [(0, 10)]);
    assert_eq!(sink.bytes, b"later");
}

#[test]
fn a_hole_is_skipped_when_old_or_when_the_buffer_is_full() {
    let (mut tcp, mut sink) = opened();
    tcp.segment(
        Side::Client,
        &segment(110, 500, ACK, b"later"),
        Nanos(0),
        &mut sink,
    );
    tcp.segment(
        Side::Client,
        &segment(115, 500, ACK, b"!"),
        Nanos(11_000_000_000),
        &mut sink,
    );
    assert_eq!((sink.gaps.len(), &sink.bytes[..]), (1, &b"later!"[..]));
    let (mut tcp, mut sink) = opened();
    for i in 0..400u32 {
        tcp.segment(
            Side::Client,
            &segment(110 + i * 1000, 500, ACK, &[0; 1000]),
            Nanos(0),
            &mut sink,
        );
        assert!(tcp.heap_bytes() < 600 * 1024);
    }
    assert_eq!(sink.gaps, [(0, 10)]);
    assert_eq!(sink.bytes.len(), 400_000);
    assert!(sink.codes.contains(&"tcp-reassembly-limit"));
}

#[test]
fn a_tail_that_was_not_captured_is_a_gap() {
    let (mut tcp, mut sink) = opened();
    let mut one = segment(100, 500, ACK, b"head");
    one.payload_len = 10;
    tcp.segment(Side::Client, &one, Nanos(0), &mut sink);
    tcp.segment(
        Side::Client,
        &segment(110, 500, ACK, b"next"),
        Nanos(0),
        &mut sink,
    );
    assert_eq!(
        (&sink.bytes[..], &sink.gaps[..]),
        (&b"headnext"[..], &[(4, 6)][..])
    );
}

#[test]
fn keepalives_and_old_data_change_nothing() {
    let (mut tcp, mut sink) = opened();
    tcp.segment(
        Side::Client,
        &segment(100, 500, ACK, b"abc"),
        Nanos(0),
        &mut sink,
    );
    tcp.segment(
        Side::Client,
        &segment(102, 500, ACK, b"\0"),
        Nanos(0),
        &mut sink,
    );
    tcp.segment(
        Side::Client,
        &segment(102, 500, ACK, b""),
        Nanos(0),
        &mut sink,
    );
    tcp.segment(Side::Client, &segment(99, 0, SYN, b""), Nanos(0), &mut sink);
    tcp.segment(
        Side::Client,
        &segment(103, 500, ACK, b"d"),
        Nanos(0),
        &mut sink,
    );
    assert_eq!(sink.bytes, b"abcd");
    assert_eq!(sink.repeated, 1);
    assert!(sink.codes.is_empty());
}

#[test]
fn far_segments_are_ignored_until_they_insist() {
    let (mut tcp, mut sink) = opened();
    let far = 100 + (1 << 30);
    tcp.segment(
        Side::Client,
        &segment(far, 500, ACK, b"evil"),
        Nanos(0),
        &mut sink,
    );
    tcp.segment(
        Side::Client,
        &segment(100, 500, ACK, b"good"),
        Nanos(0),
        &mut sink,
    );
    assert_eq!(sink.bytes, b"good");
    for i in 0..3 {
        tcp.segment(
            Side::Client,
            &segment(far + i, 500, ACK, b"x"),
            Nanos(0),
            &mut sink,
        );
    }
    tcp.segment(
        Side::Client,
        &segment(far + 3, 500, ACK, b"y"),
        Nanos(0),
        &mut sink,
    );
    assert_eq!(sink.bytes, b"goodxy");
}

#[test]
fn data_in_syn_and_after_a_refused_reset() {
    let mut tcp = Tcp::default();
    let mut sink = Sink::default();
    tcp.segment(
        Side::Client,
        &segment(99, 0, SYN, b"fast"),
        Nanos(0),
        &mut sink,
    );
    tcp.segment(
        Side::Client,
        &segment(104, 0, ACK, b"open"),
        Nanos(0),
        &mut sink,
    );
    tcp.segment(
        Side::Client,
        &segment(1 << 31, 0, RST, &[]),
        Nanos(0),
        &mut sink,
    );
    assert!(!tcp.is_reset());
    tcp.segment(
        Side::Client,
        &segment(108, 0, RST, b"a text for people"),
        Nanos(0),
        &mut sink,
    );
    assert!(tcp.is_reset());
    assert_eq!(sink.bytes, b"fastopen");
}

#[test]
fn fins_close_even_before_their_data() {
    let (mut tcp, mut sink) = opened();
    tcp.segment(
        Side::Client,
        &segment(103, 500, FIN | ACK, b"d"),
        Nanos(0),
        &mut sink,
    );
    tcp.segment(
        Side::Server,
        &segment(500, 100, FIN | ACK, b""),
        Nanos(0),
        &mut sink,
    );
    assert!(tcp.is_closed());
    assert!(!tcp.take_end(), "data are still missing");
    tcp.segment(
        Side::Client,
        &segment(100, 500, ACK, b"abc"),
        Nanos(0),
        &mut sink,
    );
    assert!(tcp.take_end());
    assert!(!tcp.take_end(), "once only");
    assert_eq!(sink.bytes, b"abcd");
}

#[test]
fn nothing_is_held_when_nobody_wants_it() {
    let (mut tcp, _) = opened();
    let mut sink = Sink {
        deaf: true,
        ..Sink::default()
    };
    tcp.segment(
        Side::Client,
        &segment(500_000, 500, ACK, b"later"),
        Nanos(0),
        &mut sink,
    );
    assert_eq!(tcp.heap_bytes(), 0);
}
