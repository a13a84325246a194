//! Every application protocol: the input describes a conversation. `VIGIE_PROTOCOL` keeps one only.
#![no_main]

use std::sync::LazyLock;

use wire::protocol::{Protocol, REGISTRY, replay};

static CHOSEN: LazyLock<&'static [&'static dyn Protocol]> = LazyLock::new(|| {
    let wanted = std::env::var("VIGIE_PROTOCOL").unwrap_or_default();
    let kept: Vec<_> =
        REGISTRY.iter().copied().filter(|one| wanted.is_empty() || one.name() == wanted).collect();
    Box::leak(kept.into_boxed_slice())
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let _ = replay::fuzz(&CHOSEN, input);
});
