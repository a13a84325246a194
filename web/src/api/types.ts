// The shapes of the HTTP contract under `/api/v1`. Times are milliseconds since 1970.

export type Role = "rssi" | "analyst" | "admin";

export interface Session {
  authenticated: boolean;
  first_run: boolean;
  user: { name: string; role: Role; display: string } | null;
  csrf: string | null;
  roles: Role[];
}

export interface CaptureStatus {
  interface: string;
  packets: number;
  bytes: number;
  dropped: number;
  last_packet: number | null;
  error: string | null;
}

export interface RoleStatus {
  role: string;
  pid: number | null;
  state: string;
  restarts: number;
  memory_bytes: number;
  since: number;
}

export interface QueueStatus {
  name: string;
  capacity: number;
  depth: number;
  dropped: number;
  policy: string;
}

export interface StorageStatus {
  events: number;
  segments: number;
  segment_bytes: number;
  wal_bytes: number;
  capacity_bytes: number;
  free_bytes: number;
  oldest: number | null;
  forecast_days: number | null;
}

export interface SystemStatus {
  version: string;
  site: string;
  roles: RoleStatus[];
  captures: CaptureStatus[];
  queues: QueueStatus[];
  storage: StorageStatus;
  zones: [string, string[]][];
  interfaces: string[];
}

export type TodoSeverity = "info" | "low" | "medium" | "high";

export interface Todo {
  code: string;
  severity: TodoSeverity;
  args: Record<string, unknown>;
  link: string;
}

export interface Overview {
  coverage: {
    captures: CaptureStatus[];
    roles: RoleStatus[];
    seen_ratio: number | null;
  };
  events: { total: number; by_class: { class: string; count: number }[] };
  throughput: { bin_ms: number; now: [number, number][]; before: [number, number][] };
  todo: Todo[];
  assets: { total: number; new_24h: number };
  storage: StorageStatus;
}

export interface MatrixCell {
  src: string;
  dst: string;
  bytes: number;
  flows: number;
  protocols: string[];
}

export interface Matrix {
  zones: string[];
  cells: MatrixCell[];
  unit: string;
  seen_ratio: number | null;
}

export interface SankeyNode {
  id: string;
  label: string;
  layer: number;
}

export interface SankeyLink {
  source: string;
  target: string;
  value: number;
}

export interface Sankey {
  nodes: SankeyNode[];
  links: SankeyLink[];
  other: number;
}

export interface EgoNode {
  id: string;
  label: string;
  kind: "asset" | "destination" | "group";
  zone: string | null;
  count: number | null;
}

export interface EgoEdge {
  source: string;
  target: string;
  proto: string;
  bytes: number;
  flows: number;
  first: number;
  last: number;
}

export interface Ego {
  center: string;
  nodes: EgoNode[];
  edges: EgoEdge[];
}

export interface Attribute {
  name: string;
  value: string;
  confidence: number;
  source: string;
}

export interface Asset {
  id: string;
  ips: string[];
  mac: string | null;
  vendor: string | null;
  names: string[];
  zone: string | null;
  role: string | null;
  speaks: string[];
  serves: string[];
  first_seen: number;
  last_seen: number;
  peers: number;
  bytes: number;
  attributes: Attribute[];
}

export interface Peer {
  ip: string;
  asset?: string | null;
  proto: string;
  bytes: number;
  flows: number;
  last: number;
}

/** An OCSF record as JSON. */
export type OcsfEvent = Record<string, unknown>;

export type Limited = "rows" | "time" | "memory" | null;

export interface Events {
  events: OcsfEvent[];
  limited: Limited;
  took_ms: number;
}

export interface HistogramBin {
  t: number;
  by_class: Record<string, number>;
}

export interface Histogram {
  bin_ms: number;
  bins: HistogramBin[];
  total: number;
}

export interface ValueCount {
  value: unknown;
  count: number;
}

export interface Top {
  values: ValueCount[];
  least: ValueCount[];
}

export interface SearchField {
  column: string;
  kind: string;
  path: string;
  doc: string;
  classes: string[];
}

export interface Rows {
  columns: { name: string; kind: string }[];
  rows: unknown[][];
  limited: Limited;
  took_ms: number;
}

export interface AuditEntry {
  time: number;
  actor: string;
  action: string;
  object: string;
  reason: string;
  outcome: string;
}

export interface Zone {
  name: string;
  cidrs: string[];
}

export interface ProposedZone extends Zone {
  reason_code: string;
  hosts: number;
}

export interface Setup {
  interfaces: unknown[];
  zones: Zone[];
  proposed: ProposedZone[];
  learned: {
    since: number | null;
    assets: number;
    protocols: { proto: string; count: number }[];
    medical: { calling: string | null; called: string | null; standard: string }[];
  };
}

export interface Account {
  name: string;
  role: Role;
  passkeys: number;
  created: number;
  last_sign_in: number | null;
  locked: boolean;
}

export interface Passkey {
  id: string;
  label: string;
  created?: number | null;
  last_used?: number | null;
}
