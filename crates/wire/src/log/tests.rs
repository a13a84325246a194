use model::{Event, NodeId};
use proptest::prelude::*;

use super::*;
use crate::testing::said;

const EVE: &[u8] = include_bytes!("testdata/eve.json");
const ZEEK: &[u8] = include_bytes!("testdata/zeek.json");
const CONN: &[u8] = include_bytes!("testdata/conn.tsv");
const DNS: &[u8] = include_bytes!("testdata/dns.tsv");

fn config() -> LogConfig {
    LogConfig {
        node: NodeId(3),
        site: "test".into(),
        sequence: Sequence::Packet,
    }
}

struct Outcome {
    events: Vec<Event>,
    refused: Vec<Refused>,
    counts: LogCounts,
    position: Position,
}

fn read_by(kind: LogKind, log: &[u8], step: usize) -> Outcome {
    let mut reader = LogReader::new(kind, &config());
    let (mut events, mut refused) = (Vec::new(), Vec::new());
    for piece in log.chunks(step) {
        reader.feed(piece, &mut events, &mut |line| refused.push(line));
    }
    reader.finish(&mut events, &mut |line| refused.push(line));
    Outcome {
        events,
        refused,
        counts: reader.counts().clone(),
        position: reader.position(),
    }
}

fn read(log: &[u8]) -> Outcome {
    read_by(LogKind::of(log).unwrap(), log, log.len())
}

/// An event in one line: class, activity, status, ends, then every field.
fn line(event: &Event) -> String {
    let mut out = format!(
        "{} {} {} {}",
        event.meta.labels.join(","),
        event.body.class().name,
        event.meta.activity,
        event.meta.status
    );
    if let Some(code) = &event.meta.status_code {
        out.push_str(&format!(" code={code}"));
    }
    if let Some(c) = &event.connection {
        let port = |port: Option<u16>| port.map_or(String::new(), |port| format!(":{port}"));
        let ip = |ip: Option<std::net::IpAddr>| ip.map_or("?".to_owned(), |ip| ip.to_string());
        out.push_str(&format!(
            " {}{}>{}{} {} {}",
            ip(c.src_ip),
            port(c.src_port),
            ip(c.dst_ip),
            port(c.dst_port),
            c.protocol,
            c.app
        ));
    }
    let fields = event.body.class().fields;
    event.body.each(&mut |index, cell| {
        if let Some(value) = said(cell) {
            out.push_str(&format!(" {}={value}", fields[index].column));
        }
    });
    out
}

fn lines(outcome: &Outcome) -> Vec<String> {
    outcome.events.iter().map(line).collect()
}

/// The lines whose class and about hold all of `parts`.
#[track_caller]
fn one(lines: &[String], parts: &[&str]) -> String {
    let found: Vec<&String> = lines
        .iter()
        .filter(|line| parts.iter().all(|part| line.contains(part)))
        .collect();
    assert_eq!(found.len(), 1, "{parts:?} in {lines:#?}");
    found[0].clone()
}

#[test]
fn logs_are_told_by_their_content() {
    assert_eq!(LogKind::of(EVE), Some(LogKind::Eve));
    assert_eq!(LogKind::of(ZEEK), Some(LogKind::ZeekJson));
    assert_eq!(LogKind::of(CONN), Some(LogKind::ZeekTsv));
    assert_eq!(
        LogKind::of(b"\n{broken\n{\"timestamp\":1,\"event_type\":2}\n"),
        Some(LogKind::Eve)
    );
    // A line longer than what is at hand.
    assert_eq!(
        LogKind::of(b"{\"timestamp\":1,\"event_type\":\"x"),
        Some(LogKind::Eve)
    );
    assert_eq!(
        LogKind::of(b"{\"ts\":1,\"msg\":\"log of a program\"}\n"),
        None
    );
    assert_eq!(LogKind::of(b"\xd4\xc3\xb2\xa1"), None);
    assert_eq!(LogKind::of(b""), None);
}

/// What a log becomes of which no line is refused, and its lines.
#[track_caller]
fn read_whole(log: &[u8]) -> (Outcome, Vec<String>) {
    let out = read(log);
    assert!(out.refused.is_empty(), "{:?}", out.refused);
    let all = lines(&out);
    (out, all)
}

#[test]
fn eve_dns_becomes_our_events() {
    let (_, all) = read_whole(EVE);
    // Ends are turned where Suricata names the answering side first.
    let dns = one(&all, &["dns_activity 2 1", "dns_id=24780"]);
    assert!(
        dns.contains("10.20.30.11:59524>10.20.10.53:53 17 dns"),
        "{dns}"
    );
    assert!(
        dns.contains("query=fhir.hospital.test query_type=A"),
        "{dns}"
    );
    assert!(
        dns.contains("answers=app.hospital.test,10.20.10.30 answer_types=CNAME,A"),
        "{dns}"
    );
    assert!(
        dns.contains("answer_ttls=60,30") && dns.contains("dns_flags=AA,RD,RA"),
        "{dns}"
    );
    one(&all, &["dns_activity 1 0", "query=fhir.hospital.test"]);
    one(
        &all,
        &[
            "dns_activity 2 2 code=NXDOMAIN",
            "query=nowhere.test",
            "rcode_id=3",
        ],
    );
}

#[test]
fn eve_http_tls_and_ssh_become_our_events() {
    let (_, all) = read_whole(EVE);
    let http = one(&all, &["http_activity 3 1 code=200"]);
    assert!(
        http.contains("host=pacs.hospital.test url_port=8042"),
        "{http}"
    );
    assert!(
        http.contains("url_path=/dicom-web/studies url_query=PatientID=4711"),
        "{http}"
    );
    assert!(
        http.contains("content_type=application/dicom+json response_bytes=2"),
        "{http}"
    );
    let tls = one(&all, &["about=tls"]);
    assert!(
        tls.contains("tls_version=1.2 tls_sni=fhir.hospital.test"),
        "{tls}"
    );
    assert!(
        tls.contains("tls_serial=00ab12 tls_not_before=1767225600000"),
        "{tls}"
    );
    assert!(tls.contains("facts=suricata.cert_sha1=010203"), "{tls}");
    one(
        &all,
        &[
            "ssh_activity",
            "ssh_client=OpenSSH_9.2p1 ssh_server=dropbear",
        ],
    );
}

#[test]
fn eve_smb_dhcp_and_logons_become_our_events() {
    let (_, all) = read_whole(EVE);
    let smb = one(&all, &["smb_activity 2 2 code=STATUS_ACCESS_DENIED"]);
    assert!(
        smb.contains("smb_command=CREATE smb_dialect=3.1.1"),
        "{smb}"
    );
    assert!(
        smb.contains("smb_open_type=open file_path=Dossiers\\DUPONT.docx"),
        "{smb}"
    );
    one(
        &all,
        &["authentication 1 1", "auth_protocol=NTLM", "user=m.durand"],
    );
    let dhcp = one(
        &all,
        &["dhcp_activity 5 1", "10.20.30.140:68>10.20.10.53:67"],
    );
    assert!(
        dhcp.contains("client_mac=28:c8:25:20:30:12 client_ip=10.20.30.140"),
        "{dhcp}"
    );
    one(
        &all,
        &[
            "authentication 6 0 code=KDC_ERR_PREAUTH_REQUIRED",
            "mechanism=AS-REQ",
        ],
    );
    one(
        &all,
        &[
            "authentication 1 1 code=success",
            "auth_protocol=LDAP is_cleartext=true",
        ],
    );
}

#[test]
fn eve_mail_ftp_snmp_and_files_become_our_events() {
    let (_, all) = read_whole(EVE);
    let mail = one(&all, &["email_activity 1 1"]);
    assert!(
        mail.contains("to_domains=hospital.test,partner.test attachments=1"),
        "{mail}"
    );
    one(
        &all,
        &[
            "authentication 1 1 code=230",
            "auth_protocol=FTP is_cleartext=true",
        ],
    );
    one(
        &all,
        &[
            "about=snmp",
            "10.20.30.50:38123>10.20.40.30:161",
            "snmp.community=custom",
        ],
    );
    one(
        &all,
        &[
            "about=file",
            "10.20.30.11:48992>10.20.10.10:8042",
            "file.sha256=abab",
        ],
    );
}

#[test]
fn eve_flows_and_rdp_become_our_events() {
    let (_, all) = read_whole(EVE);
    let flow = one(&all, &["about=flow", "6 smb"]);
    assert!(flow.contains("network_activity 2 1"), "{flow}");
    assert!(
        flow.contains("bytes=2436 bytes_in=996 bytes_out=1440 packets=14"),
        "{flow}"
    );
    assert!(
        flow.contains("end_reason=closed tcp_flags_out=FSPA tcp_flags_in=FSPA"),
        "{flow}"
    );
    assert!(
        flow.contains("duration_ms=38 start_time=1795432973064"),
        "{flow}"
    );
    one(&all, &["about=flow", "10.20.30.11:8>10.20.10.53:0 1"]);
    one(
        &all,
        &["about=rdp", "operation=initial_request object=m.durand"],
    );
}

#[test]
fn eve_records_are_labelled_and_counted() {
    let (out, all) = read_whole(EVE);
    assert!(
        all.iter().all(|line| line.starts_with("log:suricata/eve ")),
        "{all:?}"
    );
    assert_eq!(
        out.counts.unknown,
        BTreeMap::from([("carrier_pigeon".to_owned(), 1)])
    );
    assert_eq!(
        out.counts.passed_over.keys().collect::<Vec<_>>(),
        ["alert", "stats"]
    );
    assert_eq!(out.counts.events, all.len() as u64);
}

#[test]
fn zeek_tsv_becomes_our_events() {
    let all = lines(&read(CONN));
    let smb = one(&all, &["10.20.30.11:42210>10.20.10.40:445 6 smb"]);
    assert!(
        smb.starts_with("log:zeek/conn network_activity 2 1"),
        "{smb}"
    );
    assert!(
        smb.contains("duration_ms=1500 start_time=1795432963693"),
        "{smb}"
    );
    assert!(
        smb.contains("bytes=1732 bytes_in=912 bytes_out=820 packets=14"),
        "{smb}"
    );
    one(&all, &["fe80::1:133>ff02::2:0 58 unknown"]);
    one(&all, &["network_activity 4 2", "10.20.10.99:23"]);
    let all = lines(&read(DNS));
    let answered = one(
        &all,
        &["dns_activity 2 1 code=NOERROR", "query=fhir.hospital.test"],
    );
    assert!(
        answered.contains("answer_types=unknown,A answer_ttls=60,30"),
        "{answered}"
    );
    assert!(
        answered.contains("response_time=1795432963702"),
        "{answered}"
    );
    one(
        &all,
        &["dns_activity 1 0", "query=a\\b.test query_type=AAAA"],
    );
}

/// Parts of the line of each event of the log of Zeek.
const ZEEK_EVENTS: &[&[&str]] = &[
    &[
        "log:zeek/http http_activity 3 1 code=200",
        "url_path=/a/b url_query=c=d",
    ],
    &[
        "log:zeek/http authentication 1 1",
        "auth_protocol=Basic Authentication",
    ],
    &[
        "about=tls",
        "tls_version=1.2",
        "tls_sni=fhir.hospital.test",
        "tls_cert_sha256=abab",
    ],
    &[
        "log:zeek/smb_files smb_activity 2 0",
        "file_path=DUPONT.docx",
    ],
    &["log:zeek/smb_mapping", "share_type=disk"],
    &["log:zeek/ssh ssh_activity", "ssh_client=OpenSSH_9.2"],
    &["log:zeek/ssh authentication 1 2", "ssh.attempts=3"],
    &[
        "log:zeek/kerberos authentication 4 1",
        "user=m.durand user_domain=HOSP.TEST",
    ],
    &["log:zeek/ldap authentication 1 1", "is_cleartext=true"],
    &["log:zeek/ldap_search", "object=(uid=a011) object_count=2"],
    &[
        "log:zeek/smtp email_activity 1 1 code=250",
        "to_domains=partner.test",
    ],
    &[
        "log:zeek/ntp ntp_activity 4 0",
        "ntp_stratum=2",
        "ntp_poll=6",
    ],
    &["log:zeek/rdp", "rdp.protocol=HYBRID"],
    &[
        "log:zeek/dce_rpc",
        "operation=CreateServiceW",
        "dcerpc.endpoint=svcctl",
    ],
    &["log:zeek/ftp ftp_activity 2 1 code=226", "ftp_bytes=9"],
    &["log:zeek/snmp", "snmp.community=custom", "snmp.pdu=get:2"],
    &[
        "log:zeek/dhcp dhcp_activity 5 1",
        "10.20.30.140:68>10.20.10.53:67",
        "lease_s=3600",
    ],
    &[
        "log:zeek/files",
        "10.20.30.11>10.20.10.10",
        "about=file",
        "operation=http",
    ],
    &[
        "log:zeek/x509",
        "about=certificate",
        "tls_serial=0ab1",
        "tls_san=a.test",
    ],
];

#[test]
fn zeek_json_says_its_log_by_its_members() {
    let (out, all) = read_whole(ZEEK);
    for parts in ZEEK_EVENTS {
        one(&all, parts);
    }
    assert_eq!(
        out.counts.passed_over,
        BTreeMap::from([("notice".to_owned(), 1)])
    );
    assert_eq!(
        out.counts.unknown,
        BTreeMap::from([("pigeon".to_owned(), 1)])
    );
}

#[test]
fn no_secret_of_a_log_is_kept() {
    let known = [EVE, ZEEK].map(read);
    for event in known.iter().flat_map(|out| &out.events) {
        let line = line(event);
        assert!(
            !line.contains("hunter2") && !line.contains("s3cret"),
            "{line}"
        );
    }
}

#[test]
fn bad_lines_are_refused_one_by_one_and_the_rest_is_read() {
    let long = format!("{{\"x\":\"{}\"}}\n", "y".repeat(LINE_BYTES_MAX));
    let good = EVE.split_inclusive(|octet| *octet == b'\n').next().unwrap();
    let parts: Vec<&[u8]> = vec![
        good,
        b"{\"timestamp\":\n",
        b"[1]\n\n",
        b"{\"event_type\":\"dns\"}\n",
        b"{\"timestamp\":\"2026-02-30T00:00:00\",\"event_type\":\"dns\"}\n",
        b"{\"timestamp\":\"2026-02-03T00:00:00Z\",\"event_type\":\"dns\",\"src_ip\":\"x\"}\n",
        b"{\"timestamp\":\"2026-02-03T00:00:00Z\",\"dns\":{}}\n",
        b"{\"a\" 1}\n",
        long.as_bytes(),
        good.strip_suffix(b"\n").unwrap(),
    ];
    let log = parts.concat();
    for step in [1000, 65_536, log.len()] {
        let out = read_by(LogKind::Eve, &log, step);
        let said: Vec<String> = out
            .refused
            .iter()
            .map(|line| format!("{} {}", line.line, line.reason))
            .collect();
        let expected = [
            "2 JSON that ends too early",
            "3 not a JSON object",
            "5 has no timestamp",
            "6 timestamp is not one",
            "7 src_ip is not one",
            "8 has no event_type",
            "9 not JSON from column 6 on",
            "10 longer than 1048576 bytes",
        ];
        assert_eq!(said, expected, "step {step}");
        assert_eq!(out.events.len(), 2);
        assert_eq!(out.position.bytes, log.len() as u64);
    }
}

#[test]
fn tsv_lines_must_be_as_announced() {
    let log = b"#separator \\x09\nearly\n#path\tconn\n#fields\tts\tuid\n#types\ttime\tstring\n\
        1.0\tC1\textra\n1.0\tC\xff\n1.0\tC2\n-\tC3\n";
    let out = read_by(LogKind::ZeekTsv, log, 7);
    let said: Vec<String> = out
        .refused
        .iter()
        .map(|line| format!("{} {}", line.line, line.reason))
        .collect();
    let expected = [
        "2 stands before the line #fields",
        "6 has 3 columns, #fields names 2",
        "7 not UTF-8",
        "9 has no ts",
    ];
    assert_eq!(said, expected);
    assert_eq!(out.events.len(), 1);
}

#[test]
fn reading_goes_on_where_it_was_left() {
    let whole = read(EVE);
    let cut = EVE.len() / 2;
    let mut reader = LogReader::new(LogKind::Eve, &config());
    let mut events = Vec::new();
    reader.feed(&EVE[..cut], &mut events, &mut |_| {});
    let at = reader.position();
    assert!(at.bytes < cut as u64 && EVE[usize::try_from(at.bytes).unwrap() - 1] == b'\n');
    let mut again = LogReader::new(LogKind::Eve, &config());
    again.resume(at);
    let rest = &EVE[usize::try_from(at.bytes).unwrap()..];
    again.feed(rest, &mut events, &mut |_| {});
    assert!(
        events == whole.events,
        "the events, identities included, are the same"
    );
}

#[test]
fn names_of_unknown_types_are_bounded() {
    let mut log = String::new();
    for n in 0..1000 {
        log.push_str(&format!(
            "{{\"timestamp\":\"2026-01-01T00:00:00Z\",\"event_type\":\"t{n}\"}}\n"
        ));
    }
    let out = read(log.as_bytes());
    assert_eq!(out.counts.unknown.len(), TYPES_MAX + 1);
    assert_eq!(out.counts.unknown.values().sum::<u64>(), 1000);
}

#[test]
fn times_of_logs() {
    for (text, ms) in [
        ("1970-01-01T00:00:00Z", Some(0)),
        ("2026-11-23T11:22:43.693583+0000", Some(1_795_432_963_693)),
        ("2026-11-23T13:22:43.6+02:00", Some(1_795_432_963_600)),
        ("2024-02-29T00:00:00", Some(1_709_164_800_000)),
        ("2023-02-29T00:00:00", None),
        ("2026-11-23 25:00:00", None),
        ("2026-11-23", None),
        ("", None),
    ] {
        assert_eq!(time::iso(text).map(|time| time.0), ms, "{text}");
    }
    assert_eq!(
        time::seconds(1_795_432_963.693_583),
        Some(Millis(1_795_432_963_693))
    );
    assert_eq!(time::seconds(f64::NAN), None);
    assert_eq!(time::seconds(-1.0), None);
}

/// Logs of Zeek's own parsers for building protocols: only their times are masked.
#[test]
fn shared_zeek_logs_are_told_apart_needs_shared() {
    let shared = std::env::var("VIGIE_SHARED").map_or_else(
        |_| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        Into::into,
    );
    let Ok(folder) = std::fs::read_dir(shared.join("corpora/pcap/ics")) else {
        return println!("no shared captures: nothing was read");
    };
    let (mut logs, mut masked) = (0, 0u64);
    for path in folder.map(|entry| entry.unwrap().path()) {
        let log = std::fs::read(&path).unwrap();
        if LogKind::of(&log) == Some(LogKind::ZeekTsv) {
            let out = read(&log);
            logs += 1;
            // Their time is masked: a line is unknown by its type, or refused for its time.
            masked += out.counts.refused + out.counts.unknown.values().sum::<u64>();
            assert!(out.events.is_empty());
        }
    }
    println!("{logs} logs, {masked} lines of types without a mapping or without a time");
    assert!(logs == 0 || masked > 0);
}

proptest! {
    #[test]
    fn any_split_gives_the_same(step in 1usize..3000) {
        let logs =
            [(LogKind::Eve, EVE), (LogKind::ZeekJson, ZEEK), (LogKind::ZeekTsv, CONN)];
        for (kind, log) in logs {
            let (whole, cut) = (read_by(kind, log, log.len()), read_by(kind, log, step));
            prop_assert!(whole.events == cut.events);
            prop_assert_eq!(whole.counts, cut.counts);
            prop_assert_eq!(whole.position, cut.position);
        }
    }

    #[test]
    fn any_octets_are_survived(input in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = (fuzz_eve(&input), fuzz_zeek(&input), fuzz_netflow(&input));
    }

    #[test]
    fn damaged_logs_are_survived(
        at in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        form in 0u8..2,
    ) {
        for log in [EVE, ZEEK, CONN, DNS] {
            let mut input = [&[255, form][..], log].concat();
            for (index, octet) in &at {
                let place = index.index(input.len());
                input[place] = *octet;
            }
            let _ = (fuzz_eve(&input), fuzz_zeek(&input));
        }
    }
}
