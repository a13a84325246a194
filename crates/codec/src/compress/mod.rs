//! Capped streaming decompression of gzip, zlib, deflate and Zstandard.
//!
//! Enters: compressed octets in any split. Leaves: the octets, as far as the input is good.
//! Refuses: more output than [`Caps::output_bytes_max`], more than [`Caps::ratio_max`] times the
//! input, Zstandard windows over [`Caps::window_log_max`], gzip header texts over 64 KiB.
//! Source: RFC 1950, 1951, 1952; RFC 8878. Memory is one window, whatever the input.

mod gzip;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// A compressed format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 1952, one or more members; zero octets after the last one are padding.
    Gzip,
    /// RFC 1950.
    Zlib,
    /// RFC 1951 without any envelope.
    Deflate,
    /// RFC 8878, one or more frames, skippable ones included.
    Zstd,
}

impl Format {
    /// Tells the format by content; only formats with a magic number are recognised.
    #[must_use]
    pub fn sniff(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 0x08, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name that messages use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }
}

/// What one stream may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Most octets that come out.
    pub output_bytes_max: u64,
    /// Most octets out per octet in, judged after the first [`RATIO_FREE_BYTES`] of output.
    pub ratio_max: u64,
    /// Largest Zstandard window, as a power of two (10..=31): the memory of the decoder.
    pub window_log_max: u32,
}

impl Caps {
    /// Caps for content of unknown origin: `output_bytes_max` octets, [`RATIO_MAX`].
    #[must_use]
    pub const fn content(output_bytes_max: u64) -> Self {
        Self {
            output_bytes_max,
            ratio_max: RATIO_MAX,
            window_log_max: WINDOW_LOG_MAX,
        }
    }

    /// Caps for a consumer that keeps nothing: constant memory, no cap on the total.
    #[must_use]
    pub const fn streaming() -> Self {
        Self {
            output_bytes_max: u64::MAX,
            ratio_max: u64::MAX,
            window_log_max: WINDOW_LOG_MAX,
        }
    }
}

/// Why a stream gives no more octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The input is not what its format allows.
    #[error("{0}")]
    Corrupt(&'static str),
    /// The input ended inside the stream.
    #[error("compressed data ends early")]
    Truncated,
    /// [`Caps::output_bytes_max`] was reached.
    #[error("more than {0} bytes of decompressed data")]
    OutputCap(u64),
    /// [`Caps::ratio_max`] was reached.
    #[error("decompresses to more than {0} times its size")]
    Ratio(u64),
}

/// What one call of [`Decompressor::step`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Octets taken from the input.
    pub read: usize,
    /// Octets put into the output.
    pub written: usize,
}

/// One stream being decompressed.
pub struct Decompressor {
    engine: Engine,
    caps: Caps,
    read: u64,
    written: u64,
    /// Found in a step that also gave octets; told by the next step.
    pending: Option<Error>,
}

enum Engine {
    Gzip(Box<gzip::Gzip>),
    Flate { inner: Box<Decompress>, done: bool },
    Zstd(Box<Zstd>),
}

struct Zstd {
    inner: Decoder<'static>,
    /// Octets that complete the next block: one block a call, so that an error costs no good one.
    hint: usize,
    /// True when every frame so far is complete.
    at_border: bool,
}

impl Decompressor {
    /// A decompressor at the start of a stream.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the library refuses its parameters.
    pub fn new(format: Format, caps: Caps) -> Result<Self, Error> {
        let engine = match format {
            Format::Gzip => Engine::Gzip(Box::default()),
            Format::Zlib | Format::Deflate => Engine::Flate {
                inner: Box::new(Decompress::new(format == Format::Zlib)),
                done: false,
            },
            Format::Zstd => Engine::Zstd(Box::new(Zstd::new(caps.window_log_max)?)),
        };
        Ok(Self {
            engine,
            caps,
            read: 0,
            written: 0,
            pending: None,
        })
    }

    /// Octets taken so far.
    #[must_use]
    pub const fn read_bytes(&self) -> u64 {
        self.read
    }

    /// Octets given so far.
    #[must_use]
    pub const fn written_bytes(&self) -> u64 {
        self.written
    }

    /// Decompresses some of `input` into `output`. A step that neither reads nor writes asks for
    /// more input; call it with empty input until then, as output may be held back.
    ///
    /// # Errors
    /// Any [`Error`] but `Truncated`, after all good octets before it were given.
    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Error> {
        if let Some(error) = self.pending {
            return Err(error);
        }
        let left = self.caps.output_bytes_max.saturating_sub(self.written);
        // One octet beyond the cap tells a stream that ends there from one that goes on.
        let room = usize::try_from(left.saturating_add(1)).unwrap_or(usize::MAX);
        let room = room.min(output.len());
        let output = output.get_mut(..room).unwrap_or_default();
        let (mut step, mut outcome) = match &mut self.engine {
            Engine::Gzip(gzip) => gzip.step(input, output),
            Engine::Flate { inner, done } => inflate(inner, done, input, output),
            Engine::Zstd(zstd) => zstd.step(input, output),
        };
        self.read = self.read.saturating_add(step.read as u64);
        if step.written as u64 > left {
            step.written = usize::try_from(left).unwrap_or(usize::MAX);
            outcome = Err(Error::OutputCap(self.caps.output_bytes_max));
        }
        self.written = self.written.saturating_add(step.written as u64);
        let ratio_free = self.read.saturating_mul(self.caps.ratio_max);
        if self.written > RATIO_FREE_BYTES.max(ratio_free) {
            outcome = outcome.and(Err(Error::Ratio(self.caps.ratio_max)));
        }
        match outcome {
            Ok(()) => Ok(step),
            Err(error) => {
                self.pending = Some(error);
                if step.written > 0 {
                    Ok(step)
                } else {
                    Err(error)
                }
            }
        }
    }

    /// Says whether the stream may end here; call it when the input is over.
    ///
    /// # Errors
    /// [`Error::Truncated`] inside a member, frame or block; the pending error if there is one.
    pub fn finish(&self) -> Result<(), Error> {
        if let Some(error) = self.pending {
            return Err(error);
        }
        let complete = match &self.engine {
            Engine::Gzip(gzip) => gzip.at_border(),
            Engine::Flate { done, .. } => *done,
            Engine::Zstd(zstd) => zstd.at_border,
        };
        if complete {
            Ok(())
        } else {
            Err(Error::Truncated)
        }
    }
}

/// Decompresses all of `input`: what came out, and why it stopped early if it did.
pub fn decompress(format: Format, caps: Caps, input: &[u8]) -> (Vec<u8>, Result<(), Error>) {
    let mut out = Vec::new();
    let mut stream = match Decompressor::new(format, caps) {
        Ok(stream) => stream,
        Err(error) => return (out, Err(error)),
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut rest = input;
    loop {
        match stream.step(rest, &mut chunk) {
            Ok(Step {
                read: 0,
                written: 0,
            }) => return (out, stream.finish()),
            Ok(step) => {
                rest = rest.get(step.read..).unwrap_or(&[]);
                out.extend_from_slice(chunk.get(..step.written).unwrap_or(&[]));
            }
            Err(error) => return (out, Err(error)),
        }
    }
}

impl Zstd {
    fn new(window_log_max: u32) -> Result<Self, Error> {
        let mut inner = Decoder::new().map_err(|_| Error::Corrupt("zstd did not start"))?;
        inner
            .set_parameter(DParameter::WindowLogMax(window_log_max))
            .map_err(|_| Error::Corrupt("zstd refused the window limit"))?;
        Ok(Self {
            inner,
            hint: ZSTD_FIRST_HINT,
            at_border: true,
        })
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> (Step, Result<(), Error>) {
        if output.is_empty() || (input.is_empty() && self.at_border) {
            return (Step::default(), Ok(()));
        }
        // The hint counts the header of the block after the next: not to be read in the same call.
        let take = match self.hint.saturating_sub(ZSTD_BLOCK_HEADER) {
            0 => self.hint.max(1),
            block => block,
        };
        let part = input.get(..take).unwrap_or(input);
        let mut source = InBuffer::around(part);
        let mut sink = OutBuffer::around(output);
        let outcome = self.inner.run(&mut source, &mut sink);
        let step = Step {
            read: source.pos(),
            written: sink.pos(),
        };
        match outcome {
            Ok(0) => {
                self.hint = ZSTD_FIRST_HINT;
                self.at_border = true;
                (step, Ok(()))
            }
            Ok(hint) => {
                self.hint = hint;
                // A call that takes and gives nothing has not begun a frame.
                self.at_border &= step == Step::default();
                (step, Ok(()))
            }
            Err(_) => (step, Err(Error::Corrupt("damaged zstd data"))),
        }
    }
}

/// One call of the inflater; data after the end of the stream is left unread.
fn inflate(
    inner: &mut Decompress,
    done: &mut bool,
    input: &[u8],
    output: &mut [u8],
) -> (Step, Result<(), Error>) {
    if *done || output.is_empty() {
        return (Step::default(), Ok(()));
    }
    let (read, written) = (inner.total_in(), inner.total_out());
    let outcome = inner.decompress(input, output, FlushDecompress::None);
    let count = |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).unwrap_or(0);
    let step = Step {
        read: count(inner.total_in(), read),
        written: count(inner.total_out(), written),
    };
    match outcome {
        Ok(Status::StreamEnd) => {
            *done = true;
            (step, Ok(()))
        }
        Ok(Status::Ok | Status::BufError) => (step, Ok(())),
        Err(_) => (step, Err(Error::Corrupt("damaged deflate data"))),
    }
}

/// Output before which [`Caps::ratio_max`] is not judged: small runs of zeros are honest.
pub const RATIO_FREE_BYTES: u64 = 1 << 20;
/// Ratio beyond which content is a bomb: deflate cannot exceed 1032 to 1.
pub const RATIO_MAX: u64 = 1032;
/// Largest Zstandard window accepted, 128 MiB: the default of the reference decoder.
pub const WINDOW_LOG_MAX: u32 = 27;
/// Octets of a Zstandard frame header that are enough to begin (RFC 8878, 3.1.1.1).
const ZSTD_FIRST_HINT: usize = 18;
/// Octets of a Zstandard block header (RFC 8878, 3.1.1.2).
const ZSTD_BLOCK_HEADER: usize = 3;
/// Octets of the buffer of [`decompress`].
const CHUNK_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
