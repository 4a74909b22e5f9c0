// The page from somewhere else than the server that answers it: another host, a file on disk, a page of somebody's own; and
// the server behind nginx.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { answer, launch, open, openModel, predict } from "./support/browser.mjs";
import { ROWS } from "./support/data.mjs";
import { fhectl, ROOT, Server, workFolder } from "./support/server.mjs";
import { serveFolder } from "./support/site.mjs";

let browser, server, site, folder;
before(async () => {
  browser = await launch();
  folder = workFolder("site");
  site = await serveFolder(folder);
  server = await Server.start(["--cors-origin", site.url]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  site?.close();
});

test("a copy on another host asks the server that it was written for", async () => {
  await fhectl("page", "--url", server.url, "--out", join(folder, "copy"));
  const page = await open(browser);
  const hosts = new Set();
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  await page.goto(`${site.url}/copy/#/qnn-iris`);
  await page.getByRole("heading", { name: "qnn-iris", level: 2 }).waitFor();
  await predict(page);
  assert.ok(ROWS["qnn-iris"].classes.includes(await answer(page)));
  assert.ok((await page.locator("#trust").innerText()).includes("did not come from"));
  const wanted = [site.url, server.url].map((url) => new URL(url).host);
  assert.deepEqual([...hosts].filter((host) => host !== "" && !wanted.includes(host)), []);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a token that was given to one copy is not sent by another on the same host", async () => {
  const [token, line] = (await fhectl("token", "new")).trim().split("\n");
  const file = join(workFolder("tokens"), "tokens.txt");
  writeFileSync(file, `${line}\n`);
  const mine = await Server.start(["--cors-origin", site.url, "--token-file", file]);
  await fhectl("page", "--url", mine.url, "--out", join(folder, "mine"));
  await fhectl("page", "--url", server.url, "--out", join(folder, "theirs"));
  const page = await open(browser);
  await page.goto(`${site.url}/mine/`);
  await page.locator("#token-field").fill(token);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.locator("nav a", { hasText: "qnn-iris" }).first().waitFor();
  const told = { [mine.url]: 0, [server.url]: 0 };
  page.context().on("request", (request) => {
    const { origin } = new URL(request.url());
    if (request.headers().authorization) told[origin] += 1;
  });
  await page.goto(`${site.url}/theirs/#/qnn-iris`);
  await page.getByRole("heading", { name: "qnn-iris", level: 2 }).waitFor();
  await predict(page);
  assert.equal(told[server.url], 0);
  // Its own server is sent it again, in this tab.
  await page.goto(`${site.url}/mine/#/qnn-iris`);
  await page.getByRole("heading", { name: "qnn-iris", level: 2 }).waitFor();
  assert.ok(told[mine.url] > 0);
  await page.context().close();
  await mine.stop();
});

for (const file of ["page.js", "page.css", "worker.js", "fhectl-simd.wasm"]) {
  test(`a copy whose ${file} was changed does not run it`, async () => {
    const at = join(folder, `changed-${file.replace(".", "-")}`);
    await fhectl("page", "--url", server.url, "--out", at);
    appendFileSync(join(at, file), file.endsWith(".wasm") ? Buffer.from([0, 2, 1, 0]) : "\n/* changed */");
    const page = await open(browser);
    await page.goto(`${site.url}/changed-${file.replace(".", "-")}/#/qnn-iris`);
    await page.waitForTimeout(1500);
    assert.ok(page.problems.some((problem) => /integrity/i.test(problem)), page.problems.join("\n"));
    if (file !== "page.css") assert.equal(await page.getByRole("heading", { name: "qnn-iris", level: 2 }).count(), 0);
    await page.context().close();
  });
}

test("a site that the server does not name is refused", async () => {
  const other = await Server.start();
  await fhectl("page", "--url", other.url, "--out", join(folder, "refused"));
  const page = await open(browser);
  await page.goto(`${site.url}/refused/`);
  await page.locator(".note.bad:not([hidden])").waitFor();
  assert.ok((await page.locator(".note.bad:not([hidden])").innerText()).includes(`--cors-origin ${site.url}`));
  assert.equal(await page.locator("nav a").count(), 0);
  await page.context().close();
  await other.stop();
});

test("one file, opened from disk", async () => {
  const free = await Server.start(["--cors-origin", "*"]);
  const file = join(workFolder("disk"), "mine.html");
  await fhectl("page", "--url", free.url, "--out", file);
  const page = await open(browser, { permissions: [] });
  await page.goto(`${pathToFileURL(file)}#/tree-spam`);
  await page.getByRole("heading", { name: "tree-spam", level: 2 }).waitFor();
  await predict(page);
  assert.ok(["0", "1"].includes(await answer(page)));
  await openModel(page, pathToFileURL(file).href, "mlp-mnist");
  await page.getByRole("button", { name: "Draw an example: 6" }).click();
  await predict(page);
  assert.equal(await answer(page), "6");
  assert.deepEqual(page.problems, []);
  await page.context().close();
  await free.stop();
});

test("the twenty lines of the guide work as they stand there", async () => {
  const guide = readFileSync(join(ROOT, "docs/src/guides/browser.md"), "utf8");
  const html = /```html\n(<!doctype html>[\s\S]*?)```/.exec(guide)[1];
  assert.ok(html.trimEnd().split("\n").length <= 22, html);
  const at = join(folder, "own");
  mkdirSync(at);
  await fhectl("page", "--url", server.url, "--out", join(at, "fhectl"));
  assert.ok(html.includes("https://models.example:8443"));
  writeFileSync(join(at, "index.html"), html.replaceAll("https://models.example:8443", server.url));
  const page = await open(browser);
  await page.goto(`${site.url}/own/`);
  const { rows, classes } = ROWS["qnn-iris"];
  await page.getByRole("textbox").fill(rows[0].join(", "));
  await page.getByRole("button").click();
  await page.getByRole("status").filter({ hasText: classes[0] }).waitFor();
  assert.deepEqual(page.problems, []);
  await page.context().close();
});
