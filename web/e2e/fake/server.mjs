// A console without a backend: the contract of `/api/v1` over invented data, with the same strict
// content security policy. For looking at screens and for tests of the web UI alone.
// node e2e/fake/server.mjs [PORT]   prints the address and the one-time token.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { CLASS_NAMES, FIELDS, hospital, ZONE_NAMES } from "./data.mjs";
import { classOf, compile, QueryError, valueAt } from "./search.mjs";

const DIST = join(fileURLToPath(new URL(".", import.meta.url)), "../../dist");
const NOW = Date.now();
const { assets, events } = hospital(NOW);
const TOKEN = "one-time-token";
const state = {
  users: new Map(),
  sessions: new Map(),
  zones: [
    ["imaging", ["10.20.1.0/24"]],
    ["wards", ["10.20.8.0/24"]],
  ],
  trail: [],
};
const storage = {
  events: 41_283_112,
  segments: 1204,
  segment_bytes: 1.82e9,
  wal_bytes: 4.1e7,
  capacity_bytes: 2e11,
  free_bytes: 1.5e11,
  oldest: NOW - 19 * 86_400_000,
  forecast_days: 214.3,
};

function status() {
  const now = Date.now();
  const silent = process.env.FAKE_SILENT !== "0";
  const capture = (name, packets, dropped, last, error = null) => ({
    interface: name,
    packets,
    bytes: packets * 731,
    dropped,
    last_packet: last,
    error,
  });
  const role = (name, memory) => ({
    role: name,
    pid: 4100 + name.length,
    state: "running",
    restarts: 0,
    memory_bytes: memory,
    since: NOW - 7e6,
  });
  return {
    version: "0.1.0",
    site: "CHU Exemple",
    roles: [role("sensor", 4.1e8), role("core", 9.3e8), role("worker", 6.2e7)],
    captures: [
      capture("eth1", 918_220_114, 2_113_004, now - 40),
      ...(silent ? [capture("eth2", 1_204_551, 0, now - 37 * 60_000)] : []),
    ],
    queues: [
      { name: "sensor.events", capacity: 65536, depth: 812, dropped: 0, policy: "drop_newest" },
      { name: "store.ingest", capacity: 4096, depth: 3700, dropped: 112, policy: "block" },
    ],
    storage,
    zones: state.zones,
    interfaces: ["eth1", "eth2", "lo"],
  };
}

function matching(params) {
  const test = compile(params.get("q") ?? "", FIELDS);
  const from = Number(params.get("from") ?? NOW - 86_400_000);
  const to = Number(params.get("to") ?? Date.now());
  const before = Number(params.get("before") ?? Infinity);
  const uid = params.get("before_uid") ?? "";
  const behind = (e) => e.time < before || (e.time === before && e.metadata.uid < uid);
  const fits = (e) => e.time >= from && e.time < to && behind(e) && test(e);
  return { from, to, list: events.filter(fits) };
}

function counted(list, of) {
  const counts = new Map();
  for (const item of list) {
    const value = of(item);
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts.entries()].sort((a, b) => b[1] - a[1]);
}

const bytesOf = (event) => valueAt(event, "traffic.bytes") ?? 40_000;
const ends = (event) => [event.src_endpoint.ip, event.dst_endpoint.ip];

function histogram(params) {
  const { from, to, list } = matching(params);
  const bin_ms = Math.ceil((to - from) / Number(params.get("bins") ?? 100) / 60_000) * 60_000;
  const start = Math.floor(from / bin_ms) * bin_ms;
  const bins = [];
  for (let t = start; t < to; t += bin_ms) bins.push({ t, by_class: {} });
  for (const event of list) {
    const bin = bins[Math.floor((event.time - start) / bin_ms)];
    const name = classOf(event);
    if (bin) bin.by_class[name] = (bin.by_class[name] ?? 0) + 1;
  }
  return { bin_ms, bins, total: list.length };
}

function edges(list) {
  const out = new Map();
  for (const event of list) {
    const [source, target] = ends(event);
    const key = `${source} ${target} ${event.app_protocol_name}`;
    const edge = out.get(key) ?? {
      source,
      target,
      proto: event.app_protocol_name,
      bytes: 0,
      flows: 0,
      first: Infinity,
      last: 0,
    };
    edge.bytes += bytesOf(event);
    edge.flows += 1;
    edge.first = Math.min(edge.first, event.time);
    edge.last = Math.max(edge.last, event.time);
    out.set(key, edge);
  }
  return [...out.values()];
}

const assetOf = (ip) => assets.find((asset) => asset.ips.includes(ip));

const GET = {
  "/overview": (params) => {
    const { from, to, list } = matching(params);
    const bin_ms = Math.max(60_000, Math.ceil((to - from) / 120 / 60_000) * 60_000);
    const series = (shift) => {
      const out = [];
      for (let t = from; t < to; t += bin_ms) {
        const day = Math.sin((((t / 3_600_000 + 1) % 24) / 24) * Math.PI * 2 - 2);
        out.push([
          t - shift,
          Math.round((2.4 + day + Math.sin(t / 7e6 + shift) * 0.35) * 4e7 * (bin_ms / 1000)),
        ]);
      }
      return out;
    };
    const { captures, roles } = status();
    return {
      coverage: { captures, roles, seen_ratio: 0.9977 },
      events: {
        total: list.length,
        by_class: counted(list, classOf).map(([c, count]) => ({ class: c, count })),
      },
      throughput: { bin_ms, now: series(0), before: series(to - from) },
      todo: [
        {
          code: "capture_silent",
          severity: "medium",
          args: { interface: "eth2", seconds: 2220 },
          link: "#/system",
        },
        { code: "capture_failed", severity: "high", args: { interface: "eth3" }, link: "#/system" },
        {
          code: "queue_dropping",
          severity: "medium",
          args: { queue: "store.ingest", count: 112 },
          link: "#/system",
        },
        { code: "zones_missing", severity: "low", args: {}, link: "#/setup" },
        {
          code: "new_assets",
          severity: "info",
          args: { count: 7 },
          link: "#/inventory?sort=-first_seen",
        },
      ],
      assets: { total: assets.length, new_24h: 7 },
      storage,
    };
  },
  "/network/matrix": (params) => {
    const cells = new Map();
    for (const event of matching(params).list) {
      const [src, dst] = [event.src_endpoint.zone, event.dst_endpoint.zone];
      const cell = cells.get(`${src} ${dst}`) ?? { src, dst, bytes: 0, flows: 0, protocols: [] };
      cell.bytes += bytesOf(event);
      cell.flows += 1;
      if (!cell.protocols.includes(event.app_protocol_name))
        cell.protocols.push(event.app_protocol_name);
      cells.set(`${src} ${dst}`, cell);
    }
    return { zones: ZONE_NAMES, cells: [...cells.values()], unit: "bytes", seen_ratio: 0.9977 };
  },
  "/network/sankey": (params) => {
    const zone = params.get("zone");
    const out = params.get("direction") !== "in";
    const links = new Map();
    const nodes = new Map([[zone, { id: zone, label: zone, layer: out ? 0 : 2 }]]);
    const add = (source, target, value) => {
      const link = links.get(`${source}>${target}`) ?? { source, target, value: 0 };
      link.value += value;
      links.set(`${source}>${target}`, link);
    };
    for (const event of matching(params).list) {
      const [here, there] = out
        ? [event.src_endpoint, event.dst_endpoint]
        : [event.dst_endpoint, event.src_endpoint];
      if (here.zone !== zone) continue;
      const middle = `proto:${event.app_protocol_name}`;
      const far = `to:${there.zone}`;
      nodes.set(middle, { id: middle, label: event.app_protocol_name, layer: 1 });
      nodes.set(far, { id: far, label: there.zone, layer: out ? 2 : 0 });
      add(...(out ? [zone, middle] : [middle, zone]), bytesOf(event));
      add(...(out ? [middle, far] : [far, middle]), bytesOf(event));
    }
    return { nodes: [...nodes.values()], links: [...links.values()], other: 12_345 };
  },
  "/network/ego": (params) => {
    const center = params.get("entity");
    const { list } = matching(params);
    let near = edges(list.filter((event) => ends(event).includes(center)));
    if (params.get("depth") === "2") {
      const peers = new Set(near.flatMap((edge) => [edge.source, edge.target]));
      near = edges(list.filter((event) => ends(event).some((ip) => peers.has(ip))));
    }
    const ids = [...new Set([center, ...near.flatMap((edge) => [edge.source, edge.target])])].slice(
      0,
      39,
    );
    const nodes = ids.map((id) => {
      const asset = assetOf(id);
      return {
        id,
        label: asset?.names[0] ?? id,
        kind: asset ? "asset" : "destination",
        zone: asset?.zone ?? null,
        count: 1,
      };
    });
    return {
      center,
      nodes,
      edges: near.filter((edge) => ids.includes(edge.source) && ids.includes(edge.target)),
    };
  },
  "/assets": (params) => {
    const words = (params.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const sort = params.get("sort") ?? "-last_seen";
    const key = { name: "names", ip: "ips" }[sort.replace("-", "")] ?? sort.replace("-", "");
    const list = assets
      .filter((asset) => words.every((word) => JSON.stringify(asset).toLowerCase().includes(word)))
      .sort((a, b) => (a[key] > b[key] ? 1 : -1) * (sort.startsWith("-") ? -1 : 1));
    const offset = Number(params.get("offset") ?? 0);
    return {
      assets: list.slice(offset, offset + Number(params.get("limit") ?? 100)),
      total: list.length,
    };
  },
  "/events": (params) => {
    const { list } = matching(params);
    const limit = Number(params.get("limit") ?? 100);
    return {
      events: list.slice(0, limit),
      limited: list.length > limit ? "rows" : null,
      took_ms: 7,
    };
  },
  "/events/histogram": histogram,
  "/events/top": (params) => {
    const field = FIELDS.find((known) => known.column === params.get("field"));
    const of = (event) => (field.column === "class" ? classOf(event) : valueAt(event, field.path));
    const all = counted(matching(params).list, of).map(([value, count]) => ({ value, count }));
    const limit = Number(params.get("limit") ?? 10);
    return { values: all.slice(0, limit), least: all.slice(limit).slice(-limit).reverse() };
  },
  "/search/fields": () => FIELDS,
  "/search/values": (params) => {
    const field = FIELDS.find((known) => known.column === params.get("field"));
    if (field?.column === "class") return CLASS_NAMES;
    const all = counted(events, (event) => valueAt(event, field?.path ?? ""));
    return all
      .map(([value]) => value)
      .filter((v) => String(v).startsWith(params.get("prefix") ?? ""))
      .slice(0, 50);
  },
  "/system": () => status(),
  "/packets": () => ({ ring: null, may_open: false }),
  "/audit-trail": () => state.trail,
  "/passkeys": () => [],
  "/users": () => [...state.users.values()].map(({ password: _, ...user }) => user),
  "/setup": () => ({
    interfaces: ["eth1", "eth2", "lo"],
    zones: state.zones.map(([name, cidrs]) => ({ name, cidrs })),
    proposed: [
      { name: "servers", cidrs: ["10.20.0.0/24"], reason_code: "servers", hosts: 18 },
      { name: "lab", cidrs: ["10.20.3.0/24"], reason_code: "hl7", hosts: 16 },
    ],
    learned: {
      since: NOW - 11 * 60_000,
      assets: assets.length,
      protocols: counted(events, (event) => event.app_protocol_name).map(([proto, count]) => ({
        proto,
        count,
      })),
      medical: [
        { calling: "CT_SCAN_1", called: "PACS_PRINC", standard: "dicom" },
        { calling: "SIL", called: "DPI", standard: "hl7v2" },
      ],
    },
  }),
};

function session(user) {
  return {
    authenticated: Boolean(user),
    first_run: state.users.size === 0,
    csrf: user ? "csrf" : null,
    user: user ? { name: user.name, role: user.role, display: user.name } : null,
    roles: ["rssi", "analyst", "admin"],
  };
}

class Refused extends Error {
  constructor(status, code, extra = {}) {
    super(code);
    this.status = status;
    this.body = { code, detail: "", position: null, suggestion: null, ...extra };
  }
}

function signIn(response, user) {
  const id = `s${Math.random().toString(36).slice(2)}`;
  state.sessions.set(id, user.name);
  response.setHeader("set-cookie", `vigie_session=${id}; Path=/; HttpOnly; SameSite=Strict`);
  note(user.name, "sign_in", "password", "ok");
  return session(user);
}

function note(actor, action, object, outcome) {
  state.trail.unshift({ time: Date.now(), actor, action, object, reason: "", outcome });
}

function account(body) {
  if ((body.password ?? "").length < 12) throw new Refused(400, "weak_password");
  if (state.users.has(body.name)) throw new Refused(409, "name_taken");
  const user = {
    name: body.name,
    role: body.role ?? "admin",
    password: body.password,
    passkeys: 0,
    created: Date.now(),
    last_sign_in: null,
    locked: false,
  };
  state.users.set(user.name, user);
  note("local:first-run", "account_created", user.name, "ok");
  return user;
}

function write(method, path, body, response, user, id) {
  if (path === "/first-account") {
    if (state.users.size > 0 || body.token !== TOKEN) throw new Refused(403, "bad_token");
    return signIn(response, account(body));
  }
  if (path === "/session" && method === "POST") {
    const known = state.users.get(body.name);
    if (!known || known.password !== body.password) {
      note(String(body.name), "sign_in_failed", "password", "bad_credentials");
      throw new Refused(401, "bad_credentials");
    }
    return signIn(response, known);
  }
  if (!user) throw new Refused(401, "not_signed_in");
  if (path === "/session") return void state.sessions.delete(id);
  if (path === "/setup/zones")
    return void (state.zones = body.zones.map((zone) => [zone.name, zone.cidrs]));
  if (path === "/users") return void account(body);
  if (path === "/query") {
    const list = counted(events, (event) => event.app_protocol_name);
    if (!/^\s*(select|with)/i.test(body.text)) throw new Refused(400, "syntax", { position: 0 });
    return {
      columns: [
        { name: "proto", kind: "text" },
        { name: "n", kind: "int" },
      ],
      rows: list,
      limited: null,
      took_ms: 4,
    };
  }
  const [, kind, name] = path.split("/");
  const known = kind === "users" ? state.users.get(decodeURIComponent(name)) : null;
  if (!known) throw new Refused(404, "not_found");
  if (method === "PATCH") return void Object.assign(known, body);
  if (method === "DELETE") return void state.users.delete(known.name);
  throw new Refused(404, "not_found");
}

function asset(id, params) {
  const found = assets.find((one) => one.id === id || one.ips.includes(id));
  if (!found) throw new Refused(404, "not_found");
  const recent = events.filter((event) => ends(event).includes(found.ips[0])).slice(0, 50);
  void params;
  const peers = edges(recent).map((edge) => {
    const ip = edge.source === found.ips[0] ? edge.target : edge.source;
    return {
      ip,
      asset: assetOf(ip)?.id ?? null,
      proto: edge.proto,
      bytes: edge.bytes,
      flows: edge.flows,
      last: edge.last,
    };
  });
  return { asset: found, peers, recent };
}

function stream(request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let at = 0;
  const timer = setInterval(() => {
    const event = events[at++ % events.length];
    const now = { ...event, time: Date.now(), metadata: { ...event.metadata, uid: `live-${at}` } };
    response.write(`event: ocsf\ndata: ${JSON.stringify(now)}\n\n`);
  }, 200);
  request.on("close", () => clearInterval(timer));
}

async function answer(request, response) {
  const url = new URL(request.url, "http://localhost");
  response.setHeader(
    "content-security-policy",
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'",
  );
  if (!url.pathname.startsWith("/api/v1")) return file(url.pathname, response);
  const path = url.pathname.slice("/api/v1".length);
  const id = /vigie_session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
  const user = state.users.get(state.sessions.get(id));
  if (path === "/session" && request.method === "GET") return json(response, session(user));
  if (request.method !== "GET") {
    let text = "";
    for await (const part of request) text += part;
    return json(
      response,
      write(request.method, path, text ? JSON.parse(text) : {}, response, user, id),
    );
  }
  if (!user) throw new Refused(401, "not_signed_in");
  if (path === "/stream") return stream(request, response);
  if (path.startsWith("/assets/"))
    return json(response, asset(decodeURIComponent(path.slice(8)), url.searchParams));
  const handler = GET[path];
  if (!handler) throw new Refused(404, "not_found");
  return json(response, handler(url.searchParams));
}

function json(response, value) {
  response.setHeader("content-type", "application/json");
  response.statusCode = value === undefined ? 204 : 200;
  response.end(value === undefined ? "" : JSON.stringify(value));
}

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

async function file(path, response) {
  const name = normalize(path === "/" ? "/index.html" : path).replace(/^(\.\.[/\\])+/, "");
  const text = await readFile(join(DIST, name)).catch(() => null);
  if (!text) throw new Refused(404, "not_found");
  response.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
  response.end(text);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    const refused =
      error instanceof Refused
        ? error
        : error instanceof QueryError
          ? new Refused(400, error.code, error.extra)
          : new Refused(500, "internal", { detail: String(error) });
    if (response.headersSent) return response.end();
    response.statusCode = refused.status;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(refused.body));
  });
});
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  const { port } = server.address();
  console.log(JSON.stringify({ url: `http://localhost:${port}`, token: TOKEN }));
});
