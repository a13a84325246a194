// The console in a browser, against a running Vigie: the first account or a sign-in, Today, a hunt, a
// pivot, an asset; axe on every page in both themes and languages; the keyboard alone.
// VIGIE_URL=... and VIGIE_TOKEN=... (first run) or VIGIE_USER=... VIGIE_PASSWORD=...

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { enter, go, open, pages, PASSWORD, settled, URL_BASE, USER } from "./browser.mjs";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
let browser;

before(async () => {
  assert.ok(URL_BASE, "VIGIE_URL names the console to test");
  browser = await open();
});
after(() => browser?.close());

/** axe through the DevTools protocol: a script tag would break the security policy. */
async function axe(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Runtime.evaluate", { expression: AXE });
  const { result, exceptionDetails } = await cdp.send("Runtime.evaluate", {
    expression: `axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then((r) =>
      JSON.stringify(r.violations.map((v) => ({ id: v.id, impact: v.impact,
        nodes: v.nodes.slice(0, 4).map((n) => n.target.join(" ") + " | " + (n.any[0]?.message ?? "")) }))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await cdp.detach();
  assert.equal(exceptionDetails, undefined);
  return JSON.parse(result.value);
}

describe("console", { timeout: 600_000 }, () => {
  test("the doors pass axe, and let in", async () => {
    for (const theme of ["light", "dark"]) {
      const { page, context, faults } = await browser.page({ theme });
      await page.goto(`${URL_BASE}/#/hunt?q=proto:dicom`);
      await page.waitForSelector("form");
      assert.deepEqual(await axe(page), [], `door, ${theme}`);
      await enter(page);
      assert.deepEqual(faults, []);
      await context.close();
    }
  });

  test("a wrong password is refused in words, and the address asked for is kept", async () => {
    const { page, context } = await browser.page();
    await page.goto(`${URL_BASE}/#/hunt?q=proto:dicom`);
    await page.locator("input[autocomplete^=username]").fill(USER);
    await page.locator("input[type=password]").fill("not the password");
    await page.locator("button.primary").click();
    await page.waitForSelector("[role=alert]");
    assert.match(await page.locator("[role=alert]").innerText(), /mot de passe/i);
    await page.locator("input[type=password]").fill(PASSWORD);
    await page.locator("button.primary").click();
    await page.waitForSelector(".shell");
    assert.match(page.url(), /#\/hunt\?q=proto:dicom/);
    await page.waitForSelector("table tbody tr[aria-rowindex]");
    await context.close();
  });

  for (const theme of ["light", "dark"]) {
    for (const language of ["fr-FR", "en-GB"]) {
      test(`every page passes axe without a console error: ${theme}, ${language}`, async () => {
        const { page, context, faults } = await browser.page({ theme, language });
        await enter(page);
        for (const [name, hash] of await pages(page)) {
          await go(page, hash);
          assert.deepEqual(await axe(page), [], `${name}, ${theme}, ${language}`);
        }
        assert.equal(
          await page.evaluate(() => document.documentElement.lang),
          language.slice(0, 2),
        );
        // The wrong query of the list is refused by design; nothing else may be reported.
        const serious = faults.filter((text) => !/status of 40[04]/.test(text));
        assert.deepEqual(serious, []);
        await context.close();
      });
    }
  }

  test("coverage is the first thing on Today", async () => {
    const { page, context } = await browser.page();
    await enter(page);
    await go(page, "#/today");
    const first = page.locator("main section").first();
    assert.equal(await first.getAttribute("aria-label"), "Couverture");
    assert.ok((await page.locator("main ol li").count()) <= 10);
    await context.close();
  });

  test("hunt, row detail, pivot, asset, back", async () => {
    const { page, context, faults } = await browser.page({ width: 1600 });
    await enter(page);
    await go(page, "#/hunt");
    await page.locator("#query").fill("proto:dicom");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=proto:dicom/);
    await settled(page);
    const row = page.locator("tbody tr[aria-rowindex]").first();
    assert.match(await row.innerText(), /dicom/);
    await row.locator("td").first().click();
    await page.waitForSelector(".detail tbody tr");

    const source = row.locator("td:nth-child(3) .val");
    const ip = await source.innerText();
    await source.click();
    await page.locator("[role=menu] [role=menuitem]").first().click();
    await page.waitForURL((url) => decodeURIComponent(url.hash).includes(`src_ip:${ip}`));
    await settled(page);
    const addresses = await page.locator("tbody tr[aria-rowindex] td:nth-child(3)").allInnerTexts();
    assert.ok(addresses.length > 0 && addresses.every((text) => text === ip));

    await page.locator("tbody tr[aria-rowindex] td:nth-child(3) .val").first().click();
    assert.deepEqual(await axe(page), [], "pivot menu");
    await page.getByRole("menuitem", { name: "Ouvrir la fiche" }).click();
    await page.waitForURL(/#\/asset\//);
    await settled(page);
    assert.ok((await page.locator("main").innerText()).includes(ip));
    await page.goBack();
    await page.waitForURL(/#\/hunt/);
    assert.deepEqual(faults, []);
    await context.close();
  });

  test("dragging the histogram narrows the window, Esc goes back", async () => {
    const { page, context } = await browser.page();
    await enter(page);
    await go(page, "#/hunt?q=proto:dicom");
    const box = await page.locator(".hunt svg[role=img]").boundingBox();
    await page.mouse.move(box.x + box.width * 0.4, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 30, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/from=\d{13}/);
    await settled(page);
    await page.keyboard.press("Escape");
    await page.waitForURL((url) => !/from=\d/.test(url.hash));
    await context.close();
  });

  test("a wrong query shows where and what instead", async () => {
    const { page, context } = await browser.page();
    await enter(page);
    await go(page, "#/hunt?q=prot:dicom");
    const error = page.locator("search [role=alert]");
    await error.waitFor();
    assert.match(await error.innerText(), /Champ inconnu/);
    assert.match(await error.locator("pre").innerText(), /\^/);
    await error.locator("button").click();
    await page.waitForURL((url) => !url.hash.includes("prot:"));
    await context.close();
  });

  test("live events arrive", async () => {
    const { page, context } = await browser.page();
    await enter(page);
    // Replays show only to those who ask: VIGIE_LIVE_SEARCH is what the live traffic needs.
    const search = encodeURIComponent(process.env.VIGIE_LIVE_SEARCH ?? "");
    await go(page, `#/hunt?live=1&q=${search}&from=now-15m&to=now`);
    await page.waitForSelector("tbody tr[aria-rowindex]", { timeout: 20_000 });
    await context.close();
  });

  test("the keyboard alone is enough", async () => {
    const { page, context } = await browser.page();
    await enter(page);
    await go(page, "#/today");
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.waitForURL(/#\/inventory/);
    await settled(page);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const at = () => page.evaluate(() => document.activeElement?.getAttribute("aria-rowindex"));
    assert.equal(await at(), "3");
    await page.keyboard.press("k");
    assert.equal(await at(), "2");
    await page.keyboard.press("Enter");
    await page.waitForURL(/#\/asset\//);
    await settled(page);
    await page.keyboard.press("/");
    await page.waitForURL(/#\/hunt/);
    await page.waitForFunction(() => document.activeElement?.id === "query");
    await page.keyboard.type("pro");
    await page.waitForSelector("[role=option]");
    assert.deepEqual(await axe(page), [], "completion");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#query").inputValue(), "proto:");
    await page.keyboard.type("dicom");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=proto:dicom/);
    await page.keyboard.press("Control+k");
    await page.waitForSelector("dialog[open]");
    await page.keyboard.type("syst");
    assert.deepEqual(await axe(page), [], "palette");
    await page.keyboard.press("Enter");
    await page.waitForURL(/#\/system/);
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    assert.deepEqual(await axe(page), [], "help");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog[open]", { state: "detached" });
    await context.close();
  });

  test("every stop of the Tab key is visible and named", async () => {
    const { page, context } = await browser.page();
    await enter(page);
    for (const hash of ["#/today", "#/hunt?q=proto:dicom", "#/setup"]) {
      await go(page, hash);
      await page.evaluate(() => document.activeElement?.blur());
      for (let stop = 0; stop < 30; stop += 1) {
        await page.keyboard.press("Tab");
        const here = await page.evaluate(() => {
          const node = document.activeElement;
          if (!node || node === document.body) return null;
          const style = getComputedStyle(node);
          const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
          const own = node.matches("svg .node") || node.matches("input[role=combobox]");
          const name = node.getAttribute("aria-label") ?? node.textContent ?? "";
          const label = node.id || node.closest("label") || node.getAttribute("placeholder");
          return {
            ring: ring || own,
            named: name.trim() !== "" || Boolean(label),
            html: node.outerHTML.slice(0, 120),
          };
        });
        if (here) assert.ok(here.ring && here.named, `${hash}: ${here.html}`);
      }
    }
    await context.close();
  });

  test("a session that ends leads to sign-in and back to the same page", async () => {
    const { page, context } = await browser.page();
    await enter(page);
    await go(page, "#/inventory?q=10");
    await context.clearCookies();
    await page.keyboard.press("g");
    await page.keyboard.press("n");
    await page.waitForSelector("input[type=password]");
    assert.match(await page.locator(".notice").innerText(), /session a pris fin/);
    await page.locator("input[autocomplete^=username]").fill(USER);
    await page.locator("input[type=password]").fill(PASSWORD);
    await page.locator("button.primary").click();
    await page.waitForSelector('main[data-page="/network"]');
    await context.close();
  });

  test("the window is set by typing, in 24-hour ISO, and stays in the address", async () => {
    const { page, context } = await browser.page();
    await enter(page);
    await go(page, "#/hunt?tz=UTC");
    await page.getByRole("button", { name: /^Période :/ }).click();
    assert.deepEqual(await axe(page), [], "time picker");
    const [from, to] = await page.locator(".picker form input[placeholder]").all();
    await from.fill("2026-01-02 13:00:00");
    await to.fill("2026-01-02 12:00:00");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".picker [role=alert]");
    await to.fill("2026-01-02 23:00:00");
    await page.keyboard.press("Enter");
    const ms = (text) => Date.parse(text);
    await page.waitForURL(
      (url) =>
        url.hash.includes(`from=${ms("2026-01-02T13:00:00Z")}`) &&
        url.hash.includes(`to=${ms("2026-01-02T23:00:00Z")}`),
    );
    await context.close();
  });

  test("signing out ends the session", async () => {
    const { page, context } = await browser.page();
    await enter(page);
    await page.getByRole("button", { name: /^Compte / }).click();
    assert.deepEqual(await axe(page), [], "account menu");
    await page.getByRole("button", { name: "Se déconnecter" }).click();
    await page.waitForSelector("input[type=password]");
    const status = await page.evaluate(() => fetch("/api/v1/system").then((r) => r.status));
    assert.equal(status, 401);
    await context.close();
  });
});
