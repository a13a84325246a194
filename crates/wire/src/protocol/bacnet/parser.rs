//! Layers of a datagram: virtual link, network, application, tags.
//!
//! Enters: bytes. Leaves: borrowed parts. Refuses: more than [`PROPERTIES_MAX`] properties of one
//! message. Source: ANSI/ASHRAE 135-2020, annex J.2, clauses 6.2, 20.1 and 20.2.

use codec::bytes::Reader;

/// Most properties of one message.
pub(super) const PROPERTIES_MAX: usize = 64;
/// Deepest nesting of constructed values.
const DEPTH_MAX: usize = 8;
/// Most tags of one message.
const TAGS_MAX: usize = 1024;

/// The virtual link layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'a> {
    pub(super) function: u8,
    /// The length field says what the datagram has.
    pub(super) is_exact: bool,
    /// Parameters of the function.
    pub(super) parameters: &'a [u8],
    /// The network layer, for functions that carry one.
    pub(super) npdu: Option<&'a [u8]>,
}

impl<'a> Link<'a> {
    /// Reads a datagram.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != 0x81 {
            return None;
        }
        let function = reader.u8()?;
        let length = usize::from(reader.u16_be()?);
        let parameters = reader.rest();
        let npdu = match function {
            // Forwarded: the address of the first sender stands before.
            4 => Some(parameters.get(6..)?),
            9..=11 => Some(parameters),
            0..=8 | 12 => None,
            _ => return None,
        };
        Some(Self {
            function,
            is_exact: length == bytes.len(),
            parameters,
            npdu,
        })
    }
}

/// The network layer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Network<'a> {
    /// Network of the device behind a router that sent it.
    pub(super) source: Option<u16>,
    /// Kind of a message of the network layer itself.
    pub(super) message: Option<u8>,
    pub(super) apdu: &'a [u8],
}

impl<'a> Network<'a> {
    /// Reads what follows the link layer.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != 1 {
            return None;
        }
        let control = reader.u8()?;
        let mut out = Self::default();
        let has_destination = control & 0x20 != 0;
        if has_destination {
            reader.u16_be()?;
            let length = usize::from(reader.u8()?);
            reader.skip(length)?;
        }
        if control & 0x08 != 0 {
            out.source = Some(reader.u16_be()?);
            let length = usize::from(reader.u8()?);
            reader.skip(length)?;
        }
        if has_destination {
            reader.skip(1)?;
        }
        if control & 0x80 != 0 {
            out.message = Some(reader.u8()?);
        }
        out.apdu = reader.rest();
        Some(out)
    }
}

/// A message of the application layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apdu<'a> {
    Confirmed {
        invoke: u8,
        service: u8,
        body: &'a [u8],
    },
    Unconfirmed {
        service: u8,
        body: &'a [u8],
    },
    Done {
        invoke: u8,
    },
    Answer {
        invoke: u8,
        service: u8,
        body: &'a [u8],
    },
    Error {
        invoke: u8,
        body: &'a [u8],
    },
    Reject {
        invoke: u8,
        reason: u8,
    },
    Abort {
        invoke: u8,
        reason: u8,
    },
    /// An acknowledgement of a segment, or a later segment: nothing new is read from it.
    Segment,
}

impl<'a> Apdu<'a> {
    /// Reads a message.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let first = reader.u8()?;
        let segmented = first & 0x08 != 0;
        Some(match first >> 4 {
            0 => {
                reader.skip(1)?;
                let invoke = reader.u8()?;
                if segmented && reader.array::<2>()?.first() != Some(&0) {
                    return Some(Self::Segment);
                }
                Self::Confirmed {
                    invoke,
                    service: reader.u8()?,
                    body: reader.rest(),
                }
            }
            1 => Self::Unconfirmed {
                service: reader.u8()?,
                body: reader.rest(),
            },
            2 => Self::Done {
                invoke: reader.u8()?,
            },
            3 => {
                let invoke = reader.u8()?;
                if segmented && reader.array::<2>()?.first() != Some(&0) {
                    return Some(Self::Segment);
                }
                Self::Answer {
                    invoke,
                    service: reader.u8()?,
                    body: reader.rest(),
                }
            }
            4 => Self::Segment,
            5 => {
                let invoke = reader.u8()?;
                reader.skip(1)?;
                Self::Error {
                    invoke,
                    body: reader.rest(),
                }
            }
            6 => Self::Reject {
                invoke: reader.u8()?,
                reason: reader.u8()?,
            },
            7 => Self::Abort {
                invoke: reader.u8()?,
                reason: reader.u8()?,
            },
            _ => return None,
        })
    }
}

/// What a tag holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held<'a> {
    Open,
    Close,
    Value(&'a [u8]),
}

/// One tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) number: u8,
    /// Its meaning depends on the service; else it is one of the application's types.
    pub(super) context: bool,
    pub(super) held: Held<'a>,
}

/// Reads the next tag.
pub(super) fn tag<'a>(reader: &mut Reader<'a>) -> Option<Tag<'a>> {
    let first = reader.u8()?;
    let context = first & 0x08 != 0;
    let number = match first >> 4 {
        15 => reader.u8()?,
        number => number,
    };
    let held = match first & 7 {
        6 if context => Held::Open,
        7 if context => Held::Close,
        // A Boolean of the application is in the length itself.
        _ if number == 1 && !context => Held::Value(&[]),
        length => {
            let mut length = usize::from(length);
            if length == 5 {
                length = usize::from(reader.u8()?);
                if length == 254 {
                    length = usize::from(reader.u16_be()?);
                } else if length == 255 {
                    length = usize::try_from(reader.u32_be()?).ok()?;
                }
            }
            Held::Value(reader.take(length)?)
        }
    };
    Some(Tag {
        number,
        context,
        held,
    })
}

/// An unsigned number, an enumeration or an object identifier.
pub(super) fn number(value: &[u8]) -> Option<u32> {
    if value.is_empty() || value.len() > 4 {
        return None;
    }
    Some(
        value
            .iter()
            .fold(0, |sum, octet| sum << 8 | u32::from(*octet)),
    )
}

/// Type and instance of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Object {
    pub(super) kind: u16,
    pub(super) instance: u32,
}

/// An object identifier.
pub(super) fn object(value: &[u8]) -> Option<Object> {
    let all = number(value).filter(|_| value.len() == 4)?;
    Some(Object {
        kind: u16::try_from(all >> 22).unwrap_or(u16::MAX),
        instance: all & 0x003f_ffff,
    })
}

/// The text of a character string; `None` for a character set that is not read.
pub(super) fn text(value: &[u8]) -> Option<String> {
    let (set, octets) = value.split_first()?;
    let text = match set {
        0 => String::from_utf8_lossy(octets).into_owned(),
        4 => {
            let units = octets.chunks_exact(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0,
            });
            char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect()
        }
        5 => octets.iter().map(|octet| char::from(*octet)).collect(),
        _ => return None,
    };
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A property of an object that a message names, with its value when there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property<'a> {
    pub(super) object: Object,
    pub(super) id: u32,
    /// Number of the application's type, and the octets of the first value.
    pub(super) value: Option<(u8, &'a [u8])>,
}

/// Where a service puts its parts.
#[derive(Clone, Copy)]
struct Layout {
    /// Property lists stand inside an opening tag 1.
    listed: bool,
    /// Context tag of a property.
    property: u8,
    /// Opening tag of a value.
    value: u8,
}

/// The properties that a message of `service` names; `answer` tells an answer from a request.
pub(super) fn properties(service: u8, answer: bool, body: &[u8]) -> Vec<Property<'_>> {
    let layout = match (service, answer) {
        // Read property, write property, read range.
        (12 | 15 | 26, _) => Layout {
            listed: false,
            property: 1,
            value: 3,
        },
        (14, false) => Layout {
            listed: true,
            property: 0,
            value: 0xff,
        },
        (14, true) => Layout {
            listed: true,
            property: 2,
            value: 4,
        },
        (16, false) => Layout {
            listed: true,
            property: 0,
            value: 2,
        },
        _ => return Vec::new(),
    };
    let mut out: Vec<Property<'_>> = Vec::new();
    let mut object_of = Object::default();
    let mut open: Vec<u8> = Vec::new();
    let mut reader = Reader::new(body);
    for _ in 0..TAGS_MAX {
        let Some(tag) = tag(&mut reader) else {
            break;
        };
        match tag.held {
            Held::Open if open.len() < DEPTH_MAX => open.push(tag.number),
            Held::Open => break,
            Held::Close => {
                open.pop();
            }
            Held::Value(value) => {
                let level: &[u8] = if layout.listed { &[1] } else { &[] };
                let at_value = open
                    .split_last()
                    .is_some_and(|(last, above)| *last == layout.value && above == level);
                if at_value && !tag.context {
                    if let Some(last) = out.last_mut().filter(|last| last.value.is_none()) {
                        last.value = Some((tag.number, value));
                    }
                } else if open.is_empty() && tag.context && tag.number == 0 {
                    object_of = object(value).unwrap_or_default();
                } else if open == level
                    && tag.context
                    && tag.number == layout.property
                    && let Some(id) = number(value)
                {
                    if out.len() >= PROPERTIES_MAX {
                        break;
                    }
                    out.push(Property {
                        object: object_of,
                        id,
                        value: None,
                    });
                }
            }
        }
    }
    out
}

/// What a device says when it announces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IAm {
    pub(super) device: u32,
    pub(super) apdu_max: u32,
    pub(super) segmentation: u32,
    pub(super) vendor: u32,
}

/// Reads an I-Am.
pub(super) fn i_am(body: &[u8]) -> Option<IAm> {
    let mut reader = Reader::new(body);
    let mut next = |wanted: u8| match tag(&mut reader)? {
        Tag {
            number,
            context: false,
            held: Held::Value(value),
        } if number == wanted => Some(value),
        _ => None,
    };
    Some(IAm {
        device: object(next(12)?)?.instance,
        apdu_max: number(next(2)?)?,
        segmentation: number(next(9)?)?,
        vendor: number(next(2)?)?,
    })
}

/// The first value with this context tag, outside of anything nested.
pub(super) fn context(body: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut reader = Reader::new(body);
    let mut depth = 0_u32;
    for _ in 0..TAGS_MAX {
        let tag = tag(&mut reader)?;
        match tag.held {
            Held::Open => depth += 1,
            Held::Close => depth = depth.saturating_sub(1),
            Held::Value(value) if depth == 0 && tag.context && tag.number == wanted => {
                return Some(value);
            }
            Held::Value(_) => {}
        }
    }
    None
}

/// Class and code of an error.
pub(super) fn error(body: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader::new(body);
    let mut out = Vec::new();
    // Some services put the error into an opening tag 0.
    while let (Some(tag), true) = (tag(&mut reader), out.len() < 2) {
        if let (false, 9, Held::Value(value)) = (tag.context, tag.number, tag.held) {
            out.push(number(value)?);
        }
    }
    match out.as_slice() {
        [class, code] => Some((*class, *code)),
        _ => None,
    }
}
