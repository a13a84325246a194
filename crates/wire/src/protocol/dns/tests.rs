use proptest::prelude::*;

use super::parser::Message;
use crate::protocol::checks::{
    START_MS, client, facts, field, hex, only, play, server, split_gives_the_same,
    survives_mutation,
};
use crate::protocol::replay::{Outcome, Piece, fuzz};
use crate::protocol::{Side, Transport};

/// `www.example.com A` asked.
const QUERY: &str = "1a2b 0100 0001 0000 0000 0000 03777777 076578616d706c65 03636f6d 00 0001 0001";
/// Its answer, through a CNAME, with compression.
const ANSWER: &str = "1a2b 8180 0001 0002 0000 0000 03777777 076578616d706c65 03636f6d 00 0001 0001
    c00c 0005 0001 0000003c 0006 03636474 c010 c02d 0001 0001 0000003c 0004 c0000201";

fn udp(port: u16, pieces: &[Piece<'_>]) -> Outcome {
    play(Transport::Udp, port, pieces)
}

fn framed(message: &[u8]) -> Vec<u8> {
    let len = u16::try_from(message.len()).unwrap().to_be_bytes();
    [&len, message].concat()
}

/// A message with one question and one answer of `kind` whose data are `data`.
fn with_record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut out = hex("0001 8180 0001 0001 0000 0000 01780474657374 00");
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&hex("0001 c00c"));
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&hex("0001 00000e10"));
    out.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
    out.extend_from_slice(data);
    out
}

fn presented(kind: u16, data: &str) -> String {
    let message = Message::parse(&with_record(kind, &hex(data))).unwrap();
    assert!(message.is_clean(), "{:?}", message.anomalies);
    message.answers[0].data.clone()
}

#[test]
fn a_query_and_its_answer_are_one_event() {
    let out = udp(53, &[client(&hex(QUERY)), server(&hex(ANSWER))]);
    assert_eq!(out.name, Some("dns"));
    assert_eq!(out.drafts.len(), 1);
    let draft = &out.drafts[0];
    assert_eq!((draft.activity, draft.status), (2, 1));
    assert_eq!(field(draft, "query"), "www.example.com");
    assert_eq!(field(draft, "answers"), "cdt.example.com,192.0.2.1");
    assert_eq!(field(draft, "answer_types"), "CNAME,A");
    assert_eq!(field(draft, "answer_ttls"), "60,60");
    assert_eq!(field(draft, "rcode"), "NOERROR");
    assert_eq!(field(draft, "dns_flags"), "RD,RA");
    assert_eq!(field(draft, "query_time"), START_MS.to_string());
    assert_eq!(field(draft, "response_time"), (START_MS + 1).to_string());
}

#[test]
fn an_unanswered_query_is_an_event_at_the_end() {
    let out = udp(53, &[client(&hex(QUERY)), client(&hex(QUERY))]);
    assert_eq!(out.drafts.len(), 1, "a repeated query is one query");
    assert_eq!(out.drafts[0].activity, 1);
    assert_eq!(field(&out.drafts[0], "query_type"), "A");
}

#[test]
fn a_response_alone_is_an_event() {
    let out = udp(53, &[server(&hex(ANSWER))]);
    assert_eq!(out.drafts.len(), 1);
    assert_eq!(field(&out.drafts[0], "query_time"), "");
}

#[test]
fn many_open_queries_are_evicted_not_lost() {
    let mut pieces = Vec::new();
    let queries: Vec<Vec<u8>> = (0..300u16)
        .map(|id| {
            let mut query = hex(QUERY);
            query[..2].copy_from_slice(&id.to_be_bytes());
            query
        })
        .collect();
    pieces.extend(queries.iter().map(|query| client(query)));
    let out = udp(53, &pieces);
    assert_eq!(out.drafts.len(), 300);
    assert!(out.anomalies.contains(&"dns-pending-limit"));
}

#[test]
fn several_messages_of_a_stream_survive_any_split() {
    let (query, answer) = (framed(&hex(QUERY)), framed(&hex(ANSWER)));
    let two = [query.clone(), query].concat();
    for step in 1..40 {
        let pieces = [client(&two), server(&answer)];
        split_gives_the_same(only("dns"), 53, &pieces, step);
    }
}

#[test]
fn a_gap_in_a_stream_loses_only_its_message() {
    let (query, answer) = (framed(&hex(QUERY)), framed(&hex(ANSWER)));
    let pieces = [
        client(&query),
        server(&answer[..20]),
        Piece::Gap(Side::Server, 30),
        server(&[1, 2, 3]),
        server(&answer),
    ];
    let out = play(Transport::Tcp, 53, &pieces);
    assert_eq!(out.drafts.len(), 1);
    assert_eq!(field(&out.drafts[0], "rcode"), "NOERROR");
}

#[test]
fn names_that_loop_or_are_odd_are_reported() {
    let looped = hex("0001 0100 0001 0000 0000 0000 c00c 0001 0001");
    assert_eq!(
        Message::parse(&looped).unwrap().anomalies,
        ["dns-name-loop"]
    );
    let odd = hex("0001 0100 0001 0000 0000 0000 04412e00c3 00 0001 0001");
    assert_eq!(
        Message::parse(&odd).unwrap().questions[0].name,
        "a\\.\\000\\195"
    );
    let root = hex("0001 0100 0001 0000 0000 0000 00 0002 0001");
    assert_eq!(Message::parse(&root).unwrap().questions[0].name, ".");
}

#[test]
fn a_broken_tail_keeps_the_good_head() {
    let answer = hex(ANSWER);
    let out = udp(
        53,
        &[client(&hex(QUERY)), server(&answer[..answer.len() - 3])],
    );
    assert_eq!(out.drafts.len(), 1);
    assert_eq!(field(&out.drafts[0], "answers"), "cdt.example.com");
    assert_eq!(field(&out.drafts[0], "anomalies"), "dns-rdata-truncated");
}

#[test]
fn extended_response_codes_come_from_edns() {
    let answer = hex("1a2b 8181 0001 0000 0000 0001 03777777 00 0001 0001
        00 0029 04d0 01000000 0000");
    let out = udp(53, &[server(&answer)]);
    assert_eq!(field(&out.drafts[0], "rcode_id"), "17");
    assert_eq!(field(&out.drafts[0], "rcode"), "BADKEY");
    assert_eq!(out.drafts[0].status, 2);
}

#[test]
fn record_data_have_their_presentation_form() {
    assert_eq!(
        presented(28, "20010db8000000000000000000000001"),
        "2001:db8::1"
    );
    assert_eq!(presented(15, "000a 046d61696c c00c"), "10 mail.x.test");
    assert_eq!(presented(16, "0361 2262 0178"), "\"a\\\"b\" \"x\"");
    assert_eq!(presented(33, "0001 0002 0185 c00c"), "1 2 389 x.test");
    assert_eq!(
        presented(6, "c00c c00c 00000001 00000002 00000003 00000004 00000005"),
        "x.test x.test 1 2 3 4 5"
    );
    assert_eq!(presented(257, "00 05 6973737565 636135"), "0 issue \"ca5\"");
    assert_eq!(presented(43, "0102 08 02 aabb"), "258 8 2 aabb");
    assert_eq!(presented(48, "0101 03 08 00112233"), "257 3 8 [4]");
    assert_eq!(
        presented(
            65,
            "0001 00 0001 0006 026832 026833 0003 0002 01bb 0004 0004 c0000201"
        ),
        "1 . alpn=h2,h3 port=443 ipv4hint=192.0.2.1"
    );
    assert_eq!(
        presented(35, "0001 0002 0175 0373697000 c00c"),
        "1 2 \"u\" \"sip\" \"\" x.test"
    );
    assert_eq!(presented(65280, "0a00"), "\\# 2 0a00");
    assert_eq!(presented(47, "c00c 00 01 40"), "x.test A");
}

#[test]
fn multicast_names_are_events_of_their_own() {
    let query = hex(
        "0000 0000 0002 0000 0000 0000 015f 056c6f63616c 00 000c 8001
        0178 056c6f63616c 00 001c 0001",
    );
    let out = udp(5353, &[client(&query)]);
    assert_eq!(out.name, Some("mdns"));
    let asked: Vec<String> = out.drafts.iter().map(|d| field(d, "query")).collect();
    assert_eq!(asked, ["_.local", "x.local"]);
    assert_eq!(field(&out.drafts[0], "query_class"), "IN");
    let told = hex(
        "0000 8400 0000 0002 0000 0000 0178 056c6f63616c 00 0001 8001 00000078 0004
        c0000207 0179 c00e 0001 8001 00000078 0004 c0000208",
    );
    let out = udp(5353, &[client(&told)]);
    let told: Vec<String> = out.drafts.iter().map(|d| field(d, "answers")).collect();
    assert_eq!(told, ["192.0.2.7", "192.0.2.8"]);
    assert_eq!(out.drafts[0].activity, 6);
}

#[test]
fn netbios_names_are_decoded() {
    let name = "20 464845504643454c4644464545424645454a4550454f43414341434143414341 00";
    let query = hex(&format!("0001 0110 0001 0000 0000 0000 {name} 0020 0001"));
    let answer = hex(&format!(
        "0001 8580 0000 0001 0000 0000 {name} 0020 0001 00000e10 0006 0000 c0000207"
    ));
    let out = udp(137, &[client(&query), server(&answer)]);
    assert_eq!(out.name, Some("nbns"));
    assert_eq!(out.drafts.len(), 2);
    assert_eq!(field(&out.drafts[0], "query"), "workstation<20>");
    assert_eq!(field(&out.drafts[0], "query_type"), "NB");
    assert_eq!(field(&out.drafts[1], "answers"), "192.0.2.7");
    assert_eq!(out.anomalies, Vec::<&str>::new());
}

#[test]
fn a_zone_transfer_is_one_event() {
    let soa = "c00c c00c 00000001 00000002 00000003 00000004 00000005";
    let head = "0007 8400 0001 0001 0000 0000 017a 00 00fc 0001 c00c 0006 0001 0000003c 0018";
    let first = hex(&format!("{head} {soa}"));
    let tail = "0007 8400 0000 0001 0000 0000 017a 00 0006 0001 0000003c 0018";
    let last = hex(&format!("{tail} {soa}"));
    let ask = hex("0007 0000 0001 0000 0000 0000 017a 00 00fc 0001");
    let (ask, first, last) = (framed(&ask), framed(&first), framed(&last));
    let pieces = [client(&ask), server(&first), server(&last), client(&ask)];
    let out = play(Transport::Tcp, 53, &pieces);
    assert_eq!(out.drafts.len(), 2, "one transfer, one open query");
    assert_eq!(field(&out.drafts[0], "query_type"), "AXFR");
    assert_eq!(field(&out.drafts[0], "dns_omitted"), "1");
}

#[test]
fn dns_on_another_port_needs_a_perfect_message() {
    let out = udp(40_000, &[client(&hex(QUERY))]);
    assert_eq!(out.name, Some("dns"));
    let mut trailing = hex(QUERY);
    trailing.push(0);
    assert_eq!(udp(40_000, &[client(&trailing)]).name, None);
    assert!(facts(&out.drafts[0]).contains("query=www.example.com"));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = fuzz(only("dns"), &bytes);
        let _ = fuzz(only("mdns"), &bytes);
        Message::parse(&bytes);
    }

    #[test]
    fn mutated_messages_never_panic(seed in any::<u64>()) {
        survives_mutation("dns", Transport::Udp, &hex(ANSWER), seed);
        survives_mutation("dns", Transport::Tcp, &framed(&hex(ANSWER)), seed);
    }
}
