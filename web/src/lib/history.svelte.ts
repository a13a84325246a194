// Queries that this person ran on this browser, with pins. Kept in the browser only.
// Limits: the newest `HISTORY_MAX` unpinned queries.

import { readJson, writeJson } from "./prefs.svelte";

export interface Past {
  q: string;
  at: number;
  pinned: boolean;
}

const KEY = "vigie.queries";
const HISTORY_MAX = 50;

class History {
  list = $state<Past[]>(valid(readJson<Past[]>(KEY)));

  add(q: string): void {
    const text = q.trim();
    if (text === "") return;
    const known = this.list.find((entry) => entry.q === text);
    const entry = { q: text, at: Date.now(), pinned: known?.pinned ?? false };
    this.keep([entry, ...this.list.filter((other) => other.q !== text)]);
  }

  pin(q: string): void {
    this.keep(this.list.map((e) => (e.q === q ? { ...e, pinned: !e.pinned } : e)));
  }

  remove(q: string): void {
    this.keep(this.list.filter((entry) => entry.q !== q));
  }

  private keep(list: Past[]): void {
    const pinned = list.filter((entry) => entry.pinned);
    const rest = list.filter((entry) => !entry.pinned).slice(0, HISTORY_MAX);
    this.list = [...pinned, ...rest];
    writeJson(KEY, this.list);
  }
}

function valid(saved: Past[] | null): Past[] {
  if (!Array.isArray(saved)) return [];
  return saved.filter((entry) => typeof entry?.q === "string");
}

export const history = new History();
