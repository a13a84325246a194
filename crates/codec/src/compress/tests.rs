use std::io::Write;

use proptest::prelude::*;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::GzBuilder::new()
        .filename("name")
        .comment("comment")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

fn sample(len: u64) -> Vec<u8> {
    let octet = |i: u64| (i * i / 7 + i / 300).to_le_bytes()[0];
    (0..len).map(octet).collect()
}

/// Feeds `input` in pieces of `piece`, with an output of `room` octets.
fn in_pieces(format: Format, input: &[u8], piece: usize, room: usize) -> (Vec<u8>, Option<Error>) {
    let mut stream = Decompressor::new(format, Caps::streaming()).unwrap();
    let (mut out, mut chunk) = (Vec::new(), vec![0; room]);
    for part in input.chunks(piece) {
        let mut rest = part;
        loop {
            match stream.step(rest, &mut chunk) {
                Ok(step) if step == Step::default() => break,
                Ok(step) => {
                    rest = &rest[step.read..];
                    out.extend_from_slice(&chunk[..step.written]);
                }
                Err(error) => return (out, Some(error)),
            }
        }
        assert!(rest.is_empty(), "a step that asks for more leaves nothing");
    }
    (out, stream.finish().err())
}

#[test]
fn recognises_formats_by_content() {
    assert_eq!(Format::sniff(&gzip(b"a")), Some(Format::Gzip));
    assert_eq!(Format::sniff(&zstd(b"a")), Some(Format::Zstd));
    assert_eq!(Format::sniff(b"\xd4\xc3\xb2\xa1"), None);
    assert_eq!(Format::sniff(b""), None);
}

#[test]
fn any_split_gives_the_same_octets() {
    let plain = sample(300_000);
    for (format, packed) in [
        (Format::Gzip, gzip(&plain)),
        (Format::Zlib, zlib(&plain)),
        (Format::Zstd, zstd(&plain)),
    ] {
        for (piece, room) in [(1, 1000), (7, 1), (4096, 65536), (usize::MAX, 333)] {
            let (out, error) = in_pieces(format, &packed, piece.min(packed.len()), room);
            assert_eq!(error, None, "{format:?} {piece} {room}");
            assert!(out == plain, "{format:?} {piece} {room}");
        }
    }
}

#[test]
fn concatenated_members_and_padding_are_one_stream() {
    let mut packed = gzip(b"one ");
    packed.extend(gzip(b""));
    packed.extend(gzip(b"two"));
    packed.extend([0; 100]);
    let (out, end) = decompress(Format::Gzip, Caps::streaming(), &packed);
    assert_eq!((out.as_slice(), end), (b"one two".as_slice(), Ok(())));
    packed.push(b'x');
    let (out, end) = decompress(Format::Gzip, Caps::streaming(), &packed);
    assert_eq!(out, b"one two");
    assert!(matches!(end, Err(Error::Corrupt(_))));

    let mut packed = zstd(b"one ");
    packed.extend([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);
    packed.extend(zstd(b"two"));
    let (out, end) = decompress(Format::Zstd, Caps::streaming(), &packed);
    assert_eq!((out.as_slice(), end), (b"one two".as_slice(), Ok(())));
}

#[test]
fn every_truncation_is_told_and_keeps_the_head() {
    let plain = sample(3000);
    for (format, packed) in [
        (Format::Gzip, gzip(&plain)),
        (Format::Zlib, zlib(&plain)),
        (Format::Zstd, zstd(&plain)),
    ] {
        for cut in 1..packed.len() {
            let (out, end) = decompress(format, Caps::streaming(), &packed[..cut]);
            assert_eq!(end, Err(Error::Truncated), "{format:?} {cut}");
            assert!(plain.starts_with(&out), "{format:?} {cut}");
        }
    }
}

#[test]
fn damage_costs_nothing_before_it() {
    let plain = sample(2_000_000);
    let mut packed = zstd(&plain);
    // Four octets of magic number, two of frame header, then blocks: the header of
    // one is last (1 bit), type (2), size (21). Type 3 does not exist.
    let mut at = 6;
    for _ in 0..7 {
        let head = u32::from_le_bytes([packed[at], packed[at + 1], packed[at + 2], 0]);
        at += 3 + if head >> 1 & 3 == 1 { 1 } else { head >> 3 } as usize;
    }
    let (good, _) = decompress(Format::Zstd, Caps::streaming(), &packed[..at]);
    packed[at] |= 6;
    let (out, end) = decompress(Format::Zstd, Caps::streaming(), &packed);
    assert_eq!(end, Err(Error::Corrupt("damaged zstd data")));
    assert!(good.len() > 7 * 4096 && out == good);
    assert!(plain.starts_with(&out));

    let mut packed = gzip(&plain);
    let last = packed.len() - 6;
    packed[last] ^= 1;
    let (out, end) = decompress(Format::Gzip, Caps::streaming(), &packed);
    assert_eq!(end, Err(Error::Corrupt("gzip checksum does not match")));
    assert!(out == plain);
}

#[test]
fn caps_hold_exactly() {
    let zeros = vec![0; 5_000_000];
    for (format, packed) in [(Format::Gzip, gzip(&zeros)), (Format::Zstd, zstd(&zeros))] {
        let caps = |output_bytes_max| Caps {
            ratio_max: u64::MAX,
            ..Caps::content(output_bytes_max)
        };
        let (out, end) = decompress(format, caps(5_000_000), &packed);
        assert_eq!((out.len(), end), (5_000_000, Ok(())), "{format:?}");
        let (out, end) = decompress(format, caps(4_999_999), &packed);
        assert_eq!(out.len(), 4_999_999, "{format:?}");
        assert_eq!(end, Err(Error::OutputCap(4_999_999)));
    }
    let caps = Caps {
        ratio_max: 10,
        ..Caps::content(u64::MAX)
    };
    let (out, end) = decompress(Format::Zstd, caps, &zstd(&zeros));
    assert_eq!(end, Err(Error::Ratio(10)));
    assert!(out.len() as u64 <= RATIO_FREE_BYTES + 64 * 1024);
}

proptest! {
    #[test]
    fn random_octets_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let caps = Caps::content(1 << 20);
        for format in [Format::Gzip, Format::Zlib, Format::Deflate, Format::Zstd] {
            let _ = decompress(format, caps, &bytes);
        }
        let head = [0x1f, 0x8b, 8];
        for (place, value) in bytes.iter_mut().zip(head) { *place = value; }
        let _ = decompress(Format::Gzip, caps, &bytes);
        let head = [0x28, 0xb5, 0x2f, 0xfd];
        for (place, value) in bytes.iter_mut().zip(head) { *place = value; }
        let _ = decompress(Format::Zstd, caps, &bytes);
    }

    #[test]
    fn packed_and_unpacked_is_the_same(
        bytes in proptest::collection::vec(any::<u8>(), 0..5000),
        piece in 1usize..500,
    ) {
        for (format, packed) in [
            (Format::Gzip, gzip(&bytes)),
            (Format::Zlib, zlib(&bytes)),
            (Format::Zstd, zstd(&bytes)),
        ] {
            let (out, error) = in_pieces(format, &packed, piece, 700);
            prop_assert_eq!(error, None);
            prop_assert!(out == bytes);
        }
    }
}
