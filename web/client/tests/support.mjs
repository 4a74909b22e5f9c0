// What the tests share, beside the servers and rows that the browser's tests have too.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../tests/support/server.mjs";

export { ROWS } from "../../tests/support/data.mjs";
export { FHECTL, ROOT, Server } from "../../tests/support/server.mjs";

export const clientZip = (name) => new Uint8Array(readFileSync(join(ROOT, "compiled_model", name, "client.zip")));

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
