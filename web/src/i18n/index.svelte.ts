// Words of the console. A key that French does not have, or that English forgot, fails the check;
// so does a missing parameter. `{n}` is a parameter; `one|many` chooses by `n`.
// Enters: keys and values. Leaves: text in the person's language. Refuses: unknown keys (types).

import { prefs } from "../lib/prefs.svelte";
import { en } from "./en";
import { fr } from "./fr";

export type Key = keyof typeof fr;
type Names<S extends string> = S extends `${string}{${infer P}}${infer R}` ? P | Names<R> : never;
type Needs<K extends Key> = [Names<(typeof fr)[K]>] extends [never]
  ? []
  : [Record<Names<(typeof fr)[K]>, string | number>];

/** Keys without parameters: what tables of titles hold. */
export type Title = { [K in Key]: [Names<(typeof fr)[K]>] extends [never] ? K : never }[Key];

const DICTIONARIES: Record<"fr" | "en", Record<Key, string>> = { fr, en };
const PLURALS = { fr: new Intl.PluralRules("fr"), en: new Intl.PluralRules("en") };

export function t<K extends Key>(key: K, ...args: Needs<K>): string {
  return fill(DICTIONARIES[prefs.language][key], (args[0] ?? {}) as Values);
}

/** Text for a code of the server; the code itself when this console does not know it. */
export function tcode(group: string, code: string, values: Values = {}): string {
  const key = `${group}.${code}` as Key;
  const text = DICTIONARIES[prefs.language][key] as string | undefined;
  return text === undefined ? code : fill(text, values);
}

export function hasCode(group: string, code: string): boolean {
  return `${group}.${code}` in fr;
}

type Values = Record<string, string | number>;

function fill(text: string, values: Values): string {
  const forms = text.split("|");
  const n = Number(values["count"] ?? values["n"]);
  const one = forms.length > 1 && PLURALS[prefs.language].select(n) === "one";
  const form = (one ? forms[0] : forms[forms.length - 1]) ?? text;
  return form.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ABSENT));
}

const ABSENT = "–";
