//! What the wire bench reads: made once into a folder outside the tree.
//!
//! Enters: the recorded day, the shared captures when present, a seed. Leaves: capture files, the
//! same bytes on every machine. Refuses: nothing; a missing source is said and left out.
//! Source: `docs/benchmarks/wire.md`.

mod flows;
mod mix;
mod pcap;
mod tcp;
mod transfers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use self::pcap::{Capture, Writer};

/// Times the recorded day follows itself.
const DAYS: u64 = 10;
/// Added to a part's file name when what makes it changes.
const VERSION: u32 = 2;

/// One input.
pub(super) struct Input {
    /// Its name in the report.
    pub(super) name: &'static str,
    /// Where it lies.
    pub(super) path: PathBuf,
}

/// Every input that can be made here.
pub(super) fn all(root: &Path, work: &Path) -> Result<Vec<Input>> {
    fs::create_dir_all(work)?;
    let mut made = Vec::new();
    let path = work.join(format!("day-{VERSION}.pcap"));
    if !path.exists() {
        day(&root.join("lab/recorded/day.pcap.zst.xor"), work, &path)?;
    }
    made.push(Input { name: "day", path });
    match std::env::var_os("VIGIE_SHARED").map(|shared| Path::new(&shared).join("corpora/pcap")) {
        Some(corpora) if corpora.is_dir() => {
            let path = work.join(format!("mix-{VERSION}.pcap"));
            if !path.exists() {
                mix::make(&corpora, work, &path)?;
            }
            made.push(Input { name: "mix", path });
        }
        _ => println!("mix: left out: VIGIE_SHARED names no folder with corpora/pcap"),
    }
    let path = work.join(format!("transfers-{VERSION}.pcap"));
    if !path.exists() {
        transfers::make(&path)?;
    }
    made.push(Input {
        name: "transfers",
        path,
    });
    let path = work.join(format!("flows-{VERSION}.pcap"));
    if !path.exists() {
        flows::make(&path)?;
    }
    made.push(Input {
        name: "flows",
        path,
    });
    Ok(made)
}

/// A capture without packets, to learn what starting costs.
pub(super) fn idle(work: &Path) -> Result<PathBuf> {
    // One ARP request: Suricata takes a capture without any packet for an error.
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend([2, 0, 0, 0, 0, 1, 192, 0, 2, 1]);
    frame.extend([0, 0, 0, 0, 0, 0, 192, 0, 2, 2]);
    let path = work.join("idle.pcap");
    let mut writer = Writer::create(&path)?;
    writer.write(0, 42, &frame)?;
    writer.finish(&path)?;
    Ok(path)
}

/// The recorded day, [`DAYS`] times, each a day after the one before.
fn day(recorded: &Path, work: &Path, path: &Path) -> Result<()> {
    let packed: Vec<u8> = fs::read(recorded)
        .with_context(|| recorded.display().to_string())?
        .into_iter()
        .map(|octet| octet ^ 0xa5)
        .collect();
    let (zst, plain) = (work.join("day.pcap.zst"), work.join("day.plain"));
    fs::write(&zst, packed)?;
    let mut zstd = Command::new("zstd");
    zstd.args(["--quiet", "--force", "--decompress", "--long=27"]);
    zstd.arg(&zst).arg("-o").arg(&plain);
    ensure!(zstd.status().context("zstd")?.success(), "zstd failed");
    let capture = Capture::read(&plain, &work.join("scratch.pcap"))?.context("no capture")?;
    let mut writer = Writer::create(path)?;
    for day in 0..DAYS {
        let shift = day * 86_400_000_000;
        for packet in &capture.packets {
            writer.write(packet.time_us + shift, packet.wire_len, &packet.bytes)?;
        }
    }
    fs::remove_file(zst)?;
    fs::remove_file(plain)?;
    writer.finish(path)
}

/// Numbers for the inputs: xorshift64*, the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}
