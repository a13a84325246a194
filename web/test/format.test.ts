import { describe, expect, it } from "vitest";
import * as format from "../src/lib/format";

const fr = { language: "fr", utc: true } as const;
const en = { language: "en", utc: true } as const;
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

describe("formatting", () => {
  it("writes numbers and bytes as the language does", () => {
    expect(plain(format.number(fr, 1234567.5, 1))).toBe("1 234 567,5");
    expect(format.number(en, 1234567.5, 1)).toBe("1,234,567.5");
    expect(plain(format.bytes(fr, 1_500_000_000))).toBe("1,5 Go");
    expect(plain(format.bytes(en, 1_500_000_000))).toBe("1.5 GB");
    expect(plain(format.bytes(fr, 999))).toMatch(/^999 ?o$/);
    expect(plain(format.bytes(fr, 25_000_000, true))).toBe("25 Mo/s");
  });

  it("shows a dash for what is absent", () => {
    for (const value of [null, undefined, Number.NaN, Infinity]) {
      expect(format.number(fr, value)).toBe(format.ABSENT);
      expect(format.bytes(fr, value)).toBe(format.ABSENT);
      expect(format.ratio(fr, value)).toBe(format.ABSENT);
    }
  });

  it("never rounds loss away", () => {
    expect(plain(format.ratio(fr, 1))).toBe("100 %");
    expect(plain(format.ratio(fr, 0.99999))).toBe("99,9 %");
    expect(plain(format.ratio(en, 0.99949))).toBe("99.9%");
  });

  it("uses a 24-hour clock", () => {
    const night = Date.UTC(2026, 0, 2, 0, 5, 9, 7);
    const evening = Date.UTC(2026, 0, 2, 23, 5, 9);
    expect(format.dateTime(fr, night)).toContain("00:05:09");
    expect(format.dateTime(en, evening)).toContain("23:05:09");
    expect(format.clock(fr, night, false)).toBe("00:05:09,007");
    expect(format.axisTime(en, evening, 3_600_000)).toBe("23:05");
  });

  it("writes lengths of time", () => {
    expect(format.duration(fr, 86_400_000)).toBe("24 h");
    expect(format.duration(fr, 7 * 86_400_000)).toBe("7 j");
    expect(format.duration(en, 7 * 86_400_000)).toBe("7 d");
    expect(format.duration(fr, 350)).toBe("350 ms");
  });

  it("says how long ago", () => {
    expect(plain(format.ago(fr, 0, 37 * 60_000))).toContain("37");
    expect(format.ago(fr, null, 0)).toBe(format.ABSENT);
  });
});
