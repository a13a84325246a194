//! Every capture of the shared data set opens, with the frame count of an independent reader.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use vigie_capture::file::Source;

#[test]
fn every_capture_has_the_count_of_capinfos_needs_shared() {
    let root = std::env::var_os("VIGIE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let mut files = Vec::new();
    collect(&root.join("corpora/pcap"), &mut files);
    if files.is_empty() {
        println!("no captures under {}: nothing was compared", root.display());
        return;
    }
    files.sort();
    let ours: BTreeMap<&PathBuf, Result<u64, String>> =
        files.iter().map(|file| (file, count(file))).collect();
    let theirs = capinfos(&files);
    if theirs.is_empty() {
        println!("capinfos is not installed: counts are not compared");
    }
    let (mut same, mut wrong) = (0, Vec::new());
    for (file, ours) in &ours {
        match (ours, theirs.get(*file)) {
            (Ok(ours), Some(theirs)) if ours == theirs => same += 1,
            (Ok(_), None) => {}
            // Both readers refuse the file, or both stop at the same damage.
            (Err(error), None) => println!("{error}"),
            (ours, theirs) => {
                wrong.push(format!("{}: {ours:?}, capinfos {theirs:?}", file.display()))
            }
        }
    }
    println!("{} captures, {same} with the same count", files.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = path.extension().and_then(|kind| kind.to_str());
        if path.is_dir() {
            collect(&path, files);
        } else if matches!(kind, Some("pcap" | "pcapng" | "cap")) {
            files.push(path);
        }
    }
}

fn count(path: &Path) -> Result<u64, String> {
    let mut source = Source::open(path).map_err(|error| error.to_string())?;
    while source.next().map_err(|error| error.to_string())?.is_some() {}
    let counts = source.counts();
    match counts.first_damage {
        None => Ok(counts.frames),
        Some((at, damage)) => Err(format!("{}: {at}: {damage}", path.display())),
    }
}

/// Frame counts by `capinfos`, which leaves out files that it cannot read to the end.
fn capinfos(files: &[PathBuf]) -> BTreeMap<PathBuf, u64> {
    let mut counts = BTreeMap::new();
    for some in files.chunks(100) {
        let mut command = Command::new("capinfos");
        command.args(["-T", "-r", "-m", "-M", "-c"]).args(some);
        let Ok(output) = command.output() else {
            return counts;
        };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            if let Some((name, count)) = line.rsplit_once(',') {
                counts.extend(
                    count
                        .trim()
                        .parse()
                        .map(|count| (PathBuf::from(name), count)),
                );
            }
        }
    }
    counts
}
