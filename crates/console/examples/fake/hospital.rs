//! The made-up hospital: twenty machines and what they say to each other.
//!
//! Enters: the time. Leaves: masked events, always the same for one seed.

use model::class::{Body, Dhcp, Dns, Http, Inventory, Medical, Network, Smb, Ssh};
use model::{Connection, Event, EventUid, Meta, Millis, NodeId, Sensitive, SiteKey};

use crate::fleet::{HABITS, OUTSIDE, address, mac, machine_of, zone};

const NAMES: [&str; 6] = ["Lefèvre", "Durand", "Moreau", "Petit", "Girard", "Bonnet"];

/// A small generator with a fixed seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides.max(1)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let at = usize::try_from(self.roll(from.len() as u64)).unwrap_or(0);
        *from
            .get(at)
            .or(from.first())
            .unwrap_or_else(|| unreachable_list())
    }
}

#[expect(clippy::panic, reason = "the lists of this example are not empty")]
fn unreachable_list() -> ! {
    panic!("empty list")
}

/// Traffic from now on.
pub(crate) struct Live {
    dice: Dice,
    key: SiteKey,
    seq: u64,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            dice: Dice(0x5eed_0000_cafe),
            key: SiteKey::new([7; 32]),
            seq: 1 << 40,
        }
    }
}

/// Two days of events before `now`, oldest first.
pub(crate) fn history(now: Millis) -> Vec<Event> {
    let mut live = Live {
        dice: Dice(0x5eed_1234_5678),
        ..Live::default()
    };
    let mut out = Vec::new();
    let mut t = now.0 - 50 * 3_600_000;
    while t < now.0 {
        let hour = t.rem_euclid(86_400_000) / 3_600_000;
        let pace = if (6..18).contains(&hour) {
            22_000
        } else {
            70_000
        };
        t += i64::try_from(live.dice.roll(pace)).unwrap_or(0);
        out.push(live.next(Millis(t.min(now.0))));
    }
    out
}

impl Live {
    /// The next event, masked.
    pub(crate) fn next(&mut self, time: Millis) -> Event {
        self.seq += 1;
        let habits: Vec<usize> = HABITS
            .iter()
            .enumerate()
            .flat_map(|(at, habit)| std::iter::repeat_n(at, habit.4 as usize))
            .collect();
        let at = self.dice.pick(&habits);
        let (client, server, proto, port, _) = HABITS.get(at).copied().unwrap_or(HABITS[0]);
        let mut meta = Meta {
            uid: EventUid {
                node: NodeId(1),
                seq: self.seq,
            },
            time,
            logged_time: Millis(time.0 + 40),
            site: "CH Exemple".into(),
            activity: 6,
            severity: 1,
            status: 1,
            ..Meta::default()
        };
        let kind = self.dice.roll(100);
        let body: Body = match proto {
            _ if kind < 45 => self.flow(&mut meta, proto).into(),
            _ if kind == 45 => return self.inventory(meta, client),
            _ if kind == 46 => return self.dhcp(meta, client),
            "dns" => self.dns(&mut meta).into(),
            "http" => self.http(&mut meta).into(),
            "smb" => self.smb(&mut meta).into(),
            "ssh" => ssh(&mut meta).into(),
            "dicom" => self.dicom(&mut meta, client).into(),
            "hl7v2" => self.hl7(&mut meta).into(),
            _ => tls(&mut meta, server).into(),
        };
        let connection = self.connection(client, server, proto, port);
        self.masked(meta, Some(connection), body)
    }

    fn masked(&self, meta: Meta, connection: Option<Connection>, body: Body) -> Event {
        let mut event = Event {
            meta,
            connection: connection.map(Box::new),
            body,
        };
        let _ = event.mask(&self.key);
        event
    }

    fn connection(&mut self, client: usize, server: usize, proto: &str, port: u16) -> Connection {
        let flow = self.dice.roll(u64::MAX);
        Connection {
            src_ip: address(client),
            src_port: u16::try_from(49_152 + self.dice.roll(16_000)).ok(),
            src_mac: Some(mac(client)),
            src_zone: zone(client).map(Into::into),
            dst_ip: address(server),
            dst_port: Some(port),
            dst_mac: Some(mac(server.min(19))),
            dst_zone: zone(server).map(Into::into),
            flow: Some(format!("{flow:016x}").into()),
            protocol: if proto == "dns" { 17 } else { 6 },
            direction: if server >= 20 { 2 } else { 3 },
            app: proto.to_owned().into(),
            ..Connection::default()
        }
    }

    fn flow(&mut self, meta: &mut Meta, proto: &str) -> Network {
        let scale = match proto {
            "dicom" => 40_000_000,
            "smb" => 6_000_000,
            "dns" => 900,
            _ => 300_000,
        };
        let out = 200 + self.dice.roll(scale);
        let back = 200 + self.dice.roll(scale / 4);
        let length = i64::try_from(self.dice.roll(30_000)).unwrap_or(0);
        meta.activity = 2;
        Network {
            about: "flow".into(),
            duration_ms: Some(length),
            start: Some(Millis(meta.time.0 - length)),
            end: Some(meta.time),
            bytes: Some(out + back),
            bytes_in: Some(back),
            bytes_out: Some(out),
            packets: Some((out + back) / 900 + 4),
            packets_in: Some(back / 900 + 2),
            packets_out: Some(out / 900 + 2),
            end_reason: Some("closed".into()),
            ..Network::default()
        }
    }

    fn dns(&mut self, meta: &mut Meta) -> Dns {
        let (name, ip) = self.dice.pick(&OUTSIDE);
        let missing = self.dice.roll(9) == 0;
        meta.activity = 2;
        meta.status = if missing { 2 } else { 1 };
        meta.status_code = Some(if missing { "NXDOMAIN" } else { "NOERROR" }.into());
        Dns {
            query: Some(name.into()),
            query_type: Some("A".into()),
            query_class: Some("IN".into()),
            answer_data: if missing { Vec::new() } else { vec![ip.into()] },
            answer_type: if missing {
                Vec::new()
            } else {
                vec!["A".into()]
            },
            answer_ttl: if missing { Vec::new() } else { vec![300] },
            rcode: Some(if missing { 3 } else { 0 }),
            rcode_name: meta.status_code.clone(),
            ..Dns::default()
        }
    }

    fn http(&mut self, meta: &mut Meta) -> Http {
        let code: u16 = self.dice.pick(&[200, 200, 200, 200, 304, 401, 404, 500]);
        meta.activity = 3;
        meta.status = if code < 400 { 1 } else { 2 };
        meta.status_code = Some(code.to_string().into());
        let patient = 10_000 + self.dice.roll(90_000);
        Http {
            method: Some("GET".into()),
            version: Some("1.1".into()),
            host: Some("dpi.ch-exemple.invalid".into()),
            path: Some(Sensitive::path(&format!("/fhir/Patient/{patient}"))),
            user_agent: Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64)".into()),
            code: Some(code),
            content_type: Some("application/fhir+json".into()),
            response_bytes: Some(400 + self.dice.roll(20_000)),
            latency_ms: Some(8),
            ..Http::default()
        }
    }

    fn smb(&mut self, meta: &mut Meta) -> Smb {
        let name = self.dice.pick(&NAMES);
        meta.activity = 2;
        Smb {
            command: "CREATE".into(),
            dialect: Some("3.1.1".into()),
            share: Some(Sensitive::path(r"\\fichiers-01\services")),
            share_type: Some("disk".into()),
            file: Some(Sensitive::path(&format!(
                r"\cardiologie\2026\{name}-courrier.docx"
            ))),
            file_bytes: Some(20_000 + self.dice.roll(100_000)),
            user: Some(Sensitive::text(&format!(r"CH\{name}"))),
            signed: Some(true),
            encrypted: Some(false),
            ..Smb::default()
        }
    }

    fn dicom(&mut self, meta: &mut Meta, client: usize) -> Medical {
        let (operation, activity) =
            self.dice
                .pick(&[("C-STORE", 3), ("C-STORE", 3), ("C-FIND", 4), ("C-ECHO", 2)]);
        meta.activity = activity;
        meta.status_code = Some("0x0000".into());
        let patient = 100_000 + self.dice.roll(900_000);
        Medical {
            standard: "dicom".into(),
            operation: Some(operation.into()),
            calling_ae: ["PACS", "CT1", "MR1", "US3", "RADIO2"]
                .get(client)
                .map(|ae| (*ae).into()),
            called_ae: Some("PACS".into()),
            status: Some("0x0000".into()),
            object_count: Some(1),
            bytes: Some(524_288),
            modality: Some("CT".into()),
            patient: Some(Sensitive::patient("CHEX", &patient.to_string())),
            patient_name: Some(Sensitive::text(self.dice.pick(&NAMES))),
            ..Medical::default()
        }
    }

    fn hl7(&mut self, meta: &mut Meta) -> Medical {
        let (kind, trigger) = self.dice.pick(&[
            ("ADT", "A01"),
            ("ADT", "A08"),
            ("ORU", "R01"),
            ("ORM", "O01"),
        ]);
        let refused = self.dice.roll(25) == 0;
        meta.activity = 6;
        meta.status = if refused { 2 } else { 1 };
        let patient = 100_000 + self.dice.roll(900_000);
        Medical {
            standard: "hl7v2".into(),
            operation: Some("MESSAGE".into()),
            message_type: Some(kind.into()),
            trigger: Some(trigger.into()),
            control_id: Some(format!("M{}", self.seq).into()),
            ack_code: Some(if refused { "AE" } else { "AA" }.into()),
            ack_delay_ms: Some(i64::try_from(self.dice.roll(90)).unwrap_or(0)),
            sending_app: Some("DPI".into()),
            sending_facility: Some("CHEX".into()),
            receiving_app: Some("LABO".into()),
            receiving_facility: Some("CHEX".into()),
            patient: Some(Sensitive::patient("CHEX", &patient.to_string())),
            version: Some("2.5".into()),
            processing_id: Some("P".into()),
            ..Medical::default()
        }
    }

    fn inventory(&self, mut meta: Meta, machine: usize) -> Event {
        let (name, ip, _, role, vendor, _, _) = *machine_of(machine);
        meta.activity = 2;
        let body = Inventory {
            asset: mac(machine).to_string().into(),
            ip: ip.parse().ok(),
            mac: Some(mac(machine)),
            hostname: Some(name.into()),
            vendor: Some(vendor.into()),
            role: Some(role.into()),
            last_seen: Some(meta.time),
            provenance_attribute: vec!["hostname".into()],
            provenance_value: vec![name.into()],
            provenance_confidence: vec![90],
            provenance_source: vec!["DHCP option 12".into()],
            ..Inventory::default()
        };
        self.masked(meta, None, body.into())
    }

    fn dhcp(&mut self, mut meta: Meta, machine: usize) -> Event {
        meta.activity = 5;
        let body = Dhcp {
            transaction: Some(format!("{:08x}", self.dice.roll(u64::from(u32::MAX))).into()),
            lease_s: Some(28_800),
            client_mac: Some(mac(machine)),
            client_ip: address(machine),
            server_ip: address(8),
            host_name: Some(machine_of(machine).0.into()),
            vendor_class: Some("MSFT 5.0".into()),
            parameters: vec![1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252],
            ..Dhcp::default()
        };
        let connection = self.connection(8, machine, "dhcp", 68);
        self.masked(meta, Some(connection), body.into())
    }
}

fn ssh(meta: &mut Meta) -> Ssh {
    meta.activity = 1;
    Ssh {
        version: Some("2.0".into()),
        hassh: Some("ec7378c1a92f5a8dde7e8b7a1ddf33d1".into()),
        client_software: Some("OpenSSH_9.6".into()),
        server_software: Some("OpenSSH_9.2p1 Debian-2".into()),
        encrypted: Some(true),
        ..Ssh::default()
    }
}

fn tls(meta: &mut Meta, server: usize) -> Network {
    meta.activity = 6;
    let name = OUTSIDE
        .get(server.saturating_sub(20))
        .map_or("", |(name, _)| name);
    Network {
        about: "tls".into(),
        tls_version: Some("1.3".into()),
        tls_cipher: Some("TLS_AES_128_GCM_SHA256".into()),
        tls_sni: Some(name.into()),
        tls_ja4: Some("t13d1516h2_8daaf6152771_02713d6af862".into()),
        tls_alpn: Some("h2".into()),
        tls_established: Some(true),
        ..Network::default()
    }
}
