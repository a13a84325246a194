//! tshark's description of packets in XML, reduced to the fields that facts are made of.
//!
//! Enters: a capture. Leaves: packets with their innermost addresses, and protocols in order, each
//! with its fields in order. Refuses: packets quoted inside ICMP. Source: Wireshark's PDML.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::facts::flow;

/// Ports of the lab on which tshark does not recognise what is spoken.
const DECODE_AS: &[&str] = &[
    "tcp.port==4242,dicom",
    "tcp.port==4243,dicom",
    "tcp.port==11112,dicom",
    "tcp.port==2575,hl7",
];

/// Packets that say something to compare.
const FILTER: &str = "dns || tls.handshake.type in {1, 2} || http || http2 || smb2 || kerberos || \
    ldap || cldap || smtp || ftp || ssh || dhcp || snmp || ntp || mqtt || quic || dicom || hl7 || \
    modbus || bacapp || rdp || radius";

/// Protocols whose fields are wanted.
const PROTOCOLS: &str = "ip ipv6 tcp udp dns tls http http2 smb2 kerberos ldap cldap smtp ftp ssh \
    dhcp snmp ntp mqtt quic dicom hl7 modbus bacapp rdp radius tpkt cotp t125";

/// Fields that are kept.
#[rustfmt::skip]
const FIELDS: &[&str] = &[
    "bacapp.confirmed_service", "bacapp.type", "bacapp.unconfirmed_service",
    "dhcp.hw.mac_addr", "dhcp.id", "dhcp.ip.your", "dhcp.option.dhcp", "dhcp.option.hostname",
    "dhcp.option.requested_ip_address", "dicom.assoc.ae.called", "dicom.assoc.ae.calling",
    "dicom.pdu.type", "dicom.pdv.len", "dns.flags.opcode", "dns.flags.rcode",
    "dns.flags.response", "dns.id", "dns.qry.name", "dns.qry.type", "ftp.request.arg",
    "ftp.request.command", "ftp.response.code", "hl7.segment", "http.host", "http.request.method",
    "http.request.uri", "http.response.code", "http2.headers.authority", "http2.headers.method",
    "http2.headers.path", "http2.headers.status", "http2.streamid", "ip.dst", "ip.src",
    "ipv6.dst", "ipv6.src", "kerberos.CNameString", "kerberos.SNameString", "kerberos.crealm",
    "kerberos.error_code", "kerberos.msg_type", "kerberos.realm", "kerberos.req_body_element",
    "ldap.LDAPMessage_element", "ldap.baseObject", "ldap.messageID", "ldap.name",
    "ldap.protocolOp", "ldap.resultCode", "modbus.func_code", "mqtt.clientid", "mqtt.msgtype",
    "mqtt.topic", "mqtt.ver", "mqtt.conack.val", "mqtt.conack.reason_code", "ntp.flags.mode",
    "ntp.flags.vn", "ntp.stratum", "quic.version", "radius.code", "radius.User_Name",
    "rdp.rt_cookie", "smb.nt.create_options.delete_on_close", "smb2.class", "smb2.cmd",
    "smb2.disposition.delete_on_close", "smb2.file_info.infolevel", "smb2.filename",
    "smb2.flags.response", "smb2.header_len", "smb2.msg_id", "smb2.nt_status", "smb2.tree",
    "smtp.req.command", "smtp.req.parameter", "smtp.response.code", "snmp.data", "snmp.version",
    "ssh.kex.hassh", "ssh.kex.hasshserver", "ssh.protocol", "tcp.dstport", "tcp.srcport",
    "tls.handshake.ciphersuite", "tls.handshake.extensions.supported_version",
    "tls.handshake.extensions_alpn_str", "tls.handshake.extensions_server_name",
    "tls.handshake.ja3", "tls.handshake.ja3s", "tls.handshake.type", "tls.handshake.version",
    "udp.dstport", "udp.srcport",
];

/// One field.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name, empty for an element of DICOM.
    pub(super) name: &'static str,
    /// Its value for filters.
    pub(super) show: String,
    /// Its line for people; of an element of DICOM its octets in hexadecimal.
    pub(super) title: String,
}

/// A protocol as it stands in a packet.
#[derive(Debug)]
pub(super) struct Proto {
    /// Its name.
    pub(super) name: String,
    /// The protocol that it stands in, when that is not the packet itself.
    pub(super) inside: Option<String>,
    /// Its fields, those of protocols inside left out.
    pub(super) fields: Vec<Field>,
}

impl Proto {
    /// The first value of a field, or nothing.
    pub(super) fn first(&self, name: &str) -> &str {
        first(&self.fields, name)
    }
}

/// The first value of a field among some, or nothing.
pub(super) fn first<'a>(fields: &'a [Field], name: &str) -> &'a str {
    let found = fields.iter().find(|field| field.name == name);
    found.map_or("", |field| field.show.as_str())
}

/// All values of a field among some.
pub(super) fn all<'a>(fields: &'a [Field], name: &str) -> Vec<&'a str> {
    let wanted = fields.iter().filter(|field| field.name == name);
    wanted.map(|field| field.show.as_str()).collect()
}

/// The fields of each message of a protocol; a message starts with the field `start`.
pub(super) fn messages<'a>(fields: &'a [Field], start: &str) -> Vec<&'a [Field]> {
    let starts = (0..fields.len()).filter(|at| fields[*at].name == start);
    let starts: Vec<usize> = starts.chain([fields.len()]).collect();
    starts
        .windows(2)
        .map(|pair| &fields[pair[0]..pair[1]])
        .collect()
}

/// One packet.
#[derive(Debug, Default)]
pub(super) struct Packet {
    /// `tcp` or `udp`.
    pub(super) transport: &'static str,
    /// Source address.
    pub(super) src: String,
    /// Destination address.
    pub(super) dst: String,
    /// Source port.
    pub(super) sport: String,
    /// Destination port.
    pub(super) dport: String,
    /// What is above the transport, in order.
    pub(super) protos: Vec<Proto>,
}

impl Packet {
    /// See [`flow`].
    pub(super) fn flow(&self) -> String {
        flow(
            self.transport,
            (&self.src, &self.sport),
            (&self.dst, &self.dport),
        )
    }
}

/// Counted up when what is asked of tshark changes: its answers are kept.
const VERSION: u32 = 1;

/// Shows each packet of a capture that says something. What tshark said is kept below `work`, under
/// `name`, for the next run; `medical` names the ports of the lab.
pub(super) fn read(
    capture: &Path,
    name: &str,
    medical: bool,
    work: &Path,
    mut each: impl FnMut(&Packet),
) -> Result<()> {
    let folder = work.join(format!("tshark-{VERSION}"));
    fs::create_dir_all(&folder)?;
    let kept = folder.join(format!("{}.pdml", name.replace('/', "__")));
    if !kept.exists() {
        let fresh = kept.with_extension("new");
        dissect(capture, medical, &fresh)?;
        fs::rename(&fresh, &kept)?;
    }
    let mut lines = BufReader::new(File::open(&kept)?);
    let mut reading = Reading::default();
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        reading.line(&String::from_utf8_lossy(&line), &mut each);
        line.clear();
    }
    Ok(())
}

/// tshark's description of a capture, the lines with fields that nobody asks for left out.
fn dissect(capture: &Path, medical: bool, out: &Path) -> Result<()> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-n").arg("-r").arg(capture);
    tshark.args([
        "-o",
        "tcp.reassemble_out_of_order:TRUE",
        "-o",
        "tls.keylog_file:",
    ]);
    for rule in DECODE_AS.iter().filter(|_| medical) {
        tshark.args(["-d", rule]);
    }
    tshark.args(["-Y", FILTER, "-T", "pdml", "-J", PROTOCOLS]);
    let mut tshark = tshark
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("tshark")?;
    let fields = FIELDS.join("|").replace('.', "\\.");
    let lines = format!(
        "^ *<(packet>|/packet>|/?proto|field name=\"({fields})\"|field name=\"\" .*show=\"\\(0000,)"
    );
    let mut grep = Command::new("grep")
        .args(["-aE", &lines])
        .stdin(tshark.stdout.take().context("a pipe")?)
        .stdout(File::create(out)?)
        .spawn()
        .context("grep")?;
    // tshark ends with an error on a capture that is cut, grep when nothing is said: what was said
    // counts.
    grep.wait()?;
    tshark.wait()?;
    Ok(())
}

#[derive(Default)]
struct Reading {
    packet: Packet,
    /// Places of the protocols that are open, in `packet.protos`.
    open: Vec<usize>,
    /// A packet is quoted in what follows.
    quoted: bool,
}

impl Reading {
    fn line(&mut self, line: &str, each: &mut impl FnMut(&Packet)) {
        let line = line.trim();
        if line.starts_with("<packet>") {
            *self = Self::default();
        } else if line.starts_with("</packet>") {
            each(&self.packet);
        } else if line.starts_with("<proto ") {
            self.proto(line);
        } else if line.starts_with("</proto>") {
            self.open.pop();
        } else if line.starts_with("<field ") && !self.quoted {
            self.field(line);
        }
    }

    fn proto(&mut self, line: &str) {
        let name = attribute(line, "name").unwrap_or_default();
        self.quoted |= matches!(name.as_str(), "icmp" | "icmpv6");
        match name.as_str() {
            "tcp" => self.packet.transport = "tcp",
            "udp" => self.packet.transport = "udp",
            _ => {}
        }
        let inside = self
            .open
            .last()
            .map(|at| self.packet.protos[*at].name.clone());
        if !line.ends_with("/>") {
            self.open.push(self.packet.protos.len());
        }
        self.packet.protos.push(Proto {
            name,
            inside,
            fields: Vec::new(),
        });
    }

    fn field(&mut self, line: &str) {
        let Some(name) = raw(line, "name") else {
            return;
        };
        let Some(at) = self.open.last() else { return };
        let proto = &mut self.packet.protos[*at];
        if name.is_empty() {
            if proto.name == "dicom" {
                let show = attribute(line, "show").unwrap_or_default();
                if show.starts_with("(0000,") {
                    let title = attribute(line, "value").unwrap_or_default();
                    proto.fields.push(Field {
                        name: "",
                        show,
                        title,
                    });
                }
            }
            return;
        }
        let Some(name) = FIELDS.iter().find(|known| **known == name) else {
            return;
        };
        let show = attribute(line, "show").unwrap_or_default();
        let slot = match *name {
            "ip.src" | "ipv6.src" => &mut self.packet.src,
            "ip.dst" | "ipv6.dst" => &mut self.packet.dst,
            "tcp.srcport" | "udp.srcport" => &mut self.packet.sport,
            "tcp.dstport" | "udp.dstport" => &mut self.packet.dport,
            _ => {
                let title = attribute(line, "showname").unwrap_or_default();
                proto.fields.push(Field { name, show, title });
                return;
            }
        };
        *slot = show;
    }
}

fn raw<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let start = line.find(&format!(" {name}=\""))? + name.len() + 3;
    let rest = line.get(start..)?;
    rest.get(..rest.find('"')?)
}

/// An attribute of an XML tag.
fn attribute(line: &str, name: &str) -> Option<String> {
    let value = raw(line, name)?;
    if !value.contains('&') {
        return Some(value.to_owned());
    }
    let plain = value
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    Some(
        plain
            .replace("&#x27;", "'")
            .replace("&apos;", "'")
            .replace("&amp;", "&"),
    )
}
