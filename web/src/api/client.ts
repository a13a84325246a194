// The HTTP client: one place that knows the base path, the CSRF header and the shape of errors.
// Enters: typed calls. Leaves: typed answers or an `ApiError` with a stable code.
// Refuses: sentences of the server as text for people; a code is translated by the screens.

import type * as T from "./types";

const BASE = "/api/v1";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly position: number | null = null,
    readonly suggestion: string | null = null,
  ) {
    super(code);
  }
}

type Query = Record<string, string | number | null | undefined>;

let csrf: string | null = null;
let onSignedOut: () => void = () => undefined;

export function setCsrf(token: string | null): void {
  csrf = token;
}

export function whenSignedOut(run: () => void): void {
  onSignedOut = run;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, "unreachable", error instanceof Error ? error.message : String(error));
}

export function url(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") params.set(key, String(value));
  }
  const text = params.toString();
  return `${BASE}${path}${text ? `?${text}` : ""}`;
}

async function call<R>(
  method: string,
  path: string,
  options: { query?: Query; body?: unknown; signal?: AbortSignal | undefined } = {},
): Promise<R> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (options.body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET" && csrf) headers["x-vigie-csrf"] = csrf;
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (options.body !== undefined) init.body = JSON.stringify(options.body);
  if (options.signal) init.signal = options.signal;
  const response = await fetch(url(path, options.query), init);
  if (response.ok) {
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as R;
  }
  throw await failure(response);
}

/** A file made by a question that leaves a trace; where it was cut, and what could not be read. */
async function file(path: string, body: unknown): Promise<T.CaptureFile> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (csrf) headers["x-vigie-csrf"] = csrf;
  const init: RequestInit = { method: "POST", headers, credentials: "same-origin" };
  const response = await fetch(url(path), {
    ...init,
    cache: "no-store",
    body: JSON.stringify(body),
  });
  if (!response.ok) throw await failure(response);
  return {
    blob: await response.blob(),
    limited: response.headers.get("x-vigie-limited") === "true",
    skipped: Number(response.headers.get("x-vigie-skipped-blocks") ?? 0),
  };
}

async function failure(response: Response): Promise<ApiError> {
  let body: Record<string, unknown> = {};
  try {
    body = (await response.json()) as Record<string, unknown>;
  } catch {
    // A proxy's page instead of ours: the status is all we know.
  }
  const code = typeof body["code"] === "string" ? body["code"] : `http_${response.status}`;
  if (response.status === 401 && code === "not_signed_in") onSignedOut();
  return new ApiError(
    response.status,
    code,
    typeof body["detail"] === "string" ? body["detail"] : "",
    typeof body["position"] === "number" ? body["position"] : null,
    typeof body["suggestion"] === "string" ? body["suggestion"] : null,
  );
}

type Signal = AbortSignal | undefined;
export interface Period {
  from: number;
  to: number;
}

function get<R>(path: string, query: Query = {}, signal?: Signal): Promise<R> {
  return call<R>("GET", path, { query, signal });
}

const id = encodeURIComponent;

export const api = {
  session: () => get<T.Session>("/session"),
  signIn: (name: string, password: string) =>
    call<T.Session>("POST", "/session", { body: { name, password } }),
  signOut: () => call<void>("DELETE", "/session"),
  firstAccount: (body: T.FirstAccount) => call<T.Session>("POST", "/first-account", { body }),

  passkeys: (signal?: Signal) => get<T.Passkey[]>("/passkeys", {}, signal),
  passkeyRegisterBegin: () => call<unknown>("POST", "/passkeys/register/begin", { body: {} }),
  passkeyRegisterFinish: (label: string, credential: unknown) =>
    call<void>("POST", "/passkeys/register/finish", { body: { label, credential } }),
  passkeyDelete: (key: string) => call<void>("DELETE", `/passkeys/${id(key)}`),
  passkeySignInBegin: (name: string) =>
    call<unknown>("POST", "/session/passkey/begin", { body: name ? { name } : {} }),
  passkeySignInFinish: (credential: unknown) =>
    call<T.Session>("POST", "/session/passkey/finish", { body: { credential } }),

  users: (signal?: Signal) => get<T.Account[]>("/users", {}, signal),
  userCreate: (body: T.AccountNew) => call<unknown>("POST", "/users", { body }),
  userPatch: (name: string, body: T.AccountChange) =>
    call<unknown>("PATCH", `/users/${id(name)}`, { body }),
  userDelete: (name: string) => call<void>("DELETE", `/users/${id(name)}`),
  userPassword: (name: string, body: T.PasswordChange) =>
    call<void>("POST", `/users/${id(name)}/password`, { body }),

  overview: (period: Period, signal?: Signal) =>
    get<T.Overview>("/overview", { ...period }, signal),
  matrix: (period: Period, signal?: Signal) =>
    get<T.Matrix>("/network/matrix", { ...period }, signal),
  sankey: (period: Period, zone: string, direction: "out" | "in", signal?: Signal) =>
    get<T.Sankey>("/network/sankey", { ...period, zone, direction }, signal),
  ego: (period: Period, entity: string, depth: number, signal?: Signal) =>
    get<T.Ego>("/network/ego", { ...period, entity, depth }, signal),

  assets: (query: Query, signal?: Signal) => get<T.AssetList>("/assets", query, signal),
  asset: (key: string, signal?: Signal) => get<T.AssetPage>(`/assets/${id(key)}`, {}, signal),

  events: (query: Query, signal?: Signal) => get<T.Events>("/events", query, signal),
  histogram: (query: Query, signal?: Signal) =>
    get<T.Histogram>("/events/histogram", query, signal),
  top: (query: Query, signal?: Signal) => get<T.Top>("/events/top", query, signal),
  fields: (signal?: Signal) => get<T.SearchField[]>("/search/fields", {}, signal),
  values: (query: Query, signal?: Signal) => get<unknown[]>("/search/values", query, signal),
  query: (body: T.QueryText, signal?: Signal) => call<T.Rows>("POST", "/query", { body, signal }),

  ring: (signal?: Signal) => get<T.RingState>("/packets", {}, signal),
  packets: (body: T.PacketsWanted) => file("/packets", body),

  system: (signal?: Signal) => get<T.SystemStatus>("/system", {}, signal),
  auditTrail: (limit: number, signal?: Signal) =>
    get<T.AuditEntry[]>("/audit-trail", { limit }, signal),
  setup: (signal?: Signal) => get<T.Setup>("/setup", {}, signal),
  setupZones: (zones: T.Zone[]) => call<void>("PUT", "/setup/zones", { body: { zones } }),
};
