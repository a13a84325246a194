//! The recorded day of the lab, unpacked for tests.
//!
//! Enters: `lab/recorded/day.pcap.zst.xor`. Leaves: a readable capture, or a source of its frames.
//! Refuses: nothing; a damaged recording fails the test. Source: `lab/record.sh`.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use capture::file::{CaptureError, Resolution, Source, Stream, Writer};

/// Every octet of the recording is stored XOR this.
const MASK: u8 = 0xa5;

/// The recording, in the tree.
pub(crate) fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/recorded/day.pcap.zst.xor")
}

/// Opens the recording.
pub(crate) fn open() -> Result<Source, CaptureError> {
    let path = recording();
    let name = path.display().to_string();
    let file = File::open(&path).map_err(|source| CaptureError::Open {
        name: name.clone(),
        source,
    })?;
    Source::of(Stream::of(&name, Box::new(Unmasked(BufReader::new(file)))))
}

/// Writes the recording as a plain capture.
pub(crate) fn unpack(path: &Path) -> Result<(), CaptureError> {
    part(path, 0..u64::MAX)
}

/// Writes these packets of the recording as a plain capture.
pub(crate) fn part(path: &Path, wanted: Range<u64>) -> Result<(), CaptureError> {
    let failed = |source| CaptureError::Open {
        name: path.display().to_string(),
        source,
    };
    let mut source = open()?;
    let mut out = Some(BufWriter::new(File::create(path).map_err(failed)?));
    let mut writer = None;
    let mut number = 0;
    while let Some(frame) = source.next()? {
        if let Some(out) = out.take() {
            let header = Writer::new(out, frame.link, Resolution::Microseconds);
            writer = Some(header.map_err(failed)?);
        }
        if wanted.contains(&number)
            && let Some(writer) = &mut writer
        {
            writer.write(&frame).map_err(failed)?;
        }
        number += 1;
        if number >= wanted.end {
            break;
        }
    }
    match writer {
        Some(writer) => writer.finish().map(|_| ()).map_err(failed),
        None => Ok(()),
    }
}

/// Takes the mask off while reading.
struct Unmasked<R>(R);

impl<R: Read> Read for Unmasked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(out)?;
        out.iter_mut().take(n).for_each(|octet| *octet ^= MASK);
        Ok(n)
    }
}
