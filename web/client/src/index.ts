/** Private prediction with fhectl's models: rows are encrypted here, and only here answers are decrypted. */

import type {
  Configure, EncryptedRows, KeyReport, Keys, ListedModel, LoadOptions, Model as ModelType, ModelConstructor, ModelInfo, ModelSource,
  Prediction, PredictOptions, Row, StorageChoice, StoredKey, WrongKeyView,
} from "./api.js";
import type { Answer, Call } from "./calls.js";
import { listOf, serverOf } from "./catalog.js";
import { LocalModel } from "./local.js";
import { RemoteModel, WorkerUnavailable } from "./remote.js";
import { areRows } from "./rows.js";
import { configure as setAssets, start } from "./runtime.js";
import { parseUrl } from "./transport.js";

export type * from "./api.js";
export { FhectlError } from "./error.js";
/** Says where the files beside `index.js` are, before the first model is loaded. */
export const configure: Configure = setAssets;

/** A model, wherever it works. */
export type Model = ModelType;
export const Model: ModelConstructor = { load };

async function load(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  // Functions do not go into a worker.
  const own = options.fetch !== undefined || typeof options.storage === "object";
  const page = typeof document !== "undefined" && typeof Worker !== "undefined";
  if (options.worker ?? (page && !own)) {
    try {
      const { model, info, simd } = await RemoteModel.load(source, options);
      return new LoadedModel(info, { worker: true, simd }, (...asked) => model.call(...asked), () => model.close());
    } catch (error) {
      if (options.worker || !(error instanceof WorkerUnavailable)) throw error;
    }
  }
  const model = await LocalModel.load(source, options);
  const call: Caller = (name, args, given) => {
    const own = model as unknown as Record<Call, (...args: unknown[]) => Promise<never>>;
    return given ? own[name](...args, given) : own[name](...args);
  };
  return new LoadedModel(model.info, { worker: false, simd: model.simd }, call, () => model.close());
}

/** The models of a server, in its order. */
export async function listModels(
  url: string | URL,
  options: Pick<LoadOptions, "token" | "signal" | "fetch"> = {},
): Promise<ListedModel[]> {
  await start();
  return listOf(serverOf(parseUrl(url).base, options), options.signal);
}

/** Calls a function of a model, here or in a worker. Where it takes options they come after the arguments. */
type Caller = <C extends Call>(call: C, args: unknown[], options?: PredictOptions) => Promise<Answer<C>>;

class LoadedModel implements ModelType {
  constructor(
    readonly info: ModelInfo,
    readonly runtime: ModelType["runtime"],
    private readonly call: Caller,
    readonly close: () => Promise<void>,
  ) {}

  async keys(storage?: StorageChoice): Promise<Keys> {
    const kind = storage === undefined ? await this.call("storageKind", []) : await this.call("useStorage", [storage]);
    return new ModelKeys(kind, this.call);
  }

  predict(row: Row, options?: PredictOptions): Promise<Prediction>;
  predict(rows: readonly Row[], options?: PredictOptions): Promise<Prediction[]>;
  async predict(given: Row | readonly Row[], options: PredictOptions = {}): Promise<Prediction | Prediction[]> {
    if (areRows(given)) return this.call("predict", [given], options);
    const [prediction] = await this.call("predict", [[given]], options);
    return prediction as Prediction;
  }

  encrypt(rows: readonly Row[]): Promise<EncryptedRows> {
    return this.call("encrypt", [rows]);
  }

  decrypt(encrypted: EncryptedRows, answers: readonly Uint8Array[]): Promise<Prediction[]> {
    return this.call("decrypt", [encrypted, answers]);
  }

  quantize(row: Row): Promise<Uint32Array> {
    return this.call("quantize", [row]);
  }

  decryptWithWrongKey(answer: Uint8Array): Promise<WrongKeyView> {
    return this.call("decryptWithWrongKey", [answer]);
  }

  memoryBytes(): Promise<number> {
    return this.call("memoryBytes", []);
  }
}

class ModelKeys implements Keys {
  constructor(
    readonly storage: Keys["storage"],
    private readonly call: Caller,
  ) {}

  prepare(options: PredictOptions = {}): Promise<KeyReport> {
    return this.call("prepare", [], options);
  }

  current(): Promise<StoredKey | null> {
    return this.call("currentKey", []);
  }

  list(): Promise<StoredKey[]> {
    return this.call("listKeys", []);
  }

  rotate(options: PredictOptions = {}): Promise<KeyReport> {
    return this.call("rotate", [], options);
  }

  delete(model?: string): Promise<void> {
    return this.call("deleteKey", [model]);
  }

  evaluation(): Promise<{ id: string; bytes: Uint8Array<ArrayBuffer> }> {
    return this.call("evaluation", []);
  }
}
