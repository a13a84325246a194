use std::io::{Cursor, Read, Write};

use codec::compress;
use model::Nanos;
use proptest::prelude::*;

use super::pcapng::Unit;
use super::*;

/// One frame as read: time, link, length on the wire, octets.
type Seen = (i64, u16, u32, Vec<u8>);

fn source(bytes: &[u8]) -> Result<Source, CaptureError> {
    Source::of(Stream::of("test", Box::new(Cursor::new(bytes.to_vec()))))
}

fn read(bytes: &[u8]) -> (Vec<Seen>, Option<CaptureError>, Counts) {
    let mut source = match source(bytes) {
        Ok(source) => source,
        Err(error) => return (Vec::new(), Some(error), Counts::default()),
    };
    drain(&mut source)
}

fn drain(source: &mut Source) -> (Vec<Seen>, Option<CaptureError>, Counts) {
    let mut seen = Vec::new();
    let error = loop {
        match source.next() {
            Ok(Some(frame)) => {
                assert_eq!(frame.number, seen.len() as u64 + 1);
                seen.push((
                    frame.time.0,
                    frame.link.0,
                    frame.wire_len,
                    frame.bytes.to_vec(),
                ));
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(source.next(), Ok(None)), "nothing follows the end");
    assert_eq!(source.counts().frames, seen.len() as u64);
    (seen, error, source.counts())
}

fn damage(error: Option<CaptureError>) -> (u64, Damage) {
    match error {
        Some(CaptureError::Broken { place, damage }) => (place.offset, damage),
        other => panic!("expected damage, not {other:?}"),
    }
}

/// Builds captures of either byte order.
struct Build {
    big: bool,
    out: Vec<u8>,
}

impl Build {
    fn new(big: bool) -> Self {
        Self {
            big,
            out: Vec::new(),
        }
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        let octets = if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        self.out.extend(octets);
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        let octets = if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        self.out.extend(octets);
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        let octets = if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        self.out.extend(octets);
        self
    }

    fn pcap(&mut self, magic: u32, version: (u16, u16), link: u32) -> &mut Self {
        self.u32(magic)
            .u16(version.0)
            .u16(version.1)
            .u64(0)
            .u32(65535)
            .u32(link)
    }

    fn record(&mut self, time: (u32, u32), wire_len: u32, bytes: &[u8]) -> &mut Self {
        self.u32(time.0).u32(time.1).u32(len(bytes)).u32(wire_len);
        self.out.extend(bytes);
        self
    }

    fn block(&mut self, kind: u32, body: impl FnOnce(&mut Self)) -> &mut Self {
        let mut inner = Self::new(self.big);
        body(&mut inner);
        while !inner.out.len().is_multiple_of(4) {
            inner.out.push(0);
        }
        let total = len(&inner.out) + 12;
        self.u32(kind).u32(total);
        self.out.extend(inner.out);
        self.u32(total)
    }

    fn section(&mut self) -> &mut Self {
        self.block(0x0a0d_0d0a, |b| {
            b.u32(0x1a2b_3c4d).u16(1).u16(0).u64(u64::MAX);
        })
    }

    fn interface(&mut self, link: u16, snap: u32, options: &[(u16, &[u8])]) -> &mut Self {
        self.block(1, |b| {
            b.u16(link).u16(0).u32(snap);
            for (code, value) in options {
                b.option(*code, value);
            }
            if !options.is_empty() {
                b.u32(0);
            }
        })
    }

    fn option(&mut self, code: u16, value: &[u8]) -> &mut Self {
        self.u16(code).u16(u16::try_from(value.len()).unwrap());
        self.out.extend(value);
        while !self.out.len().is_multiple_of(4) {
            self.out.push(0);
        }
        self
    }

    fn enhanced(&mut self, interface: u32, ticks: u64, wire_len: u32, bytes: &[u8]) -> &mut Self {
        self.block(6, |b| {
            b.u32(interface)
                .u32((ticks >> 32) as u32)
                .u32((ticks & 0xffff_ffff) as u32);
            b.u32(len(bytes)).u32(wire_len);
            b.out.extend(bytes);
        })
    }
}

fn len(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

/// A capture with every kind of block, two sections of opposite byte orders.
fn mixed_pcapng() -> Vec<u8> {
    let mut out = Vec::new();
    for big in [false, true] {
        let mut b = Build::new(big);
        let offset = if big {
            10i64.to_be_bytes()
        } else {
            10i64.to_le_bytes()
        };
        b.section()
            .interface(1, 4, &[])
            .interface(228, 0, &[(2, b"eth1"), (9, &[9]), (14, &offset)])
            .block(4, |b| {
                b.u32(0);
            })
            .enhanced(0, 1_700_000_000_000_001, 60, b"first")
            .enhanced(1, 1_700_000_000_000_000_007, 3, b"abc")
            .block(3, |b| {
                b.u32(9);
                b.out.extend(b"simple");
            })
            .block(0xdead_beef, |b| b.out.extend(b"unknown"))
            .block(2, |b| {
                b.u16(1).u16(0).u32(1).u32(5).u32(4).u32(4);
                b.out.extend(b"obso");
                b.option(1, b"comment").u32(0);
            })
            .block(5, |b| {
                b.u32(0).u64(0);
            });
        out.extend(b.out);
    }
    out
}

fn mixed_frames() -> Vec<Seen> {
    let simple = 1_700_000_010_000_000_007;
    let one = vec![
        (1_700_000_000_000_001_000, 1, 60, b"first".to_vec()),
        (simple, 228, 3, b"abc".to_vec()),
        (simple, 1, 9, b"simp".to_vec()),
        (10_000_000_005 + (1 << 32), 228, 4, b"obso".to_vec()),
    ];
    [one.clone(), one].concat()
}

fn small_pcap() -> Vec<u8> {
    let mut b = Build::new(false);
    b.pcap(pcap::MICROSECONDS, (2, 4), 1)
        .record((1_700_000_000, 1), 100, b"one")
        .record((1_700_000_001, 999_999), 0, b"")
        .record((1_700_000_002, 5), 2000, &[7; 1500]);
    b.out
}

#[test]
fn reads_every_classic_variant() {
    for big in [false, true] {
        for (magic, unit_ns) in [(pcap::MICROSECONDS, 1000), (pcap::NANOSECONDS, 1)] {
            let mut b = Build::new(big);
            b.pcap(magic, (2, 4), 0x2400_0071)
                .record((1_700_000_000, 42), 70, b"cut")
                .record((u32::MAX, 0), 4, b"late");
            let (seen, error, counts) = read(&b.out);
            assert!(error.is_none(), "{error:?}");
            let first = 1_700_000_000_000_000_000 + 42 * unit_ns;
            assert_eq!(seen[0], (first, 113, 70, b"cut".to_vec()));
            assert_eq!(seen[1].0, i64::from(u32::MAX) * 1_000_000_000);
            assert_eq!(counts.frame_bytes, 7);
        }
    }
}

#[test]
fn reads_the_modified_format_and_exchanged_lengths() {
    for big in [false, true] {
        let mut b = Build::new(big);
        b.pcap(0xa1b2_cd34, (2, 4), 1);
        for bytes in [b"abc".as_slice(), b"defg"] {
            b.u32(1).u32(2).u32(len(bytes)).u32(60);
            b.u32(3).u16(0x0800).u16(0);
            b.out.extend(bytes);
        }
        let (seen, error, _) = read(&b.out);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(seen[1], (1_000_002_000, 1, 60, b"defg".to_vec()));
    }
    let mut b = Build::new(false);
    b.pcap(pcap::MICROSECONDS, (2, 3), 1)
        .u32(1)
        .u32(0)
        .u32(60)
        .u32(3);
    b.out.extend(b"abc");
    let (seen, error, _) = read(&b.out);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(seen, [(1_000_000_000, 1, 60, b"abc".to_vec())]);
}

#[test]
fn reads_every_block_in_both_orders() {
    let (seen, error, counts) = read(&mixed_pcapng());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(seen, mixed_frames());
    assert_eq!((counts.skipped_blocks, counts.damaged_blocks), (6, 0));
}

#[test]
fn converts_every_time_unit() {
    assert_eq!(Unit::of(6).nanos(5), 5_000);
    assert_eq!(Unit::of(0).nanos(5), 5_000_000_000);
    assert_eq!(Unit::of(9).nanos(5), 5);
    assert_eq!(Unit::of(12).nanos(5_999), 5);
    assert_eq!(Unit::of(127).nanos(u64::MAX - 1), 0);
    assert_eq!(Unit::of(0x80 | 10).nanos(1536), 1_500_000_000);
    assert_eq!(Unit::of(0x80).nanos(3), 3_000_000_000);
    assert_eq!(Unit::of(0x80 | 32).nanos(1 << 31), 500_000_000);
    assert_eq!(Unit::of(0xff).nanos(u64::MAX), 0);
    assert_eq!(Unit::of(3).nanos(u64::MAX), i64::MAX);
    assert_eq!(Unit::of(0x80).nanos(u64::MAX), i64::MAX);
}

#[test]
fn compressed_and_plain_are_the_same() {
    for plain in [small_pcap(), mixed_pcapng()] {
        let (frames, _, _) = read(&plain);
        let digest = *source(&plain).unwrap().digest();
        let half = plain.len() / 2;
        let gzip = [gzip(&plain[..half]), gzip(&plain[half..])].concat();
        let zstd = [zstd(&plain[..half]), zstd(&plain[half..])].concat();
        for packed in [gzip, zstd] {
            let (seen, error, _) = read(&packed);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(seen, frames);
            assert_eq!(*source(&packed).unwrap().digest(), digest);
        }
    }
}

/// Gives few octets a call, and is interrupted now and then, as a pipe may be.
struct Trickle {
    bytes: Cursor<Vec<u8>>,
    calls: usize,
}

impl Read for Trickle {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(5) {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let room = (self.calls % 7 + 1).min(out.len());
        self.bytes.read(&mut out[..room])
    }
}

#[test]
fn short_reads_are_the_same() {
    for plain in [small_pcap(), mixed_pcapng()] {
        let (frames, _, _) = read(&plain);
        for bytes in [plain.clone(), gzip(&plain), zstd(&plain)] {
            let bytes = Cursor::new(bytes);
            let trickle = Trickle { bytes, calls: 0 };
            let mut source = Source::of(Stream::of("pipe", Box::new(trickle))).unwrap();
            let (seen, error, _) = drain(&mut source);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(seen, frames);
        }
    }
}

/// Fails after its octets.
struct Failing(Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(out) {
            Ok(0) => Err(std::io::ErrorKind::ConnectionReset.into()),
            outcome => outcome,
        }
    }
}

#[test]
fn a_failing_disk_costs_nothing_before_it() {
    let bytes = Cursor::new(small_pcap());
    let mut source = Source::of(Stream::of("disk", Box::new(Failing(bytes)))).unwrap();
    let (seen, error, _) = drain(&mut source);
    assert_eq!(seen.len(), 3);
    let error = error.unwrap();
    assert_eq!(error.code(), "capture_read");
    assert_eq!(error.offset(), Some(small_pcap().len() as u64));
}

#[test]
fn large_captures_cross_the_buffer() {
    let mut b = Build::new(false);
    b.pcap(pcap::NANOSECONDS, (2, 4), 1);
    let sizes = [0usize, 1, 60, 1514, 65_535, 262_144];
    let frame = |i: u8| vec![i; sizes[usize::from(i) % sizes.len()]];
    for i in 0..60 {
        b.record((1, u32::from(i)), 9, &frame(i));
    }
    let plain = b.out;
    assert!(plain.len() > 3 * stream::BUFFER_BYTES);
    for packed in [plain.clone(), gzip(&plain), zstd(&plain)] {
        let (seen, error, _) = read(&packed);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(seen.len(), 60);
        for (i, (_, _, _, bytes)) in (0u8..).zip(&seen) {
            assert!(*bytes == frame(i), "frame {i}");
        }
    }
}

#[test]
fn refuses_what_is_no_capture() {
    let cases: [(&[u8], Damage); 5] = [
        (b"", Damage::Empty),
        (b"{\"a\":1}", Damage::UnknownMagic(*b"{\"a\"")),
        (b"BZh91AY&SY", Damage::NotSupported("bzip2 compression")),
        (b"snoop\0\0\0\0", Damage::NotSupported("snoop")),
        (
            b"ab",
            Damage::Truncated {
                part: "file header",
                need: 4,
                have: 2,
            },
        ),
    ];
    for (bytes, expected) in cases {
        let error = source(bytes).err();
        assert!(!is_capture(bytes));
        assert_eq!(damage(error), (0, expected));
    }
    assert!(is_capture(&small_pcap()) && is_capture(&mixed_pcapng()));
    let error = Source::open(Path::new("/nonexistent/x.pcap"))
        .err()
        .unwrap();
    assert_eq!((error.code(), error.offset()), ("capture_open", None));
    assert!(
        error
            .to_string()
            .starts_with("/nonexistent/x.pcap: cannot be opened")
    );
}

#[test]
fn damage_is_told_with_its_place() {
    let mut bytes = small_pcap();
    let last = 24 + 16 + 3 + 16;
    bytes[last + 8..last + 12].copy_from_slice(&300_000u32.to_le_bytes());
    let (seen, error, _) = read(&bytes);
    assert_eq!(seen.len(), 2);
    assert_eq!(
        error.as_ref().unwrap().to_string(),
        "test: byte 59: impossible record of 300000 bytes (at most 262144)"
    );
    let (seen, error, _) = read(&gzip(&bytes));
    assert_eq!(seen.len(), 2);
    assert!(
        error
            .unwrap()
            .to_string()
            .starts_with("test: byte 59 of the data inside gzip: ")
    );
    let packed = gzip(&small_pcap());
    let (seen, error, _) = read(&packed[..packed.len() - 1]);
    assert_eq!(seen.len(), 3);
    assert_eq!(
        damage(error).1,
        Damage::Compression(compress::Error::Truncated)
    );
}

#[test]
fn a_malformed_block_costs_only_itself() {
    let mut b = Build::new(false);
    b.section().interface(1, 0, &[]);
    b.enhanced(0, 1, 3, b"one");
    let bad = b.out.len();
    b.block(6, |b| {
        b.u32(0).u32(0).u32(0).u32(1000).u32(1000);
    });
    b.enhanced(7, 1, 3, b"who");
    b.block(1, |b| {
        b.u32(1);
    });
    b.enhanced(1, 1, 3, b"mal");
    b.block(6, |_| {}).block(3, |_| {}).block(2, |_| {});
    b.enhanced(0, 2, 3, b"two");
    let (seen, error, counts) = read(&b.out);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(seen.len(), 2);
    assert_eq!(counts.damaged_blocks, 7);
    let first = Damage::Block("frame longer than its block");
    assert_eq!(counts.first_damage, Some((bad as u64, first)));
}

#[test]
fn lengths_that_differ_are_resolved_by_the_next_block() {
    let build = |next_kind: Option<u32>| {
        let mut b = Build::new(false);
        b.section().interface(1, 0, &[]).enhanced(0, 1, 3, b"one");
        let end = b.out.len();
        b.out[end - 4] ^= 1;
        if let Some(kind) = next_kind {
            b.block(kind, |_| {}).enhanced(0, 2, 3, b"two");
        }
        b.out
    };
    let (seen, error, counts) = read(&build(Some(5)));
    assert!(error.is_none(), "{error:?}");
    assert_eq!((seen.len(), counts.damaged_blocks), (2, 1));
    let (seen, error, counts) = read(&build(None));
    assert!(error.is_none(), "{error:?}");
    assert_eq!((seen.len(), counts.damaged_blocks), (1, 1));
    let (seen, error, _) = read(&build(Some(0x1234)));
    assert_eq!(seen.len(), 1);
    assert_eq!(damage(error), (48, Damage::Block("its two lengths differ")));
}

#[test]
fn large_and_impossible_blocks() {
    let mut b = Build::new(true);
    b.section().interface(1, 0, &[]);
    b.block(10, |b| b.out.resize(3 << 20, 1));
    b.enhanced(0, 1, 300_000, &vec![1; 262_145]);
    b.block(6, |b| b.out.resize(2 << 20, 0));
    b.enhanced(0, 1, 3, b"end");
    let at = b.out.len() as u64;
    b.u32(99).u32(17 << 20).u32(0);
    let (seen, error, counts) = read(&b.out);
    assert_eq!(seen.len(), 1);
    assert_eq!((counts.skipped_blocks, counts.damaged_blocks), (1, 2));
    let (offset, damage) = damage(error);
    assert_eq!((offset, damage.code()), (at, "capture_impossible_length"));
}

#[test]
fn interfaces_and_options_are_bounded() {
    let mut b = Build::new(false);
    b.section();
    for _ in 0..4097 {
        b.interface(1, 0, &[]);
    }
    b.enhanced(4095, 1, 1, b"a").enhanced(4096, 1, 1, b"b");
    let options: Vec<(u16, &[u8])> = vec![(2, b"x"); 300];
    b.section()
        .interface(101, 0, &options)
        .enhanced(0, 1, 1, b"c");
    let (seen, error, counts) = read(&b.out);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(seen.iter().map(|f| f.1).collect::<Vec<_>>(), [1, 101]);
    assert_eq!(counts.damaged_blocks, 3);
}

#[test]
fn every_prefix_gives_a_prefix() {
    // Only a cut between two records or blocks goes unseen.
    for (whole, unseen) in [(small_pcap(), 3), (mixed_pcapng(), 2 * 10 - 1)] {
        let (frames, _, _) = read(&whole);
        let mut silent = 0;
        for cut in 0..whole.len() {
            let (seen, error, _) = read(&whole[..cut]);
            assert!(frames.starts_with(&seen), "cut at {cut}");
            silent += usize::from(error.is_none());
            if let Some(error) = error {
                assert!(error.offset().unwrap() <= cut as u64);
            }
        }
        assert_eq!(silent, unseen);
        let packed = gzip(&whole);
        for cut in 3..packed.len() {
            let (seen, error, _) = read(&packed[..cut]);
            assert!(frames.starts_with(&seen), "cut at {cut}");
            assert!(error.is_some(), "a cut gzip stream is told at {cut}");
        }
    }
}

#[test]
fn the_writer_is_read_back() {
    let frame = |time, bytes| Frame {
        time: Nanos(time),
        number: 1,
        link: LinkType::ETHERNET,
        wire_len: 1600,
        bytes,
        vlan: None,
    };
    for (resolution, time) in [
        (Resolution::Microseconds, 1_700_000_000_123_456_000),
        (Resolution::Nanoseconds, 1_700_000_000_123_456_789),
    ] {
        let mut writer = Writer::new(Vec::new(), LinkType::ETHERNET, resolution).unwrap();
        writer
            .write(&frame(1_700_000_000_123_456_789, &[1; 60]))
            .unwrap();
        writer.write(&frame(0, &[])).unwrap();
        assert!(writer.write(&frame(-1, &[])).is_err());
        assert!(writer.write(&frame(0, &[0; 262_145])).is_err());
        let other = Frame {
            link: LinkType::RAW,
            ..frame(0, &[])
        };
        assert!(writer.write(&other).is_err());
        let (seen, error, _) = read(&writer.finish().unwrap());
        assert!(error.is_none(), "{error:?}");
        assert_eq!(seen[0], (time, 1, 1600, vec![1; 60]));
        assert_eq!(seen.len(), 2);
    }
}

#[test]
fn a_stream_serves_logs_too() {
    let text = "{\"event_type\":\"dns\"}\n".repeat(10_000);
    let packed = zstd(text.as_bytes());
    let mut stream = Stream::of("eve.json.zst", Box::new(Cursor::new(packed)));
    assert!(!is_capture(stream.head()));
    assert_eq!(stream.head().len(), DIGEST_BYTES);
    let mut back = String::new();
    stream.read_to_string(&mut back).unwrap();
    assert!(back == text);
    let mut cut = gzip(text.as_bytes());
    cut.truncate(cut.len() - 3);
    let mut stream = Stream::of("cut", Box::new(Cursor::new(cut)));
    assert!(stream.read_to_end(&mut Vec::new()).is_err());
}

proptest! {
    #[test]
    fn random_octets_never_panic(
        kind in 0usize..4,
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut whole = match kind {
            0 => small_pcap()[..24].to_vec(),
            1 => mixed_pcapng()[..100].to_vec(),
            2 => vec![0x0a, 0x0d, 0x0d, 0x0a],
            _ => Vec::new(),
        };
        whole.extend(bytes);
        let _ = read(&whole);
        let _ = read(&gzip(&whole));
    }

    #[test]
    fn changed_octets_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        block in any::<bool>(),
    ) {
        let mut whole = if block { mixed_pcapng() } else { small_pcap() };
        for (at, value) in changes {
            let at = at.index(whole.len());
            whole[at] = value;
        }
        let (seen, _, _) = read(&whole);
        for cut in [whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            let (prefix, _, _) = read(&whole[..cut]);
            prop_assert!(seen.starts_with(&prefix));
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

#[test]
fn secrets_of_tls_reach_who_wants_them_before_the_frames_after_them() {
    let (random, secret) = ("ab".repeat(32), "cd".repeat(48));
    let log = format!("# by us\nCLIENT_RANDOM {random} {secret}\nnonsense\n");
    for big in [false, true] {
        let mut b = Build::new(big);
        b.section().interface(1, 0, &[]);
        b.enhanced(0, 1, 3, b"one");
        b.block(10, |b| {
            b.u32(0x544c_534b).u32(len(log.as_bytes()));
            b.out.extend(log.as_bytes());
        });
        // Secrets of WireGuard, and a length that lies.
        b.block(10, |b| {
            b.u32(0x5747_4b4c).u32(0);
        });
        b.block(10, |b| {
            b.u32(0x544c_534b).u32(9);
        });
        b.enhanced(0, 2, 3, b"two");
        let mut source = Source::of(Stream::of("test", Box::new(Cursor::new(b.out)))).unwrap();
        let found = Arc::new(Growing::default());
        assert!(source.secrets_to(&found));
        let known = |found: &Growing| {
            let label = wire::secrets::Label::Master;
            wire::Secrets::secret(found, label, &[0xab; 32]).map(|secret| secret.to_vec())
        };
        assert_eq!(source.next().unwrap().unwrap().bytes, b"one");
        assert_eq!(known(&found), None);
        assert_eq!(source.next().unwrap().unwrap().bytes, b"two");
        assert_eq!(known(&found), Some(vec![0xcd; 48]));
        assert!(source.next().unwrap().is_none());
        let counts = source.counts();
        assert_eq!((counts.skipped_blocks, counts.damaged_blocks), (1, 1));
    }
}
