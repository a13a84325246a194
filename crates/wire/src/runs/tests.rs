use super::*;
use proptest::prelude::*;

/// The reference: one optional octet per position, the first copy wins.
fn model(pieces: &[(u16, Vec<u8>)]) -> (Vec<Option<u8>>, bool) {
    let mut octets = vec![None; 1024];
    let mut differs = false;
    for (at, bytes) in pieces {
        for (i, byte) in bytes.iter().enumerate() {
            let slot = &mut octets[usize::from(*at) + i];
            match slot {
                Some(old) => differs |= old != byte,
                None => *slot = Some(*byte),
            }
        }
    }
    (octets, differs)
}

proptest! {
    #[test]
    fn first_copy_wins_like_the_reference(
        base in any::<u32>(),
        pieces in prop::collection::vec((0u16..900, prop::collection::vec(0u8..3, 1..60)), 1..40),
    ) {
        let mut runs = Runs::default();
        let mut differs = false;
        for (at, bytes) in &pieces {
            let done = runs.insert(base, base.wrapping_add(u32::from(*at)), bytes);
            prop_assert!(!done.refused);
            differs |= done.differs;
        }
        let (expected, expected_differs) = model(&pieces);
        prop_assert_eq!(differs, expected_differs);
        let mut octets = vec![None; 1024];
        while let Some(at) = runs.first() {
            let bytes = runs.pop_at(at).unwrap();
            for (i, byte) in bytes.iter().enumerate() {
                let slot = &mut octets[at.wrapping_sub(base) as usize + i];
                prop_assert!(slot.is_none());
                *slot = Some(*byte);
            }
        }
        prop_assert_eq!(octets, expected);
        prop_assert_eq!(runs.cost, 0);
    }
}

#[test]
fn touching_pieces_make_one_run() {
    let mut runs = Runs::default();
    for i in 0..1000u32 {
        assert!(!runs.insert(0, 10 + i, b"x").refused);
    }
    assert_eq!(runs.runs.len(), 1);
    assert_eq!(runs.contiguous(10), 1000);
    assert_eq!(runs.contiguous(0), 0);
}

#[test]
fn runs_are_limited() {
    let mut runs = Runs::default();
    for i in 0..u32::try_from(RUNS_MAX).unwrap() {
        assert!(!runs.insert(0, 1 + 2 * i, b"x").refused);
    }
    assert!(runs.insert(0, 100_000, b"x").refused);
    assert_eq!(runs.runs.len(), RUNS_MAX);
}
