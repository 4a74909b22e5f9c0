/** What page and worker say to each other. */

import type { LoadOptions, ModelInfo, ModelSource, Progress } from "./api.js";
import type { PlainError } from "./error.js";
import type { LocalModel } from "./local.js";
import type { Compiled } from "./runtime.js";

/** The functions of a model that a page calls in its worker. */
export type Call =
  | "predict" | "encrypt" | "decrypt" | "quantize" | "decryptWithWrongKey" | "memoryBytes" | "close" | "useStorage"
  | "storageKind" | "prepare" | "rotate" | "currentKey" | "listKeys" | "deleteKey" | "evaluation";

export type Answer<C extends Call> = Awaited<ReturnType<LocalModel[C]>>;

/** What a worker needs to begin. All of it can be cloned. */
export interface Begin {
  compiled: Compiled;
  source: Exclude<ModelSource, URL>;
  options: LoadOptions;
}

export type ToWorker =
  | ({ id: number; call: "load" } & Begin)
  | { id: number; call: Call; args: unknown[]; progress: boolean; abortable: boolean }
  | { abort: number };

export type FromWorker =
  | { id: number; value: unknown; info?: ModelInfo }
  /** `broken`: nothing more can be had from this worker. */
  | { id: number; error: PlainError; broken: boolean }
  | { id: number; progress: Progress };
