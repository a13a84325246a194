use proptest::prelude::*;

use super::*;

#[test]
fn heads_of_every_form() {
    let is = |tag, head, len| Head::Is { tag, head, len };
    assert_eq!(head(b"\x30\x03abc"), is(0x30, 2, 3));
    assert_eq!(head(b"\x30\x84\0\0\x01\x02"), is(0x30, 6, 258));
    assert_eq!(head(b"\x7f\x81\x01\x05"), is(0x7f, 4, 5));
    assert_eq!(head(b""), Head::Short);
    assert_eq!(head(b"\x30\x82\x01"), Head::Short);
    assert_eq!(head(b"\x30\x80"), Head::Odd);
    assert_eq!(head(b"\x30\x85\0\0\0\0\0"), Head::Odd);
    assert_eq!(head(b"\x7f\xff\xff\xff\xff\x01"), Head::Odd);
}

#[test]
fn values() {
    let element = |body| Element { tag: INTEGER, body };
    assert_eq!(element(b"\x7f").int(), Some(127));
    assert_eq!(element(b"\xff\x7b").int(), Some(-133));
    assert_eq!(element(b"").int(), None);
    assert_eq!(element(&[1; 9]).int(), None);
    assert_eq!(element(b"\xe9t\xe9").text(), "été");
    assert_eq!(
        oid(b"\x2b\x06\x01\x05\x05\x02").as_deref(),
        Some("1.3.6.1.5.5.2")
    );
    assert_eq!(oid(b"\x88\x37").as_deref(), Some("2.999"));
    assert_eq!(oid(b"\x86"), None);
}

#[test]
fn a_cut_element_is_given_as_far_as_it_is_there() {
    let outer = Element::first(b"\x30\x20\xa1\x03\x02\x01\x05\xa2\x10\x04\x0eab").unwrap();
    assert_eq!(outer.explicit(1).and_then(|e| e.int()), Some(5));
    assert_eq!(outer.explicit(2).map(|e| e.text()).as_deref(), Some("ab"));
    assert_eq!(outer.explicit(3), None);
}

proptest! {
    #[test]
    fn random_bytes_never_panic_and_always_end(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut count = 0;
        for element in Elements::new(&bytes) {
            count += 1;
            let _ = (element.int(), element.oid(), element.text(), element.explicit(1));
        }
        prop_assert!(count <= bytes.len());
    }
}
