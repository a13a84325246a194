import { describe, expect, it } from "vitest";
import type { Ego, Sankey } from "../src/api/types";
import { csv } from "../src/lib/csv";
import { isPrefix, prefixes } from "../src/lib/cidr";
import { captureState, troubles } from "../src/lib/health";
import { valueAt } from "../src/lib/ocsf";
import { layout } from "../src/lib/sankey";
import { NODES_MAX, tree } from "../src/lib/tree";

describe("sankey", () => {
  const data: Sankey = {
    nodes: [
      { id: "a", label: "a", layer: 0 },
      { id: "b", label: "b", layer: 1 },
      { id: "c", label: "c", layer: 1 },
      { id: "lone", label: "lone", layer: 1 },
    ],
    links: [
      { source: "a", target: "b", value: 300 },
      { source: "a", target: "c", value: 100 },
      { source: "a", target: "unknown", value: 900 },
    ],
    other: 0,
  };

  it("keeps heights in proportion and leaves out what has no flow", () => {
    const plan = layout(data, 500, 400);
    const height = (id: string) => plan.boxes.find((box) => box.id === id)?.height ?? 0;
    expect(height("b") / height("c")).toBeCloseTo(3);
    expect(height("a")).toBeCloseTo(height("b") + height("c"));
    expect(plan.boxes.map((box) => box.id)).not.toContain("lone");
    expect(plan.ribbons).toHaveLength(2);
  });

  it("draws nothing from nothing", () => {
    expect(layout({ nodes: [], links: [], other: 0 }, 500, 400).ribbons).toEqual([]);
  });
});

describe("tree", () => {
  const star = (count: number): Ego => ({
    center: "c",
    nodes: [
      { id: "c", label: "c", kind: "asset", zone: null, count: 1 },
      ...Array.from({ length: count }, (_, i) => ({
        id: `n${i}`,
        label: `n${i}`,
        kind: "asset" as const,
        zone: null,
        count: 1,
      })),
    ],
    edges: Array.from({ length: count }, (_, i) => ({
      source: "c",
      target: `n${i}`,
      proto: "dns",
      bytes: 1,
      flows: 1,
      first: count - i,
      last: 9,
    })),
  });

  it("puts the oldest contact first", () => {
    const { placed } = tree(star(3));
    expect(placed.map((one) => one.node.id)).toEqual(["c", "n2", "n1", "n0"]);
  });

  it("folds what is beyond the limit into a counted group", () => {
    const { placed } = tree(star(100));
    expect(placed.length).toBe(NODES_MAX);
    const group = placed.find((one) => one.node.kind === "group");
    expect(group?.node.count).toBe(100 - (NODES_MAX - 2));
  });

  it("survives cycles and a centre without edges", () => {
    const ego = star(2);
    ego.edges.push({
      source: "n0",
      target: "n1",
      proto: "x",
      bytes: 1,
      flows: 1,
      first: 1,
      last: 1,
    });
    ego.edges.push({
      source: "n1",
      target: "c",
      proto: "x",
      bytes: 1,
      flows: 1,
      first: 1,
      last: 1,
    });
    expect(tree(ego).placed).toHaveLength(3);
    expect(tree({ center: "x", nodes: [], edges: [] }).placed).toHaveLength(1);
  });
});

describe("csv", () => {
  it("quotes, and disarms formulas", () => {
    expect(
      csv(
        ["a", "b"],
        [
          ['x "y"', "=1+1"],
          [3, null],
        ],
      ),
    ).toBe('a,b\r\n"x ""y""",\'=1+1\r\n3,\r\n');
  });
});

describe("prefixes", () => {
  it("knows IPv4 and IPv6", () => {
    for (const good of ["10.0.0.0/8", "10.1.2.3", "2001:db8::/32", "::1", "::ffff:10.0.0.1/128"]) {
      expect(isPrefix(good), good).toBe(true);
    }
    for (const bad of [
      "10.0.0/8",
      "10.0.0.0/33",
      "300.0.0.1",
      "2001:db8::/129",
      "a::b::c",
      "",
      "x",
    ]) {
      expect(isPrefix(bad), bad).toBe(false);
    }
    expect(prefixes(" 10.0.0.0/8,  fe80::/10;\n")).toEqual(["10.0.0.0/8", "fe80::/10"]);
  });
});

describe("health", () => {
  const capture = {
    interface: "e",
    packets: 99,
    bytes: 1,
    dropped: 0,
    last_packet: 1000,
    error: null,
  };
  it("tells silent, dropping and failed captures apart", () => {
    expect(captureState(capture, 1500)).toBe("ok");
    expect(captureState(capture, 100_000)).toBe("silent");
    expect(captureState({ ...capture, last_packet: null }, 1500)).toBe("silent");
    expect(captureState({ ...capture, dropped: 5 }, 1500)).toBe("drops");
    expect(captureState({ ...capture, error: "x" }, 1500)).toBe("error");
  });

  it("calls an installation without captures in trouble", () => {
    const storage = {
      events: 0,
      segments: 0,
      segment_bytes: 0,
      wal_bytes: 0,
      capacity_bytes: 0,
      free_bytes: 0,
      oldest: null,
      forecast_days: null,
    };
    const status = {
      version: "",
      site: "",
      roles: [],
      captures: [],
      queues: [],
      storage,
      zones: [],
      interfaces: [],
    };
    expect(troubles(status, 0).map((trouble) => trouble.code)).toEqual(["no_capture"]);
  });
});

describe("paths", () => {
  it("walks objects and lists", () => {
    const event = { a: { b: 1 }, list: [{ x: 1 }, { x: 2 }] };
    expect(valueAt(event, "a.b")).toBe(1);
    expect(valueAt(event, "list[].x")).toEqual([1, 2]);
    expect(valueAt(event, "a.b.c")).toBeUndefined();
    expect(valueAt(null, "a")).toBeUndefined();
  });
});
