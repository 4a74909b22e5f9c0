// What people see when something is in the way: no network, a server that starts again, a token that is wrong.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { answer, launch, open, openModel, predict } from "./support/browser.mjs";
import { record } from "./support/proxy.mjs";
import { fhectl, Server, workFolder } from "./support/server.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** What an error says has nothing of the command line and of HTTP in it, and no marks that were meant as code. */
async function inWordsOfThePage(page) {
  const said = (await page.locator(".note.bad:not([hidden])").allInnerTexts()).join("\n");
  assert.doesNotMatch(said, /`|--[a-z]|\bGET |FHECTL_|fhectl (predict|serve|inspect|keyring)|\.md|Authorization/);
}

test("a model that there is not is told without an invitation to ask for it again", async () => {
  const server = await Server.start();
  const page = await open(browser);
  await page.goto(`${server.url}#/no-such-model`);
  await page.locator("main .note.bad", { hasText: "model_unknown" }).waitFor();
  await inWordsOfThePage(page);
  assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
  await page.locator("main").getByRole("link", { name: "All models" }).click();
  await page.locator("nav a", { hasText: "tree-spam" }).first().click();
  await page.getByRole("heading", { name: "tree-spam", level: 2 }).waitFor();
  await page.context().close();
  await server.stop();
});

test("without a network the page says so, and goes on when it is back", async () => {
  const server = await Server.start();
  const page = await open(browser);
  await openModel(page, server.url, "tree-spam");
  await predict(page);
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "Encrypt and predict" }).click();
  await page.locator(".note.bad", { hasText: "no_server" }).waitFor();
  await inWordsOfThePage(page);
  await page.context().setOffline(false);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator(".journey").waitFor();
  await page.context().close();
  await server.stop();
});

test("an answer that cannot be trusted is told without an invitation to ask again", async () => {
  const server = await Server.start();
  const page = await open(browser);
  const proxy = await record(server.url, (asked, reply) => {
    if (asked.includes("/infer")) reply[reply.length - 1] ^= 1;
    return reply;
  });
  await openModel(page, proxy.url, "qnn-iris");
  await page.getByRole("button", { name: "Encrypt and predict" }).click();
  await page.locator(".note.bad", { hasText: "answers_untrusted" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0);
  await inWordsOfThePage(page);
  await page.context().close();
  proxy.close();
  await server.stop();
});

test("a server that starts again, without the keys it had, is given them again", async () => {
  const server = await Server.start();
  const page = await open(browser);
  await openModel(page, server.url, "cnn-digits");
  const draw = () => page.getByRole("button", { name: "Draw an example: 4" }).click();
  await draw();
  await predict(page);
  const said = await answer(page);
  await server.restart();
  await predict(page);
  assert.equal(await answer(page), said);
  // Also while a key is on its way: the page waits for the server instead of giving up.
  await page.locator(".keys > summary").click();
  await page.getByRole("button", { name: "Delete the key of cnn-digits" }).click();
  await page.getByText("None yet").waitFor();
  const part = page.waitForRequest((request) => request.method() === "PUT");
  await page.getByRole("button", { name: "Encrypt and predict" }).click();
  await part;
  await server.restart();
  await page.locator(".journey").waitFor({ timeout: 60_000 });
  assert.equal(await answer(page), said);
  await page.context().close();
  await server.stop();
});

test("a token is asked for, a wrong one is refused, the right one lets in until the tab is closed", async () => {
  const [token, line] = (await fhectl("token", "new")).trim().split("\n");
  const file = join(workFolder("tokens"), "tokens.txt");
  writeFileSync(file, `${line}\n`);
  const server = await Server.start(["--token-file", file, "--row-budget", "100"]);
  const page = await open(browser);
  await page.goto(server.url);
  const field = page.locator("#token-field");
  await field.waitFor();
  assert.equal(await page.locator("nav a").count(), 0);
  await field.fill("fhectl_wrong");
  await page.getByRole("button", { name: "Use it" }).click();
  await page.locator(".note.bad", { hasText: "unauthorized" }).waitFor();
  await inWordsOfThePage(page);
  assert.equal(await page.getByRole("button", { name: "Try again" }).count(), 0, "the same token is refused again");
  await page.locator("#token-field").fill(token);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.locator("nav a", { hasText: "tree-spam" }).first().waitFor();
  await openModel(page, server.url, "qnn-iris");
  await predict(page);
  await page.reload();
  await page.getByRole("heading", { name: "qnn-iris", level: 2 }).waitFor();
  await predict(page);
  assert.ok(!page.url().includes(token));
  assert.ok(!(await page.content()).includes(token));
  await page.context().close();
  await server.stop();
});

test("a run that takes long is stopped by its button", async () => {
  const server = await Server.start(["--threads", "1"]);
  const page = await open(browser);
  await openModel(page, server.url, "mlp-mnist");
  await page.getByRole("button", { name: "Draw an example: 2" }).click();
  await page.getByRole("button", { name: "Encrypt and predict" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Canceled.").waitFor();
  await predict(page);
  assert.equal(await answer(page), "2");
  await page.context().close();
  await server.stop();
});
