/** A model's keys in use: opened once for many calls, brought to the server, shared among rows, forgotten when they are used up. */

import type { KeyReport, LoadOptions, ModelInfo, PredictOptions, StorageChoice } from "./api.js";
import { FhectlError } from "./error.js";
import { Keyring, type HeldKeys } from "./keyring.js";
import { guarded, type wasm } from "./runtime.js";
import { openStore, type Store } from "./storage.js";
import { converse, type Server } from "./transport.js";

/** Rows of a run under one key. */
export interface Portion {
  held: HeldKeys;
  from: number;
  count: number;
}

export class Session {
  #held: HeldKeys | undefined;
  #opening: Promise<HeldKeys> | undefined;
  #keyring: Keyring | undefined;
  #closed = false;

  constructor(
    private readonly model: wasm.Model,
    private readonly info: ModelInfo,
    readonly server: Server | undefined,
    private readonly options: LoadOptions,
  ) {}

  async ring(): Promise<Keyring> {
    if (this.#closed) throw new FhectlError("arguments", "the model was closed", "load it again");
    this.#keyring ??= new Keyring(await openStore(this.options.storage), this.model, this.info, this.options.keyMaxAge);
    return this.#keyring;
  }

  /** Takes another storage, and drops the keys of the one before. */
  async useStorage(choice: StorageChoice): Promise<Store["kind"]> {
    const store = await openStore(choice);
    if (store.kind === "custom" || store.kind !== this.#keyring?.store.kind) {
      this.dropAll();
      this.#keyring = new Keyring(store, this.model, this.info, this.options.keyMaxAge);
    }
    return store.kind;
  }

  /** The keys that are held, or those of the storage. `why` has new ones made. */
  async open({ onProgress }: PredictOptions, why: KeyReport["renewed"] = null): Promise<HeldKeys> {
    while (this.#opening) {
      const held = await this.#opening;
      if (why === null) return held;
    }
    this.#opening = (async () => {
      const ring = await this.ring();
      if (this.#held && why === null && (await ring.isCurrent(this.#held))) return this.#held;
      this.dropAll();
      onProgress?.({ stage: "keys", done: 0, total: 0 });
      return (this.#held = await ring.open(why));
    })();
    try {
      return await this.#opening;
    } finally {
      this.#opening = undefined;
    }
  }

  drop(held: HeldKeys): void {
    if (this.#held !== held) return;
    this.#held = undefined;
    held.release();
  }

  /** Nothing is opened any more. */
  close(): void {
    this.dropAll();
    this.#closed = true;
  }

  dropAll(): void {
    if (this.#held) this.drop(this.#held);
  }

  /**
   * Shares `total` rows among as many keys as it takes. The keys of a portion are kept until the next one is asked for. With `bring`
   * the server has them before, and is told when they are used up.
   */
  async *portions(total: number, { bring }: { bring: boolean }, options: PredictOptions): AsyncGenerator<Portion, void, void> {
    let refused = 0;
    for (let from = 0; from < total; ) {
      const held = await this.open(options);
      held.retain();
      try {
        if (bring) await this.bring(held, options);
        options.signal?.throwIfAborted();
        const count = await (await this.ring()).takeRows(held, total - from);
        if (count > 0) yield { held, from, count };
        from += count;
        if (from < total) {
          this.drop(held);
          if (bring) await this.forget(held);
        }
        refused = count === 0 ? refused + 1 : 0;
      } finally {
        held.release();
      }
      if (refused > 2) throw new FhectlError("key_used_up", "no key could be had that may answer more rows", "try again");
    }
  }

  /** Checks that the server runs the model and brings it the keys, once for those that are held. */
  bring(held: HeldKeys, options: PredictOptions, again = false): Promise<{ seconds: number; sent: number }> {
    const { onProgress, signal } = options;
    const server = this.needServer();
    if (held.brought) {
      return held.brought.catch((error: unknown) => {
        // Whoever began it has canceled; this call has not.
        if ((error as Error)?.name === "AbortError" && !signal?.aborted) return this.bring(held, options, again);
        throw error;
      });
    }
    held.brought = held
      .use(async (keys) => {
        const start = performance.now();
        const talk = guarded(() => (again ? keys.bringAgain(server.base) : keys.bring(server.base)));
        try {
          const before = (): void => {
            const [done, total] = guarded(() => talk.uploaded()) as unknown as [number, number];
            if (total > 0) onProgress?.({ stage: "upload", done, total });
          };
          await converse(talk, server, { signal, before });
          const [sent] = guarded(() => talk.uploaded());
          return { seconds: sent ? (performance.now() - start) / 1e3 : 0, sent: sent ?? 0 };
        } finally {
          talk.free();
        }
      })
      .catch((error: unknown) => {
        held.brought = undefined;
        throw error;
      });
    return held.brought;
  }

  /**
   * Brings the keys to a server that has forgotten them since `brought`: their time was over, or an operator deleted them. Not those
   * that somebody here, or in another tab, has deleted or replaced.
   */
  async bringAgain(held: HeldKeys, brought: HeldKeys["brought"], options: PredictOptions): Promise<void> {
    if (!(await (await this.ring()).isCurrent(held))) {
      throw new FhectlError("key_unknown", "the key was deleted or replaced while rows were under way", "ask again: another key is used then");
    }
    if (held.brought === brought) held.brought = undefined;
    await this.bring(held, options, true);
  }

  /** Has the server forget them. Where that fails, its operator has a bound on the life of keys. */
  async forget(held: HeldKeys): Promise<void> {
    const { server } = this;
    if (!server) return;
    const talk = guarded(() => held.keys.forget(server.base));
    if (!talk) return;
    await converse(talk, server).catch(() => undefined);
    talk.free();
  }

  needServer(): Server {
    if (this.server) return this.server;
    throw new FhectlError("arguments", "the model was loaded without a server", "give its URL to `Model.load`, or use `encrypt` and `decrypt`");
  }
}
