// Every circuit's committed model, in the page, against a real server: ten rows each, and what they need of memory.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { downloaded, fillIn, launch, open, openModel, answer, predict, predictFile } from "./support/browser.mjs";
import { csv, ROWS, table } from "./support/data.mjs";
import { fhectl, Server, workFolder } from "./support/server.mjs";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Bytes of WebAssembly memory that any model may take. */
const MOST_MEMORY = 100e6;

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [name, { features, rows, classes, scores }] of Object.entries(ROWS)) {
  test(`${name}: ten rows are what the clear model says`, async () => {
    const page = await open(browser);
    await openModel(page, server.url, name);
    await predictFile(page, "rows.csv", csv(features, rows));
    const [header, ...lines] = await downloaded(page);
    assert.equal(header[0], "prediction");
    assert.equal(lines.length, rows.length);
    if (classes[0] !== null) assert.deepEqual(lines.map(([said]) => said), classes);
    else {
      // Numbers go up with their scores, and no two of different scores are the same.
      const order = (values) => values.map((_, at) => at).sort((a, b) => values[a] - values[b]);
      assert.deepEqual(order(lines.map(([said]) => Number(said))), order(scores.map(([score]) => score)));
    }
    const memory = Number(await page.locator("[data-memory]").getAttribute("data-memory"));
    assert.ok(memory > 1e6 && memory <= MOST_MEMORY, `${memory} bytes of WebAssembly memory`);
    console.log(`# ${name}: ${(memory / 1e6).toFixed(1)} MB of WebAssembly memory`);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  });
}

test("a row typed into the form is the row that is answered", async () => {
  const page = await open(browser);
  await openModel(page, server.url, "tree-spam");
  const { rows, classes } = ROWS["tree-spam"];
  const [first, other] = [0, classes.findIndex((name) => name !== classes[0])];
  for (const at of [first, other]) {
    await fillIn(page, rows[at]);
    await predict(page);
    assert.equal(await answer(page), classes[at]);
  }
  await page.context().close();
});

test("a file of 691 rows is answered as the command line answers it", async () => {
  const lines = table("spam.csv.gz").slice(0, 692);
  const file = join(workFolder("csv"), "mails.csv");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const out = `${file}.out`;
  await fhectl("predict", "tree-spam", "--url", server.url, "--input", file, "--output", out);
  const native = readFileSync(out, "utf8").trim().split("\n").slice(1).map((line) => line.split(",")[0]);
  const page = await open(browser);
  await openModel(page, server.url, "tree-spam");
  const took = await predictFile(page, "mails.csv", lines.join("\r\n"));
  console.log(`# 691 rows: ${took.toFixed(0)} ms`);
  const [, ...got] = await downloaded(page);
  assert.equal(got.length, 691);
  assert.deepEqual(got.map(([said]) => said), native);
  const labels = lines.slice(1).map((line) => line.split(",").at(-1));
  const same = native.filter((said, at) => said === labels[at]).length;
  assert.ok((await page.locator(".results").innerText()).includes(`${same} of 691`), "agreement with the file's own column");
  await page.context().close();
});

test("a file that does not suit the model is refused, with the place", async () => {
  const page = await open(browser);
  await openModel(page, server.url, "qnn-iris");
  const { features } = ROWS["qnn-iris"];
  for (const [text, said] of [
    ["", "no header"],
    [csv(features, []), "no rows"],
    [csv(features.slice(1), [[1, 2, 3]]), features[0]],
    [csv(features, [[1, 2, 3, 4], [1, "two", 3, 4]]), "Row 2"],
    [`${features.join(",")}\n1,2,3`, "Line 2"],
    [`${features.join(",")}\n"1,2,3,4`, "quote"],
  ]) {
    const tab = page.getByRole("tab", { name: "CSV file" });
    await tab.click();
    await page.locator("input[type=file]").setInputFiles({ name: "bad.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    await page.locator(".table-drop .note.bad", { hasText: said }).waitFor({ timeout: 5000 });
  }
  await page.context().close();
});
