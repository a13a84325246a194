import { describe, expect, it } from "vitest";
import { formatHash, linkFrom, parseHash, segments } from "../src/lib/url";

describe("addresses", () => {
  it("survives the way to the URL and back, whatever stands in it", () => {
    const nasty = [
      'a AND b:"x y"',
      "10.0.0.0/8",
      "é&=#?+%",
      "bytes:>10MB",
      "<script>",
      "\\\\srv\\x",
    ];
    for (const q of nasty) {
      const route = { path: "/hunt", params: { from: "now-24h", to: "now", q } };
      expect(parseHash(formatHash(route))).toEqual(route);
    }
  });

  it("stays readable", () => {
    const hash = formatHash({ path: "/hunt", params: { q: "proto:dicom AND src_ip:10.0.0.0/8" } });
    expect(hash).toBe("#/hunt?q=proto:dicom+AND+src_ip:10.0.0.0/8");
  });

  it("takes an empty or broken fragment as the root", () => {
    expect(parseHash("")).toEqual({ path: "/", params: {} });
    expect(parseHash("#hunt")).toEqual({ path: "/hunt", params: {} });
    expect(parseHash("#/asset/%E0%A4%A")).toEqual({ path: "/asset/%E0%A4%A", params: {} });
    expect(segments("/asset/%E0%A4%A")).toEqual(["asset", "%E0%A4%A"]);
  });

  it("carries the time window and nothing else to another page", () => {
    const here = { path: "/hunt", params: { from: "1", to: "2", tz: "UTC", q: "x", cols: "a" } };
    expect(linkFrom(here, "/network")).toBe("#/network?from=1&to=2&tz=UTC");
    expect(linkFrom(here, "/hunt", { from: "", q: "y" })).toBe("#/hunt?to=2&tz=UTC&q=y");
  });

  it("decodes segments", () => {
    expect(segments("/asset/02%3Aaa%2Fbb")).toEqual(["asset", "02:aa/bb"]);
  });
});
