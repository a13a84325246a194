use proptest::prelude::*;

use super::*;

const MSH: &[u8] = b"MSH|^~\\&|LABO|CHU&1.2&ISO|EAI|CHU|2026||ORU^R01^ORU_R01|42|P|2.5";

#[test]
fn fields_follow_hl7_numbering() {
    let separators = Separators::of_header(MSH).unwrap();
    let msh = Segment::new(MSH, separators);
    assert_eq!(msh.name(), b"MSH");
    assert_eq!(msh.field(1).bytes(), b"|");
    assert_eq!(msh.field(2).bytes(), b"^~\\&");
    assert_eq!(msh.field(3).bytes(), b"LABO");
    assert_eq!(msh.field(4).subcomponent(1, 2), b"1.2");
    assert_eq!(msh.field(9).component(3), b"ORU_R01");
    assert!(msh.field(40).is_empty());
    let pid = Segment::new(b"PID|1||A^^^X~B^^^Y^PI", separators);
    let ids: Vec<_> = pid
        .field(3)
        .repetitions()
        .map(|r| r.component(1).to_vec())
        .collect();
    assert_eq!(ids, [b"A".to_vec(), b"B".to_vec()]);
}

#[test]
fn odd_separators_are_read() {
    let segment = b"MSH#*%!@#A*B#F";
    let separators = Separators::of_header(segment).unwrap();
    assert_eq!(separators.component, b'*');
    assert_eq!(separators.subcomponent, b'@');
    assert_eq!(
        Segment::new(segment, separators).field(3).component(2),
        b"B"
    );
    assert_eq!(
        Separators::of_header(b"MSH|^~"),
        Some(Separators::default())
    );
    assert_eq!(Separators::of_header(b"MSHA"), None);
    assert_eq!(Separators::of_header(b"PID|"), None);
}

#[test]
fn escapes_are_replaced_and_unknown_ones_kept() {
    let s = Separators::default();
    assert_eq!(&*unescape(b"a\\F\\b\\S\\\\E\\", s), b"a|b^\\");
    assert_eq!(&*unescape(b"\\XC3A9\\t\\H\\x", s), b"\xc3\xa9t\\H\\x");
    assert_eq!(&*unescape(b"50\\", s), b"50\\");
    assert_eq!(&*unescape(b"a\\\\b", s), b"a\\\\b");
}

#[test]
fn characters_are_decoded_by_set() {
    assert_eq!(Charset::of_name(b"8859/1").decode(b"Zo\xe9"), "Zo\u{e9}");
    assert_eq!(Charset::of_name(b"8859/15").decode(b"\xa4"), "€");
    assert_eq!(
        Charset::of_name(b"UNICODE UTF-8").decode(b"\xe9"),
        "\u{fffd}"
    );
    assert_eq!(Charset::Unknown.decode("Zoé".as_bytes()), "Zoé");
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, number in 0usize..40) {
        let separators = Separators::of_header(&bytes).unwrap_or_default();
        for segment in segments(&bytes, separators) {
            let field = segment.field(number);
            let _ = field.subcomponent(number, number);
            let _ = Charset::of_name(field.bytes()).text(field.bytes(), separators);
        }
    }

    #[test]
    fn unescape_without_escapes_is_identity(text in "[a-zA-Z0-9 |^~&]{0,64}") {
        let bytes = text.as_bytes();
        prop_assert_eq!(&*unescape(bytes, Separators::default()), bytes);
    }
}
