// Every committed model, answered by a real server: exact circuits give the clear model's scores, networks its classes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { listModels, Model } from "../dist/index.js";
import { ROWS, Server } from "./support.mjs";

/** Bytes of WebAssembly memory that any model may take. */
const MOST_MEMORY = 100e6;

let server;
before(async () => (server = await Server.start()));
after(() => server?.stop());

test("a server's models are listed with their circuits and sizes", async () => {
  const models = await listModels(server.url);
  const tree = models.find(({ name }) => name === "tree-spam");
  assert.deepEqual([tree.kind, tree.circuit, tree.features, tree.sizes.key], ["tree", "path-cost", 57, 13110]);
  assert.equal(new Set(models.map(({ circuit }) => circuit)).size, 6 + 1, "a committed model of every circuit");
});

for (const [name, { rows, classes, scores, features }] of Object.entries(ROWS)) {
  test(`${name}: ten rows are what the clear model says`, async () => {
    const model = await Model.load(server.model(name));
    assert.deepEqual(model.info.features.map((feature) => feature.name), features);
    const batch = await model.predict(rows);
    const single = await model.predict(rows[0]);
    const named = await model.predict(Object.fromEntries(features.map((feature, at) => [feature, rows[0][at]])));
    if (model.info.exact) {
      assert.deepEqual(batch.map((one) => one.scores), scores);
      for (const one of [single, named]) assert.deepEqual(one.scores, scores[0]);
    } else {
      // Two scores may lie closer to each other than the noise.
      const same = batch.filter((one, at) => one.class === classes[at]).length;
      assert.ok(same >= rows.length - 1, `${same} of ${rows.length} classes`);
      assert.ok(batch.every((one) => one.scores === null && one.classScores === null), "a network's scores are withheld");
    }
    if (model.info.classes && model.info.exact) assert.deepEqual(batch.map((one) => one.class), classes);
    if (!model.info.classes) assert.ok(batch.every((one) => Number.isFinite(one.value) && one.class === null));
    assert.ok((await model.memoryBytes()) <= MOST_MEMORY);
    await model.close();
  });
}

test("cnn-mnist, with the largest keys, stays within the memory", async () => {
  const model = await Model.load(server.model("cnn-mnist"));
  const { rows, classes } = ROWS["mlp-mnist"];
  const said = await model.predict(rows.slice(0, 3));
  assert.ok(said.filter((one, at) => one.class === classes[at]).length >= 2);
  assert.ok((await model.memoryBytes()) <= MOST_MEMORY, `${await model.memoryBytes()} bytes`);
  await model.close();
});
