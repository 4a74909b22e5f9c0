/** The WebAssembly module: which of its two builds, where it is, and calls into it that may fail. */

import type { Assets } from "./api.js";
import { FhectlError } from "./error.js";
import * as glue from "./glue/fhectl_wasm.js";

export * as wasm from "./glue/fhectl_wasm.js";

/** A compiled module, and whether it is the SIMD build. Workers are handed one. */
export interface Compiled {
  module: WebAssembly.Module;
  simd: boolean;
}

let assets: Assets = {};
let compiling: Promise<Compiled> | undefined;
let starting: Promise<void> | undefined;
let exports: { memory: WebAssembly.Memory } | undefined;
let broken: FhectlError | undefined;

/** Says where the files beside `index.js` are, before the first model is loaded. */
export function configure(given: Assets): void {
  assets = { ...assets, ...given };
  compiling = undefined;
}

/** Where the worker's script is. */
export function workerUrl(): URL {
  return new URL(String(assets.worker ?? "./worker.js"), assets.worker ? globalThis.location?.href : import.meta.url);
}

/** Compiles the module, once. */
export function compiled(): Promise<Compiled> {
  compiling ??= compile().catch((error: unknown) => {
    compiling = undefined;
    throw error;
  });
  return compiling;
}

/** Starts an instance, once: of the module that is handed in, or of one that is compiled now. */
export function start(given?: Compiled): Promise<void> {
  if (given) compiling = Promise.resolve(given);
  starting ??= (async () => {
    const { module } = await compiled();
    exports = await glue.default({ module_or_path: module });
  })().catch((error: unknown) => {
    starting = undefined;
    throw error;
  });
  return starting;
}

/** Calls into the module. Its errors become {@link FhectlError}; after a trap nothing of the instance is used again. */
export function guarded<T>(call: () => T): T {
  if (broken) throw broken;
  try {
    return call();
  } catch (error) {
    const { code, message, hint } = error as Partial<FhectlError>;
    if (typeof code === "string") throw new FhectlError(code, String(message), hint ?? null);
    if (!(error instanceof WebAssembly.RuntimeError) && !(error instanceof RangeError)) throw error;
    broken = new FhectlError(
      "internal",
      `a fault of fhectl itself: ${error.message}`,
      "load the page anew, and report it with this message",
    );
    throw broken;
  }
}

/** Whether a trap has left the instance unusable. */
export const isBroken = (): boolean => broken !== undefined;

/** A view of the module's memory, good until the next call into it. */
export function view(address: number, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(memory().buffer as ArrayBuffer, address, length);
}

export const memoryBytes = (): number => memory().buffer.byteLength;

function memory(): WebAssembly.Memory {
  if (!exports) throw new FhectlError("internal", "the WebAssembly module was not started");
  return exports.memory;
}

/** A function that adds two vectors: valid where the engine knows SIMD. */
const SIMD_PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
);

async function compile(): Promise<Compiled> {
  const simd = WebAssembly.validate(SIMD_PROBE);
  const { wasm } = assets;
  if (wasm instanceof WebAssembly.Module) return { module: wasm, simd };
  if (wasm instanceof Uint8Array || wasm instanceof ArrayBuffer) {
    return { module: await WebAssembly.compile(wasm as BufferSource), simd };
  }
  const name = simd ? "./fhectl-simd.wasm" : "./fhectl.wasm";
  const url = wasm ? new URL(String(wasm), globalThis.location?.href) : new URL(name, import.meta.url);
  return { module: await (url.protocol === "file:" ? ofFile(url) : ofWeb(url)), simd };
}

async function ofWeb(url: URL): Promise<WebAssembly.Module> {
  let reply: Response;
  try {
    reply = await fetch(url);
  } catch (error) {
    throw missing(url, (error as Error).message);
  }
  if (!reply.ok) throw missing(url, `HTTP ${reply.status}`);
  const type = reply.headers.get("content-type") ?? "";
  // Servers that do not know the type of these files are many.
  if (!type.startsWith("application/wasm")) return WebAssembly.compile(await reply.arrayBuffer());
  return WebAssembly.compileStreaming(reply);
}

/** Node and Deno do not fetch files. */
async function ofFile(url: URL): Promise<WebAssembly.Module> {
  const { readFile } = await import("node:fs/promises");
  return WebAssembly.compile((await readFile(url)) as Uint8Array<ArrayBuffer>);
}

function missing(url: URL, why: string): FhectlError {
  return new FhectlError("not_found", `${url} cannot be had: ${why}`, "put the .wasm files beside index.js, or say where with `configure`");
}
