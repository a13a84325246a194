//! Large transfers: DICOM images, HTTP downloads, TLS records, made here.
//!
//! Enters: nothing. Leaves: a capture of [`ROUNDS`] rounds: in each, CT images stored over 8
//! associations, files downloaded over HTTP, the same amount over TLS 1.3; handshakes, answers,
//! acknowledgements of every second segment, right checksums. Refuses: nothing.
//! Source: DICOM PS3.7 and PS3.8, RFC 9112, RFC 8446; shape of `docs/benchmarks/wire.md`.

use std::path::Path;

use anyhow::Result;

use super::Numbers;
use super::tcp::{CLIENT, SERVER, Talk, Wire};

/// Repetitions, each from other clients.
const ROUNDS: u8 = 4;
/// Associations of a round, images of each, octets of an image's pixels (512 x 512 x 16 bits).
const ASSOCIATIONS: u16 = 8;
const IMAGES: u16 = 12;
const PIXEL_BYTES: usize = 524_288;
/// Octets of a P-DATA-TF PDU.
const PDU_BYTES: usize = 16_384;
/// Connections of a round over HTTP and as many over TLS, answers of each, octets of an answer.
const CONNECTIONS: u16 = 6;
const ANSWERS: u16 = 10;
const ANSWER_BYTES: usize = 500_000;

/// Writes the capture.
pub(super) fn make(path: &Path) -> Result<()> {
    let mut numbers = Numbers(0x6469_636f_6d00);
    let noise: Vec<u8> = (0..PIXEL_BYTES / 8)
        .flat_map(|_| numbers.next().to_le_bytes())
        .collect();
    let mut wire = Wire::create(path)?;
    for round in 0..ROUNDS {
        for association in 0..ASSOCIATIONS {
            let mut talk = Talk::open(
                &mut wire,
                [10, 20, 20, 10 + round],
                40_000 + association,
                11_112,
            )?;
            dicom(&mut talk, association, &noise)?;
            talk.close()?;
        }
        for connection in 0..CONNECTIONS {
            let mut talk =
                Talk::open(&mut wire, [10, 20, 20, 10 + round], 41_000 + connection, 80)?;
            http(&mut talk, &noise)?;
            talk.close()?;
        }
        for connection in 0..CONNECTIONS {
            let mut talk = Talk::open(
                &mut wire,
                [10, 20, 20, 10 + round],
                42_000 + connection,
                443,
            )?;
            tls(&mut talk, &noise)?;
            talk.close()?;
        }
    }
    wire.finish(path)
}

const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";

/// An association that stores images.
fn dicom(talk: &mut Talk<'_>, association: u16, noise: &[u8]) -> Result<()> {
    talk.say(CLIENT, &associate(1))?;
    talk.say(SERVER, &associate(2))?;
    for image in 1..=IMAGES {
        let instance = format!("1.2.826.0.1.3680043.2.1143.{association}.{image}");
        let command = group(&[
            (0x0002, uid(CT_IMAGE)),
            (0x0100, 1u16.to_le_bytes().to_vec()),
            (0x0110, image.to_le_bytes().to_vec()),
            (0x0700, 0u16.to_le_bytes().to_vec()),
            (0x0800, 1u16.to_le_bytes().to_vec()),
            (0x1000, uid(&instance)),
        ]);
        let mut sent = data(&command, 3);
        let mut set = Vec::new();
        element(&mut set, 0x0008_0016, &uid(CT_IMAGE));
        element(&mut set, 0x0008_0018, &uid(&instance));
        element(&mut set, 0x0008_0060, b"CT");
        element(&mut set, 0x0008_0070, b"VIGIE TEST");
        element(&mut set, 0x0010_0010, b"TEST^GENERATED");
        element(&mut set, 0x0010_0020, b"GEN0001 ");
        element(&mut set, 0x0028_0010, &512u16.to_le_bytes());
        element(&mut set, 0x0028_0011, &512u16.to_le_bytes());
        element(&mut set, 0x7fe0_0010, noise);
        let pieces = set.chunks(PDU_BYTES - 6);
        let count = pieces.len();
        for (index, piece) in pieces.enumerate() {
            sent.extend(data(piece, if index + 1 == count { 2 } else { 0 }));
        }
        talk.say(CLIENT, &sent)?;
        let answer = group(&[
            (0x0002, uid(CT_IMAGE)),
            (0x0100, 0x8001u16.to_le_bytes().to_vec()),
            (0x0120, image.to_le_bytes().to_vec()),
            (0x0800, 0x0101u16.to_le_bytes().to_vec()),
            (0x0900, 0u16.to_le_bytes().to_vec()),
            (0x1000, uid(&instance)),
        ]);
        talk.say(SERVER, &data(&answer, 3))?;
    }
    talk.say(CLIENT, &[5, 0, 0, 0, 0, 4, 0, 0, 0, 0])?;
    talk.say(SERVER, &[6, 0, 0, 0, 0, 4, 0, 0, 0, 0])
}

/// A-ASSOCIATE-RQ (1) or -AC (2) with one context for CT images.
fn associate(kind: u8) -> Vec<u8> {
    let item = |kind: u8, bytes: &[u8]| {
        let mut out = vec![kind, 0];
        out.extend((bytes.len() as u16).to_be_bytes());
        out.extend(bytes);
        out
    };
    let mut body = vec![0, 1, 0, 0];
    body.extend(b"ARCHIVE         ");
    body.extend(b"SCANNER1        ");
    body.extend([0; 32]);
    body.extend(item(0x10, b"1.2.840.10008.3.1.1.1"));
    let mut context = vec![1, 0, 0, 0];
    if kind == 1 {
        context.extend(item(0x30, CT_IMAGE.as_bytes()));
    }
    context.extend(item(0x40, IMPLICIT_LITTLE.as_bytes()));
    body.extend(item(if kind == 1 { 0x20 } else { 0x21 }, &context));
    let mut user = item(0x51, &(PDU_BYTES as u32).to_be_bytes());
    user.extend(item(0x52, b"1.2.826.0.1.3680043.2.1143"));
    user.extend(item(0x55, b"VIGIEBENCH"));
    body.extend(item(0x50, &user));
    pdu(kind, &body)
}

fn pdu(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 0];
    out.extend((body.len() as u32).to_be_bytes());
    out.extend(body);
    out
}

/// A P-DATA-TF PDU with one value; `control`: 1 command, 2 last.
fn data(piece: &[u8], control: u8) -> Vec<u8> {
    let mut body = Vec::with_capacity(piece.len() + 6);
    body.extend((piece.len() as u32 + 2).to_be_bytes());
    body.extend([1, control]);
    body.extend(piece);
    pdu(4, &body)
}

fn uid(text: &str) -> Vec<u8> {
    let mut out = text.as_bytes().to_vec();
    if out.len() % 2 == 1 {
        out.push(0);
    }
    out
}

fn element(out: &mut Vec<u8>, tag: u32, value: &[u8]) {
    out.extend(((tag >> 16) as u16).to_le_bytes());
    out.extend((tag as u16).to_le_bytes());
    out.extend((value.len() as u32).to_le_bytes());
    out.extend(value);
}

/// A command set with its group length.
fn group(elements: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut rest = Vec::new();
    for (tag, value) in elements {
        element(&mut rest, *tag, value);
    }
    let mut out = Vec::new();
    element(&mut out, 0, &(rest.len() as u32).to_le_bytes());
    out.extend(rest);
    out
}

fn http(talk: &mut Talk<'_>, noise: &[u8]) -> Result<()> {
    for answer in 0..ANSWERS {
        let request = format!(
            "GET /files/{answer}.bin HTTP/1.1\r\nHost: files.hospital.test\r\n\
             User-Agent: vigie-bench\r\nAccept: */*\r\n\r\n"
        );
        talk.say(CLIENT, request.as_bytes())?;
        let mut sent = format!(
            "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/octet-stream\r\n\
             Content-Length: {ANSWER_BYTES}\r\n\r\n"
        )
        .into_bytes();
        sent.extend(&noise[..ANSWER_BYTES]);
        talk.say(SERVER, &sent)?;
    }
    Ok(())
}

fn tls(talk: &mut Talk<'_>, noise: &[u8]) -> Result<()> {
    talk.say(CLIENT, &record(22, &hello_of_client(noise)))?;
    let mut sent = record(22, &hello_of_server(noise));
    sent.extend(record(20, &[1]));
    sent.extend(record(23, &noise[..1200]));
    talk.say(SERVER, &sent)?;
    let mut finished = record(20, &[1]);
    finished.extend(record(23, &noise[..53]));
    talk.say(CLIENT, &finished)?;
    for _ in 0..ANSWERS {
        talk.say(CLIENT, &record(23, &noise[..200]))?;
        let mut sent = Vec::with_capacity(ANSWER_BYTES + 512);
        for piece in noise[..ANSWER_BYTES].chunks(16_384) {
            sent.extend(record(23, piece));
        }
        talk.say(SERVER, &sent)?;
    }
    Ok(())
}

fn record(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, 3, 3];
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend(bytes);
    out
}

/// A vector with a length of two octets.
fn vector(bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u16).to_be_bytes().to_vec();
    out.extend(bytes);
    out
}

fn extension(kind: u16, bytes: &[u8]) -> Vec<u8> {
    let mut out = kind.to_be_bytes().to_vec();
    out.extend(vector(bytes));
    out
}

fn handshake(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u32 | u32::from(kind) << 24)
        .to_be_bytes()
        .to_vec();
    out.extend(bytes);
    out
}

fn hello_of_client(noise: &[u8]) -> Vec<u8> {
    let name = b"images.hospital.test";
    let mut entry = vec![0];
    entry.extend(vector(name));
    let mut share = vec![0, 0x1d];
    share.extend(vector(&noise[64..96]));
    let mut extensions = extension(0, &vector(&entry));
    extensions.extend(extension(10, &vector(&[0, 0x1d, 0, 0x17])));
    extensions.extend(extension(13, &vector(&[4, 3, 8, 4, 4, 1])));
    extensions.extend(extension(16, &vector(b"\x02h2\x08http/1.1")));
    extensions.extend(extension(43, &[4, 3, 4, 3, 3]));
    extensions.extend(extension(51, &vector(&share)));
    let mut body = vec![3, 3];
    body.extend(&noise[..32]);
    body.push(32);
    body.extend(&noise[32..64]);
    body.extend(vector(&[0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2f]));
    body.extend([1, 0]);
    body.extend(vector(&extensions));
    handshake(1, &body)
}

fn hello_of_server(noise: &[u8]) -> Vec<u8> {
    let mut share = vec![0, 0x1d];
    share.extend(vector(&noise[96..128]));
    let mut extensions = extension(43, &[3, 4]);
    extensions.extend(extension(51, &share));
    let mut body = vec![3, 3];
    body.extend(&noise[128..160]);
    body.push(32);
    body.extend(&noise[32..64]);
    body.extend([0x13, 1, 0]);
    body.extend(vector(&extensions));
    handshake(2, &body)
}
