//! Many connections at once: what a live HTTP flow costs.
//!
//! Enters: nothing. Leaves: a capture of [`FLOWS`] connections, none of which ends, each with a
//! whole exchange and a request whose answer has begun. Refuses: nothing.
//! Source: `docs/benchmarks/wire.md`.

use std::path::Path;

use anyhow::Result;

use super::tcp::{CLIENT, SERVER, Talk, Wire};

/// Connections that are open at the end.
const FLOWS: u32 = 65_536;

/// Writes the capture.
pub(super) fn make(path: &Path) -> Result<()> {
    let mut wire = Wire::create(path)?;
    for number in 0..FLOWS {
        let [_, _, high, low] = number.to_be_bytes();
        let mut talk = Talk::open(&mut wire, [10, 30, high, low], 50_000, 80)?;
        for (path, sent) in [("index.html", 128), ("studies/image.bin", 64)] {
            let request = format!(
                "GET /archive/{path} HTTP/1.1\r\nHost: files.hospital.test\r\n\
                 User-Agent: Mozilla/5.0 (X11; Linux x86_64) vigie-bench\r\nAccept: */*\r\n\r\n"
            );
            talk.say(CLIENT, request.as_bytes())?;
            let mut answer = String::from(
                "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/html\r\n\
                 Content-Length: 128\r\n\r\n",
            );
            answer.extend(std::iter::repeat_n('x', sent));
            talk.say(SERVER, answer.as_bytes())?;
        }
    }
    wire.finish(path)
}
