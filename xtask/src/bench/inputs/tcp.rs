//! TCP connections for the benches' inputs.
//!
//! Enters: what both sides say. Leaves: packets: handshake, full segments, an acknowledgement of
//! every second one, end; right checksums. Refuses: loss and disorder, which the mix has.
//! Source: RFC 791, RFC 9293.

use std::path::Path;

use anyhow::Result;

use super::pcap::Writer;

/// Octets of payload of a full segment.
const SEGMENT_BYTES: usize = 1448;
/// Microseconds between packets.
const STEP_US: u64 = 12;

/// A capture that is being made.
pub(super) struct Wire {
    writer: Writer,
    time_us: u64,
}

impl Wire {
    /// Begins a capture.
    pub(super) fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            writer: Writer::create(path)?,
            time_us: 1_700_000_000_000_000,
        })
    }

    /// The capture is whole.
    pub(super) fn finish(self, path: &Path) -> Result<()> {
        self.writer.finish(path)
    }
}

/// One TCP connection.
pub(super) struct Talk<'w> {
    wire: &'w mut Wire,
    hosts: [[u8; 4]; 2],
    ports: [u16; 2],
    next: [u32; 2],
}

/// Who opened the connection.
pub(super) const CLIENT: usize = 0;
/// Who answers.
pub(super) const SERVER: usize = 1;
const SYN: u8 = 2;
const FIN: u8 = 1;
const ACK: u8 = 16;
const PSH: u8 = 8;

impl<'w> Talk<'w> {
    /// Opens a connection.
    pub(super) fn open(
        wire: &'w mut Wire,
        client: [u8; 4],
        port: u16,
        server_port: u16,
    ) -> Result<Self> {
        let mut talk = Self {
            wire,
            hosts: [client, [10, 20, 10, 5]],
            ports: [port, server_port],
            next: [u32::from(port) << 12, u32::from(port) << 11],
        };
        talk.packet(CLIENT, SYN, &[])?;
        talk.packet(SERVER, SYN | ACK, &[])?;
        talk.packet(CLIENT, ACK, &[])?;
        Ok(talk)
    }

    /// Closes it from both sides.
    pub(super) fn close(mut self) -> Result<()> {
        self.packet(CLIENT, FIN | ACK, &[])?;
        self.packet(SERVER, FIN | ACK, &[])?;
        self.packet(CLIENT, ACK, &[])
    }

    /// Sends bytes in full segments; the other side acknowledges every second one.
    pub(super) fn say(&mut self, side: usize, bytes: &[u8]) -> Result<()> {
        let count = bytes.len().div_ceil(SEGMENT_BYTES);
        for (index, segment) in bytes.chunks(SEGMENT_BYTES).enumerate() {
            let last = index + 1 == count;
            self.packet(side, if last { ACK | PSH } else { ACK }, segment)?;
            if last || index % 2 == 1 {
                self.packet(1 - side, ACK, &[])?;
            }
        }
        Ok(())
    }

    fn packet(&mut self, side: usize, flags: u8, payload: &[u8]) -> Result<()> {
        let other = 1 - side;
        let mut tcp = Vec::with_capacity(20 + payload.len());
        tcp.extend(self.ports[side].to_be_bytes());
        tcp.extend(self.ports[other].to_be_bytes());
        tcp.extend(self.next[side].to_be_bytes());
        let ack = if flags & ACK != 0 {
            self.next[other]
        } else {
            0
        };
        tcp.extend(ack.to_be_bytes());
        tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(payload);
        let len = tcp.len() as u16;
        let mut pseudo = Vec::from([0, 6]);
        pseudo.extend(len.to_be_bytes());
        let sum = sum(&self.hosts[side]) + sum(&self.hosts[other]) + sum(&pseudo) + sum(&tcp);
        tcp[16..18].copy_from_slice(&checksum(sum).to_be_bytes());
        let mut frame = Vec::with_capacity(34 + tcp.len());
        for host in [other, side] {
            frame.extend([2, 0x56, 0x49]);
            frame.extend(&self.hosts[host][1..]);
        }
        frame.extend([0x08, 0x00, 0x45, 0]);
        frame.extend((len + 20).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend(self.hosts[side]);
        frame.extend(self.hosts[other]);
        let header = checksum(sum_of_header(&frame));
        frame[24..26].copy_from_slice(&header.to_be_bytes());
        frame.extend(&tcp);
        self.wire.time_us += STEP_US;
        let (time_us, wire_len) = (self.wire.time_us, frame.len() as u32);
        self.wire.writer.write(time_us, wire_len, &frame)?;
        let counted = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.next[side] = self.next[side].wrapping_add(counted);
        Ok(())
    }
}

fn sum_of_header(frame: &[u8]) -> u64 {
    sum(&frame[14..34])
}

fn sum(bytes: &[u8]) -> u64 {
    let word = |pair: &[u8]| u64::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u64::from(*low));
    bytes.chunks(2).map(word).sum()
}

fn checksum(mut sum: u64) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
