//! The stream of one side, cut into control octets, frames and bare records.
//!
//! Enters: bytes, one by one. Leaves: [`Item`]s. Refuses: to keep more than [`FRAME_BYTES_MAX`]
//! bytes of a frame. Source: CLSI LIS1-A2 section 6 (frames and their checksum).

/// Most bytes kept of a frame; the standard allows 240, its later edition 64 000.
pub(super) const FRAME_BYTES_MAX: usize = 64_000;

pub(super) const STX: u8 = 2;
const ETX: u8 = 3;
pub(super) const EOT: u8 = 4;
pub(super) const ENQ: u8 = 5;
pub(super) const ACK: u8 = 6;
pub(super) const VT: u8 = 11;
pub(super) const NAK: u8 = 21;
const ETB: u8 = 23;
const FS: u8 = 28;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// ENQ, ACK, NAK or EOT.
    Control(u8),
    /// A frame with this number ended; its text is in [`Scanner::take`].
    Frame {
        number: u8,
        /// Whether its checksum is right.
        sound: bool,
        /// It was longer than is kept.
        cut: bool,
    },
    /// A record without frame ended.
    Bare,
    /// A byte that belongs to nothing.
    Junk,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Outside,
    Number,
    Text(u8),
    /// Before the first digit of the checksum.
    High(u8),
    /// Before the second.
    Low(u8, u8),
    Bare,
}

/// Reads one side.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    at: At,
    sum: u8,
    text: Vec<u8>,
    cut: bool,
}

impl Scanner {
    /// Looks at the next byte.
    pub(super) fn byte(&mut self, byte: u8) -> Option<Item> {
        match self.at {
            At::Outside => return self.outside(byte),
            At::Number => {
                if !byte.is_ascii_digit() {
                    self.at = At::Outside;
                    return Some(Item::Junk);
                }
                self.sum = byte;
                self.at = At::Text(byte);
            }
            At::Text(number) => match byte {
                ETX | ETB => {
                    self.sum = self.sum.wrapping_add(byte);
                    self.at = At::High(number);
                }
                STX => {
                    // A frame that never ended; another starts.
                    self.start();
                    return Some(Item::Junk);
                }
                EOT | ENQ => {
                    self.at = At::Outside;
                    self.text.clear();
                    return Some(Item::Control(byte));
                }
                byte => {
                    self.sum = self.sum.wrapping_add(byte);
                    self.keep(byte);
                }
            },
            At::High(number) => self.at = At::Low(number, byte),
            At::Low(number, high) => {
                self.at = At::Outside;
                let digit = |octet: u8| char::from(octet).to_digit(16);
                let stated = digit(high).zip(digit(byte)).map(|(h, l)| h * 16 + l);
                return Some(Item::Frame {
                    number,
                    sound: stated == Some(u32::from(self.sum)),
                    cut: self.cut,
                });
            }
            At::Bare => match byte {
                b'\r' | b'\n' | FS => {
                    self.at = At::Outside;
                    return Some(Item::Bare);
                }
                byte => self.keep(byte),
            },
        }
        None
    }

    fn outside(&mut self, byte: u8) -> Option<Item> {
        match byte {
            STX => self.start(),
            ENQ | ACK | NAK | EOT => return Some(Item::Control(byte)),
            b'\r' | b'\n' | VT | FS | 0 | b' ' => {}
            byte if byte.is_ascii_alphabetic() => {
                self.start();
                self.at = At::Bare;
                self.keep(byte);
            }
            _ => return Some(Item::Junk),
        }
        None
    }

    fn start(&mut self) {
        self.at = At::Number;
        self.text.clear();
        self.cut = false;
    }

    fn keep(&mut self, byte: u8) {
        if self.text.len() < FRAME_BYTES_MAX {
            self.text.push(byte);
        } else {
            self.cut = true;
        }
    }

    /// The text of the frame or record that just ended.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.text)
    }

    /// Bytes were lost.
    pub(super) fn lose(&mut self) {
        self.at = At::Outside;
        self.text.clear();
    }

    /// Heap bytes held.
    pub(super) const fn heap_bytes(&self) -> usize {
        self.text.capacity()
    }
}

/// True for the start of a header record: its letter, four distinct delimiters, and the first of
/// them again.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    let [b'H', field, repeat, component, escape, after, ..] = *bytes else {
        return false;
    };
    let delimiters = [field, repeat, component, escape];
    let distinct = delimiters
        .iter()
        .enumerate()
        .all(|(at, one)| !delimiters.iter().skip(at + 1).any(|other| other == one));
    distinct
        && delimiters.iter().all(u8::is_ascii_punctuation)
        && matches!(after, b if b == field || b == b'\r')
}
