use super::*;
use crate::batch::BatchBuilder;
use crate::schema::ClassSchema;
use crate::testdata::dns;

fn batch(labels: &[&[&'static str]]) -> RecordBatch {
    let schema = ClassSchema::of(4003).unwrap();
    let mut builder = BatchBuilder::new(schema);
    for (n, labels) in labels.iter().enumerate() {
        let mut event = dns(n as u64);
        event.meta.labels = labels.iter().map(|label| Text::Borrowed(*label)).collect();
        builder.push(&event);
    }
    builder.finish().unwrap()
}

#[test]
fn rows_go_to_the_tenant_that_their_label_names() {
    let parts = split(batch(&[
        &[],
        &["replay:a"],
        &["vip", "replay:b"],
        &["vip"],
        &["replay:a", "replay:b"],
    ]))
    .unwrap();
    let shown: Vec<(Option<&str>, usize)> = parts
        .iter()
        .map(|(replay, rows)| (replay.as_deref(), rows.num_rows()))
        .collect();
    assert_eq!(shown, [(None, 2), (Some("a"), 2), (Some("b"), 1)]);
}

#[test]
fn a_batch_of_one_tenant_stays_whole() {
    for (labels, replay) in [
        (&[&[][..], &[]][..], None),
        (&[&["vip"][..], &[]], None),
        (&[&["replay:x"][..], &["replay:x"]], Some("x")),
    ] {
        let parts = split(batch(labels)).unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].0.as_deref(), replay);
        assert_eq!(parts[0].1.num_rows(), 2);
    }
    assert_eq!(split(batch(&[])).unwrap().len(), 1);
}
