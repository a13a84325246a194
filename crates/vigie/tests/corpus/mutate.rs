//! Damage to captures: five ways, each decided by a seed alone.
//!
//! Enters: the octets of a file or of a frame. Leaves: damaged octets. Refuses: nothing.
//! Source: SplitMix64 (Steele, Lea, Flood 2014).

/// Numbers that only the seed decides.
pub(crate) struct Random(u64);

impl Random {
    /// From a name and a number: each capture and each damage has its own sequence.
    pub(crate) fn of(name: &str, number: u64) -> Self {
        let seed = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, octet| {
                (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(end).unwrap_or(0)).unwrap_or(0)
    }
}

/// Flips a bit in every five hundredth octet, anywhere in the file behind its first header.
pub(crate) fn flip_file_bits(octets: &mut [u8], random: &mut Random) {
    for _ in 0..octets.len() / 500 + 1 {
        let at = 24 + random.below(octets.len().saturating_sub(24));
        if let Some(octet) = octets.get_mut(at) {
            *octet ^= 1 << random.below(8);
        }
    }
}

/// Cuts the file anywhere.
pub(crate) fn truncate(octets: &mut Vec<u8>, random: &mut Random) {
    let len = random.below(octets.len());
    octets.truncate(len);
}

/// Copies a piece of the file to another place in it, which shifts the rest.
pub(crate) fn duplicate(octets: &mut Vec<u8>, random: &mut Random) {
    let from = random.below(octets.len());
    let len = random.below(octets.len().saturating_sub(from).min(4096));
    let piece = octets.get(from..from + len).unwrap_or(&[]).to_vec();
    let at = random.below(octets.len());
    octets.splice(at..at, piece);
}

/// Puts a number that lies into the first octets of a frame, where its length fields are.
pub(crate) fn damage_lengths(frame: &mut [u8], random: &mut Random) {
    const LIES: &[&[u8]] = &[
        &[0],
        &[0xff],
        &[0xff, 0xff],
        &[0, 0],
        &[0x7f, 0xff, 0xff, 0xff],
    ];
    let at = random.below(frame.len().min(128));
    let lie = LIES.get(random.below(LIES.len())).copied().unwrap_or(&[]);
    for (octet, new) in frame.iter_mut().skip(at).zip(lie) {
        *octet = *new;
    }
}

/// Flips bits behind the usual headers, where protocols begin.
pub(crate) fn flip_payload_bits(frame: &mut [u8], random: &mut Random) {
    let payload = frame.len().saturating_sub(54);
    for _ in 0..payload / 100 + 1 {
        let at = 54 + random.below(payload);
        if let Some(octet) = frame.get_mut(at) {
            *octet ^= 1 << random.below(8);
        }
    }
}
