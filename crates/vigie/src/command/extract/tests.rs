use std::net::IpAddr;

use model::Nanos;
use wire::file::{self, kind};

use super::*;

const NOTHING: [u8; 32] = [0xab; 32];

fn meta(hosts: [IpAddr; 2]) -> Meta<'static> {
    Meta {
        time: Nanos(1_700_000_000_000_000_000),
        protocol: "http",
        sender: Side::Server,
        hosts,
        ports: [4000, 80],
        name: Some("/a.bin"),
        mime: None,
        bytes: None,
    }
}

fn outcome(state: file::State) -> Outcome<'static> {
    Outcome {
        kind: kind::DATA,
        bytes: 3,
        sha256: None,
        seen_sha256: NOTHING,
        state,
        name: Some("a.bin"),
    }
}

#[test]
fn extracted_files_stand_under_their_hash() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("files");
    let extract = Extract::open(&dir).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let hosts = [[10, 0, 0, 1].into(), [10, 0, 0, 2].into()];
    let mut sink = extract.begin(&meta(hosts)).unwrap();
    sink.chunk(b"ab");
    sink.chunk(b"c");
    sink.end(&outcome(file::State::Complete), &mut Vec::new());
    // What never ends leaves nothing.
    drop(extract.begin(&meta(hosts)));
    extract.finish().unwrap();
    let path = dir.join("ab".repeat(32));
    assert_eq!(fs::read(&path).unwrap(), b"abc");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
    let manifest = fs::read_to_string(dir.join(MANIFEST)).unwrap();
    let line: serde_json::Value = serde_json::from_str(manifest.trim()).unwrap();
    assert_eq!(line["sha256"], "ab".repeat(32));
    assert_eq!(line["from"], "10.0.0.2:80");
    assert_eq!(line["name"], "a.bin");
    assert_eq!(line["state"], "complete");
}

#[test]
fn a_folder_that_others_may_read_is_refused() {
    let base = tempfile::tempdir().unwrap();
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(base.path(), open).unwrap();
    let refused = Extract::open(base.path()).err().unwrap().to_string();
    assert!(refused.contains("chmod 700"), "{refused}");
}
