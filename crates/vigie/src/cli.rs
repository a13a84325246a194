//! The command line: a contract, extended and never broken.
//!
//! Enters: arguments. Leaves: a [`Command`]. Refuses: unknown words, with the nearest (clap).
//! Source: `DESIGN.md` section 6.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Vigie: see a hospital's network, its medical traffic included; runs on one machine.
#[derive(Parser)]
#[command(
    name = "vigie",
    version,
    max_term_width = 100,
    propagate_version = true
)]
#[command(after_help = "Examples:\n  \
    vigie up                    watch this machine's traffic, console in the browser\n  \
    vigie read capture.pcap     one JSON event a line\n  \
    vigie query 'proto:dicom last:24h'\n\n\
    Exit codes: 0 done; 1 the asked-for condition failed; 2 usage or configuration;\n\
    3 some input unreadable; 4 internal error.")]
pub(crate) struct Cli {
    /// Configuration file (default: /etc/vigie/vigie.toml when it exists)
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of all state (default: /var/lib/vigie for root, else $XDG_STATE_HOME/vigie)
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// No progress, errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Logs as JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json_logs: bool,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What Vigie can be told to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run what the configuration says: capture here, observe only, console on loopback
    #[command(
        after_help = "Examples:\n  vigie up\n  vigie up --interface eth1 --console 127.0.0.1:0"
    )]
    Up(Up),
    /// Read captures and logs of other sensors, print events on standard output
    #[command(
        after_help = "Examples:\n  vigie read day.pcap.zst --format summary\n  tcpdump -w - | \
        vigie read - --only dns_activity\n  vigie read eve.json.gz conn.log --format table\n  \
        vigie read a.pcap b.pcapng --into-store"
    )]
    Read(Read),
    /// Feed a capture to a running Vigie, timestamps moved to now
    ///
    /// Its events stand apart from what really happened: `vigie query replay:ID` finds them.
    #[command(
        after_help = "Examples:\n  vigie replay day.pcap --speed max\n  vigie replay \
        exercise.pcap --speed 10 --id exercise-3\n  vigie replay --list\n  vigie replay --purge \
        exercise-3"
    )]
    Replay(Replay),
    /// Search the store, or ask it in SQL
    #[command(
        after_help = "Examples:\n  vigie query 'proto:dns query:*.example.org bytes:>10MB'\n  \
        vigie query 'select proto, count(*) from events group by 1' --format csv\n  vigie query \
        'proto:dicom last:7d' --format parquet --output dicom.parquet"
    )]
    Query(Query),
    /// The devices of the site, what is known of each and from what
    #[command(
        after_help = "Examples:\n  vigie inventory\n  vigie inventory --format csv > \
        assets.csv\n  vigie inventory day.pcap.zst --format ndjson\n  vigie inventory --compare \
        cmdb.csv --fail-on-difference"
    )]
    Inventory(Inventory),
    /// One flow's packets out of the packet ring, as a capture file; every opening is traced
    #[command(
        after_help = "Examples:\n  vigie packets --flow 1:wCb3OG7yAFWelaUydu0D+125CLM= --output \
        flow.pcap --reason 'incident 12'\n  vigie packets --uid 00000000002f61a3 --output a.pcap \
        --reason 'incident 12'\n  vigie packets --flow 1:wCb3OG7yAFWelaUydu0D+125CLM= \
        --pin-days 30 --reason 'incident 12'\n  vigie packets --pins"
    )]
    Packets(Packets),
    /// A populated console on a recorded hospital day, attacks included, in its own folder
    Demo(Demo),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Open or destroy clear values; every opening is traced
    #[command(subcommand)]
    Vault(VaultVerb),
    /// Say what works here, what does not, and the command that mends it
    Doctor,
    /// Print the manual page (roff)
    #[command(hide = true)]
    Man,
    /// Print shell completions
    #[command(hide = true)]
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
    /// A role process; started by `vigie up`
    #[command(hide = true)]
    Role(Role),
}

/// Options of `up`.
#[derive(Args, Clone, Default)]
pub(crate) struct Up {
    /// Watch this interface only; may be repeated
    #[arg(long, short, value_name = "NAME")]
    pub(crate) interface: Vec<String>,
    /// Address and port of the console; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) console: Option<String>,
    /// No live capture: console and store only
    #[arg(long)]
    pub(crate) no_capture: bool,
}

/// Forms of events on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// OCSF, one JSON object a line
    Ndjson,
    /// Suricata's EVE names, one JSON object a line
    Eve,
    /// Columns for people
    Table,
    /// Counts by class, protocol and host
    Summary,
}

/// Options of `read`.
#[derive(Args)]
pub(crate) struct Read {
    /// Captures (pcap, pcapng), Suricata EVE and Zeek logs; .gz and .zst too; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value = "ndjson")]
    pub(crate) format: Format,
    /// Classes to print, by name or number, comma-separated
    #[arg(long, value_name = "CLASS,..", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Print names, paths and identifiers in the clear
    #[arg(long)]
    pub(crate) clear: bool,
    /// Put the events into the store instead of printing them
    #[arg(long)]
    pub(crate) into_store: bool,
    /// Secrets of TLS connections (SSLKEYLOGFILE); what they open is read too
    #[arg(long, value_name = "FILE")]
    pub(crate) keylog: Option<PathBuf>,
    /// SHA-256 of the files that pass, in their exchange's event
    #[arg(long)]
    pub(crate) hash_files: bool,
    /// Write the files that pass into this folder, in clear, named by their SHA-256
    #[arg(long, value_name = "DIR")]
    pub(crate) extract_files: Option<PathBuf>,
    /// The same input gives the same bytes: logged_time = time
    #[arg(long)]
    pub(crate) reproducible: bool,
}

/// Options of `replay`.
#[derive(Args)]
pub(crate) struct Replay {
    /// Capture to feed
    #[arg(value_name = "FILE", required_unless_present_any = ["list", "purge"])]
    pub(crate) file: Option<PathBuf>,
    /// Times faster than recorded, or `max`
    #[arg(long, default_value = "1", value_name = "N|max")]
    pub(crate) speed: String,
    /// Name of the replay: its events carry the label replay:ID
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// List the replays in the store
    #[arg(long, conflicts_with_all = ["file", "purge", "id"])]
    pub(crate) list: bool,
    /// Remove a replay for good: its events and their clear values
    #[arg(long, value_name = "ID", conflicts_with_all = ["file", "id"])]
    pub(crate) purge: Option<String>,
    /// Why it is removed; written to the audit trail
    #[arg(
        long,
        value_name = "TEXT",
        requires = "purge",
        default_value = "the exercise is over"
    )]
    pub(crate) reason: String,
}

/// Forms of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum QueryFormat {
    /// Columns for people
    Table,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated, header first
    Csv,
    /// One Apache Parquet file
    Parquet,
}

/// Options of `query`.
#[derive(Args)]
pub(crate) struct Query {
    /// Search language, or SQL starting with select or with
    pub(crate) text: String,
    /// Earliest time: RFC 3339, milliseconds, or -24h
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// Latest time, exclusive
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    /// Form of the answer
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: QueryFormat,
    /// Write to this file instead of standard output; it appears when it is whole
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Most rows
    #[arg(long, default_value_t = 1000)]
    pub(crate) limit: usize,
}

/// Forms of the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InventoryFormat {
    /// Columns for people
    Table,
    /// OCSF Device Inventory Info, one JSON object a line; differences as plain objects
    Ndjson,
    /// For spreadsheets: formulas in it do not run
    Csv,
}

/// Options of `inventory`.
#[derive(Args)]
pub(crate) struct Inventory {
    /// Captures to take it from, instead of this installation
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Form of the output
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: InventoryFormat,
    /// A list to compare with: CSV, its columns known by French or English names (MAC, IP address,
    /// host name, serial number, manufacturer, model); the differences are printed
    #[arg(long, value_name = "CSV")]
    pub(crate) compare: Option<PathBuf>,
    /// Exit code 1 when there are differences
    #[arg(long, requires = "compare")]
    pub(crate) fail_on_difference: bool,
    /// Secrets of TLS connections in the captures (SSLKEYLOGFILE)
    #[arg(long, value_name = "FILE", requires = "files")]
    pub(crate) keylog: Option<PathBuf>,
}

/// Options of `packets`.
#[derive(Args)]
pub(crate) struct Packets {
    /// Community ID of the flow (connection_info.community_uid)
    #[arg(long, value_name = "COMMUNITY_ID", required_unless_present_any = ["uid", "pins"])]
    pub(crate) flow: Option<String>,
    /// One connection (connection_info.uid): its packets, not those of others of the same name
    #[arg(long, value_name = "CONNECTION_UID", conflicts_with = "flow")]
    pub(crate) uid: Option<String>,
    /// Earliest packet: RFC 3339, milliseconds, or -24h
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) from: Option<String>,
    /// Latest packet
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) to: Option<String>,
    /// Capture file to write; one that is there is left alone
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Why; written to the audit trail before a packet is read
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Keep the flow's packets beyond their turn, for so many days
    #[arg(long, value_name = "N", requires = "flow", conflicts_with_all = ["output", "release"])]
    pub(crate) pin_days: Option<u16>,
    /// Keep them no longer than others
    #[arg(long, requires = "flow", conflicts_with = "output")]
    pub(crate) release: bool,
    /// List the flows that are pinned, one JSON object a line
    #[arg(long, conflicts_with_all = ["flow", "uid", "output", "reason"])]
    pub(crate) pins: bool,
}

/// Options of `demo`.
#[derive(Args)]
pub(crate) struct Demo {
    /// Address and port of the console; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) console: Option<String>,
    /// Start again from an empty folder
    #[arg(long)]
    pub(crate) fresh: bool,
}

/// Verbs of `config`.
#[derive(Subcommand)]
pub(crate) enum ConfigVerb {
    /// Read the file and say what is wrong with it
    Check,
    /// Print the configuration in force, defaults included
    Show,
    /// Print the reference of all keys (Markdown)
    Reference,
    /// Print the reference of all classes and columns of events (Markdown)
    Fields,
}

/// Verbs of `vault`.
#[derive(Subcommand)]
pub(crate) enum VaultVerb {
    /// Show the clear values of one event
    #[command(
        after_help = "Example:\n  vigie vault open 0000002a-0000000000100000 --reason 'incident 12'"
    )]
    Open {
        /// Identity of the event (metadata.uid)
        uid: String,
        /// Why; written to the audit trail before anything is shown
        #[arg(long)]
        reason: String,
    },
    /// Destroy the key of a month: its clear values can never be read again
    Destroy {
        /// Month, such as 2026-05
        month: String,
        /// Why; written to the audit trail
        #[arg(long)]
        reason: String,
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
}

/// Options of a role process.
#[derive(Args)]
pub(crate) struct Role {
    /// Which
    #[arg(value_enum)]
    pub(crate) name: RoleName,
    /// Options of `up` that concern it
    #[command(flatten)]
    pub(crate) up: Up,
}

/// Roles of the first release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    /// Capture and packet path
    Sensor,
    /// Store, queries, console
    Core,
}
