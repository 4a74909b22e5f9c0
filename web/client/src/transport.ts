/** Sockets and sleeping: requests that the module asks for, and their whole replies. */

import { FhectlError } from "./error.js";
import { guarded, type wasm } from "./runtime.js";

/** The longest reply that is read: a batch of answers, with room for its header and a tag. */
const MAX_REPLY = 68 << 20;
/** The longest that one request may take, in milliseconds. */
const LONGEST = 600_000;

/** A server, and how it is asked. */
export interface Server {
  /** Its URL, without a slash at the end. */
  base: string;
  token: string | undefined;
  fetch: typeof fetch;
}

/** The server and the model that a URL names; the model is `undefined` where it names the server only. */
export function parseUrl(given: string | URL): { base: string; name: string | undefined } {
  const invalid = (why: string): FhectlError =>
    new FhectlError("url_invalid", `\`${given}\` is not a server's URL: ${why}`, "give it as https://host/v1/models/NAME");
  let url: URL;
  try {
    url = new URL(given, globalThis.location?.href);
  } catch {
    throw invalid("it cannot be read");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") throw invalid(`it begins with ${url.protocol}`);
  if (url.username || url.password) throw invalid("names and passwords do not belong in it");
  const whole = url.origin + url.pathname.replace(/\/+$/, "");
  const found = /^(.*)\/v1\/models\/([^/]+)(?:\/client\.zip)?$/.exec(whole);
  return found ? { base: found[1] as string, name: found[2] } : { base: whole, name: undefined };
}

interface Request {
  method: string;
  path: string;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer> | null;
}

/**
 * Leads a conversation to its end and resolves to the seconds that its last request took. `before` is called before each
 * request.
 */
export async function converse(
  talk: wasm.Talk,
  server: Server,
  { signal, before }: { signal?: AbortSignal | undefined; before?: () => void } = {},
): Promise<number> {
  for (;;) {
    signal?.throwIfAborted();
    before?.();
    const request = guarded(() => talk.request()) as Request;
    const start = performance.now();
    const outcome = await send(server, request, signal);
    const seconds = (performance.now() - start) / 1e3;
    const pause = guarded(() =>
      "lost" in outcome
        ? talk.lost(outcome.transient, outcome.lost)
        : talk.reply(outcome.status, outcome.headers, outcome.body),
    );
    if (pause < 0) {
      before?.();
      return seconds;
    }
    if (pause > 0) await sleep(pause, signal);
  }
}

type Outcome = { status: number; headers: string[]; body: Uint8Array } | { lost: string; transient: boolean };

/** One request and its whole reply: a connection that breaks half way through is no reply. */
async function send(server: Server, request: Request, signal: AbortSignal | undefined): Promise<Outcome> {
  const headers = new Headers(request.headers);
  if (server.token !== undefined) headers.set("authorization", `Bearer ${server.token}`);
  const timeout = new AbortController();
  const end = (): void => timeout.abort();
  const timer = setTimeout(end, LONGEST);
  signal?.addEventListener("abort", end);
  try {
    const { method, body } = request;
    const { fetch } = server;
    const reply = await fetch(server.base + request.path, { method, headers, body, cache: "no-store", signal: timeout.signal });
    const bytes = await readBounded(reply);
    if (!bytes) return { lost: `the reply is longer than ${MAX_REPLY} bytes`, transient: false };
    return { status: reply.status, headers: [...reply.headers].flat(), body: bytes };
  } catch (error) {
    signal?.throwIfAborted();
    if (timeout.signal.aborted) return { lost: "it took too long", transient: false };
    return { lost: reason(error, server.base), transient: true };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

/** `undefined` where it is too long. */
async function readBounded(reply: Response): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = reply.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done || !value) break;
    length += value.length;
    if (length > MAX_REPLY) {
      await reader?.cancel();
      return undefined;
    }
    parts.push(value);
  }
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Browsers say little of why there was no reply, and nothing of a server that does not let a page in; Node says it in the cause. */
function reason(error: unknown, base: string): string {
  const { message, cause } = error as { message?: unknown; cause?: { message?: unknown } };
  const said = String(cause?.message || message || "the connection failed");
  const own = globalThis.location?.origin;
  if (own === undefined || own === new URL(base).origin) return said;
  const site = /^https?:/.test(own) ? own : "'*'";
  return `${said} (a server answers pages from elsewhere, as this one is, only with \`--cors-origin ${site}\`)`;
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done, fail) => {
    const end = (): void => {
      clearTimeout(timer);
      fail(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      done();
    }, milliseconds);
    signal?.addEventListener("abort", end, { once: true });
  });
}
