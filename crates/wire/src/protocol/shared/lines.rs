//! Lines of a stream.
//!
//! Enters: what is not yet consumed of one side. Leaves: lines without their end. Refuses: nothing:
//! of a line longer than its limit the head is given and the tail dropped.
//! Source: RFC 5321 section 2.3.8 and its kin; a bare line feed ends a line as well.

use crate::protocol::Side;

/// Where one side stands between lines.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::protocol) struct Lines {
    dropping: bool,
}

/// The next piece of a side.
#[derive(Clone, Copy, Debug)]
pub(in crate::protocol) struct Found<'a> {
    /// The line; `None` for the tail of one that was too long, or cut by a gap.
    pub(in crate::protocol) line: Option<&'a [u8]>,
    /// Octets that it takes with its end.
    pub(in crate::protocol) used: usize,
    /// True when only the head of the line is given.
    pub(in crate::protocol) cut: bool,
}

/// The lines of one of the two sides.
pub(in crate::protocol) const fn of(both: &mut [Lines; 2], side: Side) -> &mut Lines {
    let [client, server] = both;
    match side {
        Side::Client => client,
        Side::Server => server,
    }
}

impl Lines {
    /// The next line, of which at most `bytes_max` octets are given; `None` when it is not whole.
    pub(in crate::protocol) fn next<'a>(
        &mut self,
        bytes: &'a [u8],
        bytes_max: usize,
    ) -> Option<Found<'a>> {
        if self.dropping {
            let end = bytes.iter().position(|&octet| octet == b'\n');
            self.dropping = end.is_none();
            let used = end.map_or(bytes.len(), |at| at + 1);
            return (used > 0).then_some(Found {
                line: None,
                used,
                cut: false,
            });
        }
        let mut octets = bytes.iter().take(bytes_max + 1);
        if let Some(at) = octets.position(|&octet| octet == b'\n') {
            let line = bytes.get(..at)?;
            return Some(Found {
                line: Some(line.strip_suffix(b"\r").unwrap_or(line)),
                used: at + 1,
                cut: false,
            });
        }
        if bytes.len() <= bytes_max {
            return None;
        }
        self.dropping = true;
        Some(Found {
            line: bytes.get(..bytes_max),
            used: bytes_max,
            cut: true,
        })
    }

    /// Octets were lost: what comes next may be the tail of a line.
    pub(in crate::protocol) const fn lose(&mut self) {
        self.dropping = true;
    }
}
