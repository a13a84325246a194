// Colours of event classes: the same class has the same colour on every chart.

const ORDER = [
  "network_activity",
  "http_activity",
  "dns_activity",
  "dhcp_activity",
  "smb_activity",
  "ssh_activity",
  "inventory_info",
  "medical_exchange_activity",
];

/** Number of the colour token, 1 to 9; 9 is "any other". */
export function classColour(name: string): number {
  const at = ORDER.indexOf(name);
  return at < 0 ? 9 : at + 1;
}

/** Medical exchanges first: what the hospital is about is never buried. */
export function classRank(name: string): number {
  if (name === "medical_exchange_activity") return -1;
  const at = ORDER.indexOf(name);
  return at < 0 ? ORDER.length : at;
}
