use proptest::prelude::*;

use super::lines::Lines;
use super::mail::Content;
use super::mime;
use super::sasl::Sasl;
use super::text::{base64, number, readable};

#[test]
fn base64_stops_where_it_ends() {
    assert_eq!(base64(b"aGVsbG8="), b"hello");
    assert_eq!(base64(b"aGVs bG8"), b"hello");
    assert_eq!(base64(b"=="), b"");
    assert_eq!(
        base64(&[b'A'; 100_000]).len(),
        super::text::BASE64_BYTES_MAX
    );
}

#[test]
fn numbers_have_bounds() {
    assert_eq!(number(b" 42 "), Some(42));
    assert_eq!(number(b"-1"), None);
    assert_eq!(number(b"9999999999999999999"), None);
    assert_eq!(readable(b"a\x01"), "a\\x01");
}

#[test]
fn a_long_line_gives_its_head() {
    let mut lines = Lines::default();
    let bytes = b"abcdefgh\nij\r\nk";
    let first = lines.next(bytes, 4).unwrap();
    assert_eq!(
        (first.line, first.used, first.cut),
        (Some(&b"abcd"[..]), 4, true)
    );
    let tail = lines.next(&bytes[4..], 4).unwrap();
    assert_eq!((tail.line, tail.used), (None, 5));
    let second = lines.next(&bytes[9..], 4).unwrap();
    assert_eq!((second.line, second.used), (Some(&b"ij"[..]), 4));
    assert!(lines.next(&bytes[13..], 4).is_none());
}

#[test]
fn encoded_words_are_joined() {
    assert_eq!(
        mime::decode(b"=?utf-8?q?a_b?= =?UTF-8?B?w6k=?= c"),
        "a b\u{e9} c"
    );
    assert_eq!(mime::decode(b"=?windows-1252?Q?=80?="), "\u{20ac}");
    assert_eq!(mime::decode(b"=?gb2312?B?xOM=?="), "=?gb2312?B?xOM=?=");
    assert_eq!(mime::decode(b"=?x"), "=?x");
}

#[test]
fn parameters_may_be_quoted_or_continued() {
    let of = |value: &[u8]| mime::parameter(value, b"filename");
    assert_eq!(
        of(b"attachment; filename=\"a;b.txt\"").as_deref(),
        Some("a;b.txt")
    );
    assert_eq!(of(b"x; filename=a.txt ; y=1").as_deref(), Some("a.txt"));
    assert_eq!(
        of(b"x; filename*=iso-8859-1'fr'%E9t%e9").as_deref(),
        Some("\u{e9}t\u{e9}")
    );
    assert_eq!(of(b"x; filename*0=a; filename*1=b").as_deref(), Some("ab"));
    assert_eq!(of(b"x; other=1"), None);
}

#[test]
fn addresses_are_found_in_any_form() {
    let found = mime::addresses(b"\"a, b\" <c@d.example>, e@f.example (x), Team: g@h.example;");
    assert_eq!(found, [&b"c@d.example"[..], b"e@f.example", b"g@h.example"]);
    assert_eq!(mime::domain(b"a@B.Example").as_deref(), Some("b.example"));
    assert_eq!(mime::domain(b"a"), None);
}

#[test]
fn every_mechanism_names_its_user_alone() {
    let of = |mechanism: &str, answers: &[&str]| {
        let mut sasl = Sasl::new(mechanism.as_bytes());
        for answer in answers {
            sasl.answer(answer.as_bytes());
        }
        (sasl.user.clone(), sasl.is_cleartext())
    };
    let alice = Some("alice".to_owned());
    // "\0alice\0secret", "alice" "secret", "n,,n=alice,r=x", "user=alice\x01auth=Bearer t\x01\x01".
    assert_eq!(
        of("PLAIN", &["AGFsaWNlAHNlY3JldA=="]),
        (alice.clone(), true)
    );
    assert_eq!(
        of("login", &["YWxpY2U=", "c2VjcmV0"]),
        (alice.clone(), true)
    );
    assert_eq!(
        of("SCRAM-SHA-256", &["biwsbj1hbGljZSxyPXg="]),
        (alice.clone(), false)
    );
    let bearer = "dXNlcj1hbGljZQFhdXRoPUJlYXJlciB0AQE=";
    assert_eq!(of("XOAUTH2", &[bearer]), (alice, true));
    assert_eq!(of("GSSAPI", &["AAAA"]), (None, false));
}

fn mail(bytes: &[u8], step: usize) -> (Option<String>, Option<u64>, Vec<u64>) {
    let mut content = Content::default();
    for piece in bytes.chunks(step.max(1)) {
        content.feed(piece);
    }
    let body = content.finish(&mut Vec::new());
    let subject = body.subject.as_ref().and_then(|s| s.reveal());
    let subject = subject.map(|(_, clear)| clear.to_owned());
    (subject, body.bytes, body.attachment_bytes)
}

proptest! {
    #[test]
    fn mails_do_not_depend_on_pieces(
        bytes in proptest::collection::vec(
            prop_oneof![Just(b'-'), Just(b'\n'), Just(b'a'), Just(b':'), any::<u8>()],
            0..400,
        ),
        step in 1usize..50,
    ) {
        let head = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\n";
        let whole = [&head[..], &bytes].concat();
        prop_assert_eq!(mail(&whole, step), mail(&whole, usize::MAX));
    }

    #[test]
    fn fields_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = mime::decode(&bytes);
        let _ = mime::parameter(&bytes, b"name");
        let _ = mime::addresses(&bytes);
        let mut sasl = Sasl::new(b"NTLM");
        sasl.answer(&bytes);
    }
}
