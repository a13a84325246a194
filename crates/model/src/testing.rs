//! Arbitrary events for property tests, made from the field tables so that no field is forgotten.
//!
//! Enters: a seed of a generator. Leaves: events of any class. Refuses: nothing. Tests only.
//! Source: `DESIGN.md` section 5.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use crate::class::{Body, CLASSES, Class};
use crate::event::{Connection, Event, Meta};
use crate::net::Mac;
use crate::record::{Field, Kind, Record as _, Text, Value};
use crate::sensitive::{Masked, Sensitive, Shape, Token};
use crate::time::Millis;
use crate::uid::{EventUid, NodeId};

/// Which sensitive values an arbitrary event has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Secrets {
    Masked,
    Any,
}

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        "[a-z0-9./-]{0,24}",
        "[ -~]{0,12}",
        "\\PC{0,8}",
        Just("a\"b\\c\n\r\t\u{0}\u{1f}é\u{1F600}".to_owned()),
    ]
    .prop_map(Text::Owned)
}

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|v4| IpAddr::V4(Ipv4Addr::from(v4))),
        any::<u128>().prop_map(|v6| IpAddr::V6(Ipv6Addr::from(v6))),
    ]
}

fn sensitive(secrets: Secrets) -> BoxedStrategy<Shown> {
    let tokens = prop::collection::vec(any::<u64>().prop_map(Token), 0..4);
    let masked = (text(), tokens).prop_map(|(display, tokens)| {
        Shown(Value::Sensitive(Sensitive::masked(Masked {
            display: display.as_ref().into(),
            tokens,
        })))
    });
    if secrets == Secrets::Masked {
        return masked.boxed();
    }
    let shapes = [Shape::Path, Shape::Query, Shape::Text, Shape::Patient];
    let clear = (prop::sample::select(shapes.to_vec()), text())
        .prop_map(|(shape, text)| Shown(Value::Sensitive(Sensitive::new(shape, &text))));
    prop_oneof![masked, clear].boxed()
}

fn shown<T: std::fmt::Debug + 'static>(
    of: impl Strategy<Value = T> + 'static,
    make: impl Fn(T) -> Value + 'static,
) -> BoxedStrategy<Shown> {
    of.prop_map(move |value| Shown(make(value))).boxed()
}

fn value(kind: Kind, secrets: Secrets) -> BoxedStrategy<Shown> {
    match kind {
        Kind::Bool => shown(any::<bool>(), Value::Bool),
        Kind::U16 => shown(any::<u16>(), |v| Value::U64(v.into())),
        Kind::U32 => shown(any::<u32>(), |v| Value::U64(v.into())),
        Kind::U64 => shown(any::<u64>(), Value::U64),
        Kind::I64 => shown(any::<i64>(), Value::I64),
        Kind::Text => shown(text(), Value::Text),
        Kind::Ip => shown(ip(), Value::Ip),
        Kind::Mac => shown(any::<[u8; 6]>(), |mac| Value::Mac(Mac(mac))),
        Kind::Time => shown(any::<i64>(), |time| Value::Time(Millis(time))),
        Kind::Sensitive => sensitive(secrets),
        Kind::TextList => shown(list(text()), Value::TextList),
        Kind::U64List => shown(list(any::<u64>()), Value::U64List),
        Kind::IpList => shown(list(ip()), Value::IpList),
    }
}

fn list<T: std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(item, 0..4)
}

/// Facts in the order in which JSON gives them back.
fn facts() -> BoxedStrategy<Shown> {
    let fact = ("x[ab]", "[kl]_1", text()).prop_filter("no value", |(.., value)| !value.is_empty());
    let facts = prop::collection::vec(fact, 0..5).prop_map(|mut facts| {
        facts.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
        let text = |(protocol, key, value)| Text::Owned(format!("{protocol}.{key}={value}"));
        facts.into_iter().map(text).collect::<Vec<_>>()
    });
    shown(facts, Value::TextList)
}

/// Values of some of these fields, with their indices.
fn values(
    fields: &'static [Field],
    secrets: Secrets,
) -> impl Strategy<Value = Vec<(usize, Shown)>> {
    let each: Vec<_> = fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let of_field = if field.path == "unmapped.*" {
                facts()
            } else {
                value(field.kind, secrets)
            };
            prop::option::of(of_field).prop_map(move |value| value.map(|value| (index, value)))
        })
        .collect();
    each.prop_map(|values| values.into_iter().flatten().collect())
}

/// A value with the `Debug` that proptest wants, without showing it.
#[derive(Clone)]
pub(crate) struct Shown<T = Value>(pub(crate) T);

impl<T> std::fmt::Debug for Shown<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("_")
    }
}

fn meta() -> impl Strategy<Value = Shown<Meta>> {
    let ids = (any::<u32>(), any::<u64>(), any::<i64>(), any::<i64>());
    let codes = (any::<u16>(), any::<u16>(), any::<u16>());
    let texts = (text(), prop::option::of(text()), list(text()));
    (ids, codes, texts).prop_map(|(ids, codes, texts)| {
        Shown(Meta {
            uid: EventUid {
                node: NodeId(ids.0),
                seq: ids.1,
            },
            time: Millis(ids.2),
            logged_time: Millis(ids.3),
            site: texts.0,
            activity: codes.0,
            severity: codes.1,
            status: codes.2,
            status_code: texts.1,
            labels: texts.2,
        })
    })
}

/// An event of any class, any field present or absent.
pub(crate) fn event(secrets: Secrets) -> impl Strategy<Value = Shown<Event>> {
    prop::sample::select(CLASSES).prop_flat_map(move |class: &'static Class| {
        let connection = prop::option::of(values(Connection::FIELDS, secrets));
        (meta(), connection, values(class.fields, secrets)).prop_map(
            move |(Shown(meta), of, body)| {
                let connection = of.filter(|_| class.network).map(|values| {
                    let mut connection = Box::<Connection>::default();
                    for (index, Shown(value)) in values {
                        assert!(connection.set(index, value));
                    }
                    connection
                });
                let mut made = Body::empty(class.uid).expect("every class has a body");
                for (index, Shown(value)) in body {
                    assert!(made.set(index, value));
                }
                Shown(Event {
                    meta,
                    connection,
                    body: made,
                })
            },
        )
    })
}
