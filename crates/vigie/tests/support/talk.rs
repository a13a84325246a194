//! Small captures of TCP conversations, written by hand.
//!
//! Enters: who says what in turn. Leaves: a capture of Ethernet, IPv4 and TCP, handshake and end
//! included. Refuses: nothing; sums of headers are right. Source: RFC 791, RFC 9293.

use std::path::Path;

use capture::file::{Resolution, Writer};
use model::Nanos;
use wire::{Frame, LinkType};

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// A conversation of `client` with `server`.
pub(crate) struct Talk {
    client: ([u8; 4], u16),
    server: ([u8; 4], u16),
    sequence: [u32; 2],
    frames: Vec<Vec<u8>>,
}

impl Talk {
    /// A conversation, its handshake done.
    pub(crate) fn open(client: ([u8; 4], u16), server: ([u8; 4], u16)) -> Self {
        let mut talk = Self {
            client,
            server,
            sequence: [1_000, 900_000],
            frames: Vec::new(),
        };
        talk.segment(0, SYN, b"");
        talk.segment(1, SYN | ACK, b"");
        talk.segment(0, ACK, b"");
        talk
    }

    /// The client says.
    pub(crate) fn ask(mut self, text: &[u8]) -> Self {
        self.segment(0, PSH | ACK, text);
        self
    }

    /// The server says.
    pub(crate) fn answer(mut self, text: &[u8]) -> Self {
        self.segment(1, PSH | ACK, text);
        self
    }

    /// The frames, after both have said good-bye.
    pub(crate) fn close(mut self) -> Vec<Vec<u8>> {
        self.segment(0, FIN | ACK, b"");
        self.segment(1, FIN | ACK, b"");
        self.segment(0, ACK, b"");
        self.frames
    }

    fn segment(&mut self, side: usize, flags: u8, text: &[u8]) {
        let ends = [self.client, self.server];
        let ((src, sport), (dst, dport)) = (ends[side], ends[1 - side]);
        let mut tcp = [sport.to_be_bytes(), dport.to_be_bytes()].concat();
        tcp.extend(self.sequence[side].to_be_bytes());
        let acked = if flags & ACK == 0 {
            0
        } else {
            self.sequence[1 - side]
        };
        tcp.extend(acked.to_be_bytes());
        tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(text);
        let length = u16::try_from(tcp.len()).unwrap();
        let mut pseudo = [src, dst].concat();
        pseudo.extend([0, 6]);
        pseudo.extend(length.to_be_bytes());
        let sum = checksum(&[&pseudo[..], &tcp].concat());
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        let mut ip = vec![0x45, 0];
        ip.extend((length + 20).to_be_bytes());
        let number = u16::try_from(self.frames.len()).unwrap();
        ip.extend(number.to_be_bytes());
        ip.extend([0x40, 0, 64, 6, 0, 0]);
        ip.extend(src);
        ip.extend(dst);
        let sum = checksum(&ip);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        let hardware = |address: [u8; 4]| [2, 0, address[0], address[1], address[2], address[3]];
        let mut frame = [hardware(dst), hardware(src)].concat();
        frame.extend([8, 0]);
        frame.extend(ip);
        frame.extend(tcp);
        self.frames.push(frame);
        let step = u32::try_from(text.len()).unwrap() + u32::from(flags & (SYN | FIN) != 0);
        self.sequence[side] += step;
    }
}

/// The sum of RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap()
}

/// Writes conversations, one after the other, a millisecond between frames.
pub(crate) fn write(path: &Path, talks: impl IntoIterator<Item = Vec<Vec<u8>>>) {
    let file = std::fs::File::create(path).unwrap();
    let mut writer = Writer::new(file, LinkType::ETHERNET, Resolution::Microseconds).unwrap();
    for (number, bytes) in (1u64..).zip(talks.into_iter().flatten()) {
        let frame = Frame {
            time: Nanos(1_795_000_000_000_000_000 + i64::try_from(number).unwrap() * 1_000_000),
            number,
            link: LinkType::ETHERNET,
            wire_len: u32::try_from(bytes.len()).unwrap(),
            bytes: &bytes,
            vlan: None,
        };
        writer.write(&frame).unwrap();
    }
    writer.finish().unwrap();
}

/// A value of BER: tag, length, content (below 64 KiB).
pub(crate) fn ber(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let mut value = match length {
        [0, short @ 0..128] => vec![tag, short],
        [high, low] => vec![tag, 0x82, high, low],
    };
    value.extend(content);
    value
}
