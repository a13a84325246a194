#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::string_slice,
    reason = "tests look at one kind"
)]

use model::Nanos;
use model::class::Network;
use proptest::prelude::*;

use super::*;
use crate::protocol::{Draft, First, Probe};

/// `LINE text\n` messages of a client that says `HELLO\n` first.
struct Lines;
/// A server that greets with `220 `, then anything from the client.
struct Greeting;
/// `B` + length + body, the body skipped.
struct Blocks;
/// Claims what begins with `HEL` and then refuses.
struct Liar;

#[derive(Default)]
struct LinesSession;
#[derive(Default)]
struct GreetingSession {
    seen: Vec<u8>,
}
#[derive(Default)]
struct BlocksSession {
    skipped: u64,
}
struct LiarSession;

fn say(cx: &mut Context<'_>, text: String) {
    let body = Network {
        about: Text::Owned(text),
        ..Network::default()
    };
    cx.emit(Draft::new(cx.now, 1, body));
}

impl Protocol for Lines {
    fn name(&self) -> &'static str {
        "lines"
    }
    fn probe(&self, first: &First<'_>) -> Probe {
        let wanted = b"HELLO\n";
        let n = first.bytes.len().min(wanted.len());
        match () {
            () if first.bytes[..n] != wanted[..n] => Probe::No,
            () if n < wanted.len() => Probe::NeedMore,
            () => Probe::Certain,
        }
    }
    fn open(&self) -> Box<dyn Session> {
        Box::new(LinesSession)
    }
}

impl Session for LinesSession {
    fn bytes(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        let Some(end) = bytes.iter().position(|b| *b == b'\n') else {
            return Step::need(0, bytes.len() + 1);
        };
        let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let next = match &line[..] {
            "QUIT" => Next::Done,
            "SWITCH" => Next::Restart,
            _ => Next::Skip(0),
        };
        say(cx, format!("{side:?} {line}"));
        Step {
            consumed: end + 1,
            next,
        }
    }
    fn gap(&mut self, _: Side, missing: u64, cx: &mut Context<'_>) -> bool {
        say(cx, format!("gap {missing}"));
        missing < 100
    }
    fn end(&mut self, cx: &mut Context<'_>) {
        say(cx, "end".into());
    }
}

impl Protocol for Greeting {
    fn name(&self) -> &'static str {
        "greeting"
    }
    fn probe(&self, first: &First<'_>) -> Probe {
        // Only the client's side tells; as with SMTP and FTP, which greet alike.
        let n = first.bytes.len().min(4);
        match first.side {
            Client if first.bytes[..n] != b"EHLO"[..n] => Probe::No,
            Client if n < 4 => Probe::NeedMore,
            Client => Probe::Certain,
            Server => Probe::No,
        }
    }
    fn open(&self) -> Box<dyn Session> {
        Box::new(GreetingSession::default())
    }
}

impl Session for GreetingSession {
    fn bytes(&mut self, _: Side, bytes: &[u8], _: &mut Context<'_>) -> Step {
        self.seen.extend_from_slice(bytes);
        Step::consumed(bytes.len())
    }
    fn end(&mut self, cx: &mut Context<'_>) {
        say(cx, String::from_utf8_lossy(&self.seen).into_owned());
    }
}

impl Protocol for Blocks {
    fn name(&self) -> &'static str {
        "blocks"
    }
    fn probe(&self, first: &First<'_>) -> Probe {
        match first.bytes {
            [b'B', _, ..] => Probe::Maybe,
            [b'B'] => Probe::NeedMore,
            _ => Probe::No,
        }
    }
    fn open(&self) -> Box<dyn Session> {
        Box::new(BlocksSession::default())
    }
}

impl Session for BlocksSession {
    fn bytes(&mut self, _: Side, bytes: &[u8], cx: &mut Context<'_>) -> Step {
        match bytes {
            [b'B', n, ..] => {
                say(cx, format!("block {n}"));
                Step::skip(2, u64::from(*n))
            }
            [b'B'] => Step::need(0, 2),
            _ => Step::NOT_MINE,
        }
    }
    fn skipped(&mut self, _: Side, n: u64, _: &mut Context<'_>) {
        self.skipped += n;
    }
    fn end(&mut self, cx: &mut Context<'_>) {
        say(cx, format!("skipped {}", self.skipped));
    }
}

impl Protocol for Liar {
    fn name(&self) -> &'static str {
        "liar"
    }
    fn probe(&self, first: &First<'_>) -> Probe {
        match first.bytes.get(..3) {
            Some(b"HEL") => Probe::Certain,
            None => Probe::NeedMore,
            Some(_) => Probe::No,
        }
    }
    fn open(&self) -> Box<dyn Session> {
        Box::new(LiarSession)
    }
}

impl Session for LiarSession {
    fn bytes(&mut self, _: Side, bytes: &[u8], _: &mut Context<'_>) -> Step {
        if bytes.len() < 5 {
            return Step::need(0, 5);
        }
        Step::NOT_MINE
    }
    fn end(&mut self, _: &mut Context<'_>) {}
}

static TOYS: &[&dyn Protocol] = &[&Liar, &Lines, &Greeting, &Blocks];

enum Act<'a> {
    Say(Side, &'a [u8]),
    Gap(Side, u64),
}

fn drive(mut driver: Driver, transport: Transport, acts: &[Act<'_>]) -> (Vec<String>, Driver) {
    let (mut drafts, mut anomalies) = (Vec::new(), Vec::new());
    let mut cx = Context {
        now: Nanos(0),
        transport,
        client_port: 1,
        server_port: 2,
        hosts: crate::protocol::replay::HOSTS,
        files: &mut crate::file::Files::default(),
        drafts: &mut drafts,
        anomalies: &mut anomalies,
    };
    for act in acts {
        match act {
            Act::Say(side, bytes) => driver.bytes(*side, bytes, &mut cx),
            Act::Gap(side, n) => driver.gap(*side, *n, &mut cx),
        }
    }
    driver.end(&mut cx);
    let texts = drafts.iter().map(|draft| match &draft.body {
        model::Body::Network(body) => body.about.to_string(),
        _ => String::new(),
    });
    (texts.collect(), driver)
}

fn tcp(acts: &[Act<'_>]) -> (Vec<String>, Driver) {
    drive(Driver::new(TOYS), Transport::Tcp, acts)
}

use Side::{Client, Server};

proptest! {
    #[test]
    fn any_cut_of_the_streams_gives_the_same_drafts(
        scene in 0usize..5,
        cuts in prop::collection::vec(1usize..9, 1..80),
    ) {
        let scenes: &[&[(Side, &[u8])]] = &[
            &[(Client, b"HELLO\nLINE one\nLINE two\n"), (Server, b"fine\n"), (Client,
                b"QUIT\nmore\n")],
            &[(Server, b"220 welcome to us\r\n"), (Client, b"EHLO me\r\nMAIL"), (Server,
                b"250 ok\r\n")],
            &[(Client, b"B\x05abcdeB\x00B\x03xyz"), (Server, b"B\x01qB\x02rs")],
            &[(Client, b"HELLO\nSWITCH\nB\x05abcdeB\x00")],
            &[(Client, b"what is this\n"), (Server, b"nobody knows\n")],
        ];
        let acts: Vec<_> = scenes[scene].iter().map(|(side, bytes)| Act::Say(*side, bytes))
            .collect();
        let (whole, one) = tcp(&acts);
        let mut pieces = Vec::new();
        let mut cut = cuts.iter().cycle();
        for (side, bytes) in scenes[scene] {
            let mut rest = *bytes;
            while !rest.is_empty() {
                let n = (*cut.next().unwrap()).min(rest.len());
                pieces.push(Act::Say(*side, &rest[..n]));
                rest = &rest[n..];
            }
        }
        let (cut, other) = tcp(&pieces);
        prop_assert_eq!(whole, cut);
        prop_assert_eq!(one.name(), other.name());
    }

    #[test]
    fn random_bytes_never_panic(
        acts in prop::collection::vec(
            (any::<bool>(), prop::collection::vec(prop_oneof![Just(b'B'), Just(b'H'), Just(b'\n'),
                any::<u8>()], 0..50), 0u64..200), 0..60),
        udp in any::<bool>(),
        late in any::<bool>(),
    ) {
        let mut list = Vec::new();
        for (client, bytes, gap) in &acts {
            let side = if *client { Client } else { Server };
            list.push(Act::Say(side, bytes));
            if *gap > 150 {
                list.push(Act::Gap(side, *gap));
            }
        }
        let driver = Driver::new(TOYS);
        let driver = if late { driver.picked_up() } else { driver };
        drive(driver, if udp { Transport::Udp } else { Transport::Tcp }, &list);
    }
}

#[test]
fn a_session_that_refuses_gives_way() {
    let (texts, driver) = tcp(&[Act::Say(Client, b"HELLO\nQUIT\n")]);
    assert_eq!(texts, ["Client HELLO", "Client QUIT", "end"]);
    assert_eq!((driver.name(), driver.refusals()), (Some("lines"), 1));
    assert!(!driver.gave_up());
}

#[test]
fn a_greeting_waits_for_the_client() {
    let (texts, driver) = tcp(&[
        Act::Say(Server, b"220 welcome\r\n"),
        Act::Say(Client, b"EHLO me\r\n"),
    ]);
    assert_eq!(texts, ["220 welcome\r\nEHLO me\r\n"]);
    assert_eq!(driver.name(), Some("greeting"));
}

#[test]
fn a_stream_picked_up_midway_is_tried_segment_by_segment() {
    let acts = [
        Act::Say(Client, b"middle of something"),
        Act::Say(Server, b"an answer"),
        Act::Say(Client, b"HELLO\nLINE\n"),
    ];
    let (texts, driver) = drive(Driver::new(TOYS).picked_up(), Transport::Tcp, &acts);
    assert_eq!(texts, ["Client HELLO", "Client LINE", "end"]);
    assert_eq!(driver.name(), Some("lines"));
    let (texts, driver) = tcp(&acts);
    assert!(texts.is_empty(), "from the start, only the start counts");
    assert_eq!(driver.name(), None);
}

#[test]
fn picking_up_is_bounded() {
    let noise = [b'x'; 512];
    let mut driver = Driver::new(TOYS).picked_up();
    let (mut drafts, mut anomalies) = (Vec::new(), Vec::new());
    let mut cx = Context {
        now: Nanos(0),
        transport: Transport::Tcp,
        client_port: 1,
        server_port: 2,
        hosts: crate::protocol::replay::HOSTS,
        files: &mut crate::file::Files::default(),
        drafts: &mut drafts,
        anomalies: &mut anomalies,
    };
    for i in 0..4 {
        assert!(!driver.is_done(), "{i}");
        driver.bytes(Client, &noise, &mut cx);
        driver.bytes(Server, &noise, &mut cx);
    }
    assert!(driver.is_done());
    assert_eq!(driver.heap_bytes(), 0);
}

#[test]
fn a_gap_in_skipped_bytes_costs_nothing_and_a_large_one_ends_the_session() {
    let (texts, driver) = tcp(&[
        Act::Say(Client, b"B\x0aabc"),
        Act::Gap(Client, 7),
        Act::Say(Client, b"B\x00"),
    ]);
    assert_eq!(texts, ["block 10", "block 0", "skipped 10"]);
    assert!(!driver.gave_up());
    let (texts, driver) = tcp(&[
        Act::Say(Client, b"HELLO\nLI"),
        Act::Gap(Client, 5),
        Act::Say(Client, b"NE\n"),
        Act::Gap(Client, 500),
        Act::Say(Client, b"LINE\n"),
    ]);
    assert_eq!(
        texts,
        ["Client HELLO", "gap 5", "Client NE", "gap 500", "end"]
    );
    assert_eq!((driver.name(), driver.gave_up()), (Some("lines"), true));
}

#[test]
fn pending_bytes_are_limited() {
    let endless = vec![b'x'; PENDING_BYTES_MAX + 1];
    let (texts, driver) = tcp(&[Act::Say(Client, b"HELLO\n"), Act::Say(Client, &endless)]);
    assert_eq!(texts, ["Client HELLO", "end"]);
    assert!(driver.gave_up());
}

#[test]
fn the_best_guess_is_taken_when_no_more_bytes_come() {
    let (texts, driver) = tcp(&[Act::Say(Client, b"B")]);
    assert!(texts.is_empty());
    assert_eq!(driver.name(), None);
    let (texts, _) = tcp(&[Act::Say(Client, b"B\x00")]);
    assert_eq!(texts, ["block 0", "skipped 0"]);
}

#[test]
fn unknown_datagrams_are_tried_a_few_times() {
    let noise = Act::Say(Client, b"noise");
    let mut acts: Vec<Act<'_>> = (0..7).map(|_| Act::Say(Client, b"noise")).collect();
    acts.push(Act::Say(Server, b"B\x01x"));
    let (texts, _) = drive(Driver::new(TOYS), Transport::Udp, &acts);
    assert_eq!(texts, ["block 1", "skipped 0"]);
    acts.insert(0, noise);
    let (texts, _) = drive(Driver::new(TOYS), Transport::Udp, &acts);
    assert!(texts.is_empty());
}
