// A browser, and what a person does in the page.
import { existsSync } from "node:fs";
import { chromium, firefox } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** FHECTL_BROWSER=firefox takes the system's Firefox, through WebDriver BiDi; its console and downloads tell less. */
export const IS_FIREFOX = process.env.FHECTL_BROWSER === "firefox";

/** The browser: the system's, or Playwright's own Chromium. */
export async function launch() {
  if (IS_FIREFOX) {
    const executablePath = ["/usr/bin/firefox", "/usr/bin/firefox-esr"].find(existsSync);
    return firefox.launch({ executablePath, channel: "moz-firefox", firefoxUserPrefs: { "ui.prefersReducedMotion": 1 } });
  }
  const executablePath = process.env.FHECTL_CHROMIUM ?? PLACES.find(existsSync);
  // Tests may run as root, where Chromium has no sandbox.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

/** A fresh profile's page. What goes wrong in it, and what its policy forbids, is in `page.problems`. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: IS_FIREFOX ? null : "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  watch(page);
  return page;
}

export function watch(page) {
  page.problems = [];
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
}

export async function openModel(page, url, name) {
  await page.goto(`${url}#/${name}`);
  await page.getByRole("heading", { name, level: 2 }).waitFor();
}

/** Types a row into the form, as text. */
export async function fillIn(page, row) {
  const more = page.locator("details.more");
  if ((await more.count()) > 0 && (await more.getAttribute("open")) === null) await more.locator("summary").click();
  const fields = page.locator(".field input, .field select");
  for (const [at, value] of row.entries()) await fields.nth(at).fill(String(value));
}

/** Clicks, and waits for the answer or an error. Milliseconds from click to answer, as the page's own clock has them. */
export async function predict(page, selector = "> section > .answer") {
  const took = await page.evaluate(async (selector) => {
    const shown = [...document.querySelectorAll("main button.primary")].find((button) => button.offsetParent !== null);
    const done = () => document.querySelector(`.result ${selector}, .result > .note`);
    document.querySelector(".result").replaceChildren();
    const begun = performance.now();
    await new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (done()) resolve(observer.disconnect());
      }).observe(document.querySelector(".result"), { childList: true, subtree: true });
      shown.click();
    });
    return performance.now() - begun;
  }, selector);
  const note = page.locator(".result > .note");
  if ((await note.count()) > 0) throw new Error(await note.innerText());
  return took;
}

export async function answer(page) {
  return page.locator(".result output.said").first().innerText();
}

/** Chooses a file of rows. */
export async function choose(page, name, content) {
  const tab = page.getByRole("tab", { name: "CSV file" });
  if ((await tab.count()) > 0) await tab.click();
  await page.locator("input[type=file]").setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(content) });
}

/** Chooses a file of rows and has it predicted. Milliseconds. */
export async function predictFile(page, name, text) {
  await choose(page, name, text);
  await page.locator(".table-drop button.primary").waitFor();
  return predict(page, ".results");
}

/** The file that the page hands out: its lines, split at commas. */
export async function downloaded(page) {
  const lines = (await handedOut(page)).trim().split("\n");
  return lines.map((line) => line.split(","));
}

/** The file that the page hands out, as it is. */
export async function handedOut(page) {
  const button = page.getByRole("button", { name: "Download predictions" });
  return IS_FIREFOX ? given(page, button) : saved(page, button);
}

async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  const parts = [];
  for await (const part of await download.createReadStream()) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** What is handed to the browser as a file. WebDriver BiDi does not tell of downloads in Firefox. */
async function given(page, button) {
  await page.evaluate(() => {
    const create = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      window.handedOut = blob.text();
      return create(blob);
    };
  });
  await button.click();
  return page.evaluate(() => window.handedOut);
}
