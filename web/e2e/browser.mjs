// The browser of the tests: Debian's Chromium through playwright-core, no download.
// Enters: VIGIE_URL, VIGIE_TOKEN (first run) or VIGIE_USER and VIGIE_PASSWORD.

import { chromium } from "playwright-core";

export const URL_BASE = process.env.VIGIE_URL ?? "";
export const USER = process.env.VIGIE_USER ?? "e2e-admin";
export const PASSWORD = process.env.VIGIE_PASSWORD ?? "correct horse battery";
const TOKEN = process.env.VIGIE_TOKEN ?? "";

/** Every page, with an asset and a zone of this installation. */
export async function pages(page) {
  const { assets } = await page.evaluate(() =>
    fetch("/api/v1/assets?limit=50&sort=-bytes").then((r) => r.json()),
  );
  const one = assets.find((asset) => asset.zone && asset.ips.length > 0);
  const ip = one?.ips[0] ?? "192.0.2.1";
  const zone = encodeURIComponent(one?.zone ?? "lan");
  return [
    ["today", "#/today"],
    ["network", "#/network"],
    ["sankey", `#/network?zone=${zone}`],
    ["ego", `#/network?entity=${ip}`],
    ["inventory", "#/inventory"],
    ["asset", `#/asset/${ip}`],
    ["hunt", "#/hunt?q=proto:dicom&field=proto"],
    ["hunt-all", "#/hunt"],
    ["hunt-error", "#/hunt?q=proot:dicom"],
    ["sql", "#/hunt?q=select+proto,+count(*)+as+n+from+events+group+by+proto&mode=sql"],
    ["system", "#/system"],
    ["trail", "#/system?tab=trail"],
    ["users", "#/system?tab=users"],
    ["setup", "#/setup"],
    ["unknown", "#/asset/192.0.2.250"],
  ];
}

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function open() {
  const chrome = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: ARGS,
  });
  return {
    close: () => chrome.close(),
    async page({ width = 1280, height = 800, theme = "light", language = "fr-FR" } = {}) {
      const context = await chrome.newContext({
        viewport: { width, height },
        colorScheme: theme,
        locale: language,
        reducedMotion: "reduce",
        ignoreHTTPSErrors: true,
      });
      const page = await context.newPage();
      const faults = [];
      page.on("console", (message) => {
        if (message.type() === "error") faults.push(message.text());
      });
      page.on("pageerror", (error) => faults.push(String(error)));
      return { page, context, faults };
    },
  };
}

/** Signs in, or creates the first account. */
export async function enter(page) {
  await page.goto(`${URL_BASE}/#/today`);
  await page.waitForSelector("form, .shell");
  if (await page.locator(".shell").count()) return;
  const session = await page.evaluate(() => fetch("/api/v1/session").then((r) => r.json()));
  if (session.first_run) {
    await page.goto("about:blank");
    await page.goto(`${URL_BASE}/#/first-run?token=${encodeURIComponent(TOKEN)}`);
    await page.locator("input[autocomplete=username]").fill(USER);
    for (const field of await page.locator("input[type=password]").all())
      await field.fill(PASSWORD);
  } else {
    await page.locator("input[type=password]").fill(PASSWORD);
    await page.locator("input[autocomplete^=username]").fill(USER);
  }
  await page.locator("button.primary").click();
  await page.waitForSelector(".shell");
}

/** Opens a page and waits until it has read what it shows. */
export async function go(page, hash) {
  await page.evaluate((to) => (location.hash = to), hash);
  const path = /^#(\/[a-z]+)/.exec(hash)[1];
  await page.waitForSelector(`main[data-page="${path}"]`);
  await settled(page);
}

/** No request of the page is on its way. */
export async function settled(page) {
  await page.waitForTimeout(120);
  await page.waitForFunction(
    () => !document.querySelector("[role=status] .beam, [aria-busy=true]"),
    undefined,
    { timeout: 20_000 },
  );
}
