use super::*;

fn entry(n: i64) -> AuditEntry {
    AuditEntry {
        time: n,
        actor: "local:root".to_owned(),
        action: "vault_opened".to_owned(),
        object: format!("event {n}"),
        reason: "incident 7, \"quoted\" and é".to_owned(),
        outcome: "ok".to_owned(),
    }
}

#[test]
fn entries_stay_chained_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let trail = Trail::open(dir.path()).unwrap();
        for n in 0..5 {
            trail.append(&entry(round * 5 + n)).unwrap();
        }
        let whole = u64::try_from(round * 5 + 5).unwrap();
        assert_eq!(trail.verify().unwrap(), Verified::Whole(whole));
    }
    let trail = Trail::open(dir.path()).unwrap();
    let latest = trail.latest(4).unwrap();
    assert_eq!(
        latest.iter().map(|e| e.time).collect::<Vec<_>>(),
        vec![14, 13, 12, 11]
    );
    assert_eq!(trail.latest(1000).unwrap().len(), 15);
}

#[test]
fn any_change_is_found_at_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trail.jsonl");
    let trail = Trail::open(dir.path()).unwrap();
    (0..6).for_each(|n| trail.append(&entry(n)).unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("event 3", "event 9")).unwrap();
    assert_eq!(trail.verify().unwrap(), Verified::Broken(5));
    // A line taken out: the next one does not follow.
    let lines: Vec<&str> = text.lines().collect();
    let without: Vec<&str> = lines
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != 2)
        .map(|(_, line)| *line)
        .collect();
    std::fs::write(&path, without.join("\n") + "\n").unwrap();
    assert_eq!(
        Trail::open(dir.path()).unwrap().verify().unwrap(),
        Verified::Broken(3)
    );
}

#[test]
fn a_torn_last_line_is_cut_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trail.jsonl");
    let trail = Trail::open(dir.path()).unwrap();
    (0..3).for_each(|n| trail.append(&entry(n)).unwrap());
    drop(trail);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 9);
    std::fs::write(&path, bytes).unwrap();
    let trail = Trail::open(dir.path()).unwrap();
    trail.append(&entry(9)).unwrap();
    assert_eq!(trail.verify().unwrap(), Verified::Whole(3));
    assert_eq!(trail.latest(1).unwrap()[0].time, 9);
}

#[test]
fn a_newer_trail_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let line = "{\"format\":\"vigie-audit\",\"version\":9}\n";
    std::fs::write(dir.path().join("trail.jsonl"), line).unwrap();
    assert_eq!(
        Trail::open(dir.path()).err().map(|e| e.code()),
        Some("newer_format")
    );
}
