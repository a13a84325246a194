// Pictures of every page in both themes, to look at.
// VIGIE_URL=... VIGIE_TOKEN=... node e2e/shot.mjs OUT_DIR [WIDTH,WIDTH] [light,dark] [PAGE,...]

import { mkdir } from "node:fs/promises";
import { open, PAGES, enter } from "./browser.mjs";

const [out = "shots", widths = "1280", themes = "light,dark", only = ""] = process.argv.slice(2);
await mkdir(out, { recursive: true });
const browser = await open();
for (const theme of themes.split(",")) {
  for (const width of widths.split(",")) {
    const { page, context } = await browser.page({ width: Number(width), theme });
    await enter(page);
    for (const [name, hash] of PAGES.filter(
      ([name]) => only === "" || only.split(",").includes(name),
    )) {
      await page.evaluate((to) => (location.hash = to), hash);
      await page.waitForLoadState("networkidle", { timeout: 6000 }).catch(() => undefined);
      await page.waitForTimeout(400);
      await page.screenshot({ path: `${out}/${name}-${theme}-${width}.png` });
    }
    await context.close();
  }
}
await browser.close();
