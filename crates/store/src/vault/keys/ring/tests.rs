use super::*;

/// 2026-11-23 and 2026-12-23.
const NOVEMBER: Millis = Millis(1_795_392_000_000);
const DECEMBER: Millis = Millis(1_797_984_000_000);

#[test]
fn a_key_opens_what_it_sealed_until_it_is_destroyed() {
    let root = tempfile::tempdir().unwrap();
    let keys = RingKeys::open(root.path()).unwrap();
    let key = keys.present(NOVEMBER).unwrap();
    assert_eq!(key.month(), 202_611);
    let mut text = b"packets".to_vec();
    key.seal(&[1; 24], b"about", &mut text).unwrap();
    assert!(!text.windows(7).any(|part| part == b"packets"));
    let again = RingKeys::open(root.path()).unwrap();
    let known = again.of(key.month(), key.id()).unwrap().unwrap();
    let mut other = text.clone();
    assert!(!known.unseal(&[1; 24], b"other", &mut other));
    assert!(known.unseal(&[1; 24], b"about", &mut text));
    assert_eq!(text, b"packets");
    assert_eq!(keys.destroy("2026-11").unwrap(), 202_611);
    assert!(keys.of(202_611, key.id()).unwrap().is_none());
    // The month goes on with another key: the old packets stay closed.
    let next = keys.present(NOVEMBER).unwrap();
    assert_ne!(next.id(), key.id());
    assert!(keys.of(202_611, key.id()).unwrap().is_none());
}

#[test]
fn keys_of_months_that_are_over_expire() {
    let root = tempfile::tempdir().unwrap();
    let keys = RingKeys::open(root.path()).unwrap();
    let old = keys.present(NOVEMBER).unwrap();
    let new = keys.present(DECEMBER).unwrap();
    keys.expire(DECEMBER).unwrap();
    assert!(keys.of(old.month(), old.id()).unwrap().is_none());
    assert!(keys.of(new.month(), new.id()).unwrap().is_some());
}
