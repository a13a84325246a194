use proptest::prelude::*;

use super::command::Command;
use super::dataset::{DEPTH_MAX, Encoding, Scanner, Tag, VALUE_BYTES_MAX};
use super::pdu::{Associate, Header, PdvHeader, Plausible, PresentationContext, plausible_data};
use super::*;

static WANTED: [Tag; 3] = [
    Tag(0x0008, 0x0060),
    Tag(0x0010, 0x0020),
    Tag(0x0020, 0x000d),
];

fn implicit(tag: (u16, u16), length: u32, value: &[u8]) -> Vec<u8> {
    let mut out = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    out.extend(length.to_le_bytes());
    out.extend(value);
    out
}

fn explicit(tag: (u16, u16), vr: &[u8; 2], length: u32, value: &[u8]) -> Vec<u8> {
    let mut out = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
    out.extend(vr);
    if matches!(vr, b"SQ" | b"UN" | b"OB") {
        out.extend([0, 0]);
        out.extend(length.to_le_bytes());
    } else {
        out.extend(u16::try_from(length).unwrap().to_le_bytes());
    }
    out.extend(value);
    out
}

fn read(encoding: Option<Encoding>, bytes: &[u8], cut: usize) -> (Vec<(Tag, Vec<u8>)>, bool, bool) {
    let mut scanner = Scanner::new(&WANTED, encoding);
    let mut found = Vec::new();
    for part in bytes.chunks(cut.max(1)) {
        scanner.feed(part, &mut |tag, value| found.push((tag, value.to_vec())));
    }
    (found, scanner.is_done(), scanner.is_broken())
}

const UNDEFINED: u32 = 0xffff_ffff;

fn nested() -> Vec<u8> {
    // A wanted tag inside a sequence must not count.
    let inner = explicit((0x0010, 0x0020), b"LO", 2, b"NO");
    let private = implicit((0x0010, 0x0020), 4, b"ALSO");
    [
        explicit((0x0008, 0x0060), b"CS", 2, b"MR"),
        explicit((0x0008, 0x1140), b"SQ", UNDEFINED, b""),
        implicit((0xfffe, 0xe000), UNDEFINED, b""),
        inner.clone(),
        implicit((0xfffe, 0xe00d), 0, b""),
        implicit(
            (0xfffe, 0xe000),
            u32::try_from(inner.len()).unwrap(),
            &inner,
        ),
        implicit((0xfffe, 0xe0dd), 0, b""),
        explicit((0x0009, 0x1001), b"UN", UNDEFINED, b""),
        implicit((0xfffe, 0xe000), UNDEFINED, b""),
        private,
        implicit((0xfffe, 0xe00d), 0, b""),
        implicit((0xfffe, 0xe0dd), 0, b""),
        explicit((0x0010, 0x0020), b"LO", 4, b"YES "),
        explicit((0x0020, 0x000d), b"UI", 4, b"1.2\0"),
        explicit((0x7fe0, 0x0010), b"OB", UNDEFINED, &[1; 64]),
    ]
    .concat()
}

#[test]
fn nested_sequences_are_passed_over() {
    let bytes = nested();
    for encoding in [Some(Encoding::ExplicitLittle), None] {
        let (found, done, broken) = read(encoding, &bytes, bytes.len());
        assert!(done && !broken);
        let values: Vec<_> = found.iter().map(|(_, value)| value.as_slice()).collect();
        assert_eq!(values, [b"MR".as_slice(), b"YES ", b"1.2\0"]);
    }
}

#[test]
fn skippable_bytes_need_not_be_shown() {
    let bytes = [
        implicit((0x0008, 0x0060), 2, b"CT"),
        implicit((0x0009, 0x0010), 100_000, b""),
    ]
    .concat();
    let mut scanner = Scanner::new(&WANTED, Some(Encoding::ImplicitLittle));
    scanner.feed(&bytes, &mut |_, _| {});
    assert_eq!(scanner.skippable(), 100_000);
    scanner.skip(40_000);
    assert_eq!(scanner.skippable(), 60_000);
    scanner.skip(60_001);
    assert!(scanner.is_broken());
}

#[test]
fn limits_of_the_scanner() {
    let long = implicit((0x0010, 0x0020), 4000, &[b'x'; 4000]);
    let (found, ..) = read(Some(Encoding::ImplicitLittle), &long, 7);
    assert_eq!(found[0].1.len(), VALUE_BYTES_MAX);
    let deep: Vec<u8> = (0..=DEPTH_MAX)
        .map(|n| {
            if n % 2 == 0 {
                implicit((0x0008, 0x1140), UNDEFINED, b"")
            } else {
                implicit((0xfffe, 0xe000), UNDEFINED, b"")
            }
        })
        .collect::<Vec<_>>()
        .concat();
    let (_, done, broken) = read(Some(Encoding::ImplicitLittle), &deep, 8);
    assert!(done && broken);
}

#[test]
fn pdus_and_items() {
    let bytes = b"\x01\x00\x00\x00\x01\x00rest";
    let header = Header::read(bytes).unwrap();
    assert_eq!((header.kind, header.length), (1, 256));
    let mut fixed = vec![0, 1, 0, 0];
    fixed.extend(b"CALLED\0\0\0\0\0\0\0\0\0\0  CALLING       ");
    fixed.extend([0; 32]);
    let read = Associate::read(&fixed).unwrap();
    assert_eq!((&*read.called, &*read.calling), ("CALLED", "CALLING"));
    let context = b"\x03\0\0\0\x30\0\0\x051.2.3\x40\0\0\x031.2\x40\0\0\x031.3";
    let context = PresentationContext::read(context).unwrap();
    assert_eq!(context.abstract_syntax, "1.2.3");
    assert_eq!(context.transfer_syntaxes, ["1.2", "1.3"]);
    let pdv = PdvHeader::read(&[0, 0, 0, 9, 5, 3]).unwrap();
    assert!(pdv.is_command() && pdv.is_last());
}

#[test]
fn plausible_pdus() {
    let command = b"\x04\0\0\0\0\x14\0\0\0\x10\x01\x03\0\0\0\0\x04\0\0\0\x38\0\0\0";
    assert_eq!(plausible_data(command), Plausible::Command);
    for end in 0..20 {
        assert_eq!(plausible_data(&command[..end]), Plausible::Unknown, "{end}");
    }
    assert_eq!(
        plausible_data(b"\x04\0\0\0\0\x14\0\0\0\x10\x02\x03"),
        Plausible::No
    );
    assert_eq!(
        plausible_data(b"\x04\0\0\0\0\x14\0\0\0\x10\x01\x02x"),
        Plausible::Yes
    );
}

#[test]
fn texts() {
    assert_eq!(code(b"  AB \0"), "AB");
    assert_eq!(code(b"\0 "), "");
    assert_eq!(text(b"Zo\xe9 ", b"ISO_IR 100"), "Zo\u{e9}");
    assert_eq!(text("Zoé".as_bytes(), b"ISO_IR 192"), "Zoé");
}

proptest! {
    #[test]
    fn any_cut_finds_the_same(cut in 1usize..80) {
        let bytes = nested();
        prop_assert_eq!(read(None, &bytes, cut), read(None, &bytes, bytes.len()));
    }

    #[test]
    fn never_panics(bytes: Vec<u8>, cut in 1usize..20, which in 0usize..4) {
        let encodings = [
            None,
            Some(Encoding::ImplicitLittle),
            Some(Encoding::ExplicitLittle),
            Some(Encoding::ExplicitBig),
        ];
        let _ = read(encodings[which], &bytes, cut);
        let _ = Command::read(&bytes);
        let _ = PresentationContext::read(&bytes);
        let _ = pdu::UserInformation::read(&bytes);
        let _ = plausible_data(&bytes);
    }
}
