// Reading OCSF JSON by the paths of the field list.
// Enters: an event, a path such as `answers[].rdata`. Leaves: plain values. Refuses: nothing.

import type { OcsfEvent, SearchField } from "../api/types";

export function valueAt(event: unknown, path: string): unknown {
  let at: unknown = event;
  const parts = path.split(".");
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i] ?? "";
    if (at === null || typeof at !== "object") return undefined;
    if (part.endsWith("[]")) {
      const list = (at as Record<string, unknown>)[part.slice(0, -2)];
      if (!Array.isArray(list)) return undefined;
      const rest = parts.slice(i + 1).join(".");
      return rest === "" ? list : list.map((item) => valueAt(item, rest));
    }
    at = (at as Record<string, unknown>)[part];
  }
  return at;
}

/** A value as one line of text; lists are joined. */
export function lineOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(lineOf).filter(Boolean).join(", ");
  if (typeof value === "object") return JSON.stringify(value);
  return String(value);
}

const CLASS_BY_UID: Record<number, string> = {
  4001: "network_activity",
  4002: "http_activity",
  4003: "dns_activity",
  4004: "dhcp_activity",
  4006: "smb_activity",
  4007: "ssh_activity",
  5001: "inventory_info",
  99904001: "medical_exchange_activity",
};

/** The class of an event by the name that queries use. */
export function classOf(event: OcsfEvent): string {
  const known = CLASS_BY_UID[Number(event["class_uid"])];
  return known ?? classNamed(lineOf(event["class_name"]));
}

/** The name that queries use of the caption that events carry. */
export function classNamed(caption: string): string {
  const name = caption.toLowerCase().replace(/\s+/g, "_");
  return name === "device_inventory_info" ? "inventory_info" : name || "unknown";
}

export function uidOf(event: OcsfEvent): string {
  return lineOf(valueAt(event, "metadata.uid"));
}

export function timeOf(event: OcsfEvent): number {
  return Number(event["time"] ?? 0);
}

/** What matters most of an event, in one line: the protocol's own words, so not translated. */
export function summary(event: OcsfEvent): string {
  const paths = SUMMARY[classOf(event)] ?? ["status_code", "message"];
  return paths
    .map((path) => lineOf(valueAt(event, path)))
    .filter(Boolean)
    .join(" · ");
}

const SUMMARY: Record<string, string[]> = {
  network_activity: ["tls.sni", "tls.version", "unmapped.tls.alpn", "unmapped.flow.end_reason"],
  http_activity: [
    "http_request.http_method",
    "http_request.url.hostname",
    "http_request.url.path",
    "http_response.code",
  ],
  dns_activity: ["query.type", "query.hostname", "rcode", "answers[].rdata"],
  dhcp_activity: ["activity_name", "unmapped.dhcp.host_name", "unmapped.dhcp.client_ip"],
  smb_activity: ["command", "share", "file.path", "dialect"],
  ssh_activity: ["unmapped.ssh.client_software", "unmapped.ssh.server_software"],
  inventory_info: ["device.hostname", "device.vendor_name", "device.model"],
  medical_exchange_activity: [
    "medical.operation",
    "medical.message_type",
    "medical.trigger",
    "medical.calling_ae",
    "medical.called_ae",
    "medical.sending_app",
    "medical.receiving_app",
    "medical.status",
    "medical.ack_code",
  ],
};

/** Fields of the list that this event has, with their values. */
export function fieldsOf(event: OcsfEvent, fields: SearchField[]) {
  const name = classOf(event);
  return fields
    .filter((field) => field.classes.length === 0 || field.classes.includes(name))
    .map((field) => ({
      field,
      value: field.column === "class" ? classOf(event) : valueAt(event, field.path),
    }))
    .filter(({ value }) => value !== undefined && value !== null && lineOf(value) !== "");
}

/** Columns whose values name an asset or a destination. */
export function isEntity(column: string, value: string): boolean {
  if (/(^|_)(ip|mac|ips)$/.test(column) || column === "asset" || column === "relay") return true;
  return /^(\d{1,3}\.){3}\d{1,3}$/.test(value);
}
