use super::*;
use crate::testdata::{DAY, key};
use model::NodeId;
use model::port::AuditTrail as _;

fn uid(seq: u64) -> EventUid {
    EventUid {
        node: NodeId(3),
        seq,
    }
}

fn value(seq: u64, logged_ms: i64, column: &'static str, clear: Box<str>) -> Clear {
    Clear {
        uid: uid(seq),
        logged_ms,
        replay: None,
        values: vec![(column, clear)],
    }
}

fn keys(root: &Path) -> Keys {
    Keys::open(&root.join("keys")).unwrap()
}

fn opening(reason: &str) -> Opening<'_> {
    Opening {
        actor: "anne",
        reason,
        now: Millis(DAY),
    }
}

fn filled(root: &Path) -> (Vault, Arc<Trail>) {
    let trail = Arc::new(Trail::open(&root.join("audit"), &key()).unwrap());
    let vault = Vault::open(root, keys(root), Arc::clone(&trail)).unwrap();
    for seq in 0..10 {
        let clear: Box<str> = format!("/dossiers/martin-{seq}").into();
        vault.keep(&[value(seq, DAY, "url_path", clear)]).unwrap();
    }
    (vault, trail)
}

#[test]
fn a_value_comes_back_after_the_trail_knows() {
    let root = tempfile::tempdir().unwrap();
    let (vault, trail) = filled(root.path());
    let found = vault.reveal(uid(4), &opening("incident 12")).unwrap();
    assert_eq!(
        found,
        vec![("url_path".to_owned(), "/dossiers/martin-4".to_owned())]
    );
    let last = trail.latest(1).unwrap().remove(0);
    assert_eq!(
        (last.actor.as_str(), last.action.as_str()),
        ("anne", "vault_opened")
    );
    assert!(vault.reveal(uid(4), &opening("  ")).is_err());
    assert!(vault.reveal(uid(400), &opening("x")).unwrap().is_empty());
    drop(vault);
    // The same keys open it again after a restart.
    let vault = Vault::open(root.path(), keys(root.path()), trail).unwrap();
    assert_eq!(vault.reveal(uid(9), &opening("again")).unwrap().len(), 1);
}

#[test]
fn nothing_clear_is_on_disk() {
    let root = tempfile::tempdir().unwrap();
    let (vault, _trail) = filled(root.path());
    let site = *vault.site_key().octets();
    let mut dirs = vec![root.path().to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            assert!(
                !bytes.windows(6).any(|window| window == b"martin"),
                "{}",
                path.display()
            );
            assert!(
                !bytes.windows(32).any(|window| window == site),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn a_destroyed_month_is_gone_and_another_stays() {
    let root = tempfile::tempdir().unwrap();
    let (vault, trail) = filled(root.path());
    let later = DAY + 40 * 86_400_000;
    vault
        .keep(&[value(99, later, "patient", "hdh|42".into())])
        .unwrap();
    assert_eq!(
        vault.months().unwrap(),
        vec!["2026-11".to_owned(), "2027-01".to_owned()]
    );
    vault.destroy("2026-11", &opening("retention")).unwrap();
    assert!(vault.reveal(uid(4), &opening("x")).unwrap().is_empty());
    assert_eq!(vault.reveal(uid(99), &opening("x")).unwrap().len(), 1);
    assert_eq!(trail.latest(10).unwrap()[2].action, "vault_destroyed");
    assert!(vault.destroy("../keys", &opening("x")).is_err());
    vault.expire(30, Millis(later + 80 * 86_400_000)).unwrap();
    assert!(vault.months().unwrap().is_empty());
}

#[test]
fn key_files_are_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let root = tempfile::tempdir().unwrap();
    let _vault = filled(root.path());
    for name in ["vault.key", "site.key", "vault-2026-11.key"] {
        let meta = std::fs::metadata(root.path().join("keys").join(name)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600, "{name}");
    }
}
