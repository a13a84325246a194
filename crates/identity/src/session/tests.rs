use super::*;

const NOW: i64 = 1_700_000_000_000;
const MINUTE: i64 = 60_000;

#[expect(clippy::unnecessary_wraps, reason = "the shape that sessions ask for")]
fn admin(_: &str) -> Option<Role> {
    Some(Role::Admin)
}

fn analyst(_: &str) -> Option<Role> {
    Some(Role::Analyst)
}

fn sessions() -> Sessions {
    Sessions::new(SessionTimes::default())
}

#[test]
fn an_admin_ends_after_half_an_hour_without_a_request() {
    let mut all = sessions();
    all.add("id", "a", NOW);
    assert!(all.name("id", NOW + 29 * MINUTE, true, admin).is_some());
    assert!(all.name("id", NOW + 58 * MINUTE, false, admin).is_some());
    // The look without touching did not prolong it.
    assert!(all.name("id", NOW + 60 * MINUTE, true, admin).is_none());
    assert!(all.name("id", NOW + 29 * MINUTE, true, admin).is_none());
}

#[test]
fn nobody_stays_longer_than_twelve_hours() {
    let mut all = sessions();
    all.add("id", "a", NOW);
    for hour in 1..12 {
        assert!(
            all.name("id", NOW + hour * 60 * MINUTE, true, analyst)
                .is_some()
        );
    }
    assert!(
        all.name("id", NOW + 12 * 60 * MINUTE, true, analyst)
            .is_none()
    );
}

#[test]
fn unknown_ids_and_gone_accounts_have_no_session() {
    let mut all = sessions();
    all.add("id", "a", NOW);
    assert!(all.name("other", NOW, true, admin).is_none());
    assert!(all.name("id", NOW, true, |_| None).is_none());
}

#[test]
fn the_oldest_of_too_many_ends() {
    let mut all = sessions();
    for n in 0..=SESSIONS_PER_ACCOUNT_MAX {
        all.add(&format!("id{n}"), "a", NOW + i64::try_from(n).unwrap());
    }
    assert!(all.name("id0", NOW + 99, true, admin).is_none());
    assert!(all.name("id1", NOW + 99, true, admin).is_some());
    assert_eq!(all.live.len(), SESSIONS_PER_ACCOUNT_MAX);
}

#[test]
fn ending_all_keeps_the_one_asked_for() {
    let mut all = sessions();
    for (id, name) in [("1", "a"), ("2", "a"), ("3", "b")] {
        all.add(id, name, NOW);
    }
    all.end_all("a", Some("2"));
    assert!(all.name("1", NOW, true, admin).is_none());
    assert!(all.name("2", NOW, true, admin).is_some());
    assert!(all.name("3", NOW, true, admin).is_some());
}

#[test]
fn the_csrf_value_depends_on_the_session_alone() {
    assert_eq!(csrf("a"), csrf("a"));
    assert_ne!(csrf("a"), csrf("b"));
    assert_ne!(csrf("a").as_bytes(), digest("a"));
}
