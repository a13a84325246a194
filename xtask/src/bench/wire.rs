//! `./dev bench wire [CAPTURE...]`: the packet path beside its peers, on the same bytes.
//!
//! Enters: captures (little-endian pcap of Ethernet), or the inputs made here; `VIGIE_BIN`,
//! `VIGIE_SURICATA` (a binary; its absence is said). Leaves: packets and octets per CPU second,
//! peak memory, records and the ratio to each peer, beside machine, versions and digests.
//! Refuses: a figure without its peer of the same run, and a run that failed.
//! Source: `DESIGN.md` section 7, `docs/benchmarks/wire.md`.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::inputs::{self, Input};
use super::machine;
use super::measure::{Figure, measure, median};

/// Alternating runs of each program but tshark; the median is reported.
const RUNS: usize = 5;
/// Packets that tshark is shown at most: it slows down and grows with what it saw, so that fewer
/// favour it.
const TSHARK_PACKETS: u64 = 400_000;
/// The facts that tshark prints: those that Vigie's events carry.
const TSHARK_FIELDS: &[&str] = &[
    "frame.time_epoch",
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "tcp.srcport",
    "tcp.dstport",
    "udp.srcport",
    "udp.dstport",
    "ip.proto",
    "ip.len",
    "tcp.flags",
    "http.request.method",
    "http.host",
    "http.request.uri",
    "http.response.code",
    "dns.qry.name",
    "dns.qry.type",
    "dns.a",
    "dns.flags.rcode",
    "tls.handshake.extensions_server_name",
    "tls.handshake.ciphersuite",
    "smb2.cmd",
    "smb2.filename",
    "smb2.nt_status",
    "dhcp.option.hostname",
    "ssh.protocol",
    "dicom.assoc.ae.calling",
    "dicom.assoc.ae.called",
    "hl7.message.type",
];

/// Runs the bench.
pub(super) fn run(root: &Path, args: &[String]) -> Result<()> {
    let vigie = PathBuf::from(std::env::var_os("VIGIE_BIN").context("VIGIE_BIN is not set")?);
    let work = machine::work_folder("wire")?;
    let probe = machine::probe(root, "ceiling")?;
    let suricata = std::env::var_os("VIGIE_SURICATA").map(PathBuf::from);
    println!("machine: {}", machine::description());
    println!("vigie: {}", machine::version(&vigie, "--version"));
    println!(
        "tshark: {}",
        machine::version(Path::new("tshark"), "--version")
    );
    match &suricata {
        Some(path) => println!("suricata: {}", machine::version(path, "-V")),
        None => println!("suricata: left out: VIGIE_SURICATA names no binary"),
    }
    let captures = if args.is_empty() {
        inputs::all(root, &work)?
    } else {
        let named = |path: &String| Input {
            name: "capture",
            path: PathBuf::from(path),
        };
        args.iter().map(named).collect()
    };
    let idle = inputs::idle(&work)?;
    let bench = Bench {
        vigie,
        probe,
        suricata,
        work,
        idle,
    };
    for input in &captures {
        bench.input(input)?;
    }
    Ok(())
}

struct Bench {
    vigie: PathBuf,
    probe: PathBuf,
    suricata: Option<PathBuf>,
    work: PathBuf,
    /// A capture of one packet.
    idle: PathBuf,
}

#[derive(Clone, Copy, PartialEq)]
enum Program {
    Probe,
    Vigie,
    Suricata,
    Tshark,
}

impl Bench {
    fn input(&self, input: &Input) -> Result<()> {
        let (packets, octets) = self.size(&input.path)?;
        let digest = machine::digest(&input.path)?;
        println!(
            "\n{}: {packets} packets, {octets} octets of frames, {:.0} a packet, sha256 {digest}",
            input.name,
            octets as f64 / packets as f64
        );
        let mut programs = vec![Program::Probe, Program::Vigie];
        if self.suricata.is_some() {
            programs.push(Program::Suricata);
        }
        let mut runs: Vec<Vec<Figure>> = programs.iter().map(|_| Vec::new()).collect();
        for _ in 0..RUNS {
            for (program, figures) in programs.iter().zip(&mut runs) {
                figures.push(measure(&mut self.command(*program, &input.path)?)?);
            }
        }
        let mut rows = Vec::new();
        for (program, figures) in programs.into_iter().zip(runs) {
            let (low, high) = spread(&figures);
            let mut figure = median(figures);
            figure.cpu -= self.start(program)?;
            rows.push(Row {
                program,
                figure,
                low,
                high,
                packets,
                octets,
            });
        }
        rows.push(self.tshark(input, packets, octets)?);
        let ours = rows.iter().find(|row| row.program == Program::Vigie);
        let ours = ours.context("no figure of ours")?.kpps();
        for row in &rows {
            row.print(ours, &self.records(row.program)?);
        }
        Ok(())
    }

    /// CPU seconds of a run on one packet.
    fn start(&self, program: Program) -> Result<f64> {
        let mut figures = Vec::new();
        for _ in 0..3 {
            figures.push(measure(&mut self.command(program, &self.idle)?)?);
        }
        Ok(median(figures).cpu)
    }

    fn tshark(&self, input: &Input, packets: u64, octets: u64) -> Result<Row> {
        let start = self.start(Program::Tshark)?;
        let mut figure = measure(&mut self.command(Program::Tshark, &input.path)?)?;
        figure.cpu -= start;
        let shown = packets.min(TSHARK_PACKETS);
        Ok(Row {
            program: Program::Tshark,
            low: figure.cpu,
            high: figure.cpu,
            figure,
            packets: shown,
            octets: (octets as f64 * shown as f64 / packets as f64) as u64,
        })
    }

    fn command(&self, program: Program, capture: &Path) -> Result<Command> {
        let out = if capture == self.idle {
            "idle"
        } else {
            program.name()
        };
        let out = self.work.join(format!("{out}.out"));
        let mut command = match program {
            Program::Probe => Command::new(&self.probe),
            Program::Vigie => {
                let mut vigie = Command::new(&self.vigie);
                vigie.args(["--quiet", "read", "--format", "ndjson"]);
                vigie
            }
            Program::Tshark => {
                let mut tshark = Command::new("tshark");
                tshark.args([
                    "-n",
                    "-Q",
                    "-c",
                    &TSHARK_PACKETS.to_string(),
                    "-T",
                    "fields",
                ]);
                tshark.args(TSHARK_FIELDS.iter().flat_map(|field| ["-e", field]));
                tshark.arg("-r");
                tshark
            }
            Program::Suricata => return self.suricata(capture),
        };
        command.arg(capture).stdout(File::create(out)?);
        Ok(command)
    }

    /// One thread, no rules, every event type of the stock configuration into a file.
    fn suricata(&self, capture: &Path) -> Result<Command> {
        let binary = self.suricata.as_ref().context("no Suricata")?;
        let name = if capture == self.idle {
            "suricata-idle"
        } else {
            "suricata"
        };
        let logs = self.work.join(name);
        if logs.exists() {
            fs::remove_dir_all(&logs)?;
        }
        fs::create_dir_all(&logs)?;
        let mut command = Command::new(binary);
        command.args(["--runmode", "single", "-k", "none", "-S", "/dev/null"]);
        command.arg("-l").arg(logs).arg("-r").arg(capture);
        if let Some(file) = std::env::var_os("VIGIE_SURICATA_CONFIG") {
            command.arg("-c").arg(file);
        }
        command.stdout(std::process::Stdio::null());
        Ok(command)
    }

    /// What the last run of a program wrote.
    fn records(&self, program: Program) -> Result<String> {
        Ok(match program {
            Program::Probe => "no records".to_owned(),
            Program::Vigie => format!("{} events", lines(&self.work.join("vigie.out"), "")?),
            Program::Tshark => format!("{} lines", lines(&self.work.join("tshark.out"), "")?),
            Program::Suricata => {
                let eve = self.work.join("suricata/eve.json");
                let flows = lines(&eve, "\"event_type\":\"flow\"")?;
                format!("{} records, {flows} of them flows", lines(&eve, "")?)
            }
        })
    }

    fn size(&self, capture: &Path) -> Result<(u64, u64)> {
        let out = Command::new(&self.probe).arg(capture).output()?;
        let said = String::from_utf8_lossy(&out.stderr);
        ensure!(out.status.success(), "{said}");
        let json: serde_json::Value = serde_json::from_slice(&out.stdout)?;
        let number = |name: &str| json[name].as_u64().context("the probe's answer");
        Ok((number("packets")?, number("bytes")?))
    }
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::Probe => "ceiling",
            Self::Vigie => "vigie",
            Self::Suricata => "suricata",
            Self::Tshark => "tshark",
        }
    }
}

struct Row {
    program: Program,
    figure: Figure,
    /// Least and most CPU seconds of the runs, the start included.
    low: f64,
    high: f64,
    packets: u64,
    octets: u64,
}

impl Row {
    /// Thousands of packets per CPU second.
    fn kpps(&self) -> f64 {
        self.packets as f64 / self.figure.cpu / 1000.0
    }

    fn print(&self, ours: f64, records: &str) {
        println!(
            "{:<9} {:>9} packets {:>8.2} CPU s ({:.2}-{:.2}) {:>8.0} kpps {:>7.0} MB/s {:>6.1} MiB \
             vigie is {:.2}x; {records}",
            self.program.name(),
            self.packets,
            self.figure.cpu,
            self.low,
            self.high,
            self.kpps(),
            self.octets as f64 / self.figure.cpu / 1e6,
            self.figure.rss_kib as f64 / 1024.0,
            ours / self.kpps(),
        );
    }
}

fn spread(figures: &[Figure]) -> (f64, f64) {
    let cpu = figures.iter().map(|figure| figure.cpu);
    cpu.fold((f64::MAX, 0.0), |(low, high), cpu| {
        (low.min(cpu), high.max(cpu))
    })
}

/// Lines of a file that contain `text`.
fn lines(path: &Path, text: &str) -> Result<u64> {
    let mut reader = BufReader::new(File::open(path)?);
    let (mut line, mut count) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line)? > 0 {
        let found = text.is_empty() || line.windows(text.len()).any(|at| at == text.as_bytes());
        count += u64::from(found);
        line.clear();
    }
    Ok(count)
}
