/** A model in this thread: what `worker.ts` runs in a worker, and what is used where there is none. */

import type {
  EncryptedRows, Exchange, KeyReport, LoadOptions, ModelInfo, ModelSource, Prediction, PredictOptions, Progress, Row,
  StorageChoice, StoredKey, WrongKeyView,
} from "./api.js";
import { FhectlError } from "./error.js";
import { HeldKeys, Keyring } from "./keyring.js";
import { toRows } from "./rows.js";
import { compiled, guarded, memoryBytes, start, wasm } from "./runtime.js";
import { openStore } from "./storage.js";
import { converse, parseUrl, type Server } from "./transport.js";

/** Batches under way at once: one is encrypted while the server computes another. */
const JOBS = 2;

interface Untrusted {
  batches: number;
  first: FhectlError | undefined;
}

export class LocalModel {
  #held: HeldKeys | undefined;
  #opening: Promise<HeldKeys> | undefined;
  #keyring: Keyring | undefined;
  readonly #encrypted = new Map<number, { held: HeldKeys; batch: wasm.Encrypted }[]>();
  #handles = 0;

  private constructor(
    readonly info: ModelInfo,
    readonly simd: boolean,
    private readonly model: wasm.Model,
    private readonly server: Server | undefined,
    private readonly options: LoadOptions,
  ) {}

  static async load(source: ModelSource, options: LoadOptions): Promise<LocalModel> {
    await start();
    const { simd } = await compiled();
    const { url, name, clientZip } = typeof source === "object" && !(source instanceof URL) ? source : { url: source };
    const found = url === undefined ? undefined : parseUrl(url);
    const server = found && serverOf(found.base, options);
    const model = clientZip
      ? guarded(() => new wasm.Model(new Uint8Array(clientZip), options.scores ?? false, options.acceptPFail))
      : await fetchModel(server, name ?? found?.name, options);
    const info = JSON.parse(guarded(() => model.info())) as ModelInfo;
    return new LocalModel(info, simd, model, server, options);
  }

  async predict(rows: readonly Row[], options: PredictOptions): Promise<Prediction[]> {
    const own = toRows(this.model, this.info, rows);
    try {
      return await this.#run(own, options);
    } finally {
      own.free();
    }
  }

  /** Runs rows, under as many keys as it takes. */
  async #run(rows: wasm.Rows, options: PredictOptions): Promise<Prediction[]> {
    const { signal, onProgress } = options;
    const total = rows.length;
    const predictions: Prediction[] = [];
    const untrusted: Untrusted = { batches: 0, first: undefined };
    let done = 0;
    let refused = 0;
    while (done < total) {
      const held = await this.#open(options);
      const next = await held.use(async () => {
        await this.#bring(held, options);
        signal?.throwIfAborted();
        const taken = await (await this.#ring()).takeRows(held, total - done);
        const before = untrusted.batches;
        try {
          await this.#batches(held, rows, done, done + taken, options, (exchange) => {
            predictions.push(...exchange.predictions);
            if (exchange.distrust) {
              untrusted.batches += 1;
              untrusted.first ??= exchange.distrust;
            }
            onProgress?.({ stage: "predict", done: predictions.length, total });
          });
        } finally {
          // A key retires after a few failures, so they are counted even where the run fails.
          await (await this.#ring()).settle(held, untrusted.batches - before);
        }
        if (done + taken < total) {
          this.#drop(held);
          await this.#forget(held);
        }
        return taken;
      });
      refused = next === 0 ? refused + 1 : 0;
      if (refused > 2) throw new FhectlError("key_used_up", "no key could be had that may answer more rows", "try again");
      done += next;
    }
    checkTrusted(untrusted);
    return predictions;
  }

  /** Batches in their order. The first goes alone: it has the tag that tells another key. */
  async #batches(
    held: HeldKeys,
    rows: wasm.Rows,
    from: number,
    to: number,
    options: PredictOptions,
    each: (exchange: Batch) => void,
  ): Promise<void> {
    const under: Promise<Batch>[] = [];
    try {
      for (let at = from; at < to; at += this.info.batchRows) {
        const count = Math.min(this.info.batchRows, to - at);
        const job = held.use(() => this.#batch(held, rows, at, count, options));
        job.catch(() => undefined);
        under.push(job);
        if (at === from || under.length >= JOBS) each(await (under.shift() as Promise<Batch>));
      }
      while (under.length > 0) each(await (under.shift() as Promise<Batch>));
    } finally {
      await Promise.allSettled(under);
    }
  }

  async #batch(held: HeldKeys, rows: wasm.Rows, at: number, count: number, options: PredictOptions): Promise<Batch> {
    const server = this.#needServer();
    const began = performance.now();
    const encrypted = guarded(() => held.keys.encrypt(rows, at, count));
    const encrypt = (performance.now() - began) / 1e3;
    try {
      const { brought } = held;
      let { answer, roundtrip } = await this.#ask(guarded(() => held.keys.ask(server.base, encrypted)), server, options);
      if (!answer) {
        await this.#bringAgain(held, brought, options);
        ({ answer, roundtrip } = await this.#ask(guarded(() => held.keys.askAgain(server.base, encrypted)), server, options));
      }
      if (!answer) throw new FhectlError("internal", "a talk ended without its answer");
      const { bytes, queue, compute } = answer;
      answer.free();
      const request = options.keepBytes ? encrypted.bytes : null;
      const requestBytes = guarded(() => encrypted.length);
      const start = performance.now();
      const { predictions, distrust } = decrypted(guarded(() => held.keys.decrypt(encrypted, bytes)));
      const decrypt = (performance.now() - start) / 1e3;
      const inside = (queue ?? 0) + (compute ?? 0);
      const exchange: Exchange = {
        rows: count,
        keyId: this.#keyId(held),
        times: { encrypt, roundtrip, network: Math.max(0, roundtrip - inside), queue: queue ?? null, compute: compute ?? null, decrypt },
        requestBytes,
        answerBytes: bytes.length,
        request,
        answer: options.keepBytes ? bytes : null,
      };
      return { predictions: predictions.map((one) => ({ ...one, exchange })), distrust };
    } finally {
      encrypted.free();
    }
  }

  /** One question: its answer, or none where the server has forgotten the key, and the seconds that it took. */
  async #ask(talk: wasm.Talk, server: Server, options: PredictOptions): Promise<{ answer: wasm.Answer | undefined; roundtrip: number }> {
    try {
      const roundtrip = await converse(talk, server, options);
      return { roundtrip, answer: guarded(() => talk.takeAnswer()) };
    } finally {
      talk.free();
    }
  }

  /**
   * Brings the keys to a server that has forgotten them since `brought`: their time was over, or an operator deleted them. Not those that
   * somebody here, or in another tab, has deleted or replaced.
   */
  async #bringAgain(held: HeldKeys, brought: HeldKeys["brought"], options: PredictOptions): Promise<void> {
    if (!(await (await this.#ring()).isCurrent(held))) {
      throw new FhectlError("key_unknown", "the key was deleted or replaced while rows were under way", "ask again: another key is used then");
    }
    if (held.brought === brought) held.brought = undefined;
    await this.#bring(held, options, true);
  }

  async encrypt(rows: readonly Row[]): Promise<EncryptedRows> {
    const own = toRows(this.model, this.info, rows);
    const batches: { held: HeldKeys; batch: wasm.Encrypted }[] = [];
    try {
      const total = own.length;
      for (let done = 0, refused = 0; done < total; ) {
        const held = await this.#open({});
        const taken = await (await this.#ring()).takeRows(held, total - done);
        for (let at = done; at < done + taken; at += this.info.batchRows) {
          const count = Math.min(this.info.batchRows, done + taken - at);
          const batch = guarded(() => held.keys.encrypt(own, at, count));
          held.retain();
          batches.push({ held, batch });
        }
        done += taken;
        if (done < total) this.#drop(held);
        refused = taken === 0 ? refused + 1 : 0;
        if (refused > 2) throw new FhectlError("key_used_up", "no key could be had that may answer more rows", "try again");
      }
      const handle = ++this.#handles;
      this.#encrypted.set(handle, batches);
      return {
        rows: total,
        batches: batches.map(({ batch }) => batch.bytes),
        keyIds: batches.map(({ held }) => held.keys.id),
        handle,
      };
    } finally {
      own.free();
    }
  }

  async decrypt(encrypted: EncryptedRows, answers: readonly Uint8Array[]): Promise<Prediction[]> {
    const batches = this.#encrypted.get(encrypted.handle);
    if (!batches) {
      throw new FhectlError("answers_count", "these rows were answered before, or encrypted by another model",
        "encrypt them again: of two answers to one question a server would learn too much");
    }
    if (answers.length !== batches.length) {
      throw new FhectlError("answers_count", `${answers.length} answers to ${batches.length} batches`, "give one for each batch");
    }
    this.#encrypted.delete(encrypted.handle);
    const failures = new Map<HeldKeys, number>();
    const predictions: Prediction[] = [];
    const untrusted: Untrusted = { batches: 0, first: undefined };
    for (const [index, { held, batch }] of batches.entries()) {
      const answer = answers[index] as Uint8Array;
      const start = performance.now();
      const [requestBytes, rows] = [batch.length, batch.rows];
      const one = decrypted(guarded(() => held.keys.decrypt(batch, answer)));
      const decrypt = (performance.now() - start) / 1e3;
      const times = { encrypt: 0, roundtrip: 0, network: 0, queue: null, compute: null, decrypt };
      const exchange: Exchange = { rows, keyId: this.#keyId(held), times, requestBytes, answerBytes: answer.length, request: null, answer: null };
      predictions.push(...one.predictions.map((prediction) => ({ ...prediction, exchange })));
      batch.free();
      if (one.distrust) {
        untrusted.batches += 1;
        untrusted.first ??= one.distrust;
      }
      failures.set(held, (failures.get(held) ?? 0) + (one.distrust ? 1 : 0));
      held.release();
    }
    for (const [held, batches] of failures) await (await this.#ring()).settle(held, batches);
    checkTrusted(untrusted);
    return predictions;
  }

  async quantize(row: Row): Promise<Uint32Array> {
    const rows = toRows(this.model, this.info, [row]);
    try {
      return guarded(() => rows.quantized(0));
    } finally {
      rows.free();
    }
  }

  async decryptWithWrongKey(answer: Uint8Array): Promise<WrongKeyView> {
    return JSON.parse(guarded(() => this.model.decryptWithWrongKey(answer))) as WrongKeyView;
  }

  async memoryBytes(): Promise<number> {
    return memoryBytes();
  }

  async close(): Promise<void> {
    if (this.#held) this.#drop(this.#held);
    for (const { held, batch } of [...this.#encrypted.values()].flat()) {
      batch.free();
      held.release();
    }
    this.#encrypted.clear();
  }

  /** Takes another storage, and drops the keys of the one before. */
  async useStorage(choice: StorageChoice): Promise<"indexeddb" | "memory" | "custom"> {
    const store = await openStore(choice);
    if (store.kind === "custom" || store.kind !== this.#keyring?.store.kind) {
      if (this.#held) this.#drop(this.#held);
      this.#keyring = new Keyring(store, this.model, this.info, this.options.keyMaxAge);
    }
    return store.kind;
  }

  async storageKind(): Promise<"indexeddb" | "memory" | "custom"> {
    return (await this.#ring()).store.kind;
  }

  async prepare(options: PredictOptions): Promise<KeyReport> {
    const held = await this.#open(options);
    return held.use(() => this.#report(held, options));
  }

  async rotate(options: PredictOptions): Promise<KeyReport> {
    const before = (await this.currentKey()) ? await this.#open({}) : undefined;
    before?.retain();
    if (before) this.#drop(before);
    try {
      const held = await this.#open(options, "asked");
      if (before) await this.#forget(before);
      return await held.use(() => this.#report(held, options));
    } finally {
      before?.release();
    }
  }

  async currentKey(): Promise<StoredKey | null> {
    return (await this.#ring()).current();
  }

  async listKeys(): Promise<StoredKey[]> {
    return (await this.#ring()).list();
  }

  async deleteKey(model: string | undefined): Promise<void> {
    const ring = await this.#ring();
    if (model === undefined || model === this.info.id) {
      if (await ring.current()) {
        // One that cannot be opened any more is deleted all the same.
        const held = await this.#open({}).catch(() => undefined);
        await held?.use(() => this.#forget(held));
        if (held) this.#drop(held);
      }
      await ring.delete(this.info.id);
    } else {
      await ring.delete(model);
    }
  }

  async evaluation(): Promise<{ id: string; bytes: Uint8Array }> {
    const held = await this.#open({});
    return held.use(({ id, evaluation }) => ({ id, bytes: evaluation }));
  }

  async #report(held: HeldKeys, options: PredictOptions): Promise<KeyReport> {
    const brought = this.server ? await this.#bring(held, options) : { seconds: 0, sent: 0 };
    return { ...held.report, upload: brought.seconds, sent: brought.sent };
  }

  async #ring(): Promise<Keyring> {
    this.#keyring ??= new Keyring(await openStore(this.options.storage), this.model, this.info, this.options.keyMaxAge);
    return this.#keyring;
  }

  /** The keys that are held, or those of the storage. */
  async #open({ onProgress }: PredictOptions, why: KeyReport["renewed"] = null): Promise<HeldKeys> {
    while (this.#opening) {
      const held = await this.#opening;
      if (why === null) return held;
    }
    this.#opening = (async () => {
      const ring = await this.#ring();
      if (this.#held && why === null && (await ring.isCurrent(this.#held))) return this.#held;
      if (this.#held) this.#drop(this.#held);
      onProgress?.({ stage: "keys", done: 0, total: 0 });
      return (this.#held = await ring.open(why));
    })();
    try {
      return await this.#opening;
    } finally {
      this.#opening = undefined;
    }
  }

  #drop(held: HeldKeys): void {
    if (this.#held !== held) return;
    this.#held = undefined;
    held.release();
  }

  /** Checks that the server runs the model and brings it the keys, once for those that are held. */
  #bring(held: HeldKeys, options: PredictOptions, again = false): Promise<{ seconds: number; sent: number }> {
    const { onProgress, signal } = options;
    const server = this.#needServer();
    if (held.brought) {
      return held.brought.catch((error: unknown) => {
        // Whoever began it has canceled; this call has not.
        if ((error as Error)?.name === "AbortError" && !signal?.aborted) return this.#bring(held, options, again);
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
            if (total > 0) onProgress?.({ stage: "upload", done, total } satisfies Progress);
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

  /** Where it fails, the server's operator has a bound on the life of keys. */
  async #forget(held: HeldKeys): Promise<void> {
    const { server } = this;
    if (!server) return;
    const talk = guarded(() => held.keys.forget(server.base));
    if (!talk) return;
    await converse(talk, server).catch(() => undefined);
    talk.free();
  }

  #keyId(held: HeldKeys): string | null {
    return this.info.sizes.key === 0 ? null : held.keys.id;
  }

  #needServer(): Server {
    if (this.server) return this.server;
    throw new FhectlError("arguments", "the model was loaded without a server", "give its URL to `Model.load`, or use `encrypt` and `decrypt`");
  }
}

interface Batch {
  predictions: Prediction[];
  distrust: FhectlError | undefined;
}

/** What a batch of answers came to. */
function decrypted(result: wasm.Decrypted): { predictions: Omit<Prediction, "exchange">[]; distrust: FhectlError | undefined } {
  const predictions = JSON.parse(result.predictions) as Omit<Prediction, "exchange">[];
  const distrust = result.distrust as FhectlError | undefined;
  result.free();
  return { predictions, distrust };
}

/** Told when all is done: a server that sees when a client is not content learns something of its key. */
function checkTrusted({ batches, first }: Untrusted): void {
  if (batches === 0) return;
  const many = batches === 1 ? "one batch of answers" : `${batches} batches of answers`;
  throw new FhectlError(
    "answers_untrusted",
    `${many} cannot be trusted; the first: ${first?.message}`,
    "use no row of this run before the cause is found: where it is the key, others were wrong without a sign; ask the server's operator, and give no sign of it to a server that you do not trust (SECURITY.md)",
  );
}

export function serverOf(base: string, { token, fetch: own }: Pick<LoadOptions, "token" | "fetch">): Server {
  return { base, token, fetch: own ?? ((...request) => fetch(...request)) };
}

async function fetchModel(server: Server | undefined, name: string | undefined, options: LoadOptions): Promise<wasm.Model> {
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

/** The models of a server. */
export async function listOf(server: Server, signal?: AbortSignal): Promise<import("./api.js").ListedModel[]> {
  const talk = guarded(() => wasm.listModels(server.base));
  try {
    await converse(talk, server, { signal });
    return JSON.parse(guarded(() => talk.takeList()) ?? "[]") as import("./api.js").ListedModel[];
  } finally {
    talk.free();
  }
}
