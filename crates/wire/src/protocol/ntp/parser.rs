//! Packets of NTP.
//!
//! Enters: a datagram. Leaves: its header, or a control or private message. Refuses: versions other
//! than 1 to 4, packets shorter than their header. Source: RFC 5905 section 7.3, RFC 9327, the
//! header of ntpd's private mode.

use std::net::Ipv4Addr;

use codec::bytes::Reader;

/// One packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) leap: u8,
    pub(super) version: u8,
    /// 1 active, 2 passive, 3 client, 4 server, 5 broadcast, 6 control, 7 private.
    pub(super) mode: u8,
    pub(super) body: Body<'a>,
}

/// What follows the first octet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'a> {
    Time(Time),
    Control {
        response: bool,
        error: bool,
        operation: u8,
        data: &'a [u8],
    },
    Private {
        response: bool,
        code: u8,
    },
}

/// The header of modes 1 to 5.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    pub(super) stratum: u8,
    pub(super) poll: i8,
    pub(super) precision: i8,
    /// 16.16 seconds.
    pub(super) delay: u32,
    pub(super) dispersion: u32,
    pub(super) reference: [u8; 4],
    /// Seconds of the transmit timestamp.
    pub(super) transmit: u32,
}

impl<'a> Packet<'a> {
    /// Reads a packet.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut r = Reader::new(bytes);
        let first = r.u8()?;
        let (version, mode) = (first >> 3 & 7, first & 7);
        if !(1..=4).contains(&version) {
            return None;
        }
        let body = match mode {
            1..=5 => Body::Time(time(&mut r)?),
            6 => control(&mut r)?,
            7 => {
                let [_sequence, _implementation, code] = r.array()?;
                r.skip(4)?;
                Body::Private {
                    response: first & 0x80 != 0,
                    code,
                }
            }
            _ => return None,
        };
        Some(Self {
            leap: first >> 6,
            version,
            mode,
            body,
        })
    }

    /// True when the fields fit a real clock: for packets on odd ports.
    pub(super) const fn is_plausible(&self) -> bool {
        let Body::Time(time) = &self.body else {
            return false;
        };
        let asks = self.mode == 3 && time.stratum <= 16;
        let answers = self.mode == 4 && time.stratum >= 1 && time.stratum <= 16;
        let clock = time.precision >= -32 && time.precision <= 0 && time.poll >= 0;
        // 2000 to 2104: the years of the field.
        (asks || answers) && clock && time.poll <= 17 && time.transmit > 3_155_673_600
    }
}

fn time(r: &mut Reader<'_>) -> Option<Time> {
    let [stratum, poll, precision] = r.array()?;
    let time = Time {
        stratum,
        poll: poll.cast_signed(),
        precision: precision.cast_signed(),
        delay: r.u32_be()?,
        dispersion: r.u32_be()?,
        reference: r.array()?,
        transmit: {
            r.skip(24)?;
            r.u32_be()?
        },
    };
    r.skip(4)?;
    Some(time)
}

fn control<'a>(r: &mut Reader<'a>) -> Option<Body<'a>> {
    let operation = r.u8()?;
    r.skip(8)?;
    let length = usize::from(r.u16_be()?);
    let data = r.rest();
    Some(Body::Control {
        response: operation & 0x80 != 0,
        error: operation & 0x40 != 0,
        operation: operation & 0x1f,
        data: data.get(..length).unwrap_or(data),
    })
}

impl Time {
    /// Where the time comes from: a name up to stratum 1, an address above.
    pub(super) fn reference(&self) -> Option<String> {
        if self.stratum <= 1 {
            let name = self
                .reference
                .iter()
                .take_while(|octet| octet.is_ascii_graphic());
            let name: String = name.map(|&octet| char::from(octet)).collect();
            return (!name.is_empty()).then_some(name);
        }
        (self.reference != [0; 4]).then(|| Ipv4Addr::from(self.reference).to_string())
    }
}

/// Name of a control operation.
pub(super) const fn operation(number: u8) -> &'static str {
    match number {
        1 => "readstat",
        2 => "readvar",
        3 => "writevar",
        4 => "readclock",
        5 => "writeclock",
        6 => "settrap",
        7 => "asyncmsg",
        8 => "configure",
        9 => "saveconfig",
        10 => "read_mru",
        11 => "read_ordlist",
        12 => "req_nonce",
        31 => "unsettrap",
        _ => "control",
    }
}

/// Name of a private request.
pub(super) const fn private(code: u8) -> &'static str {
    match code {
        0 => "peer_list",
        1 => "peer_list_sum",
        4 => "sys_info",
        5 => "sys_stats",
        16 => "getrestrict",
        20 => "mon_getlist",
        42 => "monlist",
        _ => "private",
    }
}
