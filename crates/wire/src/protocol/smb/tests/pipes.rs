use super::*;
use crate::protocol::dcerpc::tests::{SVCCTL, answer, bind, bind_ack, call};

const WRITE: u16 = 9;
const READ: u16 = 8;
const IOCTL: u16 = 11;

fn long(body: &mut [u8], at: usize, value: usize) {
    body[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap().to_le_bytes());
}

fn written(id: u64, data: &[u8]) -> Vec<u8> {
    let mut body = on_file(48, 16, FILE);
    put(&mut body, 2, 64 + 48);
    long(&mut body, 4, data.len());
    body.extend(data);
    one(message(WRITE, id, 0, 0, &body))
}

fn read(id: u64, data: &[u8]) -> [Vec<u8>; 2] {
    let mut body = vec![17, 0, 80, 0];
    body.resize(16, 0);
    long(&mut body, 4, data.len());
    body.extend(data);
    [
        one(message(READ, id, 0, 0, &on_file(48, 16, FILE))),
        one(message(READ, id, 0, 1, &body)),
    ]
}

fn called(id: u64, asked: &[u8], said: &[u8]) -> [Vec<u8>; 2] {
    let ioctl = |length: usize, at: usize, data: &[u8]| {
        let mut body = on_file(length, 8, FILE);
        long(&mut body, 4, 0x0011_c017);
        long(&mut body, at, 64 + length);
        long(&mut body, at + 4, data.len());
        body.extend(data);
        body
    };
    [
        one(message(IOCTL, id, 0, 0, &ioctl(56, 24, asked))),
        one(message(IOCTL, id, 0, 1, &ioctl(48, 32, said))),
    ]
}

/// Create, bind by write and read, one call in two writes, one transceive, close.
fn conversation() -> Vec<Vec<u8>> {
    let asked = call(2, 0, 15, 200);
    let (head, tail) = asked.split_at(40);
    let [bound_asked, bound] = read(3, &bind_ack(&[0], &[]));
    let [said_asked, said] = read(6, &answer(2, 24));
    let [created_asked, created] = called(7, &call(3, 0, 12, 300), &answer(3, 24));
    let done = |command, id| one(message(command, id, 0, 1, &moved_body(16, 0)));
    let mut closed = vec![0; 60];
    closed[0] = 60;
    vec![
        one(message(5, 1, 0, 0, &create_body("svcctl", 1, 0))),
        one(message(5, 1, 0, 1, &created_body(0))),
        written(2, &bind(&[SVCCTL], &[])),
        done(WRITE, 2),
        bound_asked,
        bound,
        written(4, head),
        done(WRITE, 4),
        written(5, tail),
        done(WRITE, 5),
        said_asked,
        said,
        created_asked,
        created,
        one(message(6, 8, 0, 0, &on_file(24, 8, FILE))),
        one(message(6, 8, 0, 1, &closed)),
    ]
}

fn turns(messages: &[Vec<u8>]) -> Vec<Piece<'_>> {
    let sides = messages.iter().enumerate();
    sides
        .map(|(at, bytes)| {
            if at % 2 == 0 {
                client(bytes)
            } else {
                server(bytes)
            }
        })
        .collect()
}

fn calls(pieces: &[Piece<'_>]) -> Vec<String> {
    let told = describe(&tcp(ONLY, PORT, pieces).drafts);
    let lines = told.lines().filter(|line| line.contains("about=dcerpc"));
    lines.map(str::to_owned).collect()
}

#[test]
fn pipes_carry_calls() {
    let messages = conversation();
    let told = calls(&turns(&messages));
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(
        told[0],
        "6/1 about=dcerpc operation=svcctl.OpenSCManagerW object_count=1 \
         facts=dcerpc.interface=svcctl,\
         dcerpc.interface_uuid=367abb81-9844-35f1-ad32-98f038001003,dcerpc.interface_version=4,\
         dcerpc.opnum=15,dcerpc.pipe=svcctl"
    );
    assert!(told[1].starts_with("6/1 about=dcerpc operation=svcctl.CreateServiceW"));
    assert_any_split(ONLY, PORT, &turns(&messages), &[1, 63, 150]);
}

#[test]
fn a_pipe_whose_opening_was_not_seen_is_known_by_what_it_carries() {
    let messages = conversation();
    let told = calls(&turns(&messages[2..]));
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(!told[0].contains("dcerpc.pipe"));
    // Files are written, too.
    let file = [
        written(2, &[0x5a; 900]),
        one(message(WRITE, 2, 0, 1, &moved_body(900, 0))),
    ];
    let out = tcp(ONLY, PORT, &turns(&file));
    assert!(out.anomalies.is_empty(), "{:?}", out.anomalies);
    assert!(describe(&out.drafts).contains("smb_write_bytes=900"));
}

#[test]
fn a_loss_costs_the_call_it_hits() {
    let messages = conversation();
    let mut pieces = turns(&messages[..6]);
    // The first write of the call loses its end.
    pieces.push(client(&messages[6][..140]));
    pieces.push(Piece::Gap(
        Side::Client,
        u64::try_from(messages[6].len() - 140).unwrap(),
    ));
    pieces.extend(turns(&messages[6..])[1..].iter().copied());
    let told = calls(&pieces);
    assert!(
        told.iter().any(|line| line.contains("CreateServiceW")),
        "{told:#?}"
    );
}

/// A message of SMB 1 with these words and bytes.
fn old(command: u8, answer: bool, id: u8, words: &[u16], bytes: &[u8]) -> Vec<u8> {
    let mut out = b"\xffSMB".to_vec();
    out.extend([
        command,
        0,
        0,
        0,
        0,
        if answer { 0x88 } else { 0x08 },
        0,
        0x80,
    ]);
    out.extend([0; 12]);
    out.extend([1, 0, 9, 0, 2, 0, id, 0]);
    out.push(u8::try_from(words.len()).unwrap());
    words.iter().for_each(|word| out.extend(word.to_le_bytes()));
    out.extend(u16::try_from(bytes.len()).unwrap().to_le_bytes());
    out.extend(bytes);
    let length = u32::try_from(out.len()).unwrap().to_be_bytes();
    [length.as_slice(), &out].concat()
}

/// Where the bytes of a message with so many words stand.
fn behind(words: usize) -> u16 {
    u16::try_from(32 + 1 + 2 * words + 2).unwrap()
}

#[test]
fn pipes_carry_calls_of_both_dialects() {
    let len = |data: &[u8]| u16::try_from(data.len()).unwrap();
    let name = [&[0], wide("\\svcctl").as_slice()].concat();
    let mut create = vec![0xff, 0];
    create.resize(24, 0);
    // Length of the name after one octet.
    create[2] = 14 << 8;
    let mut opened = vec![0xff, 0];
    opened.resize(34, 0);
    opened[2] = 0x34 << 8;
    opened[3] = 0x12;
    opened[31] = 2 << 8;
    let bound = bind(&[SVCCTL], &[]);
    let write = [
        0xff,
        0,
        0x1234,
        0,
        0,
        0,
        0,
        8,
        0,
        0,
        len(&bound),
        behind(12),
    ];
    let ack = bind_ack(&[0], &[]);
    let said = [0xff, 0, 0, 0, 0, len(&ack), behind(12), 0, 0, 0, 0, 0];
    let (asked, result) = (call(2, 0, 19, 40), answer(2, 4));
    let mut transact = vec![0; 16];
    (transact[11], transact[12]) = (len(&asked), behind(16));
    (transact[13], transact[14], transact[15]) = (2, 0x26, 0x1234);
    let mut transacted = vec![0; 10];
    (transacted[6], transacted[7]) = (len(&result), behind(10));
    let messages = [
        old(0xa2, false, 1, &create, &name),
        old(0xa2, true, 1, &opened, &[]),
        old(0x2f, false, 2, &write, &bound),
        old(0x2f, true, 2, &[0; 6], &[]),
        old(0x2e, false, 3, &[0xff, 0, 0x1234, 0, 0, 0, 0, 0, 0, 0], &[]),
        old(0x2e, true, 3, &said, &ack),
        old(0x25, false, 4, &transact, &asked),
        old(0x25, true, 4, &transacted, &result),
        old(0x04, false, 5, &[0x1234, 0, 0], &[]),
        old(0x04, true, 5, &[], &[]),
    ];
    let told = calls(&turns(&messages));
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("6/1 about=dcerpc operation=svcctl.StartServiceW object_count=1"));
    assert!(told[0].ends_with("dcerpc.pipe=svcctl"), "{told:#?}");
    assert_any_split(ONLY, PORT, &turns(&messages), &[1, 50]);
}
