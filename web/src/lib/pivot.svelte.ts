// The one menu on any value: what it is about and where it opens.

import { exclude, include, isSql, only } from "./query";
import { place } from "./state.svelte";

export interface Pivot {
  /** Column that the value stands in; null when it is only a text. */
  field: string | null;
  value: string;
  /** What opens as an entity page: an address or an asset identity. */
  entity: string | null;
  left: number;
  top: number;
  back: HTMLElement | null;
}

export const pivot = $state<{ now: Pivot | null }>({ now: null });

export function openPivot(
  anchor: HTMLElement,
  about: { field: string | null; value: string; entity: string | null },
): void {
  const box = anchor.getBoundingClientRect();
  pivot.now = { ...about, left: box.left, top: box.bottom + 2, back: anchor };
}

export function closePivot(refocus = true): void {
  const back = pivot.now?.back;
  pivot.now = null;
  if (refocus) back?.focus();
}

function hunt(q: string): void {
  const hunting = place.route.path === "/hunt";
  if (hunting) place.set({ q, sql: "", event: "" });
  else place.go("/hunt", { q });
}

function current(): string {
  const q = place.route.path === "/hunt" ? place.param("q") : "";
  return isSql(q) ? "" : q;
}

export const actions = {
  include: (p: Pivot) => p.field && hunt(include(current(), p.field, p.value)),
  exclude: (p: Pivot) => p.field && hunt(exclude(current(), p.field, p.value)),
  only: (p: Pivot) => p.field && hunt(only(p.field, p.value)),
  open: (p: Pivot) => p.entity && place.go(`/asset/${encodeURIComponent(p.entity)}`),
  peers: (p: Pivot) => p.entity && place.go("/network", { entity: p.entity }),
  copy: (p: Pivot) => navigator.clipboard?.writeText(p.value),
};
