// What every page shares: where we are, which window of time, who is signed in.

import { api, asApiError, setCsrf, whenSignedOut, type ApiError } from "../api/client";
import type { Session, SystemStatus } from "../api/types";
import * as format from "./format";
import { prefs } from "./prefs.svelte";
import { resolveWindow, type Window } from "./time";
import { formatHash, linkFrom, parseHash, type Params, type Route } from "./url";

class Place {
  route = $state.raw<Route>(parseHash(location.hash));
  /** The moment that "now" means; moves on navigation and on refresh only. */
  at = $state(Date.now());
  /** How many windows were narrowed by dragging, so that Esc can go back. */
  narrowed = 0;

  readonly window: Window = $derived(
    resolveWindow(this.route.params["from"] ?? roleFrom(), this.route.params["to"], this.at),
  );
  readonly utc = $derived(this.route.params["tz"] === "UTC");

  get style(): format.Style {
    return { language: prefs.language, utc: this.utc };
  }

  get period() {
    return { from: this.window.fromMs, to: this.window.toMs };
  }

  param(name: string): string {
    return this.route.params[name] ?? "";
  }

  link(path: string, params: Params = {}): string {
    return linkFrom(this.route, path, params);
  }

  /** Goes to a path, keeping the time window. */
  go(path: string, params: Params = {}): void {
    location.hash = this.link(path, params);
  }

  /** Changes parameters of this page; an empty value removes one. */
  set(params: Params, replace = false): void {
    const next = { path: this.route.path, params: { ...this.route.params, ...params } };
    const hash = formatHash(next);
    if (replace) {
      history.replaceState(history.state, "", hash);
      this.read();
    } else {
      location.hash = hash;
    }
  }

  /** Narrows the window, as a drag on a chart does; `back` undoes it. */
  narrow(from: number, to: number): void {
    if (to - from < 1000) return;
    this.narrowed += 1;
    this.set({ from: String(Math.round(from)), to: String(Math.round(to)), live: "" });
  }

  back(): boolean {
    if (this.narrowed === 0) return false;
    this.narrowed -= 1;
    history.back();
    return true;
  }

  refresh(): void {
    this.at = Date.now();
  }

  read(): void {
    this.route = parseHash(location.hash);
  }
}

export const place = new Place();

window.addEventListener("hashchange", () => {
  place.read();
  place.refresh();
});

function roleFrom(): string | undefined {
  return who.session?.user?.role === "rssi" ? "now-7d" : undefined;
}

class Who {
  session = $state.raw<Session | null>(null);
  error = $state.raw<ApiError | null>(null);
  /** True when a session ended under the person's hands. */
  expired = $state(false);

  take(session: Session): void {
    setCsrf(session.csrf);
    this.session = session;
    this.error = null;
    if (session.authenticated) this.expired = false;
  }

  async load(): Promise<void> {
    try {
      this.take(await api.session());
    } catch (error) {
      this.error = asApiError(error);
    }
  }

  async signOut(): Promise<void> {
    await api.signOut().catch(() => undefined);
    await this.load();
  }
}

export const who = new Who();

whenSignedOut(() => {
  const session = who.session;
  if (!session?.authenticated) return;
  setCsrf(null);
  who.expired = true;
  who.session = { ...session, authenticated: false, user: null, csrf: null };
});

/** The state of the installation, polled for the banner and the coverage mark of every page. */
class Health {
  status = $state.raw<SystemStatus | null>(null);
  error = $state.raw<ApiError | null>(null);
  at = $state(Date.now());

  async load(): Promise<void> {
    try {
      this.status = await api.system();
      this.error = null;
    } catch (error) {
      this.error = asApiError(error);
    }
    this.at = Date.now();
  }
}

export const health = new Health();
