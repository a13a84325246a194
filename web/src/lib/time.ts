// Time windows: relative ("now-24h") or absolute (milliseconds), as they stand in the URL.
// Refuses: a window that ends before it begins, or a text that is no moment (null).

export interface Window {
  /** As written in the URL. */
  from: string;
  to: string;
  /** Resolved, milliseconds since 1970. */
  fromMs: number;
  toMs: number;
  relative: boolean;
}

const UNIT_MS: Record<string, number> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

export const DEFAULT_FROM = "now-24h";
export const DEFAULT_TO = "now";
export const PRESETS: readonly string[] = [
  "now-15m",
  "now-1h",
  "now-6h",
  "now-24h",
  "now-3d",
  "now-7d",
  "now-30d",
];
/** A window shorter than this cannot be read on a chart. */
export const WINDOW_MS_MIN = 1000;

export function parseMoment(text: string, now: number): number | null {
  const trimmed = text.trim();
  if (trimmed === "now") return now;
  const relative = /^now([+-])(\d{1,6})([smhdw])$/.exec(trimmed);
  if (relative) {
    const sign = relative[1] === "-" ? -1 : 1;
    return now + sign * Number(relative[2]) * (UNIT_MS[relative[3] ?? "s"] ?? 0);
  }
  if (/^\d{11,14}$/.test(trimmed)) return Number(trimmed);
  if (/^\d{4}-\d{2}-\d{2}/.test(trimmed)) {
    const ms = Date.parse(trimmed.includes("T") ? trimmed : trimmed.replace(" ", "T"));
    return Number.isNaN(ms) ? null : ms;
  }
  return null;
}

export function resolveWindow(from: string | undefined, to: string | undefined, now: number) {
  const fromText = from ?? DEFAULT_FROM;
  const toText = to ?? DEFAULT_TO;
  const fromMs = parseMoment(fromText, now);
  const toMs = parseMoment(toText, now);
  if (fromMs === null || toMs === null || toMs - fromMs < WINDOW_MS_MIN) {
    return plain(DEFAULT_FROM, DEFAULT_TO, now);
  }
  return plain(fromText, toText, now);
}

/** The same length, moved by whole lengths: `-1` is the window before. */
export function moved(window: Window, steps: number): { from: string; to: string } {
  const length = window.toMs - window.fromMs;
  return {
    from: String(Math.round(window.fromMs + steps * length)),
    to: String(Math.round(window.toMs + steps * length)),
  };
}

/** A moment as people type it: ISO date and 24-hour time, the same in every language. */
export function typed(ms: number, utc: boolean): string {
  const offset = utc ? 0 : new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - offset).toISOString().slice(0, 19).replace("T", " ");
}

/** The inverse of `typed`; the time, or its seconds, may be left out. */
export function fromTyped(text: string, utc: boolean): number | null {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?))?$/.exec(text.trim());
  if (!match) return null;
  const ms = Date.parse(`${match[1]}T${match[2] ?? "00:00"}${utc ? "Z" : ""}`);
  return Number.isNaN(ms) ? null : ms;
}

function plain(from: string, to: string, now: number): Window {
  return {
    from,
    to,
    fromMs: Math.round(parseMoment(from, now) ?? now),
    toMs: Math.round(parseMoment(to, now) ?? now),
    relative: from.startsWith("now") || to.startsWith("now"),
  };
}
