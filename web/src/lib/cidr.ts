// Prefixes as people type them: a first check before the server's own.
// Enters: text. Leaves: true when it is an IPv4 or IPv6 prefix or address.

export function isPrefix(text: string): boolean {
  const [address, length, extra] = text.trim().split("/");
  if (address === undefined || extra !== undefined) return false;
  const v4 = isV4(address);
  if (!v4 && !isV6(address)) return false;
  if (length === undefined) return true;
  return /^\d{1,3}$/.test(length) && Number(length) <= (v4 ? 32 : 128);
}

/** Prefixes of a free text: separated by spaces, commas or lines. */
export function prefixes(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}

function isV4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}

function isV6(text: string): boolean {
  if (!/^[0-9a-f:.]+$/i.test(text) || !text.includes(":")) return false;
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => half.split(":").filter(Boolean));
  const last = groups[groups.length - 1] ?? "";
  const mapped = last.includes(".");
  if (mapped && !isV4(last)) return false;
  const plain = mapped ? groups.slice(0, -1) : groups;
  if (!plain.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  const count = plain.length + (mapped ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}
