// Invented events and assets of a small hospital, for a console without a backend.
// A seeded generator: the same data at every start. No value stands for a real person or device.

const CLASSES = {
  network_activity: [4001, "Network Activity"],
  http_activity: [4002, "HTTP Activity"],
  dns_activity: [4003, "DNS Activity"],
  dhcp_activity: [4004, "DHCP Activity"],
  smb_activity: [4006, "SMB Activity"],
  ssh_activity: [4007, "SSH Activity"],
  inventory_info: [5001, "Device Inventory Info"],
  medical_exchange_activity: [99904001, "Medical Exchange Activity"],
};
export const CLASS_NAMES = Object.keys(CLASSES);

/** Small deterministic generator (mulberry32). */
function random(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ZONES = [
  ["imaging", "10.20.1", 24, ["dicom", "hl7v2", "dns"], ["CT", "MR", "US", "PACS", "WORKLIST"]],
  ["wards", "10.20.8", 90, ["http", "tls", "dns", "smb"], ["PC-CARDIO", "PC-URG", "PC-PED"]],
  ["lab", "10.20.3", 16, ["astm", "hl7v2", "dns"], ["ANALYSER", "LIS"]],
  ["servers", "10.20.0", 18, ["http", "smb", "dns", "ssh", "ldap"], ["EHR", "FILES", "DC"]],
  ["building", "10.20.6", 12, ["bacnet", "modbus"], ["HVAC", "LIFT", "BMS"]],
  ["guests", "10.20.40", 40, ["tls", "dns", "quic"], []],
];
export const ZONE_NAMES = [...ZONES.map(([name]) => name), "internet"];
const VENDORS = ["Siemens Healthineers", "GE HealthCare", "Dell Inc.", "HP Inc.", "Cisco Systems"];
const OUTSIDE = ["203.0.113.10", "203.0.113.77", "198.51.100.4", "198.51.100.23", "192.0.2.19"];

export function hospital(now) {
  const next = random(20261123);
  const pick = (list) => list[Math.floor(next() * list.length)];
  const assets = [];
  for (const [zone, net, count, speaks, names] of ZONES) {
    for (let i = 0; i < count; i += 1) assets.push(asset(zone, net, i, speaks, names));
  }

  function asset(zone, net, i, speaks, names) {
    const octet = () =>
      Math.floor(next() * 256)
        .toString(16)
        .padStart(2, "0");
    const mac = `02:${octet()}:${octet()}:${octet()}:${octet()}:${i.toString(16).padStart(2, "0")}`;
    const name = names.length > 0 && next() < 0.85 ? `${pick(names)}-${10 + i}` : null;
    const vendor = pick(VENDORS);
    const attributes = [{ name: "vendor", value: vendor, confidence: 60, source: "MAC prefix" }];
    if (name) {
      attributes.push({ name: "hostname", value: name, confidence: 90, source: "DHCP option 12" });
    }
    if (zone === "imaging") {
      const title = name ?? `AE${i}`;
      attributes.push({
        name: "ae_title",
        value: title,
        confidence: 95,
        source: "DICOM A-ASSOCIATE",
      });
      attributes.push({
        name: "model",
        value: "SOMATOM X",
        confidence: 80,
        source: "DICOM (0008,1090)",
      });
    }
    return {
      id: mac,
      ips: [`${net}.${10 + i}`],
      mac,
      vendor,
      names: name ? [name] : [],
      zone,
      role: zone === "imaging" ? "modality" : null,
      speaks,
      serves: zone === "servers" ? ["http/80", "smb/445"] : zone === "imaging" ? ["dicom/104"] : [],
      first_seen: now - Math.floor(next() * 20 * 86_400_000),
      last_seen: now - Math.floor(next() ** 4 * 86_400_000),
      peers: 1 + Math.floor(next() * 30),
      bytes: Math.floor(10 ** (3 + next() * 8)),
      attributes,
    };
  }

  const events = [];
  for (let i = 0; i < 6000; i += 1) events.push(event(i));
  events.sort((a, b) => b.time - a.time);

  function event(i) {
    const src = pick(assets);
    const outside = next() < 0.25;
    const peer = pick(assets);
    const dst = outside ? { ips: [pick(OUTSIDE)], zone: "internet", mac: null } : peer;
    const medical = src.zone === "imaging" || src.zone === "lab";
    const proto =
      medical && next() < 0.7 ? (src.zone === "lab" ? "hl7v2" : "dicom") : pick(src.speaks);
    return make(proto, src, dst, now - Math.floor(next() * 47 * 3_600_000), i);
  }

  function make(proto, src, dst, time, i) {
    const name =
      {
        dicom: "medical_exchange_activity",
        hl7v2: "medical_exchange_activity",
        astm: "medical_exchange_activity",
        http: "http_activity",
        dns: "dns_activity",
        smb: "smb_activity",
        ssh: "ssh_activity",
        dhcp: "dhcp_activity",
      }[proto] ?? "network_activity";
    const [class_uid, class_name] = CLASSES[name];
    return {
      class_uid,
      class_name,
      category_uid: 4,
      activity_id: 6,
      activity_name: "Traffic",
      time,
      severity_id: 1,
      status_id: 1,
      type_uid: class_uid * 100 + 6,
      metadata: {
        uid: `n1-${i.toString(16).padStart(8, "0")}`,
        version: "1.8.0",
        logged_time: time + 40,
        product: { name: "Vigie" },
        tenant_uid: "CHU Exemple",
      },
      src_endpoint: {
        ip: src.ips[0],
        port: 1024 + Math.floor(next() * 60000),
        mac: src.mac,
        zone: src.zone,
      },
      dst_endpoint: { ip: dst.ips[0], port: pick([53, 80, 104, 443, 445, 2575]), zone: dst.zone },
      connection_info: {
        uid: (i * 2654435761).toString(16).slice(-16),
        protocol_num: 6,
        direction_id: 2,
      },
      app_protocol_name: proto,
      ...body(proto),
    };
  }

  function body(proto) {
    if (proto === "dicom") {
      return {
        medical: {
          standard: "dicom",
          operation: pick(["C-STORE", "C-FIND", "C-ECHO"]),
          calling_ae: pick(["CT_SCAN_1", "IRM_2", "ECHO_4"]),
          called_ae: "PACS_PRINC",
          status: "0x0000",
          object_count: Math.floor(next() * 200),
          patient_token: Math.floor(next() * 2 ** 48)
            .toString(16)
            .padStart(16, "0"),
        },
      };
    }
    if (proto === "hl7v2" || proto === "astm") {
      return {
        medical: {
          standard: proto,
          operation: "MESSAGE",
          message_type: pick(["ADT", "ORU", "ORM"]),
          trigger: pick(["A01", "A08", "R01"]),
          sending_app: "SIL",
          receiving_app: "DPI",
          ack_code: "AA",
        },
      };
    }
    if (proto === "dns") {
      return {
        query: {
          hostname: pick(["dpi.chu.example", "ntp.example.net", "maj.example.org"]),
          type: pick(["A", "AAAA", "TXT"]),
        },
        rcode: pick(["NOERROR", "NOERROR", "NXDOMAIN"]),
      };
    }
    if (proto === "http") {
      return {
        http_request: {
          http_method: pick(["GET", "POST"]),
          url: { hostname: "dpi.chu.example", path: "/{6}/{12}" },
        },
        http_response: { code: pick([200, 200, 304, 500]) },
      };
    }
    if (proto === "smb")
      return { command: pick(["CREATE", "READ", "WRITE"]), share: "\\\\files\\{6}" };
    const bytes = Math.floor(10 ** (2 + next() * 6));
    return {
      traffic: { bytes, packets: Math.ceil(bytes / 900) },
      tls: { sni: "maj.example.org", version: "1.3" },
    };
  }

  return { assets, events };
}

export const FIELDS = [
  ["class", "text", "class_name", "Class, by its name in snake case or its identifier."],
  ["time", "time", "time", "When it happened."],
  ["uid", "text", "metadata.uid", "Identity of the event."],
  ["severity", "int", "severity_id", "OCSF severity: 1 informational to 6 fatal."],
  ["src_ip", "ip", "src_endpoint.ip", "Address of the endpoint that opened the conversation."],
  ["src_port", "int", "src_endpoint.port", "Port of the endpoint that opened the conversation."],
  ["src_mac", "mac", "src_endpoint.mac", "Hardware address of the frame's sender."],
  ["src_zone", "text", "src_endpoint.zone", "Zone of the source from the site's configuration."],
  ["dst_ip", "ip", "dst_endpoint.ip", "Address of the endpoint that answers."],
  ["dst_port", "int", "dst_endpoint.port", "Port of the endpoint that answers."],
  ["dst_zone", "text", "dst_endpoint.zone", "Zone of the destination."],
  ["flow", "text", "connection_info.uid", "Joins all events of one flow."],
  ["proto", "text", "app_protocol_name", "Application protocol recognised by content."],
  ["bytes", "int", "traffic.bytes", "Bytes on the wire in both directions.", "network_activity"],
  ["query", "text", "query.hostname", "Name asked for.", "dns_activity"],
  ["rcode", "text", "rcode", "Response code name.", "dns_activity"],
  ["http_code", "int", "http_response.code", "Status code of the answer.", "http_activity"],
  ["calling_ae", "text", "medical.calling_ae", "Calling AE title.", "medical_exchange_activity"],
  ["called_ae", "text", "medical.called_ae", "Called AE title.", "medical_exchange_activity"],
  ["med_operation", "text", "medical.operation", "Operation.", "medical_exchange_activity"],
  [
    "patient",
    "sensitive",
    "medical.patient_token",
    "Patient; a token.",
    "medical_exchange_activity",
  ],
].map(([column, kind, path, doc, only]) => ({
  column,
  kind,
  path,
  doc,
  classes: only ? [only] : [],
}));
