// A benchmark: what a person waits for, from click to answer. `node speed.mjs` prints medians; it judges nothing, since other
// work on a machine adds to them. FHECTL names the binary.
import { launch, open, openModel, predict } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";

const [browser, server] = await Promise.all([launch(), Server.start()]);

/** Times of a first answer (keys, upload, compute) in a fresh profile, and of later ones. */
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
  const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1].toFixed(0);
  console.log(`${name}: first ${median(first)} ms, later ${median(later)} ms, beside computing ${median(beside)} ms`);
}

/** Milliseconds that the server computed, as the page shows them. */
async function computed(page) {
  const [, figure, unit] = /([\d.]+)\s(ms|s)/.exec(await page.locator(".stage", { hasText: "Compute" }).innerText());
  return Number(figure) * (unit === "s" ? 1000 : 1);
}

try {
  await times("tree-spam", async () => {});
  await times("mlp-mnist", (page) => page.getByRole("button", { name: "Draw an example: 3" }).click());
} finally {
  await browser.close();
  await server.stop();
}
