use super::log::Log;
use super::{path_of, replay, rows};
use crate::batch::BatchBuilder;
use crate::frame::{self, Found};
use crate::schema::ClassSchema;
use crate::testdata::{dns, network};
use datafusion::arrow::array::RecordBatch;
use model::Event;

fn batch(class: u32, make: fn(u64) -> Event, from: u64, to: u64) -> RecordBatch {
    let mut builder = BatchBuilder::new(ClassSchema::of(class).unwrap());
    (from..to).for_each(|n| builder.push(&make(n)));
    builder.finish().unwrap()
}

fn written(dir: &std::path::Path) -> Vec<RecordBatch> {
    let mut log = Log::create(dir, 1).unwrap();
    let batches = [
        batch(4001, network, 0, 50),
        batch(4003, dns, 50, 90),
        batch(4001, network, 90, 95),
    ];
    for (at, class) in [4001, 4003, 4001].into_iter().enumerate() {
        let encoded = rows::encode(ClassSchema::of(class).unwrap(), &batches[at]).unwrap();
        log.commit(&[&encoded], u64::MAX).unwrap();
    }
    batches.to_vec()
}

#[test]
fn what_was_committed_is_replayed() {
    let dir = tempfile::tempdir().unwrap();
    let batches = written(dir.path());
    let back = replay::replay(&path_of(dir.path(), 1)).unwrap();
    assert!(back.damaged.is_empty() && back.torn_at.is_none());
    let back: Vec<RecordBatch> = back.batches.into_iter().map(|(_, batch)| batch).collect();
    assert_eq!(back, batches);
}

#[test]
fn every_torn_tail_keeps_the_frames_before_it() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let path = path_of(dir.path(), 1);
    let whole = std::fs::read(&path).unwrap();
    for cut in (0..whole.len()).rev().step_by(97) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let back = replay::replay(&path).unwrap();
        assert!(back.damaged.is_empty(), "cut at {cut}");
        if let Some(at) = back.torn_at {
            replay::cut(&path, at).unwrap();
            let again = replay::replay(&path).unwrap();
            assert!(again.batches.len() == back.batches.len());
        }
    }
}

#[test]
fn a_bad_frame_in_the_middle_is_reported_and_the_rest_is_read() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let path = path_of(dir.path(), 1);
    let mut bytes = std::fs::read(&path).unwrap();
    // Flip one bit in the second batch: its frame is the fourth.
    let mut at = frame::FILE_HEAD_BYTES;
    for _ in 0..3 {
        let Found::Frame(_, _, len) = frame::read(&bytes[at..]) else {
            panic!("frame")
        };
        at += len;
    }
    bytes[at + 200] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let back = replay::replay(&path).unwrap();
    assert_eq!(back.damaged, vec![at as u64]);
    let rows: Vec<usize> = back
        .batches
        .iter()
        .map(|(_, batch)| batch.num_rows())
        .collect();
    assert_eq!(rows, vec![50, 5]);
}

#[test]
fn a_newer_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let path = path_of(dir.path(), 1);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = 2;
    std::fs::write(&path, &bytes).unwrap();
    let code = replay::replay(&path).err().map(|error| error.code());
    assert_eq!(code, Some("newer_format"));
}
