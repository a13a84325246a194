use proptest::prelude::*;

use super::*;
use crate::protocol::Side;
use crate::protocol::replay::testing::{assert_any_split, client, describe, recut, server, tcp};
use crate::protocol::replay::{self, Piece};

static ONLY: &[&dyn Protocol] = &[&Smb];
const PORT: u16 = 445;
const SESSION: u64 = 0x4000_0001;
const FILE: [u8; 16] = [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
const PREVIOUS: [u8; 16] = [0xff; 16];

mod pipes;

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// One SMB2 message: command, message identifier, status, flags, body.
fn message(command: u16, id: u64, status: u32, flags: u32, body: &[u8]) -> Vec<u8> {
    let mut out = b"\xfeSMB\x40\0\x01\0".to_vec();
    out.extend(status.to_le_bytes());
    out.extend(command.to_le_bytes());
    out.extend([1, 0]);
    out.extend(flags.to_le_bytes());
    out.extend([0; 4]);
    out.extend(id.to_le_bytes());
    out.extend([0; 4]);
    out.extend(5u32.to_le_bytes());
    let session = if command == 0 { 0 } else { SESSION };
    out.extend(session.to_le_bytes());
    out.extend([0; 16]);
    out.extend(body);
    out
}

fn frame(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let mut message = message.clone();
        if at + 1 < messages.len() {
            message.resize(message.len().next_multiple_of(8), 0);
            let next = u32::try_from(message.len()).unwrap();
            message[20..24].copy_from_slice(&next.to_le_bytes());
        }
        body.extend(message);
    }
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [length.as_slice(), &body].concat()
}

fn one(message: Vec<u8>) -> Vec<u8> {
    frame(&[message])
}

fn put(body: &mut [u8], at: usize, value: u16) {
    body[at..at + 2].copy_from_slice(&value.to_le_bytes());
}

fn create_body(path: &str, disposition: u8, options: u16) -> Vec<u8> {
    let mut body = vec![0; 56];
    body[36] = disposition;
    put(&mut body, 40, options);
    put(&mut body, 44, 64 + 56);
    put(&mut body, 46, u16::try_from(wide(path).len()).unwrap());
    body.extend(wide(path));
    body
}

fn created_body(bytes: u16) -> Vec<u8> {
    let mut body = vec![0; 88];
    put(&mut body, 48, bytes);
    body[64..80].copy_from_slice(&FILE);
    body
}

fn on_file(len: usize, at: usize, file: [u8; 16]) -> Vec<u8> {
    let mut body = vec![0; len];
    body[at..at + 16].copy_from_slice(&file);
    body
}

fn write_body(data: usize) -> Vec<u8> {
    let mut body = on_file(48, 16, FILE);
    body.extend(vec![0x5a; data]);
    body
}

fn moved_body(bytes: u16, data: usize) -> Vec<u8> {
    let mut body = vec![0; 16 + data];
    put(&mut body, 4, bytes);
    body
}

fn set_info(class: u8, buffer: &[u8]) -> Vec<u8> {
    let mut body = on_file(32, 16, FILE);
    body[2] = 1;
    body[3] = class;
    put(&mut body, 4, u16::try_from(buffer.len()).unwrap());
    put(&mut body, 8, 64 + 32);
    body.extend(buffer);
    body
}

fn rename(to: &str) -> Vec<u8> {
    let mut buffer = vec![0; 20];
    put(&mut buffer, 16, u16::try_from(wide(to).len()).unwrap());
    buffer.extend(wide(to));
    set_info(10, &buffer)
}

fn ntlm(kind: u8, fields: &[(usize, &str)]) -> Vec<u8> {
    let mut out = vec![0; 72];
    out[..8].copy_from_slice(b"NTLMSSP\0");
    out[8] = kind;
    let flags = if kind == 2 { 20 } else { 60 };
    out[flags..flags + 4].copy_from_slice(&0x0200_0001u32.to_le_bytes());
    if kind == 2 {
        out[48..52].copy_from_slice(&[10, 0, 0x63, 0x45]);
    }
    for (at, text) in fields {
        put(&mut out, *at, u16::try_from(wide(text).len()).unwrap());
        let offset = u32::try_from(out.len()).unwrap().to_le_bytes();
        out[at + 4..at + 8].copy_from_slice(&offset);
        out.extend(wide(text));
    }
    out
}

fn setup(response: bool, token: &[u8]) -> Vec<u8> {
    let (fixed, at) = if response { (8, 4) } else { (24, 12) };
    let mut body = vec![0; fixed];
    put(&mut body, at, u16::try_from(64 + fixed).unwrap());
    put(&mut body, at + 2, u16::try_from(token.len()).unwrap());
    body.extend(token);
    body
}

fn logon() -> [Vec<u8>; 8] {
    let mut dialects = vec![0; 36];
    put(&mut dialects, 2, 2);
    dialects.extend([2, 2, 0x11, 3]);
    let mut chosen = vec![0; 64];
    put(&mut chosen, 2, 3);
    put(&mut chosen, 4, 0x0311);
    let challenge = ntlm(2, &[(12, "CHU")]);
    let auth = ntlm(3, &[(28, "CHU"), (36, "adurand"), (44, "PC-12")]);
    let mut tree = vec![0; 8];
    put(&mut tree, 4, 72);
    put(
        &mut tree,
        6,
        u16::try_from(wide("\\\\files\\soins").len()).unwrap(),
    );
    tree.extend(wide("\\\\files\\soins"));
    let mut share = vec![0; 16];
    share[2] = 1;
    [
        one(message(0, 0, 0, 0, &dialects)),
        one(message(0, 0, 0, 1, &chosen)),
        one(message(1, 1, 0, 0, &setup(false, &ntlm(1, &[])))),
        one(message(1, 1, 0xc000_0016, 1, &setup(true, &challenge))),
        one(message(1, 2, 0, 0, &setup(false, &auth))),
        one(message(1, 2, 0, 9, &setup(true, &[]))),
        one(message(3, 3, 0, 8, &tree)),
        one(message(3, 3, 0, 9, &share)),
    ]
}

fn in_turns(messages: &[Vec<u8>]) -> Vec<Piece<'_>> {
    let pieces = messages.iter().enumerate();
    pieces
        .map(|(at, bytes)| {
            if at % 2 == 0 {
                client(bytes)
            } else {
                server(bytes)
            }
        })
        .collect()
}

fn work() -> Vec<Vec<u8>> {
    vec![
        one(message(5, 4, 0, 0, &create_body("ward\\a.docx", 1, 0))),
        one(message(5, 4, 0, 1, &created_body(500))),
        one(message(8, 5, 0, 0, &on_file(48, 16, FILE))),
        one(message(8, 5, 0, 1, &moved_body(500, 500))),
        one(message(9, 6, 0, 0, &write_body(5000))),
        one(message(9, 6, 0, 1, &moved_body(5000, 0))),
        one(message(17, 7, 0, 0, &rename("ward\\a.docx.locked"))),
        one(message(17, 7, 0, 1, &[2, 0])),
        one(message(6, 8, 0, 0, &on_file(24, 8, FILE))),
        one(message(6, 8, 0, 1, &[0; 60])),
    ]
}

#[test]
fn a_conversation_from_negotiation_to_close() {
    let messages = [logon().to_vec(), work()].concat();
    let out = tcp(ONLY, 80, &in_turns(&messages));
    let text = describe(&out.drafts);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[0],
        "99/1/0x00000000 smb_command=NEGOTIATE smb_dialect=3.1.1 \
         smb_client_dialects=2.0.2,3.1.1 smb_signed=true"
    );
    assert_eq!(
        lines[1],
        "99/1/0x00000000 smb_command=SESSION_SETUP smb_dialect=3.1.1 smb_user=<CHU\\adurand> \
         workstation=PC-12 smb_session=0x0000000040000001 smb_encrypted=false smb_signed=true \
         server_os=10.0.17763 server_name=CHU"
    );
    assert!(
        lines[2].starts_with(
            "1/1/0x00000000 user=<adurand> user_domain=CHU auth_protocol=NTLM is_cleartext=false \
             is_remote=true logon_type_id=3 session_uid=0x0000000040000001 mechanism=NTLMSSP \
             facts=ntlm.challenge_digest="
        ),
        "{text}"
    );
    assert_eq!(
        lines[3],
        "99/1/0x00000000 smb_command=TREE_CONNECT smb_dialect=3.1.1 share=<\\\\files\\soins> \
         share_type=disk smb_tree=5 smb_user=<CHU\\adurand> smb_session=0x0000000040000001 \
         smb_signed=true"
    );
    assert_eq!(
        lines[4],
        "2/1/0x00000000 smb_command=CREATE smb_dialect=3.1.1 share=<\\\\files\\soins> \
         share_type=disk smb_tree=5 smb_open_type=open file_path=<ward\\a.docx> file_bytes=500 \
         smb_user=<CHU\\adurand> smb_session=0x0000000040000001 smb_signed=false"
    );
    assert!(lines[5].contains("RENAME") && lines[5].contains("=<ward\\a.docx.locked>"));
    assert!(lines[6].contains("CLOSE") && lines[6].contains("=<ward\\a.docx.locked>"));
    let totals = "smb_read_bytes=500 smb_write_bytes=5000 smb_reads=1 smb_writes=1";
    assert!(lines[6].contains(totals), "{text}");
    assert_eq!(lines.len(), 7);
    assert!(out.anomalies.is_empty(), "{:?}", out.anomalies);
}

#[test]
fn compound_chains_and_interim_answers() {
    let asked = frame(&[
        message(5, 1, 0, 0, &create_body("x.tmp", 5, 0x1000)),
        message(9, 2, 0, 4, &on_file(48, 16, PREVIOUS)),
        message(6, 3, 0, 4, &on_file(24, 8, PREVIOUS)),
    ]);
    let interim = one(message(5, 1, 0x103, 3, &[9, 0]));
    let said = frame(&[
        message(5, 1, 0, 3, &created_body(7)),
        message(9, 2, 0, 5, &moved_body(42, 0)),
        message(6, 3, 0, 5, &[0; 60]),
    ]);
    let out = tcp(
        ONLY,
        PORT,
        &[client(&asked), server(&interim), server(&said)],
    );
    let text = describe(&out.drafts);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[0].starts_with("6/1/0x00000000 smb_command=CREATE"),
        "{text}"
    );
    assert!(
        lines[1].contains("DELETE") && lines[1].contains("<x.tmp>"),
        "{text}"
    );
    assert!(
        lines[2].contains("CLOSE") && lines[2].contains("smb_write_bytes=42"),
        "{text}"
    );
}

#[test]
fn refused_and_unanswered_requests_are_told() {
    let asked = [
        one(message(5, 1, 0, 0, &create_body("no", 1, 0))),
        one(message(5, 2, 0, 0, &create_body("silence", 2, 0))),
        one(message(17, 3, 0, 0, &set_info(13, &[1]))),
    ]
    .concat();
    let said = [
        one(message(5, 1, 0xc000_0034, 1, &[9, 0, 0, 0, 0, 0, 0, 0])),
        one(message(17, 3, 0, 1, &[2, 0])),
    ]
    .concat();
    let out = tcp(ONLY, PORT, &[client(&asked), server(&said)]);
    let text = describe(&out.drafts);
    assert!(
        text.starts_with("2/2/0xc0000034 smb_command=CREATE"),
        "{text}"
    );
    assert!(
        text.contains("\n99/1/0x00000000 smb_command=DELETE"),
        "{text}"
    );
    assert!(text.contains("\n3/0 smb_command=CREATE"), "{text}");
}

#[test]
fn the_middle_of_a_conversation_is_picked_up() {
    let all = work();
    let out = tcp(ONLY, PORT, &in_turns(&all[4..]));
    let text = describe(&out.drafts);
    assert!(
        text.contains("RENAME") && text.contains("smb_write_bytes=5000"),
        "{text}"
    );
    // From inside a message, on a usual port.
    let cut = [&all[4][4500..], &all[6], &all[8]].concat();
    let out = tcp(
        ONLY,
        PORT,
        &[client(&cut), server(&all[7]), server(&all[9])],
    );
    assert!(describe(&out.drafts).contains("CLOSE"));
}

#[test]
fn gaps_in_data_are_tolerated_and_others_resynchronise() {
    let all = work();
    let (head, tail) = all[4].split_at(600);
    let lost = Piece::Gap(Side::Client, 1000);
    let mut pieces = in_turns(&all[..4]);
    pieces.extend([client(head), lost, client(&tail[1000..])]);
    pieces.extend(in_turns(&all).split_off(5));
    let out = tcp(ONLY, PORT, &pieces);
    assert!(out.anomalies.is_empty(), "{:?}", out.anomalies);
    assert!(describe(&out.drafts).contains("smb_write_bytes=5000"));

    let mut pieces = in_turns(&all[..4]);
    pieces.extend([
        client(head),
        Piece::Gap(Side::Client, 6000),
        client(&all[8]),
        server(&all[9]),
    ]);
    let out = tcp(ONLY, PORT, &pieces);
    assert!(
        out.anomalies.contains(&"smb-resynchronised"),
        "{:?}",
        out.anomalies
    );
    assert!(describe(&out.drafts).contains("CLOSE"));
}

#[test]
fn sealed_messages_are_counted() {
    let mut sealed = b"\xfdSMB".to_vec();
    sealed.resize(44, 0);
    sealed.extend(SESSION.to_le_bytes());
    sealed.extend([9; 400]);
    let sealed = one(sealed);
    let both = [sealed.clone(), sealed.clone()].concat();
    let out = tcp(ONLY, PORT, &[client(&both), server(&sealed)]);
    assert_eq!(
        describe(&out.drafts),
        "99/0 smb_command=ENCRYPTED smb_read_bytes=452 smb_write_bytes=904 smb_reads=1 \
         smb_writes=2 smb_session=0x0000000040000001 smb_encrypted=true\n"
    );
}

#[test]
fn smb1_negotiation_with_and_without_smb2() {
    let mut asked = b"\xffSMB\x72".to_vec();
    asked.resize(35, 0);
    asked.extend(b"\x02NT LM 0.12\0\x02SMB 2.002\0");
    let mut said = b"\xffSMB\x72".to_vec();
    said.resize(35, 0);
    said[9] = 0x80;
    let (asked, said) = (one(asked), one(said));
    let out = tcp(ONLY, PORT, &[client(&asked), server(&said)]);
    assert_eq!(
        describe(&out.drafts),
        "99/1/0x00000000 smb_command=NEGOTIATE smb_dialect=NT LM 0.12 \
         smb_client_dialects=NT LM 0.12,SMB 2.002\n"
    );
    let mut chosen = vec![0; 64];
    put(&mut chosen, 4, 0x02ff);
    let said = one(message(0, 0, 0, 1, &chosen));
    let out = tcp(ONLY, PORT, &[client(&asked), server(&said)]);
    let text = describe(&out.drafts);
    assert!(
        text.contains("smb_dialect=2.ff smb_client_dialects=NT LM 0.12"),
        "{text}"
    );
}

#[test]
fn tables_are_bounded() {
    let mut asked = Vec::new();
    for id in 0..5000u64 {
        asked.extend(one(message(5, id, 0, 0, &create_body("f", 1, 0))));
    }
    let out = tcp(ONLY, PORT, &[client(&asked)]);
    assert_eq!(out.drafts.len(), 5000);
    assert!(out.anomalies.contains(&"smb-pending-limit"));
    assert!(out.heap_bytes_max < 2_000_000, "{}", out.heap_bytes_max);
}

#[test]
fn frames_shorter_than_a_magic_are_told_whatever_follows_them() {
    // MS-SMB2 2.1: the length of the transport's header bounds the message.
    let short = [&[0, 0, 0, 1][..], b"\xfcSMB", &[0; 8]].concat();
    let opening = logon();
    let mut pieces = in_turns(&opening[..2]);
    pieces.push(client(&short));
    let told = tcp(ONLY, PORT, &pieces).anomalies;
    assert!(told.contains(&"smb-message-short"), "{told:?}");
}

#[test]
fn what_is_not_smb_is_refused() {
    let first = |bytes| First {
        transport: Transport::Tcp,
        side: Side::Client,
        client_port: 40_000,
        server_port: 445,
        bytes,
    };
    assert_eq!(Smb.probe(&first(b"GET / HTTP/1.1")), Probe::No);
    assert_eq!(Smb.probe(&first(b"\0\0\0\x40\xfeSMA")), Probe::No);
    assert_eq!(Smb.probe(&first(b"\0\0\0\x40\xfeS")), Probe::NeedMore);
    assert_eq!(Smb.probe(&first(b"\0\0\0\x40\xfeSMB")), Probe::Certain);
    assert_eq!(Smb.probe(&first(b"\x81\0\0\x44\x20")), Probe::Certain);
    assert_eq!(Smb.probe(&first(b"xx\0\0\0\x40\xfeSMB")), Probe::Maybe);
}

proptest! {
    #[test]
    fn any_split_gives_the_same(cuts in prop::collection::vec(1usize..300, 1..20)) {
        let messages = [logon().to_vec(), work()].concat();
        assert_any_split(ONLY, PORT, &in_turns(&messages), &cuts);
    }

    #[test]
    fn never_panics(input: Vec<u8>) {
        let _ = replay::fuzz(ONLY, &input);
    }

    #[test]
    fn never_panics_on_broken_conversations(
        changes in prop::collection::vec((0usize..20, 0usize..6000, any::<u8>()), 1..8),
        cuts in prop::collection::vec(1usize..900, 1..10),
        gap in 0u64..3000,
    ) {
        let mut messages = [logon().to_vec(), work()].concat();
        for (which, at, value) in changes {
            let which = which % messages.len();
            let at = at % messages[which].len();
            messages[which][at] = value;
        }
        let mut pieces = in_turns(&messages);
        pieces.insert(12, Piece::Gap(Side::Client, gap));
        let _ = tcp(ONLY, PORT, &recut(&pieces, &cuts));
    }
}
