// What the tests share: a real server of the committed models, and rows with the clear models' answers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const MODELS = join(ROOT, "compiled_model");
/** For each model: ten test rows, and the scores and classes of the clear model. */
export const ROWS = JSON.parse(readFileSync(join(ROOT, "web/tests/rows.json"), "utf8"));
export const FHECTL = process.env.FHECTL ?? join(ROOT, "target/release/fhectl");

export const clientZip = (name) => new Uint8Array(readFileSync(join(MODELS, name, "client.zip")));

/** A server on a free port of this machine. */
export async function serve(...flags) {
  const child = spawn(FHECTL, ["serve", "--models", MODELS, "--listen", "127.0.0.1:0", "--store", "memory:", ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await new Promise((found, failed) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        const match = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? /127\.0\.0\.1:(\d+)/.exec(line);
        if (match && match[1] !== "0") found(`http://127.0.0.1:${match[1]}`);
      });
    }
    child.once("exit", (code) => failed(new Error(`${FHECTL} serve ended with ${code}`)));
    child.once("error", failed);
  });
  return {
    url,
    model: (name) => `${url}/v1/models/${name}`,
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** A `fetch` that keeps what was sent and lets a test change what comes back. */
export function watched(change = (reply) => reply) {
  const requests = [];
  const own = async (url, options) => {
    const { pathname } = new URL(url);
    requests.push({ method: options.method, path: pathname, body: options.body, headers: options.headers });
    const reply = await fetch(url, options);
    if (!pathname.endsWith("/infer") || !reply.ok) return reply;
    const changed = await change(new Uint8Array(await reply.arrayBuffer()));
    return new Response(changed, { status: reply.status, headers: reply.headers });
  };
  own.requests = requests;
  own.inferences = () => requests.filter(({ path }) => path.endsWith("/infer"));
  return own;
}
