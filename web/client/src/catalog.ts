/** A server's models: the list of them, and the client's half of one. */

import type { ListedModel, LoadOptions } from "./api.js";
import { FhectlError } from "./error.js";
import { guarded, wasm } from "./runtime.js";
import { converse, type Server } from "./transport.js";

export function serverOf(base: string, { token, fetch: own }: Pick<LoadOptions, "token" | "fetch">): Server {
  return { base, token, fetch: own ?? ((...request) => fetch(...request)) };
}

/** The client's half of a model, by its name; without one, of the only model that the server has. */
export async function fetchModel(server: Server | undefined, name: string | undefined, options: LoadOptions): Promise<wasm.Model> {
  if (!server) throw new FhectlError("arguments", "neither a URL nor a client.zip was given", "give one of them to `Model.load`");
  const named = name ?? (await onlyModel(server, options));
  const talk = guarded(() => wasm.Model.fetch(server.base, named, options.scores ?? false, options.acceptPFail));
  try {
    await converse(talk, server, options);
    return guarded(() => talk.takeModel()) as wasm.Model;
  } finally {
    talk.free();
  }
}

async function onlyModel(server: Server, options: LoadOptions): Promise<string> {
  const names = (await listOf(server, options.signal)).map(({ name }) => name);
  if (names.length === 1) return names[0] as string;
  const which = names.length === 0 ? "it serves none" : `it serves ${names.slice(0, 20).join(", ")}`;
  throw new FhectlError("model_unnamed", `the URL names no model, and ${which}`, "give the model's URL: https://host/v1/models/NAME");
}

/** The models of a server, in its order. */
export async function listOf(server: Server, signal?: AbortSignal): Promise<ListedModel[]> {
  const talk = guarded(() => wasm.listModels(server.base));
  try {
    await converse(talk, server, { signal });
    return JSON.parse(guarded(() => talk.takeList()) ?? "[]") as ListedModel[];
  } finally {
    talk.free();
  }
}
