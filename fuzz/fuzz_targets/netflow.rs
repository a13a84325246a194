//! Datagrams of flow exporters.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = wire::log::fuzz_netflow(input);
});
