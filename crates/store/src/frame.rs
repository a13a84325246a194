//! Frames: marker, length, checksum, kind, payload.
//!
//! Enters: payloads. Leaves: bytes that can be recognised again behind damage.
//! Refuses: payloads over [`FRAME_BYTES_MAX`]. Source: own format, version 1:
//! file = `magic[8] version:u32 checked:u64`, frame = `marker[4] len:u32 crc32:u32 kind:u8
//! payload`, all numbers little-endian, the checksum over kind and payload.

/// Octets before the payload.
pub(crate) const HEAD_BYTES: usize = 13;
/// Longest payload.
pub(crate) const FRAME_BYTES_MAX: usize = 256 * 1024 * 1024;
/// What a frame starts with; a scan behind damage looks for it.
pub(crate) const MARKER: [u8; 4] = [0xf7, b'V', b'F', 0x1e];
/// Octets of a file header.
pub(crate) const FILE_HEAD_BYTES: usize = 20;

/// The header of a framed file.
pub(crate) fn file_head(magic: &[u8; 8], version: u32, number: u64) -> Vec<u8> {
    let mut head = Vec::with_capacity(FILE_HEAD_BYTES);
    head.extend_from_slice(magic);
    head.extend_from_slice(&version.to_le_bytes());
    head.extend_from_slice(&number.to_le_bytes());
    head
}

/// Version and number of a file header; `None` when it is not one of this magic.
pub(crate) fn read_file_head(bytes: &[u8], magic: &[u8; 8]) -> Option<(u32, u64)> {
    let (found, rest) = bytes.split_first_chunk::<8>()?;
    if found != magic {
        return None;
    }
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (number, _) = rest.split_first_chunk::<8>()?;
    Some((u32::from_le_bytes(*version), u64::from_le_bytes(*number)))
}

/// Appends one frame to `out`; false when the payload is too long.
pub(crate) fn push(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) -> bool {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let Ok(short) = u32::try_from(len) else {
        return false;
    };
    if len > FRAME_BYTES_MAX {
        return false;
    }
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    parts.iter().for_each(|part| hasher.update(part));
    out.reserve(HEAD_BYTES + len);
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(&short.to_le_bytes());
    out.extend_from_slice(&hasher.finalize().to_le_bytes());
    out.push(kind);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    true
}

/// What stands at a place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// A whole, right frame: kind, payload, octets to the next.
    Frame(u8, &'a [u8], usize),
    /// Nothing: the end.
    End,
    /// Not a right frame.
    Bad,
}

/// The frame at the start of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Found<'_> {
    if bytes.is_empty() {
        return Found::End;
    }
    whole(bytes).unwrap_or(Found::Bad)
}

fn whole(bytes: &[u8]) -> Option<Found<'_>> {
    let (marker, rest) = bytes.split_first_chunk::<4>()?;
    let (len, rest) = rest.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first()?;
    let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
    if *marker != MARKER || len > FRAME_BYTES_MAX {
        return None;
    }
    let payload = rest.get(..len)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[*kind]);
    hasher.update(payload);
    (hasher.finalize() == u32::from_le_bytes(*sum)).then_some(Found::Frame(
        *kind,
        payload,
        HEAD_BYTES + len,
    ))
}

/// Where the next right frame begins, behind a bad one at `bytes[0]`.
pub(crate) fn resync(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    while let Some(rest) = bytes.get(at..) {
        let next = rest
            .windows(MARKER.len())
            .position(|window| window == MARKER)?;
        at += next;
        if matches!(read(bytes.get(at..)?), Found::Frame(..)) {
            return Some(at);
        }
        at += 1;
    }
    None
}
