import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "../src/i18n/en";
import { fr } from "../src/i18n/fr";

const parameters = (text: string) =>
  [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort();

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "i18n" ? [] : sources(path);
    return /\.(ts|svelte)$/.test(path) ? [readFileSync(path, "utf8")] : [];
  });
}

describe("words", () => {
  it("exist in both languages, with the same parameters", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(fr).sort());
    for (const key of Object.keys(fr) as (keyof typeof fr)[]) {
      expect(parameters(en[key]), key).toEqual(parameters(fr[key]));
      expect(en[key].trim(), key).not.toBe("");
    }
  });

  it("are all used", () => {
    const text = sources("src").join("\n");
    const groups = [...text.matchAll(/tcode\("([a-z.]+)"/g)].map((match) => `${match[1]}.`);
    const unused = Object.keys(fr).filter(
      (key) =>
        !text.includes(`"${key}"`) &&
        !groups.some((group) => key.startsWith(group)) &&
        !key.startsWith("limited."),
    );
    expect(unused).toEqual([]);
  });
});
