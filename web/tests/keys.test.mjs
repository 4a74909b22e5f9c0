// Keys stay in the browser, and only there: over a reload, until they are deleted, and never on the way to the server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answer, fillIn, launch, open, openModel, predict } from "./support/browser.mjs";
import { ROWS } from "./support/data.mjs";
import { record } from "./support/proxy.mjs";
import { Server } from "./support/server.mjs";

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Rows of the table of keys: model and serial. */
async function stored(page) {
  const panel = page.locator("details.keys");
  if ((await panel.getAttribute("open")) === null) await panel.locator("summary").click();
  await panel.locator("p").first().waitFor();
  return panel.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [row.cells[0].firstChild.textContent, row.cells[1].innerText]));
}

/** Paths of what the page asks from now on. */
function asked(page) {
  const paths = [];
  page.on("request", (request) => paths.push(`${request.method()} ${new URL(request.url()).pathname}`));
  return paths;
}

test("a key survives a reload and is not sent again; deleted, it is gone here and there", async () => {
  const page = await open(browser);
  await openModel(page, server.url, "cnn-digits");
  const draw = () => page.getByRole("button", { name: "Draw an example: 7" }).click();
  await draw();
  await predict(page);
  const first = await stored(page);
  assert.equal(first.length, 1);

  await page.reload();
  await page.getByRole("heading", { name: "cnn-digits", level: 2 }).waitFor();
  assert.deepEqual(await stored(page), first);
  const later = asked(page);
  await draw();
  await predict(page);
  assert.deepEqual(later.filter((path) => path.startsWith("PUT")), []);
  assert.deepEqual(await stored(page), first);

  await page.getByRole("button", { name: "Delete the key of cnn-digits" }).click();
  await page.getByText("None yet").waitFor();
  assert.ok(later.some((path) => path.startsWith("DELETE /v1/models/cnn-digits/keys/")), later.join("\n"));
  await page.reload();
  await page.getByRole("heading", { name: "cnn-digits", level: 2 }).waitFor();
  assert.deepEqual(await stored(page), []);
  await draw();
  await predict(page);
  const second = await stored(page);
  assert.notEqual(second[0][1], first[0][1]);
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("a rotated key is another, and the server forgets the old one", async () => {
  const page = await open(browser);
  await openModel(page, server.url, "tree-spam");
  await predict(page);
  const [[, before]] = await stored(page);
  const later = asked(page);
  await page.getByRole("button", { name: "Rotate the key of tree-spam" }).click();
  await page.locator(".keys .note", { hasText: "A new key was made" }).waitFor();
  const [[, rotated]] = await stored(page);
  assert.notEqual(rotated, before);
  assert.ok(later.some((path) => path.startsWith("DELETE")), later.join("\n"));
  await predict(page);
  assert.deepEqual(await stored(page), [["tree-spam", rotated]]);
  await page.context().close();
});

/** Copies of a number as bytes and as text. */
function forms(number) {
  const bytes = Buffer.alloc(12);
  bytes.writeDoubleLE(number, 0);
  bytes.writeFloatLE(number, 8);
  return [Buffer.from(String(number)), bytes.subarray(0, 8), bytes.subarray(8)];
}

test("no secret key and no row leaves the page", async () => {
  const proxy = await record(server.url);
  const page = await open(browser);
  await openModel(page, proxy.url, "logreg-synthetic");
  // Numbers that no other data has by chance.
  const row = ROWS["logreg-synthetic"].rows[0].map((_, at) => Number((1.2345678 + at / 77.7).toFixed(7)));
  await fillIn(page, row);
  await predict(page);
  const said = await answer(page);
  // The page's own origin may use its sealing key: this is the secret as the client itself reads it.
  const secret = Buffer.from(
    await page.evaluate(async () => {
      const ask = (request) => new Promise((done, fail) => Object.assign(request, { onsuccess: () => done(request.result), onerror: () => fail(request.error) }));
      const database = await ask(indexedDB.open("fhectl"));
      const all = (store) => ask(database.transaction(store).objectStore(store).getAll());
      const [record] = await all("keys");
      const [sealing] = await all("seals");
      if (sealing.extractable) throw new Error("the sealing key can be read out");
      const additionalData = new TextEncoder().encode(`fhectl key ${record.model} ${record.serial} ${record.circuit}`);
      const algorithm = { name: "AES-GCM", iv: record.nonce, additionalData };
      return [...new Uint8Array(await crypto.subtle.decrypt(algorithm, sealing, record.secret))];
    }),
  );
  assert.ok(secret.length > 64);
  const sent = proxy.sent();
  assert.ok(sent.includes("POST /v1/models/logreg-synthetic/infer"), "the proxy saw what was sent");
  // The end of the file is key material; its beginning names model and serial.
  const tail = secret.subarray(secret.length - 32);
  for (const text of [tail, Buffer.from(tail.toString("hex")), Buffer.from(tail.toString("base64").slice(0, 40))]) {
    assert.ok(!sent.includes(text), "the secret key was sent");
  }
  for (const number of row) for (const form of forms(number)) assert.ok(!sent.includes(form), `${number} was sent`);
  assert.ok(said.length > 0);
  // Nothing went anywhere else: the policy forbids it.
  const forbidden = await page.evaluate(() => {
    const told = new Promise((resolve) => document.addEventListener("securitypolicyviolation", resolve, { once: true }));
    const outcome = fetch("http://127.0.0.1:1/").then(() => ({ effectiveDirective: "none" }), () => told);
    return outcome.then(({ effectiveDirective }) => effectiveDirective);
  });
  assert.equal(forbidden, "connect-src");
  await page.context().close();
  proxy.close();
});
