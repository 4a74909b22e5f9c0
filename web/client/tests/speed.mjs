// What the client's work takes on this machine, in Node: node web/client/tests/speed.mjs [MODEL...]
import { Model } from "../dist/index.js";
import { clientZip } from "./support.mjs";

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1].toFixed(2);
const names = process.argv.length > 2 ? process.argv.slice(2) : ["tree-spam", "boost-spam", "boost-spam-cmux-forest", "qnn-iris", "cnn-digits", "mlp-mnist"];
for (const name of names) {
  const model = await Model.load({ clientZip: clientZip(name) }, { storage: "memory" });
  const row = model.info.features.map((feature) => feature.example);
  const keys = await model.keys();
  const [made, encrypted] = [[], []];
  for (let at = 0; at < 5; at++) made.push((await keys.rotate()).make * 1e3);
  for (let at = 0; at < (model.info.sizes.request > 1e6 ? 5 : 50); at++) {
    const start = performance.now();
    await model.encrypt([row]);
    encrypted.push(performance.now() - start);
  }
  const memory = ((await model.memoryBytes()) / 1e6).toFixed(1);
  console.log(`${name}: keys of ${model.info.sizes.key} bytes ${median(made)} ms, a row ${median(encrypted)} ms, ${memory} MB so far`);
  await model.close();
}
