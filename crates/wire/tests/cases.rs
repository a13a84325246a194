//! What fuzzing once found is replayed: each file of `fuzz/cases`, named `PROTOCOL-WHAT.bin`, goes
//! through its protocol alone and through the whole registry.

use std::path::Path;

use vigie_wire as wire;
use wire::protocol::{Protocol, REGISTRY, replay};

#[test]
fn what_fuzzing_once_found_stays_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/cases");
    let mut replayed = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let input = std::fs::read(&path).unwrap();
        let target = name.split('-').next().unwrap();
        let alone: Vec<&'static dyn Protocol> = REGISTRY
            .iter()
            .copied()
            .filter(|one| one.name() == target)
            .collect();
        assert_eq!(alone.len(), 1, "{name}: no protocol is called {target}");
        let _ = replay::fuzz(Box::leak(alone.into_boxed_slice()), &input);
        let _ = replay::fuzz(REGISTRY, &input);
        replayed += 1;
    }
    assert!(replayed > 0, "no case in {}", folder.display());
}
