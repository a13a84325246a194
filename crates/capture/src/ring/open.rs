//! The open block: packets in memory until they are worth a block.
//!
//! Enters: records with their flows. Leaves: the octets of a block file: packets sorted by flow, so
//! that one flow is found in few chunks, then compressed and sealed. Refuses: packets beyond
//! [`RAW_BYTES_MAX`]; more names than an index may hold.
//! Source: `layout.rs`, `index.rs`.

use std::collections::HashMap;
use std::io;

use model::Nanos;
use wire::{Conversation, Frame, Named};

use super::index::{Group, Index, flow_hash};
use super::layout::{CHUNK_BYTES, HEAD_BYTES, Head, INDEX_BYTES_MAX, RAW_BYTES_MAX, SALT_BYTES};
use super::layout::{TAG_BYTES, identity};
use super::{Cipher, Keys, record};

/// Fast, and still half the octets of text.
const ZSTD_LEVEL: i32 = 1;
/// Octets that a group and its names take in the index at most.
const GROUP_COST: usize = 28 + 5 * 12;

/// Packets that wait.
#[derive(Default)]
pub(super) struct Open {
    raw: Vec<u8>,
    /// Group, offset and octets of each packet, in the order of capture.
    places: Vec<(u32, u32, u32)>,
    groups: Vec<Waiting>,
    /// The group of packets with these names; `None`: they are not kept.
    known: HashMap<Named, Option<u32>>,
}

struct Waiting {
    names: Named,
    packets: u32,
    bytes: u32,
    first: Nanos,
    last: Nanos,
}

/// A block, ready to be written.
pub(super) struct Sealed {
    pub(super) head: Head,
    pub(super) bytes: Vec<u8>,
    /// Hashes of its flows, sorted.
    pub(super) hashes: Vec<u64>,
}

impl Open {
    pub(super) fn bytes(&self) -> usize {
        self.raw.len()
    }

    pub(super) fn packets(&self) -> u64 {
        u64::try_from(self.places.len()).unwrap_or(u64::MAX)
    }

    /// Time of the latest packet that waits.
    pub(super) fn latest(&self) -> Nanos {
        let times = self.groups.iter().map(|group| group.last);
        times.max().unwrap_or_default()
    }

    /// True when no more fits, whatever the configuration says.
    pub(super) fn is_full(&self) -> bool {
        let raw_max = usize::try_from(RAW_BYTES_MAX / 2).unwrap_or(usize::MAX);
        let index_max = usize::try_from(INDEX_BYTES_MAX / 2).unwrap_or(usize::MAX);
        // Packets left out take a place in the table of names too.
        self.raw.len() >= raw_max || self.known.len().saturating_mul(GROUP_COST) >= index_max
    }

    /// Adds a packet; false when `keep` says, once for each flow, that its packets are left out.
    pub(super) fn push(
        &mut self,
        frame: &Frame<'_>,
        names: Named,
        keep: impl FnOnce(&[Conversation]) -> bool,
    ) -> bool {
        let groups = &mut self.groups;
        let group = *self.known.entry(names).or_insert_with(|| {
            keep(names.as_slice()).then(|| {
                groups.push(Waiting {
                    names,
                    packets: 0,
                    bytes: 0,
                    first: frame.time,
                    last: frame.time,
                });
                u32::try_from(groups.len() - 1).unwrap_or(u32::MAX)
            })
        });
        let Some(number) = group else {
            return false;
        };
        let Some(group) = usize::try_from(number)
            .ok()
            .and_then(|place| groups.get_mut(place))
        else {
            return false;
        };
        let offset = self.raw.len();
        record::push(frame, &mut self.raw);
        let octets = u32::try_from(self.raw.len() - offset).unwrap_or(0);
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.places.push((number, offset, octets));
        group.packets += 1;
        group.bytes += octets;
        group.first = group.first.min(frame.time);
        group.last = group.last.max(frame.time);
        true
    }

    /// The block of what waits; nothing waits then.
    pub(super) fn seal(
        &mut self,
        number: u64,
        cipher: &dyn Cipher,
        keys: &dyn Keys,
    ) -> io::Result<Sealed> {
        let (sorted, groups) = self.sorted();
        let mut salt = [0; SALT_BYTES];
        keys.random(&mut salt)?;
        let mut head = Head {
            epoch: cipher.epoch(),
            key: cipher.id(),
            number,
            salt,
            first: self
                .groups
                .iter()
                .map(|one| one.first)
                .min()
                .unwrap_or_default(),
            last: self.latest(),
            packets: u32::try_from(self.places.len()).unwrap_or(u32::MAX),
            raw_bytes: u32::try_from(sorted.len()).unwrap_or(u32::MAX),
            chunk_bytes: u32::try_from(CHUNK_BYTES).unwrap_or(u32::MAX),
            ..Head::default()
        };
        let mut packer = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
        let mut data = Vec::with_capacity(sorted.len() / 2);
        let mut index = Index {
            groups,
            names: self.names(),
            ..Index::default()
        };
        let about = head.encode();
        for (part, chunk) in (1..).zip(sorted.chunks(CHUNK_BYTES)) {
            let mut text = packer.compress(chunk)?;
            cipher.seal(&head.nonce(part), identity(&about), &mut text)?;
            index
                .chunks
                .push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            data.extend_from_slice(&text);
        }
        let mut hashes: Vec<u64> = index.names.iter().map(|(hash, _)| *hash).collect();
        hashes.dedup();
        head.flows = u32::try_from(hashes.len()).unwrap_or(u32::MAX);
        head.data_bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
        let plain = index.encode();
        head.index_raw = u32::try_from(plain.len()).unwrap_or(u32::MAX);
        let mut text = packer.compress(&plain)?;
        head.index_bytes = u32::try_from(text.len() + TAG_BYTES).unwrap_or(u32::MAX);
        let about = head.encode();
        cipher.seal(&head.nonce(0), &about, &mut text)?;
        let mut bytes = Vec::with_capacity(HEAD_BYTES + text.len() + data.len());
        bytes.extend_from_slice(&about);
        bytes.extend_from_slice(&text);
        bytes.extend_from_slice(&data);
        self.clear();
        Ok(Sealed {
            head,
            bytes,
            hashes,
        })
    }

    /// Forgets what waits; the memory is kept for the next block.
    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.places.clear();
        self.groups.clear();
        self.known.clear();
    }

    /// The packets group by group, and where each group is.
    fn sorted(&self) -> (Vec<u8>, Vec<Group>) {
        let mut groups = Vec::with_capacity(self.groups.len());
        let mut offset = 0u32;
        for waiting in &self.groups {
            groups.push(Group {
                offset,
                bytes: waiting.bytes,
                packets: waiting.packets,
                first: waiting.first,
                last: waiting.last,
            });
            offset = offset.saturating_add(waiting.bytes);
        }
        let mut out = vec![0; self.raw.len()];
        let mut next: Vec<u32> = groups.iter().map(|group| group.offset).collect();
        for &(group, from, octets) in &self.places {
            let Some(to) = next.get_mut(at(group)) else {
                continue;
            };
            let source = self.raw.get(at(from)..at(from) + at(octets));
            let target = out.get_mut(at(*to)..at(*to) + at(octets));
            if let (Some(source), Some(target)) = (source, target) {
                target.copy_from_slice(source);
            }
            *to += octets;
        }
        (out, groups)
    }

    /// Hashes of the names of each group, sorted.
    fn names(&self) -> Vec<(u64, u32)> {
        let mut names = Vec::with_capacity(self.groups.len());
        for (number, group) in (0u32..).zip(&self.groups) {
            for name in group.names.as_slice() {
                names.push((flow_hash(&name.community_id()), number));
            }
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn at(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
