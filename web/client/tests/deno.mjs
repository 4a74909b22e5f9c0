// The client in Deno: one exact circuit and one network, against a real server.
//   deno run --allow-read --allow-net --allow-run --allow-env web/client/tests/deno.mjs
import assert from "node:assert/strict";
import { Model } from "../dist/index.js";
import { ROWS, Server } from "./support.mjs";

const server = await Server.start();
try {
  for (const name of ["tree-spam", "cnn-digits"]) {
    const model = await Model.load(server.model(name));
    const { rows, classes } = ROWS[name];
    const said = await model.predict(rows);
    const same = said.filter((one, at) => one.class === classes[at]).length;
    assert.ok(same >= (model.info.exact ? rows.length : rows.length - 1), `${name}: ${same} of ${rows.length}`);
    console.log(`ok    ${name} in Deno: ${same} of ${rows.length} classes`);
    await model.close();
  }
} finally {
  await server.stop();
}
