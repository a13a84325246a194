//! The head of a block file.
//!
//! Enters: octets. Leaves: [`Head`]. Refuses: other magic numbers, newer versions, lengths that
//! contradict the file's or exceed [`RAW_BYTES_MAX`] and [`INDEX_BYTES_MAX`].
//! Source: own format, version 1, least octet first:
//!
//! ```text
//!  0 "VIGIERNG"  8 version u32  12 epoch u32  16 key u64  24 number u64  32 salt 16   = identity
//! 48 first i64  56 last i64  64 packets u32  68 flows u32  72 packet octets u32  76 chunk u32
//! 80 index, sealed u32  84 index, plain u32  88 chunks, sealed u64
//! 96 index: zstd, sealed about the whole head, nonce = salt and 0
//!    chunks: zstd, sealed about the identity, nonce = salt and 1, 2, ...
//! ```

use codec::bytes::Reader;
use model::Nanos;

use super::NONCE_BYTES;

/// Newest format that this program writes and reads.
pub const VERSION: u32 = 1;
/// Octets of the head.
pub(super) const HEAD_BYTES: usize = 96;
/// Octets of the head that the chunks are sealed about.
pub(super) const IDENTITY_BYTES: usize = 48;
/// Random octets of a block.
pub(super) const SALT_BYTES: usize = 16;
/// Octets of packets that are compressed and sealed together.
pub(super) const CHUNK_BYTES: usize = 256 * 1024;
/// What sealing adds to a part.
pub(super) const TAG_BYTES: usize = 16;
/// Most octets of packets in a block.
pub(super) const RAW_BYTES_MAX: u32 = 256 * 1024 * 1024;
/// Most octets of an index.
pub(super) const INDEX_BYTES_MAX: u32 = 64 * 1024 * 1024;
const MAGIC: [u8; 8] = *b"VIGIERNG";

/// The head of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) epoch: u32,
    pub(super) key: u64,
    pub(super) number: u64,
    pub(super) salt: [u8; SALT_BYTES],
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    pub(super) packets: u32,
    pub(super) flows: u32,
    pub(super) raw_bytes: u32,
    pub(super) chunk_bytes: u32,
    pub(super) index_bytes: u32,
    pub(super) index_raw: u32,
    pub(super) data_bytes: u64,
}

/// Why a head is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoHead {
    /// Not whole, or not of a block.
    Foreign,
    /// A later program's.
    Newer,
}

impl Head {
    pub(super) fn encode(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.extend_from_slice(&self.key.to_le_bytes());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.first.0.to_le_bytes());
        bytes.extend_from_slice(&self.last.0.to_le_bytes());
        for value in [
            self.packets,
            self.flows,
            self.raw_bytes,
            self.chunk_bytes,
            self.index_bytes,
            self.index_raw,
        ] {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes.extend_from_slice(&self.data_bytes.to_le_bytes());
        // Invariant: the fields above are HEAD_BYTES octets.
        bytes.try_into().unwrap_or([0; HEAD_BYTES])
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, NoHead> {
        let mut reader = Reader::new(bytes);
        let mut head = Self::default();
        let version = (|| {
            let magic: [u8; 8] = reader.array()?;
            let version = u32::from_le_bytes(reader.array()?);
            (magic == MAGIC).then_some(version)
        })()
        .ok_or(NoHead::Foreign)?;
        if version != VERSION {
            return Err(NoHead::Newer);
        }
        head.fill(&mut reader).ok_or(NoHead::Foreign)?;
        let sound = head.raw_bytes <= RAW_BYTES_MAX
            && head.index_raw <= INDEX_BYTES_MAX
            && head.index_bytes <= INDEX_BYTES_MAX
            && (1..=RAW_BYTES_MAX).contains(&head.chunk_bytes)
            && head.data_bytes <= u64::from(RAW_BYTES_MAX) * 2;
        sound.then_some(head).ok_or(NoHead::Foreign)
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.epoch = u32::from_le_bytes(reader.array()?);
        self.key = u64::from_le_bytes(reader.array()?);
        self.number = u64::from_le_bytes(reader.array()?);
        self.salt = reader.array()?;
        self.first = Nanos(i64::from_le_bytes(reader.array()?));
        self.last = Nanos(i64::from_le_bytes(reader.array()?));
        self.packets = u32::from_le_bytes(reader.array()?);
        self.flows = u32::from_le_bytes(reader.array()?);
        self.raw_bytes = u32::from_le_bytes(reader.array()?);
        self.chunk_bytes = u32::from_le_bytes(reader.array()?);
        self.index_bytes = u32::from_le_bytes(reader.array()?);
        self.index_raw = u32::from_le_bytes(reader.array()?);
        self.data_bytes = u64::from_le_bytes(reader.array()?);
        Some(())
    }

    /// The nonce of a part: 0 is the index, then the chunks.
    pub(super) fn nonce(&self, part: u64) -> [u8; NONCE_BYTES] {
        let mut nonce = [0; NONCE_BYTES];
        for (place, octet) in nonce
            .iter_mut()
            .zip(self.salt.into_iter().chain(part.to_le_bytes()))
        {
            *place = octet;
        }
        nonce
    }

    /// Octets of the whole file.
    pub(super) fn file_bytes(&self) -> u64 {
        u64::try_from(HEAD_BYTES).unwrap_or(0) + u64::from(self.index_bytes) + self.data_bytes
    }
}

/// What the chunks of a block are sealed about.
pub(super) fn identity(head: &[u8; HEAD_BYTES]) -> &[u8] {
    head.get(..IDENTITY_BYTES).unwrap_or(head)
}

/// The name of a block's file.
pub(super) fn name(number: u64) -> String {
    format!("{number:012}.blk")
}

/// The number of a block by its file's name.
pub(super) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".blk")?;
    (digits.len() >= 12 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}
