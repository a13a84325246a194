//! Traffic that is shaped to be misread: each row of a table makes packets, and states what we
//! chose to make of them. What a row tells and what it counts stand in one line.
//!
//! The behaviours are described in `docs/reference/evasion.md`, by the names of the rows.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "functions of a test, outside of its test functions"
)]

#[path = "support/make.rs"]
mod make;

use std::fmt::Write as _;

use make::{
    ACK, ADT, Frames, NO_CONTENT, associate, client_hello, crumbs, cut, echo, fragments, get, mllp,
    pdu, record, segment, smb_talk, turns, whole,
};
use model::Event;
use model::class::Body;
use vigie_wire::protocol::Side;
use vigie_wire::testing::{FIN, PSH, RST, SYN, Talk, said};
use vigie_wire::{Stats, WireConfig, testing};

const ACKED: u8 = testing::ACK;
const PUSH: u8 = PSH | ACKED;
const URG: u8 = 0x20;

/// A kind of trick.
struct Row {
    /// Its name here and in the reference.
    name: &'static str,
    /// The packets.
    frames: Frames,
    /// What is told, then `|`, then everything odd that is counted.
    outcome: &'static str,
}

/// Columns that say what was understood, by class.
const TOLD: &[(&str, &[&str])] = &[
    ("http_activity", &["http_method", "url_path", "http_code"]),
    ("network_activity", &["about", "operation", "tls_sni"]),
    (
        "medical_exchange_activity",
        &["med_operation", "control_id", "ack_code", "med_status"],
    ),
    ("smb_activity", &["smb_command", "share"]),
];

/// What events tell, in their order, flows left out.
fn told(events: &[Event]) -> String {
    let mut out = Vec::new();
    for event in events {
        if matches!(&event.body, Body::Network(n) if n.about == "flow") {
            let link = event.connection.as_ref();
            if link.is_some_and(|link| link.app == "unknown") {
                out.push("unknown".to_owned());
            }
            continue;
        }
        let class = event.body.class();
        let wanted = TOLD
            .iter()
            .find(|(name, _)| *name == class.name)
            .map(|(_, columns)| *columns);
        let mut words = Vec::new();
        event.body.each(&mut |index, cell| {
            if wanted.is_some_and(|columns| columns.contains(&class.fields[index].column)) {
                words.extend(said(cell).filter(|word| !word.is_empty()));
            }
        });
        out.push(if words.is_empty() {
            class.name.to_owned()
        } else {
            words.join(" ")
        });
    }
    out.join("; ")
}

/// Everything odd that was counted.
fn counted(stats: &Stats) -> String {
    let mut out = String::new();
    for (code, count) in stats.problems.iter().chain(&stats.anomalies) {
        let _ = write!(out, " {code}:{count}");
    }
    let gave_up = stats.protocols.iter().filter(|(_, one)| one.gave_up > 0);
    for (name, one) in gave_up {
        let _ = write!(out, " gave-up-{name}:{}", one.gave_up);
    }
    let counters = [
        ("repeated", stats.tcp_repeated_bytes),
        ("gap", stats.tcp_gap_bytes),
        ("not-mine", stats.sessions_refused),
        ("links", stats.links_refused.values().sum()),
    ];
    for (name, count) in counters.iter().filter(|(_, count)| *count > 0) {
        let _ = write!(out, " {name}:{count}");
    }
    out
}

fn outcome(frames: &Frames) -> String {
    let (events, stats) = testing::play(WireConfig::default(), frames);
    assert!(
        stats.memory_peak_bytes < 4 << 20,
        "{} bytes held",
        stats.memory_peak_bytes
    );
    format!("{} |{}", told(&events), counted(&stats))
}

fn http(path: &str) -> Talk {
    answered(web().say(Side::Client, &get(path)))
}

/// Changes the time to live of a frame.
fn with_ttl(mut frames: Frames, at: usize, ttl: u8) -> Frames {
    frames[at].1[22] = ttl;
    frames
}

fn row(name: &'static str, frames: Frames, outcome: &'static str) -> Row {
    Row {
        name,
        frames,
        outcome,
    }
}

/// A row of a conversation that ends as it should.
fn closed(name: &'static str, talk: Talk, outcome: &'static str) -> Row {
    row(name, talk.close().frames, outcome)
}

/// An open conversation with a web server.
fn web() -> Talk {
    Talk::to_port(80).open()
}

fn answered(talk: Talk) -> Talk {
    talk.say(Side::Server, NO_CONTENT)
}

fn segments() -> Vec<Row> {
    [copies(), headers(), endings(), incomplete(), decoys()]
        .into_iter()
        .flatten()
        .collect()
}

/// Data that comes twice, differs or comes in another order.
fn copies() -> Vec<Row> {
    let first = web().seq(Side::Client);
    let good = get("/good");
    let evil = get("/evil");
    let (head, tail) = good.split_at(6);
    let tail_at = first + 6;
    vec![
        closed(
            "a segment that came again, as it was",
            answered(
                web()
                    .say(Side::Client, &good)
                    .segment_at(Side::Client, first, PUSH, &good),
            ),
            "GET /good 204 | repeated:39",
        ),
        closed(
            "a segment that came again, with other data",
            answered(
                web()
                    .say(Side::Client, &good)
                    .segment_at(Side::Client, first, PUSH, &evil),
            ),
            "GET /good 204 | repeated:39",
        ),
        closed(
            "two copies of what waits behind a hole, differing",
            answered(
                web()
                    .segment_at(Side::Client, tail_at, PUSH, tail)
                    .segment_at(Side::Client, tail_at, PUSH, &evil[6..])
                    .segment_at(Side::Client, first, PUSH, head),
            ),
            "GET /good 204 | tcp-overlap-differs:1 repeated:33",
        ),
        closed(
            "a longer piece around a shorter one, differing",
            answered(
                web()
                    .segment_at(Side::Client, first + 5, PUSH, b"GOOD")
                    .segment_at(Side::Client, first, PUSH, &good),
            ),
            "GET /GOOD 204 | tcp-overlap-differs:1 repeated:4",
        ),
        closed(
            "segments in reverse order",
            answered(
                web()
                    .segment_at(Side::Client, first + 20, PUSH, &good[20..])
                    .segment_at(Side::Client, tail_at, PUSH, &good[6..20])
                    .segment_at(Side::Client, first, PUSH, head),
            ),
            "GET /good 204 |",
        ),
    ]
}

/// Sequence numbers, checksums and flags that mislead.
fn headers() -> Vec<Row> {
    let first = web().seq(Side::Client);
    let good = get("/good");
    let evil = get("/evil");
    vec![
        closed(
            "one segment out of the window",
            answered(
                web()
                    .segment_at(Side::Client, first.wrapping_add(1 << 30), PUSH, &evil)
                    .segment_at(Side::Client, first, PUSH, &good),
            ),
            "GET /good 204 | tcp-sequence-far:1",
        ),
        closed(
            "three segments out of the window in a row",
            web()
                .segment_at(Side::Client, first.wrapping_add(1 << 30), PUSH, b"x")
                .segment_at(Side::Client, first.wrapping_add((1 << 30) + 1), PUSH, b"y")
                .segment_at(Side::Client, first.wrapping_add((1 << 30) + 2), PUSH, &evil),
            "GET /evil | tcp-sequence-far:3 gap:1",
        ),
        closed(
            "checksums that are wrong: all of these are zero",
            http("/good"),
            "GET /good 204 |",
        ),
        closed(
            "urgent data",
            answered(web().segment(Side::Client, PUSH | URG, &good)),
            "GET /good 204 |",
        ),
        closed(
            "data in the SYN",
            answered(
                Talk::to_port(80)
                    .segment(Side::Client, SYN, &good)
                    .segment(Side::Server, SYN | ACKED, &[])
                    .segment(Side::Client, ACKED, &[]),
            ),
            "GET /good 204 |",
        ),
    ]
}

/// Resets, a FIN and a SYN that do not end what they seem to end.
fn endings() -> Vec<Row> {
    let first = web().seq(Side::Client);
    let good = get("/good");
    let evil = get("/evil");
    let (head, tail) = good.split_at(6);
    vec![
        closed(
            "a reset out of the window",
            answered(
                web()
                    .segment_at(Side::Client, first.wrapping_add(1 << 30), RST, &[])
                    .segment_at(Side::Client, first, PUSH, &good),
            ),
            "GET /good 204 | tcp-reset-out-of-window:1",
        ),
        closed(
            "a reset in the window, then data",
            answered(
                web()
                    .segment(Side::Client, RST, &[])
                    .segment(Side::Client, PUSH, &good),
            ),
            "GET /good 204 |",
        ),
        closed(
            "text in a reset",
            web()
                .say(Side::Client, head)
                .segment(Side::Client, RST | ACKED, tail),
            "unknown | gap:33",
        ),
        closed(
            "data after the FIN of its side",
            answered(web().segment(Side::Client, FIN | PUSH, &good).segment(
                Side::Client,
                PUSH,
                &evil,
            )),
            "GET /good 204; GET /evil | http-gap:1 gap:1",
        ),
        closed(
            "a second SYN with another number",
            answered(
                web()
                    .segment_at(Side::Client, first.wrapping_add(5000), SYN, &[])
                    .segment_at(Side::Client, first, PUSH, &good),
            ),
            "GET /good 204 | http-gap:1 tcp-syn-again:1 gap:4962",
        ),
    ]
}

/// Conversations of which a part is missing.
fn incomplete() -> Vec<Row> {
    let first = web().seq(Side::Client);
    let good = get("/good");
    let head = &good[..6];
    let tail_at = first + 6;
    vec![
        closed(
            "a conversation without its beginning",
            answered(Talk::to_port(80).say(Side::Client, &good)),
            "GET /good 204 |",
        ),
        closed(
            "only the client's side",
            web().say(Side::Client, &good),
            "GET /good |",
        ),
        closed(
            "a hole that is never filled",
            web()
                .say(Side::Client, head)
                .segment_at(Side::Client, tail_at + 4, PUSH, &good[10..])
                .say(Side::Server, NO_CONTENT)
                .say(Side::Server, NO_CONTENT)
                .say(Side::Server, NO_CONTENT),
            "204; 204; 204 | http-gap:1 gap:4",
        ),
    ]
}

/// Packets that never reach the other side.
fn decoys() -> Vec<Row> {
    let first = web().seq(Side::Client);
    let good = get("/good");
    let evil = get("/evil");
    vec![row(
        "a decoy that dies on the way: time to live 1",
        with_ttl(
            answered(
                web()
                    .segment_at(Side::Client, first, PUSH, &evil)
                    .segment_at(Side::Client, first, PUSH, &good),
            )
            .frames,
            3,
            1,
        ),
        "GET /evil 204 | repeated:39",
    )]
}

fn fragmented() -> Vec<Row> {
    let (good, evil) = (segment(&get("/good")), segment(&get("/evil")));
    let tiny: Vec<(u16, bool, &[u8])> = good
        .chunks(8)
        .enumerate()
        .map(|(at, part)| {
            (
                u16::try_from(at * 8).unwrap(),
                at * 8 + part.len() < good.len(),
                part,
            )
        })
        .collect();
    let reverse: Vec<_> = tiny.iter().rev().copied().collect();
    vec![
        row(
            "fragments of eight octets, the TCP header cut",
            fragments(&tiny),
            "GET /good |",
        ),
        row(
            "fragments in reverse order",
            fragments(&reverse),
            "GET /good |",
        ),
        row(
            "fragments that overlap and agree",
            fragments(&[
                (0, true, &good[..40]),
                (16, true, &good[16..48]),
                (40, false, &good[40..]),
            ]),
            "GET /good | ip-fragment-overlap:2",
        ),
        row(
            "fragments that overlap and differ",
            fragments(&[
                (0, true, &good[..40]),
                (24, true, &evil[24..48]),
                (40, false, &good[40..]),
            ]),
            "GET /good | ip-fragment-overlap:1 ip-fragment-overlap-differs:1",
        ),
        row(
            "a fragment beyond 65,535 octets",
            fragments(&[(0, true, &good[..40]), (65_528, false, &good[40..56])]),
            "GET /good | ip-fragment-incomplete:1 ip-fragment-too-long:1",
        ),
        row(
            "a fragment whose rest never comes",
            fragments(&[(0, true, &good[..40])]),
            "GET /good | ip-fragment-incomplete:1",
        ),
        row(
            "a first fragment without the TCP header's end",
            fragments(&[(0, true, &good[..8])]),
            "| ip-fragment-incomplete:1 tcp-header-short:1",
        ),
    ]
}

fn protocols() -> Vec<Row> {
    [other_ports(), upgrades(), odd_framing()]
        .into_iter()
        .flatten()
        .collect()
}

/// Protocols on the ports of others.
fn other_ports() -> Vec<Row> {
    let hello = client_hello("h.example");
    let http_turns = turns(&get("/good"), NO_CONTENT);
    vec![
        row(
            "HTTP on the port of SSH",
            whole(22, &http_turns),
            "GET /good 204 |",
        ),
        row(
            "HTTP on the port of TLS",
            whole(443, &http_turns),
            "GET /good 204 |",
        ),
        row(
            "TLS on the port of HTTP",
            whole(80, &turns(&hello, &[])),
            "tls h.example |",
        ),
        row(
            "DICOM on the port of HTTPS",
            whole(
                443,
                &[
                    (Side::Client, associate(1)),
                    (Side::Server, associate(2)),
                    (Side::Client, echo(false)),
                    (Side::Server, echo(true)),
                ],
            ),
            "ASSOCIATE accepted; C-ECHO 0x0000 |",
        ),
        row(
            "HL7 on the port of HTTP",
            whole(80, &turns(&mllp(ADT), &mllp(ACK))),
            "MESSAGE C1 AA |",
        ),
    ]
}

/// TLS that begins inside SMTP, or does not.
fn upgrades() -> Vec<Row> {
    let starttls = [
        (Side::Server, b"220 mail ESMTP\r\n".to_vec()),
        (Side::Client, b"EHLO c\r\n".to_vec()),
        (Side::Server, b"250-mail\r\n250 STARTTLS\r\n".to_vec()),
        (Side::Client, b"STARTTLS\r\n".to_vec()),
        (Side::Server, b"220 go\r\n".to_vec()),
        (Side::Client, client_hello("h.example")),
    ];
    let not_accepted = {
        let mut turns = starttls.clone();
        turns[4].1 = b"454 no\r\n".to_vec();
        turns
    };
    let injected = {
        let mut turns = starttls.clone();
        turns[3].1 = b"STARTTLS\r\nMAIL FROM:<a@b>\r\n".to_vec();
        turns
    };
    vec![
        row(
            "TLS inside SMTP after STARTTLS",
            whole(25, &starttls),
            "smtp session; tls h.example |",
        ),
        row(
            "STARTTLS that was refused",
            whole(25, &not_accepted),
            "smtp session |",
        ),
        row(
            "a command hidden behind STARTTLS",
            whole(25, &injected),
            "smtp session; tls h.example | smtp-pipelined-after-starttls:1",
        ),
    ]
}

/// Records and messages that are empty or cut small.
fn odd_framing() -> Vec<Row> {
    let hello = client_hello("h.example");
    vec![
        row(
            "a record of TLS without content before the hello",
            whole(443, &turns(&[record(22, &[]), hello.clone()].concat(), &[])),
            "unknown |",
        ),
        row(
            "a hello cut into records of one octet",
            whole(
                443,
                &turns(
                    &hello[5..]
                        .iter()
                        .flat_map(|octet| record(22, &[*octet]))
                        .collect::<Vec<u8>>(),
                    &[],
                ),
            ),
            "tls h.example |",
        ),
        row(
            "a frame of MLLP without content",
            whole(2575, &turns(&[mllp(""), mllp(ADT)].concat(), &mllp(ACK))),
            "MESSAGE C1 AA | hl7-no-header:1",
        ),
        row(
            "a PDU of DICOM without content",
            whole(
                104,
                &[
                    (Side::Client, associate(1)),
                    (Side::Server, associate(2)),
                    (Side::Client, [pdu(4, &[]), echo(false)].concat()),
                    (Side::Server, echo(true)),
                ],
            ),
            "ASSOCIATE accepted; C-ECHO 0x0000 | dicom-pdu-empty:1",
        ),
        row(
            "a message of SMB without content",
            whole(
                445,
                &[&[(Side::Client, vec![0, 0, 0, 0])], smb_talk().as_slice()].concat(),
            ),
            "NEGOTIATE; TREE_CONNECT \\\\srv\\images |",
        ),
    ]
}

/// Declared lengths that nothing can hold, and nesting without end.
fn greedy() -> Vec<Row> {
    [long_records(), http_lengths(), endless()]
        .into_iter()
        .flatten()
        .collect()
}

/// Records that declare more than comes.
fn long_records() -> Vec<Row> {
    vec![
        row(
            "a record of TLS of 65,535 octets",
            whole(
                443,
                &turns(
                    &[&[22, 3, 1, 0xff, 0xff][..], &client_hello("h.example")[5..]].concat(),
                    &[],
                ),
            ),
            "unknown |",
        ),
        row(
            "a hello of 16 MiB",
            whole(
                443,
                &turns(
                    &record(22, &[&[1, 0xff, 0xff, 0xff, 3, 3][..], &[7; 4000]].concat()),
                    &[],
                ),
            ),
            "unknown |",
        ),
        row(
            "a PDU of DICOM of 4 GiB",
            whole(
                104,
                &turns(
                    &[&[1, 0, 0xff, 0xff, 0xff, 0xff][..], &associate(1)[6..]].concat(),
                    &[],
                ),
            ),
            "unknown |",
        ),
        row(
            "a message of SMB of 16 MiB",
            whole(
                445,
                &turns(
                    &[&[0, 0xff, 0xff, 0xff][..], &smb_talk()[0].1[4..]].concat(),
                    &[],
                ),
            ),
            "|",
        ),
    ]
}

/// Bodies, chunks and lines of HTTP whose length cannot be.
fn http_lengths() -> Vec<Row> {
    vec![
        row(
            "a body of HTTP of 10^20 octets",
            post("Content-Length: 100000000000000000000", b"abc"),
            "POST /good 204 | http-bad-length:1",
        ),
        row(
            "a negative length of HTTP",
            post("Content-Length: -1", b"abc"),
            "POST /good 204 | http-bad-length:1",
        ),
        row(
            "two lengths of HTTP",
            post("Content-Length: 3\r\nContent-Length: 10", b"abc"),
            "POST /good 204 | http-two-lengths:1",
        ),
        row(
            "a length and chunks of HTTP",
            post(
                "Content-Length: 3\r\nTransfer-Encoding: chunked",
                b"3\r\nabc\r\n0\r\n\r\n",
            ),
            "POST /good 204 | http-length-and-chunks:1",
        ),
        row(
            "a chunk of HTTP of 2^64 octets",
            post("Transfer-Encoding: chunked", b"ffffffffffffffffff\r\nabc"),
            "POST /good 204 | http-bad-chunk:1",
        ),
        row(
            "a line of HTTP without end",
            whole(
                80,
                &turns(
                    &[b"GET /".to_vec(), vec![b'a'; 200_000]].concat(),
                    NO_CONTENT,
                ),
            ),
            "204 | http-long-line:1",
        ),
    ]
}

/// Messages without end, and nesting without end.
fn endless() -> Vec<Row> {
    let nested = "[".repeat(100_000);
    let json = format!(
        "Content-Type: application/fhir+json\r\nContent-Length: {}",
        nested.len()
    );
    let deep = format!(
        "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|C1|P|2.5\rPID|1||{}\r",
        "1&2^3~".repeat(5_000)
    );
    vec![
        row(
            "a message of HL7 without end",
            whole(
                2575,
                &turns(
                    &[
                        b"\x0b".to_vec(),
                        ADT.as_bytes().to_vec(),
                        vec![b'A'; 3_000_000],
                    ]
                    .concat(),
                    &[],
                ),
            ),
            "MESSAGE C1 |",
        ),
        row(
            "HL7 of 10,000 components",
            whole(2575, &turns(&mllp(&deep), &mllp(ACK))),
            "MESSAGE C1 AA | hl7-segment-long:1",
        ),
        row(
            "a filter of LDAP 2,000 deep",
            whole(389, &turns(&deep_search(), &[])),
            "ldap search |",
        ),
        row(
            "JSON of FHIR 100,000 deep",
            post(&json, nested.as_bytes()),
            "POST /good 204; batch 204 |",
        ),
    ]
}

fn post(head: &str, body: &[u8]) -> Frames {
    let request = [
        format!("POST /good HTTP/1.1\r\nHost: h.example\r\n{head}\r\n\r\n").as_bytes(),
        body,
    ]
    .concat();
    whole(80, &turns(&request, NO_CONTENT))
}

/// A search of LDAP whose filter is 2,000 deep.
fn deep_search() -> Vec<u8> {
    let filter = (0..2_000u32).fold(vec![0x87, 1, b'a'], |inner, _| ber(0xa2, &inner));
    ber(
        0x30,
        &[
            &[2, 1, 1][..],
            &ber(
                0x63,
                &[
                    &[4, 0, 10, 1, 2, 10, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0][..],
                    &filter,
                    &[0x30, 0],
                ]
                .concat(),
            ),
        ]
        .concat(),
    )
}

/// A value of BER.
fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    match content.len() {
        0..=127 => [&[tag, length[3]][..], content].concat(),
        _ => [&[tag, 0x84][..], &length, content].concat(),
    }
}

#[test]
fn each_trick_is_read_as_chosen() {
    let mut wrong = String::new();
    for row in [segments(), fragmented(), protocols(), greedy()]
        .into_iter()
        .flatten()
    {
        let found = outcome(&row.frames);
        if found.trim() != row.outcome.trim() {
            let _ = writeln!(
                wrong,
                "{}\n    chosen {}\n    found  {found}",
                row.name, row.outcome
            );
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_handshake_may_be_cut_anywhere() {
    let dicom = vec![
        (Side::Client, associate(1)),
        (Side::Server, associate(2)),
        (Side::Client, echo(false)),
        (Side::Server, echo(true)),
    ];
    let cases = [
        ("http", 80, turns(&get("/good"), NO_CONTENT)),
        ("tls", 443, turns(&client_hello("h.example"), &[])),
        ("smb", 445, smb_talk()),
        ("dicom", 104, dicom),
        ("hl7", 2575, turns(&mllp(ADT), &mllp(ACK))),
    ];
    for (name, port, turns) in cases {
        let expected = outcome(&whole(port, &turns));
        println!("{name}: {expected}");
        assert!(
            expected.len() > 3 && !expected.starts_with(' '),
            "{name}: nothing told"
        );
        let length: usize = turns.iter().map(|(_, bytes)| bytes.len()).sum();
        for at in 1..length {
            assert_eq!(
                outcome(&cut(port, &turns, at)),
                expected,
                "{name} cut at {at}"
            );
        }
        assert_eq!(outcome(&crumbs(port, &turns)), expected, "{name} in crumbs");
    }
}

#[test]
fn reasons_are_never_free_text() {
    let (_, stats) = testing::play(WireConfig::default(), &greedy()[4].frames);
    let codes = stats.anomalies.keys().chain(stats.problems.keys());
    for code in codes {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        assert!(code.chars().all(plain), "{code}");
    }
}
