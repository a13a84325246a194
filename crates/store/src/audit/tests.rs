use super::*;
use crate::testdata::key;

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
        let trail = Trail::open(dir.path(), &key()).unwrap();
        for n in 0..5 {
            trail.append(&entry(round * 5 + n)).unwrap();
        }
        let whole = u64::try_from(round * 5 + 5).unwrap();
        assert_eq!(trail.verify().unwrap(), Verified::Whole(whole));
    }
    let trail = Trail::open(dir.path(), &key()).unwrap();
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
    let trail = Trail::open(dir.path(), &key()).unwrap();
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
        Trail::open(dir.path(), &key()).unwrap().verify().unwrap(),
        Verified::Broken(3)
    );
}

fn filled(dir: &Path, entries: i64) -> Vec<u8> {
    let trail = Trail::open(dir, &key()).unwrap();
    (0..entries).for_each(|n| trail.append(&entry(n)).unwrap());
    drop(trail);
    std::fs::read(dir.join("trail.jsonl")).unwrap()
}

/// Where the last `lines` lines begin.
fn before_last(text: &[u8], lines: usize) -> usize {
    let ends: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b'\n').collect();
    ends[ends.len() - 1 - lines] + 1
}

#[test]
fn lines_cut_off_at_the_end_are_noticed_and_stay_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trail.jsonl");
    let text = filled(dir.path(), 6);
    std::fs::write(&path, &text[..before_last(&text, 2)]).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    let (entries, lost) = (4, 2);
    let cut = Verified::Truncated { entries, lost };
    assert_eq!(trail.found_at_start(), Some(&cut));
    assert_eq!(trail.verify().unwrap(), cut);
    trail.append(&entry(9)).unwrap();
    drop(trail);
    let trail = Trail::open(dir.path(), &key()).unwrap();
    assert_eq!(trail.found_at_start(), None);
    let cut = Verified::Truncated { entries: 5, lost };
    assert_eq!(trail.verify().unwrap(), cut);
    // While it is open, too.
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, &text[..before_last(&text, 1)]).unwrap();
    let cut = Verified::Truncated {
        entries: 4,
        lost: 1,
    };
    assert_eq!(trail.verify().unwrap(), cut);
}

#[test]
fn a_cut_in_the_middle_of_an_acknowledged_line_is_a_loss() {
    let dir = tempfile::tempdir().unwrap();
    let text = filled(dir.path(), 3);
    std::fs::write(dir.path().join("trail.jsonl"), &text[..text.len() - 9]).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    let (entries, lost) = (2, 1);
    assert_eq!(
        trail.found_at_start(),
        Some(&Verified::Truncated { entries, lost })
    );
}

#[test]
fn a_whole_trail_taken_away_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 3);
    std::fs::remove_file(dir.path().join("trail.jsonl")).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    let (entries, lost) = (0, 3);
    assert_eq!(
        trail.verify().unwrap(),
        Verified::Truncated { entries, lost }
    );
}

#[test]
fn a_crash_between_line_and_head_is_no_damage_and_a_forged_line_is() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 3);
    let head = std::fs::read(dir.path().join("trail.head")).unwrap();
    let whole = filled(dir.path(), 1);
    std::fs::write(dir.path().join("trail.head"), &head).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    assert_eq!(trail.found_at_start(), None);
    assert_eq!(trail.verify().unwrap(), Verified::Whole(4));
    drop(trail);
    // The same line written with another key: the chain is right, the mark is not.
    let other = tempfile::tempdir().unwrap();
    std::fs::write(
        other.path().join("trail.jsonl"),
        &whole[..before_last(&whole, 1)],
    )
    .unwrap();
    let forger = Trail::open(other.path(), &SiteKey::new([8; 32])).unwrap();
    forger.append(&entry(0)).unwrap();
    let forged = std::fs::read(other.path().join("trail.jsonl")).unwrap();
    std::fs::write(dir.path().join("trail.jsonl"), forged).unwrap();
    std::fs::write(dir.path().join("trail.head"), &head).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    assert_eq!(trail.verify().unwrap(), Verified::Broken(5));
    assert!(trail.found_at_start().is_some());
}

#[test]
fn a_last_line_written_anew_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trail.jsonl");
    let head = dir.path().join("trail.head");
    filled(dir.path(), 3);
    let kept = std::fs::read(&head).unwrap();
    // The chain with another last line, made by who has the key but not this head.
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, &text[..before_last(&text, 1)]).unwrap();
    std::fs::remove_file(&head).unwrap();
    Trail::open(dir.path(), &key())
        .unwrap()
        .append(&entry(77))
        .unwrap();
    std::fs::write(&head, kept).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    assert_eq!(trail.verify().unwrap(), Verified::Broken(4));
}

#[test]
fn a_missing_head_is_told_and_a_torn_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let head = dir.path().join("trail.head");
    filled(dir.path(), 3);
    std::fs::remove_file(&head).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    assert_eq!(trail.verify().unwrap(), Verified::HeadLost(3));
    drop(trail);
    let dir = tempfile::tempdir().unwrap();
    let head = dir.path().join("trail.head");
    filled(dir.path(), 3);
    // One of two records torn: at worst it is the newest, and the line behind it is marked.
    let whole = std::fs::read(&head).unwrap();
    for record in 0..2 {
        let mut torn = whole.clone();
        torn[record * 512 + 70..(record + 1) * 512].fill(0);
        std::fs::write(&head, torn).unwrap();
        let trail = Trail::open(dir.path(), &key()).unwrap();
        assert_eq!(trail.verify().unwrap(), Verified::Whole(3), "{record}");
    }
}

#[test]
fn a_trail_of_version_1_gets_its_head() {
    let dir = tempfile::tempdir().unwrap();
    let header = "{\"format\":\"vigie-audit\",\"version\":1}\n";
    let first = blake3::hash(header.as_bytes()).to_hex().to_string();
    let hash = chained(&first, 1, &entry(1)).unwrap();
    let line = Line {
        n: 1,
        entry: entry(1),
        prev: first,
        hash,
        mac: String::new(),
    };
    let line = String::from_utf8(json(&line).unwrap()).unwrap();
    let path = dir.path().join("trail.jsonl");
    std::fs::write(&path, format!("{header}{line}\n")).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    assert_eq!(trail.found_at_start(), None);
    trail.append(&entry(2)).unwrap();
    assert_eq!(trail.verify().unwrap(), Verified::Whole(2));
    drop(trail);
    std::fs::write(&path, format!("{header}{line}\n")).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    let (entries, lost) = (1, 1);
    assert_eq!(
        trail.verify().unwrap(),
        Verified::Truncated { entries, lost }
    );
}

#[test]
fn a_torn_last_line_is_cut_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("trail.jsonl");
    filled(dir.path(), 2);
    let head = std::fs::read(dir.path().join("trail.head")).unwrap();
    let mut bytes = filled(dir.path(), 1);
    // A crash while the third was written: it is torn, and the head does not count it.
    bytes.truncate(bytes.len() - 9);
    std::fs::write(&path, bytes).unwrap();
    std::fs::write(dir.path().join("trail.head"), head).unwrap();
    let trail = Trail::open(dir.path(), &key()).unwrap();
    assert_eq!(trail.found_at_start(), None);
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
        Trail::open(dir.path(), &key()).err().map(|e| e.code()),
        Some("newer_format")
    );
}
