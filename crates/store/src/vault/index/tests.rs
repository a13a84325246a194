use super::*;
use crate::audit::Trail;
use crate::testdata::{DAY, key};
use crate::vault::{Clear, Keys, Opening, Vault};
use model::{Millis, NodeId};

fn uid(seq: u64) -> EventUid {
    EventUid {
        node: NodeId(3),
        seq,
    }
}

const OPENING: Opening<'static> = Opening {
    actor: "anne",
    reason: "test",
    now: Millis(DAY),
};

fn value(seq: u64, clear: Box<str>) -> Clear {
    Clear {
        uid: uid(seq),
        logged_ms: DAY,
        replay: None,
        values: vec![("url_path", clear)],
    }
}

/// A vault with `events` in commits of 500, and the path of its only file.
fn filled(root: &Path, events: u64) -> (Vault, PathBuf) {
    let trail = Arc::new(Trail::open(&root.join("audit"), &key()).unwrap());
    let vault = Vault::open(root, Keys::open(&root.join("keys")).unwrap(), trail).unwrap();
    for from in (0..events).step_by(500) {
        let values: Vec<_> = (from..from + 500)
            .map(|seq| {
                let clear: Box<str> = format!("/dossiers/martin-{seq}/page/{}", seq * 7).into();
                value(seq, clear)
            })
            .collect();
        vault.keep(&values).unwrap();
    }
    let page = only(&root.join("vault/2026-11"), "vlt");
    (vault, page)
}

fn only(dir: &Path, extension: &str) -> PathBuf {
    let names = std::fs::read_dir(dir)
        .unwrap()
        .map(|one| one.unwrap().path());
    let mut found = names.filter(|path| path.extension().is_some_and(|e| e == extension));
    found.next().unwrap()
}

#[test]
fn an_opening_reads_one_block_of_a_large_file() {
    let root = tempfile::tempdir().unwrap();
    let (vault, page) = filled(root.path(), 60_000);
    let size = size_of(&page).unwrap();
    assert!(size > 10 * BLOCK_BYTES, "{size}");
    let mut indexes = Indexes::default();
    for seq in [0, 31_415, 59_999] {
        let blocks = indexes.candidates(&page, uid(seq)).unwrap();
        let read: u64 = blocks.iter().map(|block| block.to - block.from).sum();
        assert!(
            blocks.len() == 1 && read <= BLOCK_BYTES,
            "{seq}: {blocks:?}"
        );
        assert_eq!(vault.reveal(uid(seq), &OPENING).unwrap().len(), 1, "{seq}");
    }
    assert!(indexes.candidates(&page, uid(60_000)).unwrap().is_empty());
    let other = EventUid {
        node: NodeId(4),
        seq: 5,
    };
    assert!(indexes.candidates(&page, other).unwrap().is_empty());
    // The index is on disk, and another start uses it without reading the file.
    let mut again = Index::load(&page).unwrap();
    assert_eq!(again.covered, size);
    let count = again.blocks.len();
    again.extend(&page, size).unwrap();
    assert_eq!(again.blocks.len(), count);
}

#[test]
fn what_is_kept_after_the_index_is_found() {
    let root = tempfile::tempdir().unwrap();
    let (vault, _) = filled(root.path(), 30_000);
    vault.index().unwrap();
    let late: Box<str> = "/dossiers/late".into();
    vault.keep(&[value(70_000, late)]).unwrap();
    assert_eq!(vault.reveal(uid(70_000), &OPENING).unwrap().len(), 1);
    assert_eq!(vault.reveal(uid(29_999), &OPENING).unwrap().len(), 1);
}

#[test]
fn a_damaged_index_is_made_again_and_damage_hides_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let (vault, page) = filled(root.path(), 30_000);
    vault.index().unwrap();
    let index = page.with_extension("idx");
    let mut bytes = std::fs::read(&index).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&index, &bytes).unwrap();
    assert!(Index::load(&page).is_none());
    // Damage in the middle of the file costs its frame only.
    let mut bytes = std::fs::read(&page).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&page, &bytes).unwrap();
    vault.indexes().forget(root.path());
    let step = 500;
    let missing = (0..30_000)
        .step_by(step)
        .filter(|seq| vault.reveal(uid(*seq), &OPENING).unwrap().is_empty());
    assert_eq!(missing.count(), 1);
}

#[test]
fn a_torn_tail_is_not_covered() {
    let root = tempfile::tempdir().unwrap();
    let (_vault, page) = filled(root.path(), 1_500);
    let whole = std::fs::read(&page).unwrap();
    std::fs::write(&page, &whole[..whole.len() - 100]).unwrap();
    let mut indexes = Indexes::default();
    let before = indexes.candidates(&page, uid(1_400)).unwrap();
    assert_eq!(before.len(), 1);
    assert_eq!(before[0].to, whole.len() as u64 - 100);
    std::fs::write(&page, &whole).unwrap();
    let after = indexes.candidates(&page, uid(1_400)).unwrap();
    assert_eq!((after.len(), after[0].to), (1, whole.len() as u64));
}
