//! Capture files of every form.
#![no_main]

use capture::file::{Source, Stream};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let stream = Stream::of("fuzz", Box::new(std::io::Cursor::new(input.to_vec())));
    if let Ok(mut source) = Source::of(stream) {
        while let Ok(Some(_)) = source.next() {}
    }
});
