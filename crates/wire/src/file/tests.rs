use std::sync::Mutex;

use model::class::Body;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::facts::{extension, hex};
use super::*;
use crate::WireConfig;
use crate::protocol::replay::{Piece, run_with};
use crate::protocol::{REGISTRY, Transport, checks};
use crate::testing::{START, Talk, ethernet, ip, play, udp};

/// A file as the observer saw it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    protocol: &'static str,
    name: Option<String>,
    kind: &'static str,
    bytes: Vec<u8>,
    whole: Option<String>,
    state: String,
}

#[derive(Default)]
struct Collect(Arc<Mutex<Vec<Seen>>>);

struct One(Seen, Arc<Mutex<Vec<Seen>>>);

impl FileObserver for Collect {
    fn begin(&self, meta: &Meta<'_>) -> Option<Box<dyn FileSink>> {
        let seen = Seen {
            protocol: meta.protocol,
            name: meta.name.map(str::to_owned),
            kind: "",
            bytes: Vec::new(),
            whole: None,
            state: String::new(),
        };
        Some(Box::new(One(seen, Arc::clone(&self.0))))
    }
}

impl FileSink for One {
    fn chunk(&mut self, bytes: &[u8]) {
        self.0.bytes.extend_from_slice(bytes);
    }

    fn end(mut self: Box<Self>, outcome: &Outcome<'_>, _: &mut Vec<Draft>) {
        assert_eq!(outcome.seen_sha256, *Sha256::digest(&self.0.bytes));
        self.0.kind = outcome.kind.name;
        self.0.whole = outcome.sha256.map(|hash| hex(&hash));
        self.0.state = outcome.state.text().into_owned();
        self.0.name = outcome.name.map(str::to_owned).or(self.0.name);
        self.1.lock().unwrap().push(self.0);
    }
}

fn observed(look_bytes_max: u64) -> (Policy, Arc<Mutex<Vec<Seen>>>) {
    let collect = Collect::default();
    let seen = Arc::clone(&collect.0);
    let policy = Policy {
        look_bytes_max,
        hash: false,
        observer: Some(Arc::new(collect)),
    };
    (policy, seen)
}

/// Files of a TCP conversation, and its drafts.
fn conversation(port: u16, pieces: &[Piece<'_>], most: u64) -> (Vec<Seen>, Vec<Draft>) {
    let (policy, seen) = observed(most);
    let mut files = Files::new(policy);
    let ports = (50_000, port);
    let out = run_with(REGISTRY, Transport::Tcp, ports, 1, pieces, &mut files);
    let seen = seen.lock().unwrap().clone();
    (seen, out.drafts)
}

fn client(bytes: &[u8]) -> Piece<'_> {
    Piece::Bytes(Side::Client, bytes)
}

fn server(bytes: &[u8]) -> Piece<'_> {
    Piece::Bytes(Side::Server, bytes)
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    // Stored blocks: no compressor is needed to test a decompressor.
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    let mut chunks = bytes.chunks(60_000).peekable();
    while let Some(chunk) = chunks.next() {
        let length = u16::try_from(chunk.len()).unwrap();
        out.push(u8::from(chunks.peek().is_none()));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(chunk);
    }
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (0u32.wrapping_sub(crc & 1)));
        }
    }
    out.extend((!crc).to_le_bytes());
    out.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
    out
}

fn pdf(len: usize) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    out.extend((0..len).map(|n| u8::try_from(n * 7 % 251).unwrap()));
    out
}

#[test]
fn contents_are_typed_by_their_first_octets() {
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM\x02\0\0\0UL");
    let mut tar = vec![b'a'; 257];
    tar.extend(b"ustar\x0000");
    let mut pe = b"MZ".to_vec();
    pe.resize(0x3c, 0);
    pe.extend([0x80, 0, 0, 0]);
    pe.resize(0x80, 0);
    pe.extend(b"PE\0\0");
    let zip = |names: &str| [b"PK\x03\x04", [0; 26].as_slice(), names.as_bytes()].concat();
    let odt = zip("mimetypeapplication/vnd.oasis.opendocument.text");
    let docx = zip("[Content_Types].xml..word/document.xml");
    let cases: [(&[u8], &str); 27] = [
        (b"%PDF-1.4", "pdf"),
        (b"\r\n%PDF-1.4", "pdf"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
        (&zip("a.txt"), "zip"),
        (&docx, "docx"),
        (&odt, "odt"),
        (&pe, "pe"),
        (b"MZ\0", "dos"),
        (b"\x7fELF\x02", "elf"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", "mach-o"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", "java"),
        (b"#!/bin/sh\n", "script"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (&dicom, "dicom"),
        (b"\x0bMSH|^~\\&|A|B", "hl7"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"Rar!\x1a\x07\x01\0", "rar"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (&tar, "tar"),
        (b"  <!DOCTYPE html><html>", "html"),
        (b"{ \"a\": 1}", "json"),
        (b"<?xml version=\"1.0\"?><a/>", "xml"),
        (b"{\\rtf1 a}", "rtf"),
        (b"Received: from a by b\r\n", "mail"),
        (b"plain words", "text"),
    ];
    for (bytes, name) in cases {
        assert_eq!(Kind::of(bytes, true).unwrap().name, name);
    }
    assert_eq!(Kind::of(b"\x00\x01\x02\x03", true).unwrap().name, "data");
    assert_eq!(Kind::of(b"", true).unwrap().name, "empty");
    assert_eq!(Kind::of(b"%PDF", false), None);
}

#[test]
fn extensions_hold_no_names() {
    assert_eq!(extension("/a/b.PDF").as_deref(), Some("pdf"));
    assert_eq!(extension(r"a\b.tar.gz").as_deref(), Some("gz"));
    assert_eq!(extension("/.profile"), None);
    assert_eq!(extension("/a.b/c"), None);
    assert_eq!(extension("letter.dupont martin"), None);
}

#[test]
fn bodies_of_http_are_typed_measured_and_hashed() {
    let body = pdf(40_000);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nContent-Type: text/plain\r\n\
         Content-Disposition: attachment; filename=\"a b.pdf\"\r\n\r\n",
        body.len()
    );
    let get: &[u8] = b"GET /x/letter.bin HTTP/1.1\r\nHost: h\r\n\r\n";
    let answer = [head.as_bytes(), &body].concat();
    let (seen, drafts) = conversation(80, &[client(get), server(&answer)], 1 << 20);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].bytes, body);
    assert_eq!(seen[0].name.as_deref(), Some("a b.pdf"));
    let Body::Http(http) = &drafts[0].body else {
        panic!("an exchange");
    };
    assert_eq!(http.file_type.as_deref(), Some("pdf"));
    assert_eq!(http.file_mime.as_deref(), Some("application/pdf"));
    assert_eq!(http.file_bytes, Some(40_009));
    assert_eq!(http.file_sha256.as_deref(), Some(&*sha256(&body)));
    assert_eq!(http.file_state, None);
    assert_eq!(http.file_ext.as_deref(), Some("pdf"));
    assert_eq!(http.upload_type, None);
    // A smaller limit: the length is right, the hash is absent, no more is shown.
    let (seen, drafts) = conversation(80, &[client(get), server(&answer)], 10_000);
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].bytes.len(), seen[0].state.as_str()),
        (10_000, "truncated")
    );
    assert!(checks::facts(&drafts[0]).contains("file_bytes=40009"));
    assert!(checks::field(&drafts[0], "file_sha256").is_empty());
}

#[test]
fn without_a_look_all_but_the_head_passes_uncopied() {
    let body = pdf(40_000);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = [head.as_bytes(), &body].concat();
    let mut files = Files::default();
    let pieces = [client(b"GET /a HTTP/1.1\r\n\r\n"), server(&answer)];
    let out = run_with(REGISTRY, Transport::Tcp, (1, 80), 1, &pieces, &mut files);
    let facts = checks::facts(&out.drafts[0]);
    assert!(facts.contains("file_type=pdf"), "{facts}");
    assert!(facts.contains("file_bytes=40009"), "{facts}");
    assert!(!facts.contains("file_sha256"), "{facts}");
    assert!(!facts.contains("file_state"), "{facts}");
    assert!(out.heap_bytes_max < 4096, "{}", out.heap_bytes_max);
}

#[test]
fn chunks_codings_uploads_and_closed_connections() {
    let body = pdf(9000);
    let packed = gzip(&body);
    let mut chunked = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\
        Transfer-Encoding: chunked\r\n\r\n"
        .to_vec();
    for chunk in packed.chunks(1000) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    let put = [
        format!(
            "PUT /a/b.docx HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .as_bytes(),
        &body,
    ]
    .concat();
    let closed = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &body].concat();
    let pieces = [
        client(b"GET /a HTTP/1.1\r\n\r\n"),
        server(&chunked),
        client(&put),
        server(&closed),
    ];
    let (seen, drafts) = conversation(80, &pieces, 1 << 20);
    assert_eq!(seen.len(), 3);
    for file in &seen {
        assert_eq!(file.bytes, body);
        assert_eq!(file.whole.as_deref(), Some(&*sha256(&body)));
    }
    assert_eq!(checks::field(&drafts[1], "upload_ext"), "docx");
    assert_eq!(checks::field(&drafts[1], "upload_sha256"), sha256(&body));
    for step in [1, 7, 100, 1460, 20_000] {
        checks::split_gives_the_same(REGISTRY, 80, &pieces, step);
        let mut cut = Vec::new();
        for piece in &pieces {
            if let Piece::Bytes(side, bytes) = *piece {
                cut.extend(bytes.chunks(step).map(|bytes| Piece::Bytes(side, bytes)));
            }
        }
        assert_eq!(conversation(80, &cut, 1 << 20).0, seen, "step {step}");
    }
}

#[test]
fn a_hole_makes_a_file_incomplete() {
    let body = pdf(9000);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let first = [head.as_bytes(), &body[..3000]].concat();
    let pieces = [
        client(b"GET /a HTTP/1.1\r\n\r\n"),
        server(&first),
        Piece::Gap(Side::Server, 1000),
        server(&body[4000..]),
    ];
    let (seen, drafts) = conversation(80, &pieces, 1 << 20);
    assert_eq!(seen[0].state, "incomplete: gap");
    assert_eq!(seen[0].bytes, body[..3000]);
    assert_eq!(seen[0].whole, None);
    let facts = checks::facts(&drafts[0]);
    assert!(facts.contains("file_state=incomplete: gap"), "{facts}");
    assert!(facts.contains("response_bytes=9009"), "{facts}");
    let (seen, _) = conversation(80, &pieces[..2], 1 << 20);
    assert_eq!(seen[0].state, "incomplete: unfinished");
}

#[test]
fn bodies_of_http2_are_files_too() {
    let body = pdf(30_000);
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [
            length[1], length[2], length[3], kind, flags, 0, 0, 0, stream,
        ];
        [&head, payload].concat()
    };
    let mut asked = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    asked.extend(frame(4, 0, 0, &[]));
    asked.extend(frame(1, 5, 1, &[0x82, 0x84, 0x86]));
    let mut answer = frame(4, 0, 0, &[]);
    answer.extend(frame(1, 4, 1, &[0x88]));
    let padded = [&[3][..], &body[..5000], &[0; 3]].concat();
    answer.extend(frame(0, 8, 1, &padded));
    for chunk in body[5000..].chunks(9000) {
        answer.extend(frame(0, 0, 1, chunk));
    }
    answer.extend(frame(0, 1, 1, &[]));
    let pieces = [client(&asked), server(&answer)];
    let (seen, drafts) = conversation(80, &pieces, 1 << 20);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].bytes, body);
    assert_eq!(seen[0].state, "complete");
    assert_eq!(checks::field(&drafts[0], "file_sha256"), sha256(&body));
    assert_eq!(checks::field(&drafts[0], "response_bytes"), "30009");
    for step in [1, 13, 1460] {
        checks::split_gives_the_same(REGISTRY, 80, &pieces, step);
    }
}

#[test]
fn attachments_are_decoded_by_any_split() {
    let mail = "EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n\
        Subject: s\r\nContent-Type: multipart/mixed; boundary=\"x\"\r\n\r\n\
        --x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        caf=C3=A9 =\r\nau lait\r\n..dot\r\n\
        --x\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=a.pdf\r\n\r\n\
        JVBERi0xLjcKd29y\r\nZHMgaW4gYSBmaWxlPw==\r\n--x--\r\n.\r\n";
    let pieces = [
        server(b"220 mx ESMTP\r\n"),
        client(mail.as_bytes()),
        server(b"250 a\r\n250 ok\r\n250 ok\r\n354 go\r\n250 done\r\n"),
    ];
    let (seen, drafts) = conversation(25, &pieces, 1 << 20);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].bytes, "café au lait\r\n.dot".as_bytes());
    assert_eq!(seen[1].bytes, b"%PDF-1.7\nwords in a file?");
    assert_eq!(seen[1].name.as_deref(), Some("a.pdf"));
    assert_eq!(seen[1].kind, "pdf");
    let told = drafts.iter().find(|d| matches!(d.body, Body::Email(_)));
    let told = told.unwrap();
    assert_eq!(checks::field(told, "attachment_content"), "pdf");
    assert_eq!(checks::field(told, "attachment_states"), "complete");
    assert_eq!(
        checks::field(told, "attachment_sha256"),
        sha256(&seen[1].bytes)
    );
    for step in [1, 5, 64] {
        checks::split_gives_the_same(REGISTRY, 25, &pieces, step);
    }
}

#[test]
fn messages_of_mllp_are_files() {
    let message = "MSH|^~\\&|A|B|C|D|20261123||ADT^A01|77|P|2.5\rPID|1||9^^^H\rPV1||I\r";
    let block = format!("\x0b{message}\x1c\r");
    let ack = "\x0bMSH|^~\\&|C|D|A|B|20261123||ACK|1|P|2.5\rMSA|AA|77\r\x1c\r";
    let pieces = [client(block.as_bytes()), server(ack.as_bytes())];
    let (seen, drafts) = conversation(2575, &pieces, 1 << 20);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].bytes, message.as_bytes());
    assert_eq!((seen[0].kind, seen[0].state.as_str()), ("hl7", "complete"));
    assert_eq!(
        checks::field(&drafts[0], "file_sha256"),
        sha256(message.as_bytes())
    );
}

/// One SMB2 message in its frame.
fn smb(command: u8, id: u8, answer: bool, body: &[u8]) -> Vec<u8> {
    let mut out = b"\xfeSMB\x40\0\x01\0\0\0\0\0".to_vec();
    out.extend([command, 0, 1, 0, u8::from(answer), 0, 0, 0, 0, 0, 0, 0, id]);
    out.extend([0; 11]);
    out.extend([5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    out.extend([0; 16]);
    out.extend(body);
    let length = u32::try_from(out.len()).unwrap().to_be_bytes();
    [length.as_slice(), &out].concat()
}

fn smb_open(size: u32) -> [Vec<u8>; 2] {
    let mut create = vec![0; 56];
    create[44] = 120;
    create[46] = 10;
    create.extend("a.pdf".encode_utf16().flat_map(u16::to_le_bytes));
    let mut created = vec![0; 88];
    created[48..52].copy_from_slice(&size.to_le_bytes());
    created[64] = 9;
    [smb(5, 1, false, &create), smb(5, 1, true, &created)]
}

fn smb_read(id: u8, at: usize, data: &[u8]) -> [Vec<u8>; 2] {
    let mut ask = vec![0; 48];
    ask[8..16].copy_from_slice(&(at as u64).to_le_bytes());
    ask[16] = 9;
    let mut answer = vec![0; 16];
    answer[2] = 80;
    answer[4..8].copy_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
    answer.extend(data);
    [smb(8, id, false, &ask), smb(8, id, true, &answer)]
}

fn smb_write(id: u8, at: usize, data: &[u8]) -> [Vec<u8>; 2] {
    let mut ask = vec![0; 48];
    ask[2] = 112;
    ask[4..8].copy_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
    ask[8..16].copy_from_slice(&(at as u64).to_le_bytes());
    ask[16] = 9;
    ask.extend(data);
    let mut answer = vec![0; 16];
    answer[4..8].copy_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
    [smb(9, id, false, &ask), smb(9, id, true, &answer)]
}

fn smb_close(size: u32) -> [Vec<u8>; 2] {
    let mut ask = vec![0; 24];
    ask[8] = 9;
    let mut answer = vec![0; 60];
    answer[2] = 1;
    answer[48..52].copy_from_slice(&size.to_le_bytes());
    [smb(6, 100, false, &ask), smb(6, 100, true, &answer)]
}

fn alternating(pairs: &[[Vec<u8>; 2]]) -> Vec<Piece<'_>> {
    pairs
        .iter()
        .flat_map(|[ask, answer]| [client(ask), server(answer)])
        .collect()
}

#[test]
fn files_on_shares_are_put_in_order() {
    let body = pdf(150_000);
    let size = u32::try_from(body.len()).unwrap();
    let parts = [(0, 60_000), (60_000, 120_000), (120_000, body.len())];
    let read = |order: &[usize]| {
        let mut pairs = vec![smb_open(size)];
        for (id, part) in (2..).zip(order) {
            let (from, to) = parts[*part];
            pairs.push(smb_read(id, from, &body[from..to]));
        }
        pairs.push(smb_close(size));
        pairs
    };
    for order in [&[0, 1, 2][..], &[0, 2, 1], &[2, 1, 0], &[0, 1, 1, 2]] {
        let pairs = read(order);
        let pieces = alternating(&pairs);
        let (seen, drafts) = conversation(445, &pieces, 1 << 20);
        assert_eq!(seen.len(), 1, "{order:?}");
        assert_eq!(
            seen[0].bytes.len(),
            body.len(),
            "{order:?} {}",
            seen[0].state
        );
        assert_eq!(seen[0].whole.as_deref(), Some(&*sha256(&body)), "{order:?}");
        let closed = drafts.last().unwrap();
        assert_eq!(checks::field(closed, "file_sha256"), sha256(&body));
        assert_eq!(checks::field(closed, "file_type"), "pdf");
        assert_eq!(checks::field(closed, "file_ext"), "pdf");
        for step in [1000, 1460] {
            checks::split_gives_the_same(REGISTRY, 445, &pieces, step);
        }
    }
    let (seen, _) = conversation(445, &alternating(&read(&[0, 1])), 1 << 20);
    assert_eq!(seen[0].state, "incomplete: partial");
    let (seen, _) = conversation(445, &alternating(&read(&[0, 2])), 1 << 20);
    assert_eq!(seen[0].state, "incomplete: sparse");
}

#[test]
fn what_is_written_twice_is_incomplete() {
    let body = pdf(2000);
    let size = u32::try_from(body.len()).unwrap();
    let good = [smb_open(0), smb_write(2, 0, &body), smb_close(size)];
    let (seen, _) = conversation(445, &alternating(&good), 1 << 20);
    assert_eq!(seen[0].bytes, body);
    assert_eq!(seen[0].state, "complete");
    let twice = [
        smb_open(0),
        smb_write(2, 0, &body),
        smb_write(3, 0, &body[..10]),
        smb_close(size),
    ];
    let (seen, drafts) = conversation(445, &alternating(&twice), 1 << 20);
    assert_eq!(seen[0].state, "incomplete: rewritten");
    assert!(checks::field(drafts.last().unwrap(), "file_sha256").is_empty());
}

fn control(port: [u8; 2]) -> Talk {
    let passive = format!(
        "227 Entering Passive Mode (10,0,0,2,{},{})\r\n",
        port[0], port[1]
    );
    let mut talk = Talk::to_port(21)
        .open()
        .say(Side::Server, b"220 FTP ready\r\n");
    for (ask, answer) in [
        ("USER u\r\n", "331 p\r\n"),
        ("PASS x\r\n", "230 in\r\n"),
        ("PASV\r\n", &*passive),
        ("RETR /d/a.pdf\r\n", "150 here\r\n"),
    ] {
        talk = talk.say(Side::Client, ask.as_bytes());
        talk = talk.say(Side::Server, answer.as_bytes());
    }
    talk
}

#[test]
fn ftp_names_the_flow_of_its_data() {
    let body = pdf(20_000);
    let talk = control([200, 1]);
    let mut data = Talk::new(
        ([10, 0, 0, 1], 40_001).into(),
        ([10, 0, 0, 2], 200 * 256 + 1).into(),
        7,
    );
    data.now = talk.now;
    let data = data.open().say(Side::Server, &body).close();
    let mut frames = talk.frames.clone();
    frames.extend(data.frames.clone());
    let (policy, seen) = observed(1 << 20);
    let config = WireConfig {
        files: policy,
        ..WireConfig::default()
    };
    let (events, _) = play(config, &frames);
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].bytes, body);
    assert_eq!(seen[0].name.as_deref(), Some("/d/a.pdf"));
    let moved = events.iter().find_map(|event| {
        let Body::Ftp(ftp) = &event.body else {
            return None;
        };
        ftp.file_type.is_some().then_some((event, ftp))
    });
    let (event, ftp) = moved.unwrap();
    assert_eq!(event.connection.as_ref().unwrap().app, "ftp-data");
    assert_eq!(event.meta.activity, 2);
    assert_eq!(ftp.command.as_deref(), Some("RETR"));
    assert_eq!(ftp.bytes, Some(20_009));
    assert_eq!(ftp.file_sha256.as_deref(), Some(&*sha256(&body)));
    assert_eq!(ftp.user.as_ref().unwrap().reveal().unwrap().1, "u");
    // Another port is not the one announced.
    let other = Talk::new(
        ([10, 0, 0, 1], 40_001).into(),
        ([10, 0, 0, 2], 200 * 256 + 2).into(),
        7,
    );
    let mut frames = talk.frames;
    frames.extend(other.open().say(Side::Server, &body).close().frames);
    let (events, _) = play(WireConfig::default(), &frames);
    let apps = events.iter().filter_map(|event| event.connection.as_ref());
    assert!(apps.map(|link| &*link.app).all(|app| app != "ftp-data"));
}

#[test]
fn tftp_names_the_flow_of_its_data() {
    let body = pdf(1300);
    let (client, server) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
    let mut frames = Vec::new();
    let mut send = |from_client: bool, ports: (u16, u16), payload: &[u8]| {
        let datagram = udp(ports.0, ports.1, payload);
        let packet = if from_client {
            ip(client, server, 17, &datagram)
        } else {
            ip(server, client, 17, &datagram)
        };
        let at = START.plus_ms(i64::try_from(frames.len()).unwrap());
        frames.push((at, ethernet([1; 6], [2; 6], 0x800, &packet)));
    };
    send(true, (3000, 69), b"\0\x01boot.pdf\0octet\0");
    for (number, block) in (1u8..).zip(body.chunks(512)) {
        let data = [&[0, 3, 0, number], block].concat();
        send(false, (4000, 3000), &data);
        send(true, (3000, 4000), &[0, 4, 0, number]);
        // It comes again.
        send(false, (4000, 3000), &data);
    }
    let (policy, seen) = observed(1 << 20);
    let config = WireConfig {
        files: policy,
        ..WireConfig::default()
    };
    let (events, _) = play(config, &frames);
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].bytes, body);
    assert_eq!(seen[0].state, "complete");
    let hash = sha256(&body);
    let moved = events.iter().any(
        |event| matches!(&event.body, Body::Ftp(ftp) if ftp.file_sha256.as_deref() == Some(&*hash)),
    );
    assert!(moved);
}

#[test]
fn announcements_are_bounded_and_age() {
    let mut expected = Expectations::default();
    let host: IpAddr = [10, 0, 0, 2].into();
    let any: fn(&expect::Purpose) -> bool = |_| true;
    let purpose = || expect::Purpose::Ftp(expect::Transfer::default());
    let now = Nanos(0);
    for port in 1..=2 * u16::try_from(expect::EXPECTED_MAX).unwrap() {
        expected.add(now, host, port, purpose());
    }
    assert!(expected.take(now, [host; 2], [9, 1], any).is_none());
    assert!(expected.take(now, [host; 2], [9, 1024], any).is_some());
    assert!(expected.take(now, [host; 2], [9, 1024], any).is_none());
    let late = now.plus_ms(300_001);
    assert!(expected.take(late, [host; 2], [9, 1000], any).is_none());
}

proptest! {
    #[test]
    fn any_cut_gives_the_same_file(
        bytes in proptest::collection::vec(any::<u8>(), 0..6000),
        lead in 0usize..4,
        cuts in proptest::collection::vec(1usize..900, 1..8),
        packed in any::<bool>(),
        look in 0u64..7000,
    ) {
        let leads: [&[u8]; 4] = [b"", b"PK\x03\x04", b"%PDF-", b"MSH|"];
        let bytes = [leads[lead], &bytes].concat();
        let wire = if packed { gzip(&bytes) } else { bytes.clone() };
        let coding = if packed {
            Coding::Packed(codec::compress::Format::Gzip)
        } else {
            Coding::Plain
        };
        let carve = |cuts: &[usize]| {
            let policy = Policy { look_bytes_max: look, hash: look > 0, observer: None };
            let meta = Meta {
                time: START, protocol: "t", sender: Side::Client,
                hosts: [[0, 0, 0, 0].into(); 2], ports: [0; 2], name: None, mime: None,
                bytes: None,
            };
            let mut carver = Carver::begin(&policy, coding, &meta);
            let (mut rest, mut cuts) = (&*wire, cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                let wants = usize::try_from(carver.wants()).unwrap_or(usize::MAX).min(piece.len());
                carver.bytes(&piece[..wants]);
                if wants < piece.len() && carver.wants() == 0 {
                    carver.pass((piece.len() - wants) as u64);
                    rest = after;
                } else {
                    rest = &rest[wants..];
                }
            }
            carver.close();
            carver.end(None, &mut Vec::new())
        };
        let whole = carve(&[usize::MAX]);
        prop_assert_eq!(&carve(&cuts), &whole);
        if look >= bytes.len() as u64 && look > 0 {
            prop_assert_eq!(whole.sha256().unwrap_or_default(), sha256(&bytes));
            prop_assert_eq!(whole.state, State::Complete);
        }
    }

    #[test]
    fn random_contents_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
        let _ = Kind::of(&bytes, true);
        let (policy, _) = observed(2000);
        let mut files = Files::new(policy);
        let pieces = [Piece::Bytes(Side::Client, &bytes), Piece::Bytes(Side::Server, &bytes)];
        let _ = run_with(REGISTRY, Transport::Tcp, (1, 2), 1, &pieces, &mut files);
    }
}
