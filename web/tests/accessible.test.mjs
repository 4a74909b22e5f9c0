// What axe-core finds in every view, in both themes and at three widths; and that the keyboard is enough.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { answer, choose, launch, open, openModel, predict, predictFile } from "./support/browser.mjs";
import { csv, ROWS } from "./support/data.mjs";
import { Server } from "./support/server.mjs";

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

async function check(page, view) {
  await page.evaluate(axe.source);
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await page.evaluate((values) => window.axe.run({ runOnly: { type: "tag", values } }), tags);
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html.slice(0, 200)).join("\n  ")}`);
  assert.deepEqual(told, [], view);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${view}: ${wide} pixels wider than the window`);
}

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 820, 1280]) {
    test(`every view, ${colorScheme}, ${width} pixels wide`, async () => {
      const page = await open(browser, { colorScheme, viewport: { width, height: 900 } });
      await page.goto(server.url);
      await page.locator("nav a").first().waitFor();
      await check(page, "all models");
      await page.getByRole("button", { name: "Token" }).click();
      await check(page, "the token's field");

      await openModel(page, server.url, "tree-spam");
      await page.locator("details.more summary").click();
      await check(page, "the form");
      await predict(page);
      await page.getByRole("button", { name: "wrong keys" }).click();
      await page.locator(".tries li").first().waitFor();
      await page.locator(".keys > summary").click();
      await page.locator(".keys tbody tr").first().waitFor();
      await page.getByText("What this model is").click();
      await check(page, "an answer and its journey");
      await predictFile(page, "rows.csv", csv(ROWS["tree-spam"].features, ROWS["tree-spam"].rows));
      await check(page, "results of a file");
      await page.locator("input[type=file]").setInputFiles({ name: "x.csv", mimeType: "text/csv", buffer: Buffer.from("a,b\n1") });
      await page.locator(".note.bad:not([hidden])").waitFor();
      await check(page, "a file that is refused");
      await openModel(page, server.url, "qnn-iris");
      await choose(page, "rows.csv", csv(ROWS["qnn-iris"].features, [[5, 3, 1, 0.2], ["", 3, 1, 0.2], [-50, 3, 1, 900]]));
      await page.getByRole("button", { name: "Leave this row out" }).click();
      await predict(page, ".results");
      assert.deepEqual([await page.locator("tr.left-out").count(), await page.locator("tr.outside").count()], [1, 1]);
      await check(page, "rows that were left out, and outside");
      await page.getByRole("tab", { name: "Fill in" }).click();
      await check(page, "an answer to another question");
      await page.locator(".field input").first().fill("many");
      await page.getByRole("button", { name: "Encrypt and predict" }).click();
      await page.locator('[aria-invalid="true"]').waitFor();
      await check(page, "a bad field");

      await openModel(page, server.url, "cnn-digits");
      await page.getByRole("button", { name: "Draw an example: 8" }).click();
      await check(page, "a drawing");
      await page.context().close();
    });
  }
}

test("the keyboard alone asks and reads", async () => {
  const page = await open(browser);
  await page.goto(server.url);
  await page.locator("nav a").first().waitFor();
  const press = async (key, until) => {
    for (let times = 0; times < 40; times++) {
      await page.keyboard.press(key);
      if (await page.evaluate(until)) return;
    }
    assert.fail(`${key} never came to ${until}`);
  };
  await press("Tab", () => document.activeElement.textContent.startsWith("qnn-iris"));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "qnn-iris", level: 2 }).waitFor();
  // The reader is told where they are.
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "qnn-iris");
  await press("Tab", () => document.activeElement.getAttribute("role") === "tab");
  await page.keyboard.press("End");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-selected")), "true");
  assert.ok(await page.getByText("Drop a CSV file").isVisible());
  await page.keyboard.press("Home");
  await press("Tab", () => document.activeElement.matches(".field input"));
  await page.keyboard.type("5.1");
  await page.keyboard.press("Enter");
  await page.locator(".journey").waitFor();
  const said = await answer(page);
  assert.ok((await page.locator("#status").textContent()).includes(said), "a screen reader is told");
  await page.context().close();
});
