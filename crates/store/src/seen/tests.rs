use super::*;

#[test]
fn ranges_grow_together() {
    let mut seen = Seen::default();
    for seq in [5, 7, 6, 1, 2, 9] {
        seen.insert(1, seq);
    }
    let spans: Vec<(u64, u64)> = seen.ranges().iter().map(|r| (r.from, r.to)).collect();
    assert_eq!(spans, vec![(1, 2), (5, 7), (9, 9)]);
    assert_eq!(seen.known(1, 6), Known::Yes);
    assert_eq!(seen.known(1, 8), Known::New);
    assert_eq!(seen.known(2, 6), Known::New);
    seen.add(Range {
        node: 1,
        from: 3,
        to: 8,
        blurred: false,
    });
    assert_eq!(seen.ranges().len(), 1);
}

#[test]
fn too_many_ranges_become_a_question_never_a_loss() {
    let mut seen = Seen::default();
    for n in 0..(RANGES_MAX as u64 + 10) {
        seen.insert(1, n * 1000);
    }
    assert!(seen.ranges().len() <= RANGES_MAX);
    assert_eq!(seen.known(1, 1000), Known::Perhaps);
    assert_eq!(seen.known(1, 1001), Known::Perhaps);
    assert_eq!(seen.known(1, RANGES_MAX as u64 * 1000), Known::Yes);
    assert_eq!(seen.known(1, RANGES_MAX as u64 * 1000 + 1), Known::New);
    let mut copy = Seen::default();
    copy.merge(&seen);
    assert_eq!(copy.ranges(), seen.ranges());
}
