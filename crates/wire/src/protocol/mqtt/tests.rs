use proptest::prelude::*;

use crate::protocol::Transport;
use crate::protocol::checks::{
    client, facts, field, only, play, server, split_gives_the_same, survives_mutation,
};
use crate::protocol::replay::fuzz;

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap();
        length >>= 7;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    out.extend(body);
    out
}

fn text(text: &str) -> Vec<u8> {
    let mut out = u16::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    out.extend(text.as_bytes());
    out
}

fn from_client() -> Vec<u8> {
    let connect = [
        text("MQTT"),
        vec![4, 0xc2, 0, 60],
        text("monitor-7"),
        text("nurse"),
        text("secret"),
    ]
    .concat();
    let subscribe = [
        vec![0, 1],
        text("ward/+/alarm"),
        vec![1],
        text("x"),
        vec![0],
    ]
    .concat();
    let publish = |payload: usize| [text("ward/3/alarm"), vec![b'p'; payload]].concat();
    [
        packet(0x10, &connect),
        packet(0x82, &subscribe),
        packet(0x30, &publish(300)),
        packet(0x31, &publish(0)),
        packet(0xc0, &[]),
        packet(0xe0, &[]),
    ]
    .concat()
}

fn from_server() -> Vec<u8> {
    let publish = [text("ward/4/alarm"), vec![0, 9], b"on".to_vec()].concat();
    [
        packet(0x20, &[0, 0]),
        packet(0x90, &[0, 1, 1, 0x80]),
        packet(0x32, &publish),
        packet(0xd0, &[]),
    ]
    .concat()
}

#[test]
fn a_session_tells_who_and_what() {
    let (ours, theirs) = (from_client(), from_server());
    let out = play(Transport::Tcp, 11883, &[client(&ours), server(&theirs)]);
    assert_eq!(out.name, Some("mqtt"));
    let told: Vec<_> = out
        .drafts
        .iter()
        .map(|draft| {
            format!(
                "{} {} {} {}",
                field(draft, "operation"),
                draft.status,
                field(draft, "object"),
                field(draft, "object_count")
            )
        })
        .collect();
    let wanted = [
        " 1  ",
        "connect 1  ",
        "subscribe 2 ward/+/alarm x 2",
        "publish 0 ward/4/alarm 1",
        "publish 0 ward/3/alarm 2",
    ];
    assert_eq!(told, wanted);
    assert_eq!(field(&out.drafts[0], "user"), "nurse");
    let connect = field(&out.drafts[1], "facts");
    assert_eq!(field(&out.drafts[1], "client_name"), "monitor-7");
    assert!(connect.contains("mqtt.version=3.1.1"), "{connect}");
    assert_eq!(
        field(&out.drafts[4], "facts"),
        "mqtt.bytes=300,mqtt.from=client,mqtt.qos=0,mqtt.retained=1"
    );
    assert!(
        !out.drafts
            .iter()
            .any(|draft| facts(draft).contains("secret"))
    );
}

#[test]
fn version_five_has_properties_and_aliases() {
    let connect = [
        text("MQTT"),
        vec![5, 2, 0, 60, 5, 0x11, 0, 0, 0, 10],
        text("a"),
    ]
    .concat();
    let named = [text("t/1"), vec![3, 0x23, 0, 1], b"x".to_vec()].concat();
    let again = [text(""), vec![3, 0x23, 0, 1], b"yy".to_vec()].concat();
    let ours = [
        packet(0x10, &connect),
        packet(0x30, &named),
        packet(0x30, &again),
    ]
    .concat();
    let theirs = packet(0x20, &[0, 0x87, 0]);
    let out = play(Transport::Tcp, 1883, &[client(&ours), server(&theirs)]);
    assert_eq!(out.drafts[0].status, 2);
    assert_eq!(out.drafts[0].status_code.as_deref(), Some("135"));
    assert_eq!(field(&out.drafts[1], "object"), "t/1");
    assert_eq!(field(&out.drafts[1], "object_count"), "2");
}

#[test]
fn topics_beyond_the_limit_are_summed() {
    let mut ours = from_client();
    for number in 0..100 {
        ours.extend(packet(0x30, &text(&format!("t/{number}"))));
    }
    let out = play(Transport::Tcp, 1883, &[client(&ours)]);
    assert!(out.anomalies.contains(&"mqtt-topics-limit"));
    let published = out
        .drafts
        .iter()
        .filter(|d| field(d, "operation") == "publish");
    let counts = published.map(|draft| field(draft, "object_count").parse::<u64>().unwrap());
    assert_eq!(counts.sum::<u64>(), 102);
}

#[test]
fn any_split_gives_the_same() {
    let (ours, theirs) = (from_client(), from_server());
    for step in [1, 2, 3, 5, 8, 40, 200] {
        split_gives_the_same(only("mqtt"), 1883, &[client(&ours), server(&theirs)], step);
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = fuzz(only("mqtt"), &bytes);
        let all = [from_client(), bytes].concat();
        let _ = play(Transport::Tcp, 1883, &[client(&all)]);
    }

    #[test]
    fn mutated_sessions_never_panic(seed in any::<u64>()) {
        survives_mutation("mqtt", Transport::Tcp, &from_client(), seed);
    }
}
