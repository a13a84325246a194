//! Messages of TFTP.
//!
//! Enters: a datagram. Leaves: a request, or what answers it. Refuses: unknown operations, names
//! that are no text, unknown modes. Limits: [`NAME_BYTES_MAX`]. Source: RFC 1350 section 5.

use crate::protocol::shared::text::number;

/// Longest name of a file.
pub(super) const NAME_BYTES_MAX: usize = 512;
/// Most options of one request.
const OPTIONS_MAX: usize = 8;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    /// Read, or write when true.
    Request {
        write: bool,
        name: &'a [u8],
        mode: &'static str,
        /// Size that the request states (option `tsize`).
        size: Option<u64>,
    },
    /// A block of the file: its number and octets.
    Data(u16, &'a [u8]),
    /// A block is acknowledged.
    Ack,
    /// The options are: size of the blocks, when it was agreed.
    Options(Option<usize>),
    /// An error with its number.
    Error(u16),
}

impl<'a> Message<'a> {
    /// Reads a message.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (operation, rest) = bytes.split_first_chunk::<2>()?;
        match u16::from_be_bytes(*operation) {
            operation @ (1 | 2) => Self::request(operation == 2, rest),
            3 => {
                let (number, octets) = rest.split_first_chunk::<2>()?;
                Some(Self::Data(u16::from_be_bytes(*number), octets))
            }
            4 => Some(Self::Ack),
            6 => Some(Self::Options(block_size(rest))),
            5 => Some(Self::Error(u16::from_be_bytes(*rest.first_chunk::<2>()?))),
            _ => None,
        }
    }

    fn request(write: bool, rest: &'a [u8]) -> Option<Self> {
        let mut parts = rest.split(|&octet| octet == 0);
        let name = parts.next()?;
        let text = name.iter().all(|octet| *octet >= 0x20);
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !text {
            return None;
        }
        let mode = parts.next()?;
        let modes = ["octet", "netascii", "mail"];
        let known = modes
            .into_iter()
            .find(|known| mode.eq_ignore_ascii_case(known.as_bytes()))?;
        let mut size = None;
        for _ in 0..OPTIONS_MAX {
            let (Some(key), Some(value)) = (parts.next(), parts.next()) else {
                break;
            };
            if key.eq_ignore_ascii_case(b"tsize") {
                size = number(value).filter(|size| *size > 0);
            }
        }
        Some(Self::Request {
            write,
            name,
            mode: known,
            size,
        })
    }
}

/// The size of blocks that an acknowledgement of options agrees to.
fn block_size(options: &[u8]) -> Option<usize> {
    let mut parts = options.split(|&octet| octet == 0);
    for _ in 0..OPTIONS_MAX {
        let (key, value) = (parts.next()?, parts.next()?);
        if key.eq_ignore_ascii_case(b"blksize") {
            return usize::try_from(number(value)?).ok();
        }
    }
    None
}
