// Digits drawn with the mouse, as hands draw them: tilted, off the middle, of several sizes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answer, launch, open, openModel, predict } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Points of each stroke on a grid of 100. */
const DRAWN = [
  [[52, 20, 38, 26, 31, 42, 32, 62, 42, 77, 56, 78, 68, 64, 69, 42, 62, 25, 50, 20]],
  [[50, 18, 49, 40, 48, 60, 47, 82]],
  [[32, 34, 38, 23, 52, 19, 64, 27, 64, 40, 54, 54, 42, 66, 31, 79, 48, 77, 69, 78]],
  [[34, 24, 48, 18, 63, 24, 62, 38, 49, 47, 44, 48, 58, 51, 67, 62, 60, 76, 45, 80, 31, 74]],
  [[38, 18, 34, 36, 31, 52, 48, 52, 70, 50], [62, 20, 60, 44, 58, 64, 57, 84]],
  [[68, 20, 52, 21, 38, 22, 36, 36, 35, 47, 46, 43, 60, 47, 66, 60, 60, 74, 46, 80, 32, 75]],
  [[60, 16, 48, 26, 38, 42, 33, 60, 38, 76, 52, 80, 64, 72, 64, 60, 53, 53, 41, 58, 36, 66]],
  [[30, 24, 44, 22, 58, 22, 70, 22, 62, 38, 54, 56, 48, 70, 45, 82]],
  [[62, 25, 50, 18, 38, 24, 38, 37, 50, 47, 62, 57, 65, 70, 54, 80, 40, 77, 35, 66, 42, 55, 54, 46, 63, 36, 62, 25]],
  [[64, 34, 56, 20, 42, 20, 34, 32, 38, 46, 50, 49, 62, 42, 64, 32, 63, 48, 60, 66, 56, 83]],
];

async function drawn(page, strokes, shrink, x, y) {
  const pad = page.locator("canvas.pad");
  await pad.scrollIntoViewIfNeeded();
  const box = await pad.boundingBox();
  const at = (px, py) => [box.x + (box.width * (x + px * shrink)) / 100, box.y + (box.height * (y + py * shrink)) / 100];
  for (const stroke of strokes) {
    await page.mouse.move(...at(stroke[0], stroke[1]));
    await page.mouse.down();
    for (let i = 2; i < stroke.length; i += 2) await page.mouse.move(...at(stroke[i], stroke[i + 1]), { steps: 3 });
    await page.mouse.up();
  }
}

for (const name of ["mlp-mnist", "cnn-digits"]) {
  test(`${name}: digits are recognized`, async () => {
    const page = await open(browser);
    await openModel(page, server.url, name);
    const said = [];
    for (const [digit, strokes] of DRAWN.entries()) {
      await page.getByRole("button", { name: "Clear" }).click();
      // From half of the canvas, in a corner, to all of it.
      const shrink = [1, 0.5, 0.75][digit % 3];
      await drawn(page, strokes, shrink, digit % 2 ? 0 : (1 - shrink) * 100, 0);
      await predict(page);
      said.push(await answer(page));
    }
    const right = said.filter((one, digit) => one === String(digit)).length;
    console.log(`# ${name}: ${right} of 10 drawn digits, said ${said.join(" ")}`);
    assert.ok(right >= 8, said.join(" "));
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
}

test("who has no pointer draws with the keyboard, and an empty canvas is not sent", async () => {
  const page = await open(browser);
  await openModel(page, server.url, "mlp-mnist");
  await page.getByRole("button", { name: "Encrypt and predict" }).click();
  await page.getByText("Draw something first").waitFor();
  await page.locator("canvas.pad").focus();
  for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowUp");
  assert.ok(await page.getByText("Draw something first").isVisible(), "to move the pen is not to draw");
  await page.keyboard.press(" ");
  assert.equal(await page.getByText("Draw something first").isVisible(), false);
  for (let i = 0; i < 17; i++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press(" ");
  await predict(page);
  assert.equal(await answer(page), "1");
  await page.context().close();
});
