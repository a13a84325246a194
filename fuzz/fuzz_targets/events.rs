//! Events read back from JSON and from the link.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = model::binary::decode(input);
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = model::ocsf::read_event(text);
    }
});
