// What a person chose on this browser: language, theme, single-letter keys. Nothing about patients.

import type { Language } from "./format";

export type Theme = "auto" | "light" | "dark";

const KEY = "vigie.prefs";

interface Saved {
  language: Language;
  theme: Theme;
  letters: boolean;
  rail: boolean;
}

function initial(): Saved {
  const browser = navigator.language.toLowerCase().startsWith("en") ? "en" : "fr";
  const base: Saved = { language: browser, theme: "auto", letters: true, rail: true };
  const saved = readJson<Partial<Saved>>(KEY) ?? {};
  return {
    language: saved.language === "en" || saved.language === "fr" ? saved.language : base.language,
    theme: saved.theme === "light" || saved.theme === "dark" ? saved.theme : base.theme,
    letters: saved.letters ?? base.letters,
    rail: saved.rail ?? base.rail,
  };
}

export const prefs = $state<Saved>(initial());

const dark = window.matchMedia("(prefers-color-scheme: dark)");
let systemDark = $state(dark.matches);
dark.addEventListener("change", (event) => {
  systemDark = event.matches;
});

/** The theme on screen now. */
export function themeNow(): "light" | "dark" {
  return prefs.theme === "auto" ? (systemDark ? "dark" : "light") : prefs.theme;
}

export function setPrefs(change: Partial<Saved>): void {
  Object.assign(prefs, change);
  writeJson(KEY, { ...prefs });
}

export function readJson<T>(key: string): T | null {
  try {
    const text = localStorage.getItem(key);
    return text === null ? null : (JSON.parse(text) as T);
  } catch {
    return null;
  }
}

export function writeJson(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage may be full or refused by policy: the choice then lasts for this page only.
  }
}
