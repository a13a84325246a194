import { describe, expect, it } from "vitest";
import { fromTyped, moved, parseMoment, resolveWindow, typed } from "../src/lib/time";

const NOW = 1_800_000_000_000;

describe("time windows", () => {
  it("reads relative, absolute and ISO moments", () => {
    expect(parseMoment("now", NOW)).toBe(NOW);
    expect(parseMoment("now-24h", NOW)).toBe(NOW - 86_400_000);
    expect(parseMoment("now+5m", NOW)).toBe(NOW + 300_000);
    expect(parseMoment("1800000000000", NOW)).toBe(NOW);
    expect(parseMoment("2027-01-15T08:00:00Z", NOW)).toBe(NOW);
    for (const bad of ["", "yesterday", "now-", "now-5y", "12", "2027-99-99"]) {
      expect(parseMoment(bad, NOW)).toBeNull();
    }
  });

  it("falls back to the last 24 hours on nonsense", () => {
    for (const [from, to] of [
      ["x", "now"],
      ["now", "now-1h"],
      [undefined, undefined],
    ] as const) {
      const window = resolveWindow(from, to, NOW);
      expect([window.from, window.to]).toEqual(["now-24h", "now"]);
      expect(window.toMs - window.fromMs).toBe(86_400_000);
    }
  });

  it("moves by its own length", () => {
    const window = resolveWindow("now-1h", "now", NOW);
    const back = moved(window, -1);
    expect(back).toEqual({ from: String(NOW - 7_200_000), to: String(NOW - 3_600_000) });
    expect(resolveWindow(back.from, back.to, NOW).relative).toBe(false);
  });

  it("survives the date field", () => {
    for (const utc of [true, false]) {
      expect(fromTyped(typed(NOW, utc), utc)).toBe(NOW);
    }
    expect(typed(NOW, true)).toBe("2027-01-15 08:00:00");
    expect(fromTyped("2027-01-15 08:00", true)).toBe(NOW);
    expect(fromTyped("2027-01-15", true)).toBe(NOW - 8 * 3_600_000);
    for (const bad of ["", "15/01/2027", "2027-13-01", "2027-01-15 8:00", "2027-01-15 25:00"]) {
      expect(fromTyped(bad, true), bad).toBeNull();
    }
  });
});
