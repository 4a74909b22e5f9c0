// What stands beside an answer: whether it is one to what is asked now, which field is wrong, what a key is good for.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answer, choose, fillIn, launch, open, openModel, predict, predictFile } from "./support/browser.mjs";
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

async function onModel(name, work, options) {
  const page = await open(browser, options);
  await openModel(page, server.url, name);
  await work(page);
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

const isStale = (page) => page.locator(".result").evaluate((result) => result.classList.contains("stale"));
const told = (page) => page.locator("#status").textContent();

test("an answer is dimmed when the form is changed, and on another tab while that is looked at", () =>
  onModel("qnn-iris", async (page) => {
    await predict(page);
    assert.equal(await isStale(page), false);
    await page.getByRole("tab", { name: "CSV file" }).click();
    assert.equal(await isStale(page), true);
    await page.getByText("The answer below is to what was asked under “Fill in”.", { exact: true }).last().waitFor();
    await page.getByRole("tab", { name: "Fill in" }).click();
    assert.equal(await isStale(page), false);
    await page.locator(".field input").first().fill("5.5");
    assert.equal(await isStale(page), true);
    assert.match(await told(page), /has changed since the answer/, "a screen reader is told");
    await predict(page);
    assert.equal(await isStale(page), false);
    await page.getByRole("button", { name: "Clear all values" }).click();
    assert.equal(await isStale(page), true);
    assert.ok(await page.locator(".stale-note").isVisible());
  }));

test("an answer is dimmed by each stroke, by Undo and by Clear; another file dims the one before", () =>
  onModel("cnn-digits", async (page) => {
    for (const change of ["Undo", "Clear"]) {
      await page.getByRole("button", { name: "Draw an example: 4" }).click();
      await predict(page);
      assert.equal(await isStale(page), false, change);
      await page.getByRole("button", { name: change, exact: true }).click();
      assert.equal(await isStale(page), true, change);
    }
    await page.getByRole("button", { name: "Draw an example: 4" }).click();
    await predict(page);
    await page.locator("canvas.pad").click();
    assert.equal(await isStale(page), true, "a stroke");
    await predictFile(page, "rows.csv", csv(ROWS["cnn-digits"].features, ROWS["cnn-digits"].rows.slice(0, 1)));
    assert.equal(await isStale(page), false);
    await choose(page, "other.csv", "a,b\n1,2\n");
    await page.locator(".table-drop .note.bad").waitFor();
    assert.equal(await isStale(page), true, "another file");
  }));

test("a bad field is marked, has the focus, and is shown where it was folded away", () =>
  onModel("tree-spam", async (page) => {
    const fields = page.locator(".field input");
    const last = fields.nth(56);
    assert.equal(await last.isVisible(), false);
    await last.evaluate((input) => (input.value = "0x10"));
    await page.getByRole("button", { name: "Encrypt and predict" }).click();
    await page.locator(".features .note.bad", { hasText: "capitalTotal: “0x10” is not a number" }).waitFor();
    assert.ok(await last.isVisible());
    assert.equal(await last.getAttribute("aria-invalid"), "true");
    assert.ok(await last.evaluate((input) => document.activeElement === input));
    await last.fill("16");
    assert.equal(await last.getAttribute("aria-invalid"), null);
    assert.equal(await page.locator(".features .note.bad").isVisible(), false);
    // Whether a value may be missing is the model's to say.
    await fields.nth(1).fill("");
    await page.getByRole("button", { name: "Encrypt and predict" }).click();
    await page.locator(".features .note.bad", { hasText: "address is missing" }).waitFor();
    assert.ok(await fields.nth(1).evaluate((input) => document.activeElement === input));
    await fields.nth(1).fill("0");
    await predict(page);
  }));

test("keypads without a minus are for features without negative numbers", async () => {
  await onModel("qnn-iris", async (page) => assert.equal(await page.locator(".field input").first().getAttribute("inputmode"), "decimal"));
  await onModel("logreg-synthetic", async (page) => assert.equal(await page.locator(".field input[inputmode]").count(), 0));
});

test("a class that is a number is told with what it is of", () =>
  onModel("tree-spam", async (page) => {
    await fillIn(page, ROWS["tree-spam"].rows[0]);
    await predict(page);
    assert.match(await page.locator(".answer-head").first().innerText(), /^spam:\s*0$/);
    assert.match(await told(page), /The answer is spam: 0/);
  }));

test("of an image's row those integers are shown where its ink begins", () =>
  onModel("mlp-mnist", async (page) => {
    await page.getByRole("button", { name: "Draw an example: 0" }).click();
    await predict(page);
    const row = await page.locator(".row-text").innerText();
    assert.match(row, /^0, \d+ times, then /);
    const shown = row.replace(/^.* then /, "").split(" and ")[0].trim().split(/\s+/).map(Number);
    assert.ok(shown.length === 48 && shown[0] > 0, row);
  }));

test("the page says how many rows a key answers, and when another is made for the next", () =>
  onModel("cnn-digits", async (page) => {
    assert.match(await page.locator(".sizes").innerText(), /Key, sent once\s+[\d.]+\sMB, for 64\srows/);
    await page.evaluate(() => {
      window.said = [];
      new MutationObserver(() => window.said.push(document.querySelector(".progress-text")?.textContent)).observe(document.body, {
        childList: true, subtree: true, characterData: true,
      });
    });
    const { features, rows } = ROWS["cnn-digits"];
    page.setDefaultTimeout(120_000);
    await predictFile(page, "rows.csv", csv(features, Array.from({ length: 65 }, (_, at) => rows[at % rows.length])));
    const said = await page.evaluate(() => window.said);
    const [first, second] = ["Making your keys", "Making a new key: the one before has answered its rows"].map((text) => said.indexOf(text));
    assert.ok(first >= 0 && second > first, [...new Set(said)].join("\n"));
    assert.match(await page.locator(".results h3").innerText(), /65\srows answered/);
  }));

test("on a phone who draws reaches the button, the token's button is on one line, and keys have their buttons under them", () =>
  onModel(
    "mlp-mnist",
    async (page) => {
      const box = (locator) => locator.boundingBox();
      const [pad, send, digits] = await Promise.all([
        box(page.locator("canvas.pad")),
        box(page.getByRole("button", { name: "Encrypt and predict" })),
        box(page.locator(".digits")),
      ]);
      assert.ok(send.y >= pad.y + pad.height && send.y + send.height - pad.y < 500, "pad and button are on one screen");
      assert.ok(digits.y > send.y, "examples are below");
      // At 320 pixels they lack room, as they do at 360 in a wider font: then the first one's words take two lines.
      for (const width of [320, 360]) {
        await page.setViewportSize({ width, height: 640 });
        const [first, ...others] = await Promise.all(["Encrypt and predict", "Undo", "Clear"].map((name) => box(page.getByRole("button", { name }))));
        const middle = ({ y, height }) => y + height / 2;
        assert.ok(others.every((other) => Math.abs(middle(other) - middle(first)) < 4), `at ${width} pixels the buttons are on one line`);
        assert.ok(others[1].x + others[1].width < width, `at ${width} pixels the last button is on the screen`);
      }
      await page.getByRole("button", { name: "Token" }).click();
      assert.ok((await box(page.getByRole("button", { name: "Use it" }))).height < 50, "one line");
      await page.getByRole("button", { name: "Draw an example: 1" }).click();
      await predict(page);
      await page.locator(".keys > summary").click();
      await page.locator(".keys tbody tr").first().waitFor();
      const name = await box(page.locator(".keys tbody th").first());
      for (const action of ["Rotate", "Delete"]) {
        const found = await box(page.getByRole("button", { name: `${action} the key of mlp-mnist` }));
        assert.ok(found.y > name.y + 10 && found.x >= 0 && found.x + found.width <= 360, action);
      }
      const hidden = await page.locator(".keys .scroll").evaluate((scroll) => scroll.scrollWidth - scroll.clientWidth);
      assert.equal(hidden, 0, "nothing is cut off");
      assert.equal(await answer(page), "1");
    },
    { viewport: { width: 360, height: 640 } },
  ));

test("the text on trust takes the width that there is", () =>
  onModel(
    "qnn-iris",
    async (page) => {
      const [trust, body] = await Promise.all(["#trust", "body"].map((name) => page.locator(name).boundingBox()));
      assert.ok(trust.width > 0.9 * body.width, `${trust.width} of ${body.width}`);
      const right = await page.locator("#trust p").evaluateAll((all) => Math.max(...all.map((p) => p.getBoundingClientRect().right)));
      assert.ok(right > trust.x + 0.9 * trust.width, "its text reaches the right side");
    },
    { viewport: { width: 1280, height: 900 } },
  ));
