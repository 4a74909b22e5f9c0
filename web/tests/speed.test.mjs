// What a person waits for. Bounds are for two cores that nothing else keeps busy; FHECTL_SLOW=3 allows three times as much.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, openModel, predict } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";

const SLOW = Number(process.env.FHECTL_SLOW ?? 1);

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Times of a first answer, in a fresh profile, and of later ones: the least of several, since other work only adds. */
async function times(name, prepare) {
  const [first, later, beside] = [[], [], []];
  for (let run = 0; run < 3; run++) {
    const page = await open(browser);
    await openModel(page, server.url, name);
    await prepare(page);
    first.push(await predict(page));
    for (let again = 0; again < 5; again++) {
      const took = await predict(page);
      later.push(took);
      beside.push(took - (await computed(page)));
    }
    await page.context().close();
  }
  const least = (all) => Math.min(...all);
  console.log(`# ${name}: first ${least(first).toFixed(0)} ms, later ${least(later).toFixed(0)} ms, beside computing ${least(beside).toFixed(0)} ms`);
  return { first: least(first), later: least(later), beside: least(beside) };
}

/** Milliseconds that the server computed, as the page shows them. */
async function computed(page) {
  const [, figure, unit] = /([\d.]+)\s(ms|s)/.exec(await page.locator(".stage", { hasText: "Compute" }).innerText());
  return Number(figure) * (unit === "s" ? 1000 : 1);
}

test("tree-spam: keys, upload and a first answer within a second, later ones within 100 ms", async () => {
  const { first, later } = await times("tree-spam", async () => {});
  assert.ok(first <= 1000 * SLOW, `${first} ms`);
  assert.ok(later <= 100 * SLOW, `${later} ms`);
});

test("mlp-mnist: a first answer within three seconds, later ones within 50 ms beside computing", async () => {
  const draw = (page) => page.getByRole("button", { name: "Draw an example: 3" }).click();
  const { first, beside } = await times("mlp-mnist", draw);
  assert.ok(first <= 3000 * SLOW, `${first} ms`);
  assert.ok(beside <= 50 * SLOW, `${beside} ms`);
});
