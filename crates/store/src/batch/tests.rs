use super::*;
use crate::testdata::{dns, http, inventory, key, network};

#[test]
fn events_survive_the_way_into_columns_and_back() {
    for class in [0usize, 1, 2, 3] {
        let make: fn(u64) -> Event = [network, http, dns, inventory][class];
        let mut events: Vec<Event> = (1..200).map(make).collect();
        for event in &mut events {
            event.mask(&key());
        }
        let schema = ClassSchema::of(events[0].body.class().uid).unwrap();
        let mut builder = BatchBuilder::new(schema);
        events.iter().for_each(|event| builder.push(event));
        assert_eq!(builder.rows(), 199);
        let batch = builder.finish().unwrap();
        assert_eq!(batch.num_rows(), 199);
        let back = events_of(schema, &batch);
        assert!(back == events, "class {class}");
    }
}

#[test]
fn a_clear_value_never_reaches_a_column() {
    let event = http(7);
    let schema = ClassSchema::of(4002).unwrap();
    let mut builder = BatchBuilder::new(schema);
    builder.push(&event);
    let batch = builder.finish().unwrap();
    let column = schema.column("url_path").unwrap();
    assert!(datafusion::arrow::array::Array::is_null(
        batch.column(column.at),
        0
    ));
}

#[test]
fn an_emptied_builder_starts_again() {
    let mut builder = BatchBuilder::new(ClassSchema::of(4003).unwrap());
    builder.push(&dns(1));
    assert_eq!(builder.finish().unwrap().num_rows(), 1);
    builder.push(&dns(2));
    builder.push(&dns(3));
    assert_eq!(builder.finish().unwrap().num_rows(), 2);
}
