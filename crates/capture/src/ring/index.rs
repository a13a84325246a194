//! The index of a block: where the packets of each flow are.
//!
//! Enters: octets that were sealed. Leaves: [`Index`]. Refuses: tables that do not fit the octets
//! there are. Source: own format, version 1: counts of chunks, groups and names (u32 each); for
//! each chunk its sealed octets (u32); for each group of packets offset, octets, packets (u32
//! each), first and last time (i64 each); for each name, sorted, its hash (u64) and group (u32).
//! Packets of a group stand together, in the order of capture. A group has several names when
//! tunnels are around it.

use codec::bytes::Reader;
use model::Nanos;

/// The hash of a flow's Community ID in indexes and pins: 64 bits of BLAKE3.
#[must_use]
pub fn flow_hash(community_id: &str) -> u64 {
    let hash = blake3::hash(community_id.as_bytes());
    let head = hash.as_bytes().first_chunk().copied();
    u64::from_le_bytes(head.unwrap_or_default())
}

/// Packets that stand together in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// Where they begin, among the block's octets of packets.
    pub(super) offset: u32,
    /// Their octets.
    pub(super) bytes: u32,
    /// How many.
    pub(super) packets: u32,
    /// Time of the earliest.
    pub(super) first: Nanos,
    /// Time of the latest.
    pub(super) last: Nanos,
}

/// Where packets are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    /// Sealed octets of each chunk.
    pub(super) chunks: Vec<u32>,
    /// Groups, by offset.
    pub(super) groups: Vec<Group>,
    /// Hash of a name and its group; sorted.
    pub(super) names: Vec<(u64, u32)>,
}

impl Index {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for count in [self.chunks.len(), self.groups.len(), self.names.len()] {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            out.extend_from_slice(&count.to_le_bytes());
        }
        for bytes in &self.chunks {
            out.extend_from_slice(&bytes.to_le_bytes());
        }
        for group in &self.groups {
            for value in [group.offset, group.bytes, group.packets] {
                out.extend_from_slice(&value.to_le_bytes());
            }
            out.extend_from_slice(&group.first.0.to_le_bytes());
            out.extend_from_slice(&group.last.0.to_le_bytes());
        }
        for (hash, group) in &self.names {
            out.extend_from_slice(&hash.to_le_bytes());
            out.extend_from_slice(&group.to_le_bytes());
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let mut count = || Some(u32::from_le_bytes(reader.array()?));
        let (chunks, groups, names) = (count()?, count()?, count()?);
        let octets = u64::from(chunks) * 4 + u64::from(groups) * 28 + u64::from(names) * 12;
        if u64::try_from(reader.remaining()).ok()? != octets {
            return None;
        }
        let mut index = Self::default();
        for _ in 0..chunks {
            index.chunks.push(u32::from_le_bytes(reader.array()?));
        }
        for _ in 0..groups {
            index.groups.push(Group {
                offset: u32::from_le_bytes(reader.array()?),
                bytes: u32::from_le_bytes(reader.array()?),
                packets: u32::from_le_bytes(reader.array()?),
                first: Nanos(i64::from_le_bytes(reader.array()?)),
                last: Nanos(i64::from_le_bytes(reader.array()?)),
            });
        }
        for _ in 0..names {
            let hash = u64::from_le_bytes(reader.array()?);
            index
                .names
                .push((hash, u32::from_le_bytes(reader.array()?)));
        }
        Some(index)
    }

    /// True when packets of this flow are in the block.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.names
            .binary_search_by_key(&hash, |(name, _)| *name)
            .is_ok()
    }

    /// The groups of a flow, by offset.
    pub(super) fn of(&self, hash: u64) -> Vec<Group> {
        let start = self.names.partition_point(|(name, _)| *name < hash);
        let names = self.names.get(start..).unwrap_or(&[]);
        let of = names.iter().take_while(|(name, _)| *name == hash);
        let place = |group: &u32| usize::try_from(*group).ok();
        let mut groups: Vec<Group> = of
            .filter_map(|(_, group)| self.groups.get(place(group)?).copied())
            .collect();
        groups.sort_by_key(|group| group.offset);
        groups
    }
}
