/** A model in a worker. A worker whose module has trapped is ended, and the next call starts another. */

import type { LoadOptions, ModelInfo, ModelSource, PredictOptions } from "./api.js";
import type { Answer, Begin, Call, FromWorker, ToWorker } from "./calls.js";
import { FhectlError, revived } from "./error.js";
import { compiled, workerUrl } from "./runtime.js";

interface Waiting {
  done: (message: { value: unknown; info?: ModelInfo }) => void;
  fail: (error: unknown) => void;
  onProgress: PredictOptions["onProgress"];
}

interface Waits {
  signal?: AbortSignal | undefined;
  onProgress?: PredictOptions["onProgress"];
}

export class RemoteModel {
  #worker: Worker | undefined;
  #starting: Promise<ModelInfo> | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #ids = 0;
  #closed = false;

  private constructor(
    private readonly begin: Begin,
    private readonly url: URL,
  ) {}

  /** Loads it in a new worker. Throws `WorkerUnavailable` where none can be started. */
  static async load(source: ModelSource, { signal, ...options }: LoadOptions): Promise<{ model: RemoteModel; info: ModelInfo; simd: boolean }> {
    const ready = await compiled();
    const model = new RemoteModel({ compiled: ready, source: cloneable(source), options }, workerUrl());
    try {
      const info = await model.#start(signal);
      return { model, info, simd: ready.simd };
    } catch (error) {
      model.#end(error);
      throw error;
    }
  }

  /** Calls a function of the model. Of its options, where it takes some, only what can be cloned goes there. */
  async call<C extends Call>(call: C, args: unknown[], given?: PredictOptions): Promise<Answer<C>> {
    const options = given ?? {};
    if (given) args = [...args, { keepBytes: given.keepBytes ?? false }];
    if (this.#closed) throw new FhectlError("arguments", "the model was closed", "load it again");
    options.signal?.throwIfAborted();
    await this.#start(options.signal);
    const { value } = await this.#ask(
      (id) => ({ id, call, args, progress: options.onProgress !== undefined, abortable: options.signal !== undefined }),
      options,
    );
    return value as Answer<C>;
  }

  async close(): Promise<void> {
    if (this.#worker && !this.#closed) await this.call("close", []).catch(() => undefined);
    this.#closed = true;
    this.#end(new FhectlError("arguments", "the model was closed", "load it again"));
  }

  #start(signal: AbortSignal | undefined): Promise<ModelInfo> {
    this.#starting ??= (async () => {
      const worker = startWorker(this.url);
      this.#worker = worker;
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#take(data);
      const died = (event: Event): void => {
        const why = (event as ErrorEvent).message || `${this.url} cannot be loaded`;
        this.#end(new WorkerUnavailable(`the worker failed: ${why}`));
      };
      worker.onerror = died;
      worker.onmessageerror = died;
      const { info } = await this.#ask((id) => ({ id, call: "load", ...this.begin }), { signal });
      return info as ModelInfo;
    })().catch((error: unknown) => {
      this.#end(error);
      throw error;
    });
    return this.#starting;
  }

  #ask(message: (id: number) => ToWorker, { signal, onProgress }: Waits): Promise<{ value: unknown; info?: ModelInfo }> {
    const id = ++this.#ids;
    return new Promise((done, fail) => {
      const abort = (): void => {
        this.#waiting.delete(id);
        this.#worker?.postMessage({ abort: id } satisfies ToWorker);
        fail(signal?.reason);
      };
      const over = (): void => signal?.removeEventListener("abort", abort);
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.set(id, {
        done: (value) => (over(), done(value)),
        fail: (error) => (over(), fail(error)),
        onProgress,
      });
      try {
        this.#worker?.postMessage(message(id));
      } catch (error) {
        this.#waiting.get(id)?.fail(error);
        this.#waiting.delete(id);
      }
    });
  }

  #take(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if ("progress" in message) {
      waiting?.onProgress?.(message.progress);
      return;
    }
    this.#waiting.delete(message.id);
    if (!("error" in message)) {
      waiting?.done(message);
      return;
    }
    const error = revived(message.error);
    waiting?.fail(error);
    if (message.broken) this.#end(error);
  }

  /** Ends the worker; calls that wait for it fail. */
  #end(error: unknown): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#starting = undefined;
    for (const waiting of this.#waiting.values()) waiting.fail(error);
    this.#waiting.clear();
  }
}

/** No worker can be started here: a policy forbids it, or its script is of another origin. */
export class WorkerUnavailable extends FhectlError {
  constructor(why: string) {
    super("internal", why, "serve worker.js from the page's own origin, or say `worker: false`");
  }
}

/** Pages with Trusted Types take no plain text for the URL of a script. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}
let policy: { createScriptURL(url: string): string } | undefined;

function startWorker(url: URL): Worker {
  try {
    const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
    policy ??= (types ?? { createPolicy: (_, rules) => rules }).createPolicy("fhectl", {
      createScriptURL: (given) => {
        if (given === url.href) return given;
        throw new TypeError("another script than the worker's");
      },
    });
    return new Worker(policy.createScriptURL(url.href), { type: "module" });
  } catch (error) {
    throw new WorkerUnavailable(`no worker can be started: ${(error as Error).message}`);
  }
}

/** URLs are relative to the page, not to the worker. */
function cloneable(source: ModelSource): Begin["source"] {
  const absolute = (url: string | URL): string => new URL(url, globalThis.location?.href).href;
  if (typeof source === "string" || source instanceof URL) return absolute(source);
  return source.url === undefined ? source : { ...source, url: absolute(source.url) };
}
