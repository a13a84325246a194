use super::*;
use model::class::Dns;
use model::{Meta, Millis};

fn event(t: i64) -> Arc<Event> {
    Arc::new(Event {
        meta: Meta {
            time: Millis(t),
            ..Meta::default()
        },
        connection: None,
        body: Dns::default().into(),
    })
}

fn hub() -> LiveHub {
    LiveHub::new(|search| {
        if search.is_empty() {
            return Ok(Box::new(|_| true));
        }
        let limit: i64 = search.parse().map_err(|_| QueryError {
            code: "syntax",
            detail: "not a number".to_owned(),
            position: Some(0),
            suggestion: None,
        })?;
        Ok(Box::new(move |event| event.meta.time.0 > limit))
    })
}

#[test]
fn clients_get_what_they_asked_for() {
    let hub = hub();
    let mut all = hub.subscribe("").unwrap();
    let mut late = hub.subscribe("5").unwrap();
    assert!(hub.subscribe("x").is_err());
    hub.publish(&event(1));
    hub.publish(&event(9));
    assert_eq!(all.events.try_recv().unwrap().meta.time.0, 1);
    assert_eq!(late.events.try_recv().unwrap().meta.time.0, 9);
    assert!(late.events.try_recv().is_err());
}

#[test]
fn a_slow_client_loses_the_newest_and_is_told_how_many() {
    let hub = hub();
    let mut slow = hub.subscribe("").unwrap();
    for t in 0..300 {
        hub.publish(&event(t));
    }
    assert_eq!(slow.dropped.load(Ordering::Relaxed), 300 - 256);
    assert_eq!(slow.events.try_recv().unwrap().meta.time.0, 0);
}

#[test]
fn clients_that_left_make_room() {
    let hub = hub();
    let kept: Vec<_> = (0..STREAMS_MAX)
        .map(|_| hub.subscribe("").unwrap())
        .collect();
    assert_eq!(
        hub.subscribe("").err().map(|error| error.code),
        Some("too_many")
    );
    drop(kept);
    assert!(hub.subscribe("").is_ok());
    assert!(hub.is_followed());
}
