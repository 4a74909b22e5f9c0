// Files of rows: what is read of them follows the command line's rules, and what cannot be read is told, with its place.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { choose, handedOut, launch, open, openModel, predict, predictFile } from "./support/browser.mjs";
import { csv, ROWS } from "./support/data.mjs";
import { exportsOf } from "./support/module.mjs";
import { fhectl, Server, workFolder } from "./support/server.mjs";

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const IRIS = ROWS["qnn-iris"];
const NAMES = IRIS.features.join(",");

async function onModel(name, work) {
  const page = await open(browser);
  await openModel(page, server.url, name);
  await work(page);
  assert.deepEqual(page.problems, []);
  await page.context().close();
}

/** What `fhectl predict` writes for the file, and what the page hands out. */
async function both(page, name, text, ...options) {
  const file = join(workFolder("csv"), "rows.csv");
  writeFileSync(file, text);
  await fhectl("predict", name, "--url", server.url, "--input", file, "--output", `${file}.out`, ...options);
  return [await handedOut(page), readFileSync(`${file}.out`, "utf8")];
}

for (const [name, rows] of [
  ["tree-spam", ROWS["tree-spam"].rows.map((row, at) => (at === 1 ? row.map((value) => value + 1e6) : row))],
  ["linreg-diabetes", [...ROWS["linreg-diabetes"].rows, ROWS["linreg-diabetes"].rows[0].map((value) => value * 1e3)]],
  ["qnn-iris", [...IRIS.rows, [-50, 3, 1, 0.2]]],
  ["logreg-synthetic", ROWS["logreg-synthetic"].rows],
  ["cnn-digits", [...ROWS["cnn-digits"].rows.slice(0, 3), ROWS["cnn-digits"].rows[0].map((value) => value * 3)]],
]) {
  test(`${name}: the download is the file that the command line writes, byte for byte`, () =>
    onModel(name, async (page) => {
      const text = csv(ROWS[name].features, rows);
      await predictFile(page, "rows.csv", text);
      const [ours, theirs] = await both(page, name, text);
      assert.equal(ours, theirs);
    }));
}

test("a row that is left out is a row of the download, where that has one column, too", () =>
  onModel("linreg-diabetes", async (page) => {
    const { features, rows } = ROWS["linreg-diabetes"];
    const text = csv(features, [rows[0], ["", ...rows[1].slice(1)], rows[2]]);
    await choose(page, "rows.csv", text);
    await page.getByRole("button", { name: "Leave this row out" }).click();
    await predict(page, ".results");
    const [ours, theirs] = await both(page, "linreg-diabetes", text, "--on-error", "skip");
    assert.equal(ours, theirs);
    assert.equal(ours.split("\n")[2], '""');
  }));

test("numbers are written without exponents, as the command line writes them", async () => {
  // The scores of what is far from a class are small: here the function itself is asked.
  const { decimal } = await exportsOf("output.ts");
  for (const [value, text] of [
    [1e-7, "0.0000001"], [-1.5e-9, "-0.0000000015"], [1e21, "1000000000000000000000"], [1.25e22, "12500000000000000000000"],
    [-0, "-0"], [0, "0"], [0.1, "0.1"], [152.5, "152.5"],
  ]) {
    assert.equal(decimal(value), text);
  }
});

test("small scores are written without exponents", () =>
  onModel("qnn-iris", async (page) => {
    await predictFile(page, "rows.csv", csv(IRIS.features, IRIS.rows));
    const cells = (await handedOut(page)).trim().split(/[,\n]/);
    assert.ok(cells.some((cell) => Number(cell) > 0 && Number(cell) < 1e-6), "a score is that small");
    assert.deepEqual(cells.filter((cell) => /\de/.test(cell)), []);
  }));

test("rows beyond the model's range are counted, marked, and named in the download", () =>
  onModel("qnn-iris", async (page) => {
    await predictFile(page, "rows.csv", csv(IRIS.features, [IRIS.rows[0], [-50, 3.5, 1.5, 900], IRIS.rows[1]]));
    await page.locator(".results .note", { hasText: "1\u00a0row of 3 lies beyond what the model knows (such as row 2, sepal_length)" }).waitFor();
    assert.deepEqual(await page.locator(".results tbody tr.outside td:first-child").allInnerTexts(), ["2"]);
    assert.equal(await page.locator(".results tbody tr.outside td:last-child").innerText(), "sepal_length, petal_width");
  }));

test("a file without rows outside has no such column", () =>
  onModel("qnn-iris", async (page) => {
    await predictFile(page, "rows.csv", csv(IRIS.features, IRIS.rows.slice(0, 2)));
    assert.equal((await handedOut(page)).split("\n")[0], "prediction,score_setosa,score_versicolor,score_virginica");
    assert.equal(await page.locator(".results tr.outside").count(), 0);
  }));

test("labels are compared as numbers where both are, and not at all where none is a class", () =>
  onModel("tree-spam", async (page) => {
    const { features, rows, classes } = ROWS["tree-spam"];
    const labeled = (labels) => csv([...features, "spam"], rows.map((row, at) => [...row, labels[at]]));
    await predictFile(page, "rows.csv", labeled(classes.map((name) => `${name}.0`)));
    await page.getByText("10 of 10 (100 %) are what the file's spam says.").waitFor();
    assert.equal(await page.locator(".results td.other").count(), 0);
    await predictFile(page, "rows.csv", labeled(classes.map((name, at) => (at === 0 ? "maybe" : name))));
    await page.getByText("9 of 9 (100 %) are what the file's spam says. In 1\u00a0other row it is no class").waitFor();
    await predictFile(page, "rows.csv", labeled(classes.map((name) => (name === "1" ? "junk" : "fine"))));
    await page.getByText("Nothing is compared: the file's spam (“fine”, say) is no class of the model").waitFor();
    assert.equal(await page.getByText("0 of 10").count(), 0);
  }));

for (const [what, text] of [
  ["semicolons and decimal commas", "sepal_length;sepal_width;petal_length;petal_width\n5,2;3,5;1,5;0,2\n6,9;3,1;5,1;2,3\n"],
  ["tabs and decimal commas", "sepal_length\tsepal_width\tpetal_length\tpetal_width\n5,2\t3,5\t1,5\t0,2\n6,9\t3,1\t5,1\t2,3\n"],
  ["a first line that names the separator", "sep=;\r\nsepal_length;sepal_width;petal_length;petal_width\r\n5.2;3.5;1.5;0.2\r\n6.9;3.1;5.1;2.3\r\n"],
  ["bars between cells", "sepal_length|sepal_width|petal_length|petal_width\n5.2|3.5|1.5|0.2\n6.9|3.1|5.1|2.3\n"],
  ["blanks, a sign, an exponent and a comma at the end", `${NAMES},\n 5.2 ,+3.5,15e-1,.2,\n6.9,3.1,5.1,2.3,\n`],
  ["an index without a name", `,${NAMES}\n0,5.2,3.5,1.5,0.2\n1,6.9,3.1,5.1,2.3\n`],
]) {
  test(`${what} are read as the command line reads them`, () =>
    onModel("qnn-iris", async (page) => {
      await predictFile(page, "rows.csv", text);
      const [ours, theirs] = await both(page, "qnn-iris", text);
      assert.equal(ours, theirs);
      assert.deepEqual(ours.trim().split("\n").map((line) => line.split(",")[0]), ["prediction", "setosa", "virginica"]);
    }));
}

test("rows with bad cells are counted when the file is there, and may be left out as by --on-error skip", () =>
  onModel("qnn-iris", async (page) => {
    const bad = ["NA,3.5,1.5,0.2", "5,0x10,1,1", "5,\u22123,1,1", "5,,1,1", "5,3,1,Infinity", "5,3,1,-"];
    const text = `${NAMES}\n${IRIS.rows[0]}\n${bad.join("\n")}\n${IRIS.rows[4]}\n`;
    await choose(page, "rows.csv", text);
    const problem = page.locator(".table-drop .note.bad");
    await problem.getByText("6\u00a0rows of 8 cannot be predicted. The first: Row 2, sepal_length is missing.").waitFor();
    assert.equal(await page.locator(".table-drop button.primary").isVisible(), false, "nothing is sent before");
    await page.getByRole("button", { name: "Leave these 6\u00a0rows out" }).click();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Encrypt and predict");
    await predict(page, ".results");
    assert.ok((await page.locator(".results").innerText()).includes("6\u00a0rows of the file were left out"));
    assert.equal(await page.locator(".results tr.left-out").count(), 6);
    const [ours, theirs] = await both(page, "qnn-iris", text, "--on-error", "skip");
    assert.equal(ours, theirs);
    assert.deepEqual(ours.trim().split("\n").map((line) => line.split(",")[0]), ["prediction", "setosa", "", "", "", "", "", "", "virginica"]);
  }));

test("a file that is refused says what is wrong with it", () =>
  onModel("qnn-iris", async (page) => {
    const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
    for (const [content, said] of [
      [`${NAMES},sepal_width\n1,2,3,4,5\n`, "Two columns are named “sepal_width”"],
      [`${NAMES},a,a\n1,2,3,4,5,6\n`, "Two columns are named “a”"],
      ["Sepal Length,sepalwidth,PETAL_LENGTH,petal_width\n1,2,3,4\n", "rename “Sepal Length” to “sepal_length”, “sepalwidth” to “sepal_width”, “PETAL_LENGTH” to “petal_length”"],
      ["a,b\n1,2\n", "It has other columns: “a”, “b”"],
      [`${NAMES},,x\n1,2,3,4,5,6\n`, "Column 5 has no name"],
      ["5.1,3.5,1.4,0.2\n4.9,3,1.4,0.2\n", "looks like data"],
      [png, "a PNG image"],
      [Buffer.from("PK\u0003\u0004xl"), "Excel"],
      ["<!DOCTYPE html><html></html>", "a web page"],
      ['[{"sepal_length": 5.1}]', "JSON"],
      [Buffer.from(`${NAMES}\n1,2,3,\xe4`, "latin1"), "not UTF-8"],
      [`${NAMES}\n1,2,3,"1,200"\n`, "without separators of thousands"],
      [`${NAMES}\n1,2,3,\u22121\n`, "the plain hyphen"],
    ]) {
      await choose(page, "bad.csv", content);
      await page.locator(".table-drop .note.bad", { hasText: said }).waitFor({ timeout: 5000 });
    }
  }));

test("the same file, corrected, can be chosen again; one dropped beside the field does not replace the page", () =>
  onModel("qnn-iris", async (page) => {
    await choose(page, "rows.csv", "a,b\n1,2\n");
    await page.locator(".table-drop .note.bad").waitFor();
    assert.equal(await page.locator("input[type=file]").evaluate((input) => input.files.length), 0, "the field is empty again");
    for (const name of ["dragover", "drop"]) {
      const prevented = await page.evaluate((name) => {
        const event = new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() });
        return !document.querySelector("footer").dispatchEvent(event);
      }, name);
      assert.ok(prevented, name);
    }
  }));
