//! Zeek's logs, both forms, in pieces.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = wire::log::fuzz_zeek(input);
});
