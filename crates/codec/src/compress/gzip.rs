//! The gzip envelope around deflate: headers, trailers, several members.
//!
//! Enters: octets in any split. Leaves: the members' octets, one after the other. Refuses: a wrong
//! checksum or length, reserved flags, header texts over [`TEXT_BYTES_MAX`], data after the last
//! member that is not zero. Source: RFC 1952.

use flate2::{Crc, Decompress};

use super::{Error, Step, inflate};

/// One gzip stream.
pub(super) struct Gzip {
    phase: Phase,
    flags: u8,
    text_bytes: u32,
    inner: Decompress,
    body_done: bool,
    crc: Crc,
}

/// Where in a member the stream stands; counts are octets seen of that part.
#[derive(Clone, Copy)]
enum Phase {
    Border { members: u64 },
    Fixed(u8),
    ExtraLength(u16, u8),
    Extra(u16),
    Name,
    Comment,
    HeaderCrc(u8),
    Body,
    Trailer([u8; 8], usize),
}

impl Default for Gzip {
    fn default() -> Self {
        Self {
            phase: Phase::Border { members: 0 },
            flags: 0,
            text_bytes: 0,
            inner: Decompress::new(false),
            body_done: false,
            crc: Crc::new(),
        }
    }
}

impl Gzip {
    /// True before the first member, and after each.
    pub(super) fn at_border(&self) -> bool {
        matches!(self.phase, Phase::Border { members } if members > 0)
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> (Step, Result<(), Error>) {
        let mut read = 0;
        loop {
            if matches!(self.phase, Phase::Body) {
                let rest = input.get(read..).unwrap_or(&[]);
                let (step, outcome) = inflate(&mut self.inner, &mut self.body_done, rest, output);
                let given = output.get(..step.written).unwrap_or(&[]);
                self.crc.update(given);
                if self.body_done {
                    self.phase = Phase::Trailer([0; 8], 0);
                }
                let step = Step {
                    read: read.saturating_add(step.read),
                    written: step.written,
                };
                return (step, outcome);
            }
            let Some(&octet) = input.get(read) else {
                return (Step { read, written: 0 }, Ok(()));
            };
            read = read.saturating_add(1);
            match self.envelope(octet) {
                Ok(phase) => self.phase = phase,
                Err(what) => return (Step { read, written: 0 }, Err(Error::Corrupt(what))),
            }
        }
    }

    /// Takes one octet outside the deflate data.
    fn envelope(&mut self, octet: u8) -> Result<Phase, &'static str> {
        Ok(match self.phase {
            Phase::Border { .. } if octet == 0x1f => Phase::Fixed(1),
            Phase::Border { members } if octet == 0 && members > 0 => self.phase,
            Phase::Border { members: 0 } => return Err("not gzip data"),
            Phase::Border { .. } => return Err("data after the end of the gzip stream"),
            Phase::Fixed(1) if octet != 0x8b => {
                return Err("data after the end of the gzip stream");
            }
            Phase::Fixed(2) if octet != 8 => return Err("unknown gzip compression method"),
            Phase::Fixed(3) if octet & RESERVED != 0 => return Err("unknown gzip flags"),
            Phase::Fixed(3) => {
                self.flags = octet;
                Phase::Fixed(4)
            }
            Phase::Fixed(seen) if seen < 9 => Phase::Fixed(seen.saturating_add(1)),
            Phase::Fixed(_) => {
                self.text_bytes = 0;
                self.after_fixed()
            }
            Phase::ExtraLength(low, 0) => Phase::ExtraLength(low | u16::from(octet), 1),
            Phase::ExtraLength(low, _) => match low | (u16::from(octet) << 8) {
                0 => self.after_extra(),
                left => Phase::Extra(left),
            },
            Phase::Extra(left) if left > 1 => Phase::Extra(left.saturating_sub(1)),
            Phase::Extra(_) => self.after_extra(),
            Phase::Name | Phase::Comment if octet != 0 => {
                self.text_bytes = self.text_bytes.saturating_add(1);
                if self.text_bytes > TEXT_BYTES_MAX {
                    return Err("gzip header text too long");
                }
                self.phase
            }
            Phase::Name => self.after_name(),
            Phase::Comment => self.after_comment(),
            Phase::HeaderCrc(0) => Phase::HeaderCrc(1),
            Phase::HeaderCrc(_) => self.body(),
            Phase::Body => Phase::Body,
            Phase::Trailer(octets, at) => return self.trailer(octets, at, octet),
        })
    }

    fn after_fixed(&mut self) -> Phase {
        if self.flags & EXTRA != 0 {
            Phase::ExtraLength(0, 0)
        } else {
            self.after_extra()
        }
    }

    fn after_extra(&mut self) -> Phase {
        if self.flags & NAME != 0 {
            Phase::Name
        } else {
            self.after_name()
        }
    }

    fn after_name(&mut self) -> Phase {
        if self.flags & COMMENT != 0 {
            Phase::Comment
        } else {
            self.after_comment()
        }
    }

    fn after_comment(&mut self) -> Phase {
        if self.flags & HEADER_CRC != 0 {
            Phase::HeaderCrc(0)
        } else {
            self.body()
        }
    }

    fn body(&mut self) -> Phase {
        self.inner.reset(false);
        self.body_done = false;
        self.crc.reset();
        Phase::Body
    }

    fn trailer(&self, mut octets: [u8; 8], at: usize, octet: u8) -> Result<Phase, &'static str> {
        if let Some(place) = octets.get_mut(at) {
            *place = octet;
        }
        if at < 7 {
            return Ok(Phase::Trailer(octets, at.saturating_add(1)));
        }
        let [a, b, c, d, e, f, g, h] = octets;
        if u32::from_le_bytes([a, b, c, d]) != self.crc.sum() {
            return Err("gzip checksum does not match");
        }
        if u32::from_le_bytes([e, f, g, h]) != self.crc.amount() {
            return Err("gzip length does not match");
        }
        Ok(Phase::Border { members: 1 })
    }
}

/// Most octets of the file name and comment of one member together.
const TEXT_BYTES_MAX: u32 = 64 * 1024;
/// RFC 1952, 2.3.1: FHCRC.
const HEADER_CRC: u8 = 0x02;
/// RFC 1952, 2.3.1: FEXTRA.
const EXTRA: u8 = 0x04;
/// RFC 1952, 2.3.1: FNAME.
const NAME: u8 = 0x08;
/// RFC 1952, 2.3.1: FCOMMENT.
const COMMENT: u8 = 0x10;
/// RFC 1952, 2.3.1: must be zero.
const RESERVED: u8 = 0xe0;
