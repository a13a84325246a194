use super::*;

fn open(folder: &Path, max: u64) -> Spool {
    Spool::open(folder, &[9; 32], max).unwrap()
}

#[test]
fn batches_come_back_in_order_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path(), 1 << 20);
    for n in 0..10u8 {
        assert!(spool.push(&[n; 100]).unwrap());
    }
    drop(spool);
    let mut spool = open(folder.path(), 1 << 20);
    let (number, batches) = spool.oldest().unwrap().unwrap();
    assert_eq!(batches, (0..10u8).map(|n| vec![n; 100]).collect::<Vec<_>>());
    spool.remove(number).unwrap();
    assert!(spool.is_empty());
    assert!(spool.oldest().unwrap().is_none());
}

#[test]
fn a_full_spool_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path(), 1000);
    assert!(spool.push(&[1; 500]).unwrap());
    assert!(!spool.push(&[2; 500]).unwrap());
}

#[test]
fn the_disk_never_holds_a_clear_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path(), 1 << 20);
    spool.push(b"DURAND Marie 1850578006084").unwrap();
    spool.close_file().unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"DURAND"));
    }
}

#[test]
fn a_torn_tail_loses_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(folder.path(), 1 << 20);
    spool.push(b"first").unwrap();
    spool.push(b"second").unwrap();
    spool.close_file().unwrap();
    let path = spool.path(1);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    let (_, batches) = open(folder.path(), 1 << 20).oldest().unwrap().unwrap();
    assert_eq!(batches, [b"first".to_vec()]);
}
