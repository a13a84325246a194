use super::*;

#[test]
fn times_are_written_and_read_back() {
    for millis in [0, 951_782_400_123, 1_795_424_400_250, -1, 4_102_444_799_999] {
        let text = rfc3339(Millis(millis));
        assert_eq!(parse(&text, Millis(0)), Some(Millis(millis)), "{text}");
    }
    assert_eq!(
        rfc3339(Millis(1_795_424_400_250)),
        "2026-11-23T09:00:00.250Z"
    );
}

#[test]
fn relative_times_count_from_now() {
    let now = Millis(1_000_000_000);
    assert_eq!(parse("-24h", now), Some(Millis(1_000_000_000 - 86_400_000)));
    assert_eq!(parse("now-5m", now), Some(Millis(1_000_000_000 - 300_000)));
    assert_eq!(parse("-24 parsecs", now), None);
    assert_eq!(parse("yesterday", now), None);
}
