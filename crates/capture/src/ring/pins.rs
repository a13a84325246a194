//! Pins: flows whose blocks stay beyond their turn, until a day.
//!
//! Enters: a flow, until when, why. Leaves: a file that the ring's writer reads before it removes a
//! block. Refuses: more than [`PINS_MAX`] pins; words beyond [`WHY_BYTES_MAX`] bytes are cut.
//! Source: own format: `VIGIEPIN 1`, then for each pin a line: until and made (milliseconds), flow,
//! why; tabs between. One process writes it (core, or a command when nothing runs); others read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use model::Millis;

use super::{RingError, flow_hash};

/// Most pins at once.
pub const PINS_MAX: usize = 256;
/// Longest reason.
pub const WHY_BYTES_MAX: usize = 256;
/// Longest file that can be one of pins.
const FILE_BYTES_MAX: u64 = 128 * 1024;
const HEADER: &str = "VIGIEPIN 1";
const FILE: &str = "pins";

/// One flow that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its Community ID.
    pub flow: String,
    /// When it was pinned.
    pub made: Millis,
    /// Until when it is.
    pub until: Millis,
    /// Why; never a name of a person.
    pub why: String,
}

/// The pins of a ring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    list: Vec<Pin>,
}

impl Pins {
    /// The pins of the ring in `dir`; lines that are none are left out.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn load(dir: &Path) -> Result<Self, RingError> {
        let path = dir.join(FILE);
        let mut text = String::new();
        let read =
            File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
        match read {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(RingError::disk(&path, "reading the pins", error)),
        }
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Ok(Self::default());
        }
        let list = lines.filter_map(parse).take(PINS_MAX).collect();
        Ok(Self { list })
    }

    /// Pins a flow; one that is pinned already stays until the later of both times. On disk when it
    /// returns.
    ///
    /// # Errors
    /// The name is no Community ID; there are [`PINS_MAX`] pins; the disk refused.
    pub fn pin(&mut self, dir: &Path, pin: Pin) -> Result<(), RingError> {
        if !is_community_id(&pin.flow) {
            return Err(RingError::Flow(pin.flow));
        }
        let mut list = self.list.clone();
        list.retain(|one| one.until > pin.made);
        let why = clean(&pin.why);
        let full = list.len() >= PINS_MAX;
        match list.iter_mut().find(|one| one.flow == pin.flow) {
            Some(known) => {
                known.until = known.until.max(pin.until);
                known.why = why;
            }
            None if full => return Err(RingError::Pins),
            None => list.push(Pin { why, ..pin }),
        }
        self.replace(dir, list)
    }

    /// Releases a flow; false when it was not pinned.
    ///
    /// # Errors
    /// The disk refused.
    pub fn release(&mut self, dir: &Path, flow: &str) -> Result<bool, RingError> {
        let mut list = self.list.clone();
        list.retain(|one| one.flow != flow);
        let found = list.len() < self.list.len();
        if found {
            self.replace(dir, list)?;
        }
        Ok(found)
    }

    /// Every pin, the earliest first.
    #[must_use]
    pub fn list(&self) -> &[Pin] {
        &self.list
    }

    /// Hashes of the flows that are pinned now.
    pub(super) fn hashes(&self, now: Millis) -> Vec<u64> {
        let active = self.list.iter().filter(|pin| pin.until > now);
        active.map(|pin| flow_hash(&pin.flow)).collect()
    }

    fn replace(&mut self, dir: &Path, list: Vec<Pin>) -> Result<(), RingError> {
        let mut text = format!("{HEADER}\n");
        for pin in &list {
            let Pin {
                flow,
                made,
                until,
                why,
            } = pin;
            text.push_str(&format!("{}\t{}\t{flow}\t{why}\n", until.0, made.0));
        }
        write(dir, text.as_bytes())?;
        self.list = list;
        Ok(())
    }
}

/// True for what looks like a Community ID of version 1.
pub(super) fn is_community_id(text: &str) -> bool {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    text.strip_prefix("1:")
        .is_some_and(|hash| hash.len() == 28 && hash.bytes().all(base64))
}

/// On one line, and not too long.
fn clean(why: &str) -> String {
    let mut out = String::new();
    for letter in why.chars() {
        let letter = if letter.is_control() { ' ' } else { letter };
        if out.len() + letter.len_utf8() > WHY_BYTES_MAX {
            break;
        }
        out.push(letter);
    }
    out
}

fn parse(line: &str) -> Option<Pin> {
    let mut cells = line.splitn(4, '\t');
    let until = Millis(cells.next()?.parse().ok()?);
    let made = Millis(cells.next()?.parse().ok()?);
    let flow = cells.next()?.to_owned();
    let why = cells.next()?.to_owned();
    is_community_id(&flow).then_some(Pin {
        flow,
        made,
        until,
        why,
    })
}

/// Writes the file whole or not at all.
fn write(dir: &Path, bytes: &[u8]) -> Result<(), RingError> {
    let (part, path) = (dir.join("pins.new"), dir.join(FILE));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        File::open(dir)?.sync_all()
    })();
    written.map_err(|error| RingError::disk(&path, "writing the pins", error))
}
