// The address of a screen: everything that a colleague needs to see the same thing.
// Enters: the fragment of the URL. Leaves: a path and parameters. Refuses: nothing; unknown
// parameters are kept, so that a newer link survives an older console.

export type Params = Record<string, string>;

export interface Route {
  path: string;
  params: Params;
}

/** Parameters that follow the person from page to page. */
export const CARRIED: readonly string[] = ["from", "to", "tz"];

export function parseHash(hash: string): Route {
  const text = hash.startsWith("#") ? hash.slice(1) : hash;
  const mark = text.indexOf("?");
  const path = mark < 0 ? text : text.slice(0, mark);
  const params: Params = {};
  for (const [key, value] of new URLSearchParams(mark < 0 ? "" : text.slice(mark + 1))) {
    params[key] = value;
  }
  return { path: normalPath(path), params };
}

export function formatHash(route: Route): string {
  const pairs = Object.entries(route.params)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${encode(key)}=${encode(value)}`);
  const query = pairs.length > 0 ? `?${pairs.join("&")}` : "";
  return `#${normalPath(route.path)}${query}`;
}

/** A link to `path` that keeps the time window of `current`; an empty value removes a parameter. */
export function linkFrom(current: Route, path: string, params: Params = {}): string {
  const carried: Params = {};
  for (const key of CARRIED) {
    const value = current.params[key];
    if (value !== undefined) carried[key] = value;
  }
  return formatHash({ path, params: { ...carried, ...params } });
}

/** The segments of a path, decoded. */
export function segments(path: string): string[] {
  return path.split("/").filter(Boolean).map(decode);
}

function normalPath(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function encode(text: string): string {
  return encodeURIComponent(text)
    .replace(/%20/g, "+")
    .replace(/%3A/g, ":")
    .replace(/%2F/g, "/")
    .replace(/%2C/g, ",");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
