// The two builds of the module, and a module that has trapped. Each in a process of its own: an instance is one of a process.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ROOT } from "./support.mjs";

const dist = new URL("../dist/", import.meta.url);
const run = async (script) => {
  const text = `import { Model, configure } from ${JSON.stringify(new URL("index.js", dist).href)};
    import { readFileSync } from "node:fs";
    const zip = (name) => readFileSync(${JSON.stringify(ROOT)} + "compiled_model/" + name + "/client.zip");
    ${script}`;
  return JSON.parse((await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", text])).stdout);
};

test("both modules have at most 250,000 bytes in gzip", () => {
  for (const name of ["fhectl.wasm", "fhectl-simd.wasm"]) {
    const bytes = execFileSync("gzip", ["-9c", fileURLToPath(new URL(name, dist))], { maxBuffer: 1 << 24 }).length;
    assert.ok(bytes <= 250_000, `${name}: ${bytes} bytes`);
  }
});

test("modules name no folder of the machine that built them", () => {
  for (const name of ["fhectl.wasm", "fhectl-simd.wasm", "index.js", "worker.js"]) {
    const text = readFileSync(new URL(name, dist), "latin1");
    for (const folder of [ROOT, "/root/", "/home/"]) assert.ok(!text.includes(folder), `${name} names ${folder}`);
  }
});

test("the plain module reads what the SIMD module encrypts under one key, and the other way round", async () => {
  // Both under the same seeds, from a counter: they are to make the same bytes.
  const seeded = `
    let calls = 0;
    crypto.getRandomValues = (bytes) => { bytes.fill(7); bytes[0] = ++calls & 255; bytes[1] = calls >> 8; return bytes; };
    const digest = async (bytes) => Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
    const out = {};
    for (const name of ["tree-spam", "boost-spam-cmux-forest", "cnn-digits", "linreg-diabetes"]) {
      const model = await Model.load({ clientZip: zip(name) });
      const row = model.info.features.map((feature) => feature.example);
      const { batches } = await model.encrypt([row]);
      out[name] = [await digest(batches[0]), (await (await model.keys()).evaluation()).id];
    }
    console.log(JSON.stringify(out));`;
  const plain = await run(`configure({ wasm: readFileSync(new URL("fhectl.wasm", ${JSON.stringify(dist.href)})) }); ${seeded}`);
  assert.deepEqual(await run(seeded), plain);
});

test("without randomness nothing is encrypted, and nothing of the module is used after", async () => {
  const errors = await run(`
    const model = await Model.load({ clientZip: zip("tree-spam") });
    const row = model.info.features.map((feature) => feature.example);
    const own = crypto.getRandomValues;
    crypto.getRandomValues = () => { throw new Error("none"); };
    const errors = [];
    for (let at = 0; at < 2; at++) {
      await model.encrypt([row]).catch((error) => errors.push(error.code));
      crypto.getRandomValues = own.bind(crypto);
    }
    console.log(JSON.stringify(errors));`);
  assert.deepEqual(errors, ["internal", "internal"]);
});
