//! Counts the frames of capture files, and what that costs: the ceiling of the packet path.
//!
//! Enters: paths, `-` for standard input. Leaves: one line a file. Refuses: nothing.

#![allow(clippy::print_stdout, reason = "the figures are this program's output")]

use std::path::Path;
use std::process::ExitCode;

use capture::file::Source;
use rustix::time::{ClockId, clock_gettime};
use vigie_capture as capture;

fn main() -> ExitCode {
    let mut outcome = ExitCode::SUCCESS;
    for path in std::env::args_os().skip(1) {
        if let Err(error) = count(Path::new(&path)) {
            println!("{error}");
            outcome = ExitCode::from(3);
        }
    }
    outcome
}

fn count(path: &Path) -> Result<(), capture::file::CaptureError> {
    let start = cpu_seconds();
    let mut source = Source::open(path)?;
    let mut touched = 0u64;
    let outcome = loop {
        match source.next() {
            // Reads one octet of each frame, so that the frame is not optimised away.
            Ok(Some(frame)) => touched += u64::from(frame.bytes.first().copied().unwrap_or(0)),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let cpu = cpu_seconds() - start;
    let counts = source.counts();
    println!(
        "{}: {} packets, {} bytes, {} blocks skipped, {} damaged, {cpu:.3} CPU s, \
         {:.2} M packets per CPU s (check {touched})",
        source.name(),
        counts.frames,
        counts.frame_bytes,
        counts.skipped_blocks,
        counts.damaged_blocks,
        counts.frames as f64 / cpu / 1e6,
    );
    outcome
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
