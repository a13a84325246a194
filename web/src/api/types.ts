// The shapes of `/api/v1`, from the committed description of the API (`schema.d.ts`, generated from
// `crates/console/openapi.json` by `npm run schema`). Only what a description cannot say is added
// here: closed sets of words, and that events are OCSF records. Times are milliseconds since 1970.

import type { components } from "./schema";

type S = components["schemas"];

/** The server sends every field: what the description calls optional is there and may be null. */
type Sent<T> = T extends readonly unknown[]
  ? { [K in keyof T]: Sent<T[K]> }
  : T extends object
    ? { [K in keyof T]-?: Sent<Exclude<T[K], undefined>> }
    : T;

export type Role = "rssi" | "analyst" | "admin";

/** The limit that cut an answer; null when it is whole. */
export type Limited = "rows" | "time" | "memory" | null;

/** An OCSF record as JSON. */
export type OcsfEvent = Record<string, unknown>;

export type Session = Omit<Sent<S["SessionView"]>, "user" | "roles"> & {
  user: (Omit<Sent<S["UserView"]>, "role"> & { role: Role }) | null;
  roles: Role[];
};

export type CaptureStatus = Sent<S["CaptureStatus"]>;
export type RoleStatus = Sent<S["RoleStatus"]>;
export type QueueStatus = Sent<S["QueueStatus"]>;
export type StorageStatus = Sent<S["StorageStatus"]>;
export type SystemStatus = Sent<S["SystemStatus"]>;
export type RingStatus = Sent<S["RingStatus"]>;
export type RingState = Sent<S["RingState"]>;
export type PacketsWanted = S["PacketsWanted"];

/** A capture file that the browser saves. */
export interface CaptureFile {
  blob: Blob;
  limited: boolean;
  skipped: number;
}

export type TodoSeverity = S["Severity"];
export type Todo = Omit<Sent<S["Todo"]>, "args"> & { args: Record<string, unknown> };
export type Overview = Omit<Sent<S["Overview"]>, "todo"> & { todo: Todo[] };

export type Matrix = Sent<S["Matrix"]>;
export type MatrixCell = Sent<S["Cell"]>;
export type Sankey = Sent<S["Sankey"]>;
export type Ego = Sent<S["Ego"]>;
export type EgoNode = Sent<S["EgoNode"]>;
export type EgoEdge = Sent<S["EgoEdge"]>;

export type Attribute = Sent<S["Attribute"]>;
export type Asset = Sent<S["Asset"]>;
export type RoleScore = Sent<S["RoleScore"]>;
export type RoleReason = Sent<S["RoleReason"]>;
export type AssetChange = Sent<S["AssetChange"]>;
export type AssetWarning = Sent<S["AssetWarning"]>;
export type AssetList = Sent<S["AssetList"]>;
export type Peer = Sent<S["Peer"]>;
export type AssetPage = Omit<Sent<S["AssetPage"]>, "recent"> & { recent: OcsfEvent[] };

export type Events = Omit<Sent<S["EventList"]>, "events" | "limited"> & {
  events: OcsfEvent[];
  limited: Limited;
};
export type Histogram = Sent<S["Histogram"]>;
export type ValueCount = Sent<S["ValueCount"]>;
export type Top = Sent<S["Top"]>;
export type SearchField = Sent<S["SearchField"]>;
export type Rows = Omit<Sent<S["Rows"]>, "limited"> & { limited: Limited };

export type AuditEntry = Sent<S["AuditEntry"]>;
export type Zone = Sent<S["Zone"]>;
export type ProposedZone = Sent<S["Proposed"]>;
export type Setup = Sent<S["Setup"]>;
export type Account = Omit<Sent<S["Account"]>, "role"> & { role: Role };
export type Passkey = Sent<S["PasskeyView"]>;

export type FirstAccount = S["FirstAccount"];
export type AccountNew = S["AccountNew"];
export type AccountChange = S["AccountChange"];
export type PasswordChange = S["PasswordChange"];
export type QueryText = S["QueryText"];
