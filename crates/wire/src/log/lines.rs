//! Lines out of pieces.
//!
//! Enters: octets in pieces of any size. Leaves: whole lines without their end, numbered from 1.
//! Refuses: to hold more than [`LINE_BYTES_MAX`]: the rest of such a line is passed over.
//! Source: none.

use super::LINE_BYTES_MAX;

/// The begin of a line whose end was not seen yet, and the place reached.
#[derive(Default)]
pub(super) struct Lines {
    held: Vec<u8>,
    /// Octets of the open line that were passed over, once it was too long.
    passed: u64,
    number: u64,
    done: u64,
}

/// One line.
pub(super) enum Line<'a> {
    /// Its octets, without line feed.
    Whole(&'a [u8]),
    /// It was longer than is read.
    TooLong,
}

impl Lines {
    /// Goes on after so many octets and lines.
    pub(super) fn at(done: u64, number: u64) -> Self {
        Self {
            number,
            done,
            ..Self::default()
        }
    }

    /// Octets of the whole lines given.
    pub(super) const fn done(&self) -> u64 {
        self.done
    }

    /// How many lines were given.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Gives every line that ends in `bytes`.
    pub(super) fn feed(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(u64, Line<'_>)) {
        while let Some(end) = bytes.iter().position(|octet| *octet == b'\n') {
            let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
            bytes = rest.get(1..).unwrap_or(&[]);
            self.end(line, 1, each);
        }
        self.hold(bytes);
    }

    /// Gives what stands after the last line feed.
    pub(super) fn finish(&mut self, each: &mut dyn FnMut(u64, Line<'_>)) {
        if !self.held.is_empty() || self.passed > 0 {
            self.end(&[], 0, each);
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.passed > 0 || self.held.len().saturating_add(bytes.len()) > LINE_BYTES_MAX {
            let held = self.held.len() as u64;
            self.passed = self.passed.saturating_add(held + bytes.len() as u64);
            self.held = Vec::new();
        } else {
            self.held.extend_from_slice(bytes);
        }
    }

    fn end(&mut self, tail: &[u8], feed: u64, each: &mut dyn FnMut(u64, Line<'_>)) {
        self.number = self.number.saturating_add(1);
        let length = self.passed + self.held.len() as u64 + tail.len() as u64;
        self.done = self.done.saturating_add(length + feed);
        if length > LINE_BYTES_MAX as u64 {
            each(self.number, Line::TooLong);
        } else if self.held.is_empty() {
            each(self.number, Line::Whole(tail));
        } else {
            self.held.extend_from_slice(tail);
            each(self.number, Line::Whole(&self.held));
        }
        self.held.clear();
        self.passed = 0;
    }
}
