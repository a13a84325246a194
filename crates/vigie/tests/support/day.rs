//! The recorded day of the lab, unpacked for tests.
//!
//! Enters: `lab/recorded/day.pcap.zst.xor`. Leaves: a readable capture, or a source of its frames.
//! Refuses: nothing; a damaged recording fails the test. Source: `lab/record.sh`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use capture::file::{CaptureError, Source, Stream};

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

/// Takes the mask off while reading.
struct Unmasked<R>(R);

impl<R: Read> Read for Unmasked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(out)?;
        out.iter_mut().take(n).for_each(|octet| *octet ^= MASK);
        Ok(n)
    }
}
