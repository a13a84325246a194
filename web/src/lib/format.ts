// Numbers, bytes, dates in the person's language. 24-hour clock everywhere.
// Enters: plain values. Leaves: text for people. Refuses: nothing; absent values become a dash.

export type Language = "fr" | "en";

export interface Style {
  language: Language;
  utc: boolean;
}

export const ABSENT = "–";

const LOCALE: Record<Language, string> = { fr: "fr-FR", en: "en-GB" };
const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
/** Below this many units of the next size, the smaller unit is kept. */
const STEP = 1000;

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>();

function cached<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(
  key: string,
  make: () => T,
): T {
  const known = cache.get(key);
  if (known) return known as T;
  const made = make();
  cache.set(key, made);
  return made;
}

export function number(style: Style, value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  return cached(
    `n${style.language}${digits}`,
    () => new Intl.NumberFormat(LOCALE[style.language], { maximumFractionDigits: digits }),
  ).format(value);
}

export function compact(style: Style, value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  if (Math.abs(value) < 10_000) return number(style, value);
  return cached(
    `c${style.language}`,
    () =>
      new Intl.NumberFormat(LOCALE[style.language], {
        notation: "compact",
        maximumFractionDigits: 1,
      }),
  ).format(value);
}

export function ratio(style: Style, value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  // 99.97 % must not read "100 %": loss is never rounded away.
  const shown = value < 1 ? Math.min(value, 1 - 10 ** -(digits + 2)) : 1;
  return cached(
    `p${style.language}${digits}`,
    () =>
      new Intl.NumberFormat(LOCALE[style.language], {
        style: "percent",
        maximumFractionDigits: digits,
        roundingMode: "trunc",
      } as Intl.NumberFormatOptions),
  ).format(shown);
}

export function bytes(style: Style, value: number | null | undefined, perSecond = false): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return ABSENT;
  let scaled = value;
  let at = 0;
  while (Math.abs(scaled) >= STEP && at < BYTE_UNITS.length - 1) {
    scaled /= STEP;
    at += 1;
  }
  const unit = BYTE_UNITS[at] ?? "byte";
  const digits = at === 0 || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
  return cached(
    `b${style.language}${unit}${digits}${perSecond}`,
    () =>
      new Intl.NumberFormat(LOCALE[style.language], {
        style: "unit",
        unit: perSecond ? `${unit}-per-second` : unit,
        unitDisplay: unit === "byte" && !perSecond ? "narrow" : "short",
        maximumFractionDigits: digits,
      }),
  ).format(scaled);
}

function dates(style: Style, name: string, options: Intl.DateTimeFormatOptions) {
  return cached(
    `d${style.language}${style.utc}${name}`,
    () =>
      new Intl.DateTimeFormat(LOCALE[style.language], {
        hourCycle: "h23",
        ...(style.utc ? { timeZone: "UTC" } : {}),
        ...options,
      }),
  );
}

export function dateTime(style: Style, ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return ABSENT;
  return dates(style, "full", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  }).format(ms);
}

export function shortDateTime(style: Style, ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return ABSENT;
  return dates(style, "short", {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  }).format(ms);
}

/** Time of day with milliseconds: the column of an event table. */
export function clock(style: Style, ms: number, withDay: boolean): string {
  const day: Intl.DateTimeFormatOptions = withDay ? { month: "2-digit", day: "2-digit" } : {};
  return dates(style, withDay ? "clockday" : "clock", {
    ...day,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
  }).format(ms);
}

/** The label of an axis: hours within two days, days beyond. */
export function axisTime(style: Style, ms: number, spanMs: number): string {
  const long = spanMs > 2 * 86_400_000;
  return long
    ? dates(style, "axisday", { day: "numeric", month: "short" }).format(ms)
    : dates(style, "axishour", { hour: "2-digit", minute: "2-digit" }).format(ms);
}

const SPANS: readonly [number, Intl.RelativeTimeFormatUnit][] = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1000, "second"],
];

export function ago(style: Style, ms: number | null | undefined, now: number): string {
  if (ms === null || ms === undefined) return ABSENT;
  const delta = ms - now;
  const [size, unit] = SPANS.find(([size]) => Math.abs(delta) >= size) ?? [1000, "second"];
  return cached(
    `r${style.language}`,
    () => new Intl.RelativeTimeFormat(LOCALE[style.language], { numeric: "auto", style: "short" }),
  ).format(Math.trunc(delta / size), unit);
}

/** A length of time: "24 h", "7 j", "350 ms". */
export function duration(style: Style, ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return ABSENT;
  if (ms < 1000) return `${number(style, ms)} ms`;
  const day = style.language === "fr" ? "j" : "d";
  if (ms < 60_000) return `${number(style, ms / 1000, 1)} s`;
  if (ms < 3_600_000) return `${number(style, ms / 60_000, 0)} min`;
  if (ms < 2 * 86_400_000) return `${number(style, ms / 3_600_000, 1)} h`;
  return `${number(style, ms / 86_400_000, 1)} ${day}`;
}
