//! A cursor over bytes that cannot panic.
//!
//! Enters: a slice. Leaves: integers and sub-slices, `None` at the end. Refuses: reading past the
//! end.
//! Source: none; big-endian is `_be`, little-endian `_le`.

/// Reads a slice from the front. Cheap to copy: a copy is a bookmark.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `all`.
    #[must_use]
    pub const fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// Octets read so far.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Octets left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.all.len().saturating_sub(self.at)
    }

    /// True at the end.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// What is left, without moving.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.all.get(self.at..).unwrap_or(&[])
    }

    /// The next `n` octets; `None` (and no move) when fewer are left.
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(n)?;
        let out = self.all.get(self.at..end)?;
        self.at = end;
        Some(out)
    }

    /// Moves over `n` octets.
    pub fn skip(&mut self, n: usize) -> Option<()> {
        self.take(n).map(|_| ())
    }

    /// The next `N` octets as an array.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// One octet.
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[octet]| octet)
    }

    /// Two octets, big-endian.
    pub fn u16_be(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Two octets, little-endian.
    pub fn u16_le(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Three octets, big-endian.
    pub fn u24_be(&mut self) -> Option<u32> {
        self.array()
            .map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    /// Four octets, big-endian.
    pub fn u32_be(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Four octets, little-endian.
    pub fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight octets, little-endian.
    pub fn u64_le(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Eight octets, big-endian.
    pub fn u64_be(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
}
