// Pictures of every page in both themes, to look at.
// VIGIE_URL=... VIGIE_TOKEN=... node e2e/shot.mjs OUT_DIR [WIDTH,WIDTH] [light,dark] [PAGE,...]

import { mkdir } from "node:fs/promises";
import { enter, go, open, pages } from "./browser.mjs";

const [out = "shots", widths = "1280", themes = "light,dark", only = ""] = process.argv.slice(2);
await mkdir(out, { recursive: true });
const browser = await open();
for (const theme of themes.split(",")) {
  for (const width of widths.split(",")) {
    const { page, context } = await browser.page({ width: Number(width), theme });
    await enter(page);
    for (const [name, hash] of await pages(page)) {
      if (only !== "" && !only.split(",").includes(name)) continue;
      await go(page, hash);
      await page.screenshot({ path: `${out}/${name}-${theme}-${width}.png` });
    }
    await context.close();
  }
}
await browser.close();
