// What keeps a key safe from the server that answers under it, and what becomes of mistakes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { FhectlError, Model } from "../dist/index.js";
import { clientZip, FHECTL, ROOT, ROWS, Server, watched } from "./support.mjs";

let server;
before(async () => (server = await Server.start()));
after(() => server?.stop());

const code = (expected) => (error) => {
  assert.ok(error instanceof FhectlError, String(error));
  assert.equal(error.code, expected, error.message);
  assert.ok(error.hint === null || error.hint.length > 3);
  return true;
};
const row = (name) => ROWS[name].rows[0];

/** A storage that other tests do not share. */
function storage() {
  const [records, evaluations] = [new Map(), new Map()];
  return {
    records,
    evaluations,
    read: async (model) => records.get(model),
    async update(model, change) {
      const after = change(records.get(model));
      if (after) records.set(model, after);
      else records.delete(model);
      return after;
    },
    list: async () => [...records.values()],
    readEvaluation: async (model, serial) => evaluations.get(`${model}.${serial}`),
    writeEvaluation: async (model, serial, bytes) => void evaluations.set(`${model}.${serial}`, bytes),
    deleteEvaluation: async (model, serial) => void evaluations.delete(`${model}.${serial}`),
  };
}
const load = (name, options = {}) => Model.load(server.model(name), { storage: storage(), ...options });

test("the first request under a key has a tag, and few of the others", async () => {
  const fetch = watched();
  const model = await load("tree-spam", { fetch });
  for (let at = 0; at < 64; at++) await model.predict(row("tree-spam"));
  const sent = fetch.inferences().map(({ body }) => body.length);
  const plain = model.info.sizes.request;
  assert.ok(sent[0] > plain, "the first has one");
  const tagged = sent.slice(1).filter((bytes) => bytes > plain).length;
  // 4 of 63 on average; more than 16 is less likely than one of a million.
  assert.ok(tagged <= 16, `${tagged} of 63`);
});

test("a damaged answer is told at the end, after all was sent, and three of them end the key", async () => {
  let damage = true;
  const fetch = watched((answer) => {
    if (damage) answer[answer.length >> 1] ^= 1;
    return answer;
  });
  const keys = storage();
  const model = await load("tree-spam", { fetch, storage: keys });
  const rows = Array.from({ length: 2 * model.info.batchRows + 1 }, () => row("tree-spam"));
  await assert.rejects(model.predict(rows), code("answers_untrusted"));
  assert.equal(fetch.inferences().length, 3, "all batches were sent");
  const [before] = keys.records.values();
  assert.equal(before.failures, 3);
  damage = false;
  assert.equal((await model.predict(row("tree-spam"))).class, ROWS["tree-spam"].classes[0]);
  const [after] = keys.records.values();
  assert.notEqual(after.serial, before.serial);
  assert.equal(after.failures, 0);
});

test("of many calls at one time, all that end after the third failure fail", async () => {
  let answers = 0;
  const fetch = watched((answer) => {
    // The server chooses which of them it damages: which call fails must tell it nothing.
    if (answers++ % 2 === 1) answer[answer.length >> 1] ^= 1;
    return answer;
  });
  const model = await load("tree-spam", { fetch });
  await (await model.keys()).prepare();
  const ended = [];
  const one = async () => {
    const outcome = await model.predict(row("tree-spam")).then(
      () => "predicted",
      (error) => error.code,
    );
    ended.push(outcome);
  };
  await Promise.all(Array.from({ length: 40 }, one));
  assert.equal(new Set(fetch.inferences().map(({ headers }) => headers.get("key-id"))).size, 1, "all under one key");
  const third = ended.map((outcome, at) => (outcome === "answers_untrusted" ? at : -1)).filter((at) => at >= 0)[2];
  assert.ok(third < 40 && ended.slice(0, third).includes("predicted"), ended.join(" "));
  assert.deepEqual([...new Set(ended.slice(third))], ["answers_untrusted"], ended.join(" "));
});

test("after a good answer and after a damaged one the next request is the same to a server", async () => {
  const shape = async (damage) => {
    let answers = 0;
    const fetch = watched((answer) => {
      if (damage && answers++ === 0) answer[answer.length >> 1] ^= 1;
      return answer;
    });
    const model = await load("tree-spam", { fetch });
    await model.predict(row("tree-spam")).catch(code("answers_untrusted"));
    const before = fetch.requests.length;
    await model.predict(row("tree-spam"));
    return fetch.requests.slice(before).map(({ method, path, headers }) => [method, path, [...headers.keys()].sort()]);
  };
  const [good, damaged] = [await shape(false), await shape(true)];
  assert.deepEqual(damaged, good);
  assert.equal(good.length, 1, "the rows alone");
});

test("a key that was rotated or deleted elsewhere is not used again", async () => {
  const keys = storage();
  const fetch = watched();
  const [mine, other] = [await load("tree-spam", { storage: keys, fetch }), await load("tree-spam", { storage: keys })];
  await mine.predict(row("tree-spam"));
  for (const end of ["rotate", "delete"]) {
    const { id: before } = await (await mine.keys()).evaluation();
    assert.match(before, /^[0-9a-f]{64}$/);
    await (await other.keys())[end]();
    const from = fetch.requests.length;
    assert.equal((await mine.predict(row("tree-spam"))).class, ROWS["tree-spam"].classes[0]);
    const later = fetch.requests.slice(from);
    assert.ok(later.length > 0);
    for (const { path, headers } of later) assert.ok(headers.get("key-id") !== before && !path.includes(before), `${end}: ${path}`);
  }
});

test("a key that is deleted while a row is under way is not brought again", async () => {
  const keys = storage();
  const other = await load("tree-spam", { storage: keys });
  const sent = watched();
  let end = async () => undefined;
  const fetch = async (url, options) => {
    if (url.endsWith("/infer")) await end();
    return sent(url, options);
  };
  const model = await load("tree-spam", { storage: keys, fetch });
  await model.predict(row("tree-spam"));
  const from = sent.requests.length;
  end = async () => {
    await (await other.keys()).delete();
    end = async () => undefined;
  };
  await assert.rejects(model.predict(row("tree-spam")), code("key_unknown"));
  assert.deepEqual(sent.requests.slice(from).map(({ method }) => method), ["POST"], "no key was sent");
});

test("an answer under another client's key is seen", async () => {
  let stolen;
  const other = await load("tree-spam", { fetch: watched((answer) => ((stolen = answer), answer)) });
  await other.predict(row("tree-spam"));
  const model = await load("tree-spam", { fetch: watched(() => stolen) });
  await assert.rejects(model.predict(row("tree-spam")), (error) => code("answers_untrusted")(error) && /another/.test(error.message));
});

test("a network's key answers 64 rows of ten classes, then another takes its place", async () => {
  const fetch = watched();
  const keys = storage();
  const model = await load("cnn-digits", { fetch, storage: keys });
  assert.equal(model.info.rowsAKey, 64);
  const { rows, classes } = ROWS["cnn-digits"];
  const many = Array.from({ length: 66 }, (_, at) => rows[at % rows.length]);
  const said = await model.predict(many);
  assert.equal(said.length, 66);
  assert.ok(said.filter((one, at) => one.class === classes[at % classes.length]).length >= 60);
  const ids = new Set(fetch.inferences().map(({ headers }) => headers.get("key-id")));
  assert.equal(ids.size, 2);
  assert.deepEqual([...keys.records.values()].map(({ told }) => told), [8]);
  assert.equal(keys.evaluations.size, 1, "the first one's evaluation key is gone");
  assert.ok(fetch.requests.some(({ method, path }) => method === "DELETE" && path.includes("/keys/")), "the server forgets it");
});

test("a network's scores are shown where they are asked for, and cost more of the key", async () => {
  const model = await load("cnn-digits", { scores: true });
  assert.ok(model.info.showsScores && model.info.rowsAKey < 64);
  const said = await model.predict(row("cnn-digits"));
  assert.equal(said.scores.length, 10);
  assert.equal(said.classScores.length, 10);
});

test("keys are kept, rotated and deleted; those that are too old are replaced", async () => {
  const keys = storage();
  const fetch = watched();
  const first = await load("tree-spam", { storage: keys, fetch });
  const report = await (await first.keys()).prepare();
  assert.deepEqual([report.fresh, report.renewed, report.bytes, report.sent], [true, null, 13110, 13110]);
  const second = await load("tree-spam", { storage: keys });
  const again = await (await second.keys()).prepare();
  assert.deepEqual([again.fresh, again.sent], [false, 0], "the server has the key");
  const before = await (await second.keys()).current();
  const rotated = await (await second.keys()).rotate();
  assert.deepEqual([rotated.fresh, rotated.renewed], [true, "asked"]);
  assert.notEqual((await (await second.keys()).current()).serial, before.serial);
  const record = [...keys.records.values()][0];
  keys.records.set(record.model, { ...record, made: record.made - 100 });
  const third = await load("tree-spam", { storage: keys, keyMaxAge: 60 });
  assert.equal((await (await third.keys()).prepare()).renewed, "age");
  await (await third.keys()).delete();
  assert.equal(await (await third.keys()).current(), null);
  assert.deepEqual([keys.records.size, keys.evaluations.size], [0, 0]);
});

test("a server that forgot the key is brought it again", async () => {
  const fetch = watched();
  const model = await load("tree-spam", { fetch });
  await model.predict(row("tree-spam"));
  const id = fetch.inferences()[0].headers.get("key-id");
  const gone = await globalThis.fetch(`${server.model("tree-spam")}/keys/${id}`, { method: "DELETE" });
  assert.ok(gone.ok);
  assert.equal((await model.predict(row("tree-spam"))).class, ROWS["tree-spam"].classes[0]);
});

test("rows can be sent by other means, and are answered once", async () => {
  const model = await Model.load({ clientZip: clientZip("qnn-iris") }, { storage: storage() });
  const { rows, classes } = ROWS["qnn-iris"];
  const encrypted = await model.encrypt(rows);
  const { id, bytes } = await (await model.keys()).evaluation();
  assert.deepEqual([...new Set(encrypted.keyIds)], [id]);
  const base = server.model("qnn-iris");
  await fetch(`${base}/keys/${id}/parts/0`, { method: "PUT", body: bytes });
  assert.ok((await fetch(`${base}/keys/${id}`, { method: "POST" })).ok);
  const answers = [];
  for (const body of encrypted.batches) {
    const reply = await fetch(`${base}/infer`, { method: "POST", body, headers: { "key-id": id } });
    answers.push(new Uint8Array(await reply.arrayBuffer()));
  }
  assert.deepEqual((await model.decrypt(encrypted, answers)).map((one) => one.class), classes);
  await assert.rejects(model.decrypt(encrypted, answers), code("answers_count"));
  await assert.rejects(model.predict(rows[0]), code("arguments"));
  const seen = await model.decryptWithWrongKey(answers[0]);
  assert.equal(typeof seen.decrypts, "boolean");
});

test("the transport of the README works as it stands there", async () => {
  const readme = readFileSync(join(ROOT, "web/client/README.md"), "utf8");
  const code = /## A transport of your own[\s\S]*?```js\n([\s\S]*?)```/.exec(readme)[1];
  // A network, whose key takes several parts.
  const own = code.replace("compiled_model/iris/", `${ROOT}compiled_model/cnn-digits/`).replace("https://host:8443/v1/models/iris", server.model("cnn-digits"));
  assert.ok(own.includes(server.url));
  const run = new Function("Model", "readFile", "rows", `return (async () => { ${own}\nreturn predictions; })()`);
  const { rows, classes } = ROWS["cnn-digits"];
  const predictions = await run(Model, readFile, rows);
  assert.deepEqual(predictions.map((one) => one.class), classes);
});

test("mistakes have their codes", async () => {
  const model = await load("qnn-iris");
  for (const [bad, what] of [[[1, 2, 3], "row_shape"], [[1, 2, 3, null], "row_value"], [[1, 2, 3, "four"], "row_value"], [{ sepal_length: 1 }, "row_shape"]]) {
    await assert.rejects(model.predict(bad), code(what));
  }
  await assert.rejects(model.predict([]), code("row_shape"));
  await assert.rejects(Model.load("ftp://host/v1/models/x"), code("url_invalid"));
  await assert.rejects(Model.load(server.model("nobody")), code("model_unknown"));
  await assert.rejects(Model.load(server.url), code("model_unnamed"));
  await assert.rejects(Model.load({ clientZip: new Uint8Array(100) }), code("bundle_invalid"));
  await assert.rejects(Model.load("http://127.0.0.1:9/v1/models/tree-spam"), code("no_server"));
  const other = await Model.load({ url: server.model("qnn-iris"), clientZip: clientZip("tree-spam") }, { storage: storage() });
  await other.predict(row("tree-spam"));
});

test("a server that wants a token takes the right one only", async () => {
  const [token, line] = execFileSync(FHECTL, ["token", "new"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim().split("\n");
  const file = join(mkdtempSync(join(tmpdir(), "fhectl-")), "tokens.txt");
  writeFileSync(file, `${line}\n`);
  const guarded = await Server.start(["--token-file", file]);
  try {
    for (const wrong of [undefined, `${token}x`]) {
      await assert.rejects(Model.load(guarded.model("tree-spam"), { token: wrong, storage: storage() }), code("unauthorized"));
    }
    const model = await Model.load(guarded.model("tree-spam"), { token, storage: storage() });
    assert.equal((await model.predict(row("tree-spam"))).class, ROWS["tree-spam"].classes[0]);
  } finally {
    await guarded.stop();
    rmSync(dirname(file), { recursive: true });
  }
});

test("the command line reads a key that was made here", async () => {
  const keys = storage();
  const model = await load("tree-spam", { storage: keys });
  await (await model.keys()).prepare();
  const [record] = keys.records.values();
  const folder = mkdtempSync(join(tmpdir(), "fhectl-"));
  writeFileSync(join(folder, `${record.model}.secret`), record.secret, { mode: 0o600 });
  const listed = execFileSync(FHECTL, ["keyring", "list", "--keys", folder], { encoding: "utf8" });
  assert.ok(listed.includes("tree-spam") && listed.includes(record.model.slice(0, 8)), listed);
  rmSync(folder, { recursive: true });
});

test("another model than the server's is refused before any key is sent", async () => {
  const zip = clientZip("tree-spam");
  const swapped = watched();
  const lying = async (url, options) => {
    const reply = await swapped(url, options);
    const { pathname } = new URL(url);
    if (!pathname.endsWith("/v1/models/tree-spam")) return reply;
    const info = await reply.json();
    return Response.json({ ...info, id: "0".repeat(64) });
  };
  const model = await Model.load({ url: server.model("tree-spam"), clientZip: zip }, { storage: storage(), fetch: lying });
  await assert.rejects(model.predict(row("tree-spam")), code("wrong_model"));
  assert.ok(swapped.requests.every(({ method }) => method === "GET"));
});

test("a model that was closed does nothing any more, and a key that is not there cannot be deleted", async () => {
  const model = await load("tree-spam");
  await model.predict(row("tree-spam"));
  await assert.rejects((await model.keys()).delete("0".repeat(64)), code("key_unknown"));
  await model.close();
  await assert.rejects(model.predict(row("tree-spam")), code("arguments"));
  await assert.rejects(model.encrypt([row("tree-spam")]), code("arguments"));
});

test("a call that is aborted throws the signal's reason", async () => {
  const model = await load("tree-spam");
  const reason = new Error("enough");
  await assert.rejects(model.predict(row("tree-spam"), { signal: AbortSignal.abort(reason) }), (error) => error === reason);
  const controller = new AbortController();
  const stop = { signal: controller.signal, onProgress: () => controller.abort(reason) };
  await assert.rejects(model.predict(row("tree-spam"), stop), (error) => error === reason);
  assert.equal((await model.predict(row("tree-spam"))).class, ROWS["tree-spam"].classes[0]);
});

test("a reply that never ends is not read to its end", async () => {
  const endless = async () =>
    new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(8 << 20)) }), { status: 200 });
  await assert.rejects(Model.load(server.model("tree-spam"), { fetch: endless }), code("no_server"));
});
