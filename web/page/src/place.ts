/**
 * Where this page came from, where its server is, and where the client's files are. `fhectl page` writes the tags that are read
 * here into copies of the page.
 */
import { configure } from "./client.js";

const WASM = { simd: "fhectl-simd.wasm", plain: "fhectl.wasm" };

function meta(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";
}

/** Whether the server that answers also sent this page. */
export function isServedHere(): boolean {
  return meta("fhectl-server") === "";
}

/** The server's URL, with a slash at its end. */
export function serverUrl(): URL {
  const named = meta("fhectl-server");
  return new URL(named === "" ? "./" : `${named.replace(/\/$/, "")}/`, document.baseURI);
}

/** A module of one SIMD instruction: what cannot run it refuses it. */
const SIMD_PROBE = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

function wasmName(): string {
  return WebAssembly.validate(new Uint8Array(SIMD_PROBE)) ? WASM.simd : WASM.plain;
}

/**
 * Hands the client its files where they do not simply lie beside the page's script: they stand in the page itself, or each has
 * a hash that its bytes must have.
 */
export async function configureFiles(): Promise<void> {
  const inlined = (name: string): Promise<Uint8Array<ArrayBuffer>> | null => {
    const element = document.querySelector(`script[data-file="${name}"]`);
    return element ? fromBase64(element.textContent ?? "") : null;
  };
  const hashes = new Map(chunks(meta("fhectl-integrity").split(" ")));
  const checked = (name: string): Promise<Uint8Array<ArrayBuffer>> | null => {
    const integrity = hashes.get(name);
    return integrity ? fetch(name, { integrity }).then(async (reply) => new Uint8Array(await reply.arrayBuffer())) : null;
  };
  const file = (name: string) => inlined(name) ?? checked(name);
  const [wasm, worker] = await Promise.all([file(wasmName()), file("worker.js")]);
  if (wasm && worker) {
    configure({ wasm, worker: URL.createObjectURL(new Blob([worker], { type: "text/javascript" })) });
  }
}

function chunks(words: string[]): [string, string][] {
  return words.flatMap((word, at): [string, string][] => (at % 2 === 0 && words[at + 1] ? [[word, words[at + 1]!]] : []));
}

async function fromBase64(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const binary = atob(text.trim());
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
