use std::sync::atomic::Ordering;

use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::tests::{mixed, open, query, rows};

/// The file of an answer as rows of text, and what was told of it.
fn file(store: &Store, query: &Query) -> (Vec<String>, Vec<RecordBatch>, Exported) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("answer.parquet");
    let mut out = std::fs::File::create(&path).unwrap();
    let done = store
        .export(query, &mut out, &AtomicBool::new(false))
        .unwrap();
    drop(out);
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(&path).unwrap());
    let reader = reader.unwrap();
    let names = reader.schema().fields().iter();
    let names = names.map(|field| field.name().clone()).collect();
    let batches = reader.build().unwrap();
    (names, batches.map(Result::unwrap).collect(), done)
}

#[test]
fn parquet_says_what_the_other_forms_say() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.ingest(mixed(1, 401)).unwrap();
    for text in [
        "",
        "class:dns",
        "select * from dns_activity order by time",
        "select * from inventory_info order by time",
        "select src_ip, count(*) as n, max(time) as last from events group by 1 order by 1",
        "select null as nothing, 1 as one",
        "select 1 where false",
    ] {
        let (names, batches, done) = file(&store, &query(text));
        let plain = rows(&store, text);
        let wanted: Vec<&String> = plain.columns.iter().map(|column| &column.name).collect();
        assert_eq!(names.iter().collect::<Vec<_>>(), wanted, "{text}");
        assert_eq!(crate::query::output::rows(&batches), plain.rows, "{text}");
        assert_eq!(
            (done.rows, done.limited),
            (plain.rows.len(), None),
            "{text}"
        );
    }
}

#[test]
fn names_that_come_twice_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.ingest(mixed(1, 11)).unwrap();
    let text = "select a.seq, b.seq from events a join events b on a.seq = b.seq limit 1";
    let (names, _, _) = file(&store, &query(text));
    assert_eq!(names, ["seq", "seq_2"]);
}

#[test]
fn the_same_limits_hold() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    store.ingest(mixed(1, 401)).unwrap();
    let ten = Query {
        rows_max: 10,
        ..query("")
    };
    let (_, batches, done) = file(&store, &ten);
    let newest = rows(&store, "").rows;
    assert_eq!((done.rows, done.limited), (10, Some("rows")));
    assert_eq!(crate::query::output::rows(&batches), newest[..10]);
    let endless = Query {
        time_ms_max: 50,
        // A sum, not a count: that is known beforehand.
        ..query(
            "select sum(a.seq + b.seq + c.seq + d.seq) from events a, events b, events c, events d",
        )
    };
    let late = store.export(&endless, &mut Vec::new(), &AtomicBool::new(false));
    assert_eq!(late.err().map(|error| error.code), Some("limit_time"));
    let cancel = AtomicBool::new(false);
    cancel.store(true, Ordering::Relaxed);
    let gone = store.export(&query(""), &mut Vec::new(), &cancel);
    assert_eq!(gone.err().map(|error| error.code), Some("cancelled"));
}

#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let mut out = Vec::new();
    let refused = store.export(&query("prot:dns"), &mut out, &AtomicBool::new(false));
    assert_eq!(
        refused.err().and_then(|e| e.suggestion).as_deref(),
        Some("proto")
    );
    assert!(out.is_empty());
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    store.ingest(mixed(1, 11)).unwrap();
    let full = store.export(&query(""), &mut Full, &AtomicBool::new(false));
    assert_eq!(full.err().map(|error| error.code), Some("output"));
}
