use proptest::prelude::*;

use super::*;
use crate::protocol::replay::testing::{assert_any_split, client, describe, server, tcp};
use crate::protocol::replay::{self, Outcome, Piece};
use crate::protocol::{REGISTRY, Side};

static ONLY: &[&dyn Protocol] = &[&Rdp];

fn frame(unit: &[u8], carried: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + unit.len() + carried.len()).unwrap();
    let mut out = vec![3, 0];
    out.extend(length.to_be_bytes());
    out.extend(unit);
    out.extend(carried);
    out
}

fn request(cookie: &str, protocols: Option<u8>) -> Vec<u8> {
    let mut carried = cookie.as_bytes().to_vec();
    carried.extend(
        protocols
            .map(|bits| [1, 0, 8, 0, bits, 0, 0, 0])
            .iter()
            .flatten(),
    );
    let length = u8::try_from(6 + carried.len()).unwrap();
    frame(&[length, 0xe0, 0, 0, 0, 0, 0], &carried)
}

fn confirm(kind: u8, value: u8) -> Vec<u8> {
    frame(
        &[14, 0xd0, 0, 0, 0x12, 0x34, 0],
        &[kind, 0, 8, 0, value, 0, 0, 0],
    )
}

fn wide(text: &str, octets: usize) -> Vec<u8> {
    let mut out: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    out.resize(octets, 0);
    out
}

fn block(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + body.len()).unwrap();
    [&kind.to_le_bytes(), &length.to_le_bytes(), body].concat()
}

fn opening() -> Vec<u8> {
    let mut core = 0x0008_000cu32.to_le_bytes().to_vec();
    core.extend([0x80, 7, 0x38, 4, 0, 0, 0, 0]);
    core.extend(0x040cu32.to_le_bytes());
    core.extend(22_631u32.to_le_bytes());
    core.extend(wide("PC-DURAND", 32));
    core.extend(4u32.to_le_bytes());
    let mut channels = vec![2, 0, 0, 0];
    channels.extend(b"rdpdr\0\0\0\0\0\0\0cliprdr\0\0\0\0\0");
    let blocks = [block(0xc001, &core), block(0xc003, &channels)].concat();
    let mut carried = vec![0x7f, 0x65, 0x82, 1, 0, 1, 2, 3];
    carried.extend(b"Duca");
    carried.extend([0x81, u8::try_from(blocks.len()).unwrap()]);
    carried.extend(blocks);
    frame(&[2, 0xf0, 0x80], &carried)
}

fn opened() -> Vec<u8> {
    let security = block(0x0c02, &[2, 0, 0, 0, 3, 0, 0, 0]);
    let mut carried = vec![0x7f, 0x66, 0x82, 1, 0];
    carried.extend(b"McDn");
    carried.push(u8::try_from(security.len()).unwrap());
    carried.extend(security);
    frame(&[2, 0xf0, 0x80], &carried)
}

fn play(pieces: &[Piece<'_>]) -> Outcome {
    tcp(ONLY, 3389, pieces)
}

#[test]
fn standard_security_names_the_client() {
    let asked = request("Cookie: mstshash=adurand\r\n", Some(0));
    let (agreed, opening, opened) = (confirm(2, 0), opening(), opened());
    let pieces = [
        client(&asked),
        server(&agreed),
        client(&opening),
        server(&opened),
    ];
    assert_eq!(
        describe(&play(&pieces).drafts),
        "4/1 rdp_version=10.7 rdp_cookie=<adurand> user=<adurand> \
         rdp_keyboard_layout=0x0000040c rdp_keyboard_type=4 rdp_width=1920 rdp_height=1080 \
         rdp_requested=rdp rdp_selected=rdp rdp_client_name=<PC-DURAND> rdp_client_build=22631 \
         rdp_channels=rdpdr,cliprdr rdp_encryption=rc4-128\n"
    );
    assert_any_split(ONLY, 3389, &pieces, &[1, 5, 40]);
}

#[test]
fn refusals_have_reasons_and_silence_has_none() {
    let asked = request("", Some(1));
    let out = play(&[client(&asked), server(&confirm(3, 5))]);
    assert_eq!(
        describe(&out.drafts),
        "2/2/HYBRID_REQUIRED_BY_SERVER rdp_requested=tls\n"
    );
    let out = play(&[client(&request("Cookie: msts=1.2.3\r\n", None))]);
    assert_eq!(describe(&out.drafts), "1/0 rdp_cookie=<msts=1.2.3>\n");
    let out = play(&[
        client(&request("", None)),
        server(&frame(&[6, 0xd0, 0, 0, 0, 0, 0], &[])),
    ]);
    assert_eq!(describe(&out.drafts), "2/1 rdp_selected=rdp\n");
}

#[test]
fn tls_follows_inside_the_flow() {
    let asked = request("Cookie: mstshash=u\r\n", Some(11));
    let mut hello = vec![22, 3, 1, 0, 51, 1, 0, 0, 47, 3, 3];
    hello.extend([7; 32]);
    hello.extend([0, 0, 8, 0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2f, 1, 0]);
    let agreed = confirm(2, 8);
    let pieces = [client(&asked), server(&agreed), client(&hello)];
    let out = tcp(REGISTRY, 3389, &pieces);
    let told = describe(&out.drafts);
    assert!(
        told.starts_with(
            "2/1 rdp_cookie=<u> user=<u> rdp_requested=tls,hybrid,hybrid_ex \
             rdp_selected=hybrid_ex rdp_logon=unknown\n"
        ),
        "{told}"
    );
    assert_eq!(out.name, Some("tls"));
}

#[test]
fn others_over_tpkt_are_left_alone() {
    // S7: a connection request with selectors.
    let s7 = frame(
        &[17, 0xe0, 0, 0, 0, 1, 0],
        &[0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2],
    );
    let first = First {
        transport: Transport::Tcp,
        side: Side::Client,
        client_port: 1,
        server_port: PORT,
        bytes: &s7,
    };
    assert_eq!(Rdp.probe(&first), Probe::No);
    let bare = request("", None);
    let elsewhere = First {
        server_port: 102,
        bytes: &bare,
        ..first
    };
    assert_eq!(Rdp.probe(&elsewhere), Probe::No);
    for length in 1..TELLING {
        let asked = request("Cookie: mstshash=adurand\r\n", Some(0));
        let short = First {
            bytes: &asked[..length],
            ..first
        };
        assert_eq!(Rdp.probe(&short), Probe::NeedMore, "{length}");
    }
}

const TELLING: usize = parser::TELLING_BYTES;

proptest! {
    #[test]
    fn never_panics(input: Vec<u8>) {
        let _ = replay::fuzz(ONLY, &input);
    }

    #[test]
    fn never_panics_on_broken_openings(at in 0usize..200, value: u8, len in 0usize..240) {
        let asked = request("Cookie: mstshash=adurand\r\n", Some(0));
        let mut opening = opening();
        let at = at % opening.len();
        opening[at] = value;
        opening.truncate(len);
        let _ = play(&[client(&asked), server(&confirm(2, 0)), client(&opening)]);
    }
}
