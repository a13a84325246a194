// The pages of the console: one line each. A page is loaded when it is first opened.

import type { Component } from "svelte";
import type { Title } from "../i18n/index.svelte";
import type { IconName } from "../ui/Icon.svelte";

export interface Page {
  /** First segment of the path. */
  path: string;
  title: Title;
  icon: IconName;
  /** Group of the rail; null for pages reached from others. */
  group: "observe" | "system" | null;
  /** Letter after `g`. */
  letter: string | null;
  /** The time window of the top bar applies. */
  timed: boolean;
  load: () => Promise<{ default: Component }>;
}

export const PAGES: readonly Page[] = [
  {
    path: "/today",
    title: "nav.today",
    icon: "today",
    group: "observe",
    letter: "t",
    timed: true,
    load: () => import("./today/Today.svelte"),
  },
  {
    path: "/network",
    title: "nav.network",
    icon: "network",
    group: "observe",
    letter: "n",
    timed: true,
    load: () => import("./network/Network.svelte"),
  },
  {
    path: "/inventory",
    title: "nav.inventory",
    icon: "inventory",
    group: "observe",
    letter: "i",
    timed: false,
    load: () => import("./inventory/Inventory.svelte"),
  },
  {
    path: "/asset",
    title: "nav.asset",
    icon: "inventory",
    group: null,
    letter: null,
    timed: true,
    load: () => import("./inventory/AssetPage.svelte"),
  },
  {
    path: "/hunt",
    title: "nav.hunt",
    icon: "hunt",
    group: "observe",
    letter: "h",
    timed: true,
    load: () => import("./hunt/Hunt.svelte"),
  },
  {
    path: "/system",
    title: "nav.system",
    icon: "system",
    group: "system",
    letter: "s",
    timed: false,
    load: () => import("./system/System.svelte"),
  },
  {
    path: "/setup",
    title: "nav.setup",
    icon: "setup",
    group: "system",
    letter: "d",
    timed: false,
    load: () => import("./setup/Setup.svelte"),
  },
];

const LANDING = { rssi: "/today", analyst: "/hunt", admin: "/system" } as const;

/** Where a role lands; it hides nothing that the person may read. */
export function landing(role: string): string {
  return role === "analyst" || role === "admin" ? LANDING[role] : LANDING.rssi;
}

export function pageOf(path: string): Page | null {
  const first = `/${path.split("/")[1] ?? ""}`;
  return PAGES.find((page) => page.path === first) ?? null;
}
