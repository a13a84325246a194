//! How many packets a CPU second the packet path takes: `rate FILE [TIMES] [BUDGET_MIB]`.
//!
//! Enters: a classic pcap, read through one buffer. Leaves: counters, CPU seconds, peak memory on
//! stdout. Refuses: pcapng. CPU time includes reading and decoding the file's records.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};

use model::port::EventSink;
use model::{Event, Nanos};
use vigie_wire::{Frame, LinkType, WireConfig, Worker};

#[derive(Default)]
struct Counting {
    events: u64,
    by_class: BTreeMap<&'static str, u64>,
}

impl EventSink for Counting {
    fn event(&mut self, event: Event) {
        self.events += 1;
        *self.by_class.entry(event.body.class().name).or_default() += 1;
    }
}

struct Pcap {
    file: File,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    big: bool,
    nanos: bool,
    link: u16,
}

impl Pcap {
    fn open(mut file: File) -> io::Result<Self> {
        let mut head = [0u8; 24];
        file.read_exact(&mut head)?;
        let [a, b, c, d, .., l0, l1, l2, l3] = head;
        let (big, nanos) = match u32::from_le_bytes([a, b, c, d]) {
            0xa1b2_c3d4 => (false, false),
            0xa1b2_3c4d => (false, true),
            0xd4c3_b2a1 => (true, false),
            0x4d3c_b2a1 => (true, true),
            _ => return Err(io::Error::other("not a classic pcap")),
        };
        let link = if big {
            u32::from_be_bytes([l0, l1, l2, l3])
        } else {
            u32::from_le_bytes([l0, l1, l2, l3])
        };
        Ok(Self {
            file,
            buffer: vec![0; 1 << 20],
            at: 0,
            end: 0,
            big,
            nanos,
            link: u16::try_from(link & 0xffff).unwrap_or(0),
        })
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = self.buffer.get(at..at + 4).and_then(|b| b.try_into().ok());
        let bytes: [u8; 4] = bytes.unwrap_or_default();
        if self.big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    fn fill(&mut self, need: usize) -> io::Result<bool> {
        while self.end - self.at < need {
            self.buffer.copy_within(self.at..self.end, 0);
            self.end -= self.at;
            self.at = 0;
            let Some(room) = self.buffer.get_mut(self.end..) else {
                return Ok(false);
            };
            let n = self.file.read(room)?;
            if n == 0 {
                return Ok(false);
            }
            self.end += n;
        }
        Ok(true)
    }

    fn next(&mut self, number: u64) -> io::Result<Option<Frame<'_>>> {
        if !self.fill(16)? {
            return Ok(None);
        }
        let (seconds, fraction) = (self.word(self.at), self.word(self.at + 4));
        let captured = usize::try_from(self.word(self.at + 8)).unwrap_or(usize::MAX);
        let wire_len = self.word(self.at + 12);
        if captured > 1 << 19 || !self.fill(16 + captured)? {
            return Ok(None);
        }
        let from = self.at + 16;
        self.at = from + captured;
        let unit = if self.nanos { 1 } else { 1000 };
        Ok(Some(Frame {
            time: Nanos(i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * unit),
            number,
            link: LinkType(self.link),
            wire_len,
            bytes: self.buffer.get(from..self.at).unwrap_or(&[]),
            vlan: None,
        }))
    }
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|n| n.parse::<u64>().ok());
    std::time::Duration::from_nanos(nanos.unwrap_or(0)).as_secs_f64()
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("VmHWM unknown").to_owned()
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_default();
    let times: u64 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut config = WireConfig::default();
    if let Some(mib) = arguments.next().and_then(|n| n.parse::<usize>().ok()) {
        config.budget_bytes = mib << 20;
    }
    let mut worker = Worker::new(config);
    let mut sink = Counting::default();
    let start = cpu_seconds();
    for _ in 0..times {
        let mut pcap = Pcap::open(File::open(&path)?)?;
        let mut number = 0;
        while let Some(frame) = pcap.next(number + 1)? {
            number += 1;
            worker.frame(&frame, &mut sink);
        }
        worker.finish(&mut sink);
    }
    let cpu = cpu_seconds() - start;
    let stats = worker.stats();
    let mut out = io::stdout().lock();
    writeln!(out, "{stats:#?}\n{:#?}", sink.by_class)?;
    let packets = f64::from(u32::try_from(stats.packets).unwrap_or(u32::MAX));
    writeln!(
        out,
        "packets {} events {} cpu {cpu:.3} s, {:.0} packets/s, {}",
        stats.packets,
        sink.events,
        packets / cpu,
        peak_memory()
    )
}
