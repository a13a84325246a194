//! The stream of one side, cut into what PDUs carry.
//!
//! Enters: bytes, bytes skipped, holes. Leaves: association items, fragments of messages, ends.
//! Refuses: items longer than [`ITEM_BYTES_MAX`] (passed over). After a hole it goes on inside the
//! PDU if that is known to reach beyond it, else at the next plausible P-DATA-TF, for which it
//! looks at [`LOST_BYTES_MAX`] bytes at most. Source: DICOM PS3.8 section 9.3.

use codec::dicom::pdu::{
    self, ASSOCIATE_BYTES, Associate, HEADER_BYTES, Header, Item, PDV_HEADER_BYTES, PdvHeader,
    Plausible,
};

/// Longest association item that is looked at.
pub(super) const ITEM_BYTES_MAX: u64 = 60 * 1024;
/// Most bytes searched for a PDU after a hole.
const LOST_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes that decide whether a P-DATA-TF starts.
const PLAUSIBLE_BYTES: usize = 20;
/// Bytes of an association item's header.
const ITEM_HEADER_BYTES: usize = 4;

/// What the parser found.
#[derive(Debug, PartialEq)]
pub(super) enum Found<'a> {
    /// An association request (type 1) or acceptance (type 2) starts; true when it ends at once.
    Associate(u8, Associate<'a>, bool),
    /// One item of it; true when it is the last.
    Item(u8, Item<'a>, bool),
    /// It ends early, for this reason: what is left of it is passed over.
    AssociateEnd(u8, &'static str),
    /// Result, source, reason.
    Reject([u8; 3]),
    /// A piece of a fragment.
    Piece(Piece<'a>),
    /// A-RELEASE-RQ or A-RELEASE-RP.
    Release(u8),
    /// Source and reason.
    Abort([u8; 2]),
    /// Something that is wrong, as an anomaly code.
    Wrong(&'static str),
    /// No PDU was found for so long that none is looked for any more.
    GaveUp,
}

/// A piece of the fragment in a presentation data value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// Header of the presentation data value.
    pub(super) pdv: PdvHeader,
    /// Its bytes, possibly none.
    pub(super) bytes: &'a [u8],
    /// True when the fragment ends with it.
    pub(super) ends: bool,
}

/// What became of the stream after a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hole {
    /// It lay in the fragment of this context, so many bytes of it; true when it ended it.
    InFragment(PdvHeader, u64, bool),
    /// It lay in an association PDU, of which the rest is passed over.
    InAssociate(u8),
    /// It lay in something that is passed over anyway.
    Harmless,
    /// It hid PDUs or fragments: messages under way are damaged.
    Lost,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Header,
    /// The fixed part of an association PDU: type and bytes left.
    Fixed(u8, u64),
    /// Its items.
    Items(u8, u64),
    /// A PDU of four octets and its length.
    Short(u8, u64),
    /// At the header of a presentation data value; bytes left in the PDU.
    Pdv(u64),
    /// In a fragment: bytes left in it, and in the PDU after it.
    Fragment(PdvHeader, u64, u64),
    /// Passing over so many bytes.
    Pass(u64),
    /// Looking for a PDU; bytes left to look at.
    Lost(u64),
}

/// One step: bytes used, and what was found; no bytes and nothing means that more are needed.
pub(super) type Scan<'a> = (usize, Option<Found<'a>>);

/// Cuts the stream of one side.
#[derive(Debug, Default)]
pub(super) struct Parser {
    stage: Stage,
}

impl Parser {
    /// Looks at the next bytes, at least one.
    pub(super) fn next<'a>(&mut self, bytes: &'a [u8]) -> Scan<'a> {
        match self.stage {
            Stage::Header => self.header(bytes),
            Stage::Fixed(kind, left) => self.fixed(bytes, kind, left),
            Stage::Items(kind, left) => self.item(bytes, kind, left),
            Stage::Short(kind, left) => self.short(bytes, kind, left),
            Stage::Pdv(left) => self.pdv(bytes, left),
            Stage::Fragment(pdv, left, after) => self.fragment(bytes, pdv, left, after),
            Stage::Pass(left) => self.pass(bytes, left),
            Stage::Lost(left) => self.lost(bytes, left),
        }
    }

    /// The fragment under way and the bytes left in it.
    pub(super) const fn in_fragment(&self) -> Option<(PdvHeader, u64)> {
        if let Stage::Fragment(pdv, left, _) = self.stage {
            Some((pdv, left))
        } else {
            None
        }
    }

    /// Bytes to pass over that belong to nothing wanted.
    pub(super) const fn passing(&self) -> u64 {
        if let Stage::Pass(left) = self.stage {
            left
        } else {
            0
        }
    }

    /// `n` bytes passed unseen; says when they ended a fragment.
    pub(super) const fn skipped(&mut self, n: u64) -> Option<(PdvHeader, bool)> {
        match self.stage {
            Stage::Fragment(pdv, left, after) => {
                let left = left.saturating_sub(n);
                self.enter_fragment(pdv, left, after);
                Some((pdv, left == 0))
            }
            Stage::Pass(left) => {
                self.enter_pass(left.saturating_sub(n));
                None
            }
            Stage::Header
            | Stage::Fixed(..)
            | Stage::Items(..)
            | Stage::Short(..)
            | Stage::Pdv(_)
            | Stage::Lost(_) => None,
        }
    }

    /// `n` bytes, those not used up included, were lost.
    pub(super) const fn hole(&mut self, n: u64) -> Hole {
        match self.stage {
            Stage::Fragment(pdv, left, after) => {
                if n <= left {
                    self.enter_fragment(pdv, left - n, after);
                    return Hole::InFragment(pdv, n, n == left);
                }
                if n - left <= after {
                    self.enter_pass(after - (n - left));
                    return Hole::Lost;
                }
            }
            Stage::Pdv(left) if n <= left => {
                self.enter_pass(left - n);
                return Hole::Lost;
            }
            Stage::Pass(left) if n <= left => {
                self.enter_pass(left - n);
                return Hole::Harmless;
            }
            Stage::Fixed(kind, left) | Stage::Items(kind, left) => {
                if n <= left {
                    self.enter_pass(left - n);
                } else {
                    self.stage = Stage::Lost(LOST_BYTES_MAX);
                }
                return Hole::InAssociate(kind);
            }
            Stage::Header | Stage::Short(..) | Stage::Pdv(_) | Stage::Pass(_) | Stage::Lost(_) => {}
        }
        self.stage = Stage::Lost(LOST_BYTES_MAX);
        Hole::Lost
    }

    fn header<'a>(&mut self, bytes: &'a [u8]) -> Scan<'a> {
        let Some(header) = Header::read(bytes) else {
            return (0, None);
        };
        let left = u64::from(header.length);
        self.stage = match header.kind {
            pdu::ASSOCIATE_RQ | pdu::ASSOCIATE_AC => Stage::Fixed(header.kind, left),
            pdu::DATA => Stage::Pdv(left),
            pdu::ASSOCIATE_RJ | pdu::RELEASE_RQ | pdu::RELEASE_RP | pdu::ABORT if left >= 4 => {
                Stage::Short(header.kind, left)
            }
            _ => {
                self.stage = Stage::Lost(LOST_BYTES_MAX);
                return (0, Some(Found::Wrong("dicom-pdu-unknown")));
            }
        };
        if header.kind == pdu::DATA && left == 0 {
            self.stage = Stage::Header;
            return (HEADER_BYTES, Some(Found::Wrong("dicom-pdu-empty")));
        }
        (HEADER_BYTES, None)
    }

    fn fixed<'a>(&mut self, bytes: &'a [u8], kind: u8, left: u64) -> Scan<'a> {
        let needed = u64::try_from(ASSOCIATE_BYTES).unwrap_or(0);
        if left < needed {
            self.stage = Stage::Lost(LOST_BYTES_MAX);
            return (0, Some(Found::Wrong("dicom-associate-short")));
        }
        let Some(associate) = Associate::read(bytes) else {
            return (0, None);
        };
        self.enter_items(kind, left - needed);
        let found = Found::Associate(kind, associate, left == needed);
        (ASSOCIATE_BYTES, Some(found))
    }

    fn item<'a>(&mut self, bytes: &'a [u8], kind: u8, left: u64) -> Scan<'a> {
        if left < 4 {
            self.enter_pass(left);
            return (0, Some(Found::AssociateEnd(kind, "dicom-item-cut")));
        }
        let Some(size) = item_bytes(bytes) else {
            return (0, None);
        };
        if size > left || size > ITEM_BYTES_MAX {
            self.enter_pass(left);
            return (0, Some(Found::AssociateEnd(kind, "dicom-item-long")));
        }
        let here = usize::try_from(size).unwrap_or(usize::MAX);
        let Some(item) = bytes.get(..here).and_then(|item| pdu::items(item).next()) else {
            return (0, None);
        };
        self.enter_items(kind, left - size);
        (here, Some(Found::Item(kind, item, size == left)))
    }

    fn short<'a>(&mut self, bytes: &'a [u8], kind: u8, left: u64) -> Scan<'a> {
        let Some([_, a, b, c]) = bytes.first_chunk::<4>().copied() else {
            return (0, None);
        };
        self.enter_pass(left.saturating_sub(4));
        let found = match kind {
            pdu::ASSOCIATE_RJ => Found::Reject([a, b, c]),
            pdu::ABORT => Found::Abort([b, c]),
            _ => Found::Release(kind),
        };
        (4, Some(found))
    }

    fn pdv<'a>(&mut self, bytes: &'a [u8], left: u64) -> Scan<'a> {
        let Some(pdv) = PdvHeader::read(bytes) else {
            if left < 6 {
                self.enter_pass(left);
                return (0, Some(Found::Wrong("dicom-pdv-length")));
            }
            return (0, None);
        };
        if pdv.length < 2 || u64::from(pdv.length) + 4 > left {
            self.enter_pass(left);
            return (0, Some(Found::Wrong("dicom-pdv-length")));
        }
        let fragment = u64::from(pdv.length) - 2;
        self.enter_fragment(pdv, fragment, left - 4 - u64::from(pdv.length));
        let piece = Piece {
            pdv,
            bytes: &[],
            ends: true,
        };
        let found = (fragment == 0).then_some(Found::Piece(piece));
        (PDV_HEADER_BYTES, found)
    }

    fn fragment<'a>(&mut self, bytes: &'a [u8], pdv: PdvHeader, left: u64, after: u64) -> Scan<'a> {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left - u64::try_from(here).unwrap_or(0);
        self.enter_fragment(pdv, left, after);
        let piece = Piece {
            pdv,
            bytes: bytes.get(..here).unwrap_or(&[]),
            ends: left == 0,
        };
        (here, Some(Found::Piece(piece)))
    }

    fn pass<'a>(&mut self, bytes: &'a [u8], left: u64) -> Scan<'a> {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.enter_pass(left - u64::try_from(here).unwrap_or(0));
        (here, None)
    }

    fn lost<'a>(&mut self, bytes: &'a [u8], left: u64) -> Scan<'a> {
        if left == 0 {
            return (0, Some(Found::GaveUp));
        }
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match pdu::plausible_data(rest) {
                Plausible::Command | Plausible::Yes => {
                    self.stage = Stage::Header;
                    return (at, Some(Found::Wrong("dicom-resynchronised")));
                }
                Plausible::Unknown if rest.len() < PLAUSIBLE_BYTES => break,
                Plausible::Unknown | Plausible::No => at += 1,
            }
        }
        let looked = u64::try_from(at).unwrap_or(left);
        self.stage = Stage::Lost(left.saturating_sub(looked));
        (at, None)
    }

    const fn enter_fragment(&mut self, pdv: PdvHeader, left: u64, after: u64) {
        self.stage = if left > 0 {
            Stage::Fragment(pdv, left, after)
        } else if after > 0 {
            Stage::Pdv(after)
        } else {
            Stage::Header
        };
    }

    const fn enter_pass(&mut self, left: u64) {
        self.stage = if left > 0 {
            Stage::Pass(left)
        } else {
            Stage::Header
        };
    }

    const fn enter_items(&mut self, kind: u8, left: u64) {
        self.stage = if left > 0 {
            Stage::Items(kind, left)
        } else {
            Stage::Header
        };
    }
}

/// Bytes of the item that starts here, header included.
fn item_bytes(bytes: &[u8]) -> Option<u64> {
    let [_, _, high, low] = bytes.first_chunk::<ITEM_HEADER_BYTES>().copied()?;
    Some(4 + u64::from(u16::from_be_bytes([high, low])))
}
