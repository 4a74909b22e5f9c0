/** A model in this thread: what `worker.ts` runs in a worker, and what is used where there is none. */

import type {
  EncryptedRows, KeyReport, LoadOptions, ModelInfo, ModelSource, Prediction, PredictOptions, Row, StorageChoice, StoredKey,
  WrongKeyView,
} from "./api.js";
import { ask, batchesOf, decrypt } from "./batches.js";
import { fetchModel, serverOf } from "./catalog.js";
import { FhectlError } from "./error.js";
import type { HeldKeys } from "./keyring.js";
import { toRows } from "./rows.js";
import { compiled, guarded, memoryBytes, start, wasm } from "./runtime.js";
import { Session } from "./session.js";
import type { Store } from "./storage.js";
import { parseUrl } from "./transport.js";
import { UntrustedAnswers } from "./untrusted.js";

interface EncryptedBatch {
  held: HeldKeys;
  batch: wasm.Encrypted;
}

export class LocalModel {
  readonly #encrypted = new Map<number, EncryptedBatch[]>();
  #handles = 0;

  private constructor(
    readonly info: ModelInfo,
    readonly simd: boolean,
    private readonly model: wasm.Model,
    private readonly session: Session,
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
    return new LocalModel(info, simd, model, new Session(model, info, server, options));
  }

  async predict(given: readonly Row[], options: PredictOptions): Promise<Prediction[]> {
    const rows = toRows(this.model, this.info, given);
    const [predictions, untrusted]: [Prediction[], UntrustedAnswers] = [[], new UntrustedAnswers()];
    try {
      const total = rows.length;
      for await (const portion of this.session.portions(total, { bring: true }, options)) {
        const before = untrusted.batches;
        try {
          options.onProgress?.({ stage: "predict", done: predictions.length, total });
          await ask(this.session, this.info, portion, rows, options, (batch) => {
            predictions.push(...batch.predictions);
            untrusted.add(batch.distrust);
            options.onProgress?.({ stage: "predict", done: predictions.length, total });
          });
        } finally {
          // A key retires after a few failures, so they are counted even where the run fails.
          await (await this.session.ring()).settle(portion.held, untrusted.batches - before);
        }
      }
    } finally {
      rows.free();
    }
    untrusted.check();
    return predictions;
  }

  async encrypt(given: readonly Row[]): Promise<EncryptedRows> {
    const rows = toRows(this.model, this.info, given);
    const batches: EncryptedBatch[] = [];
    try {
      for await (const portion of this.session.portions(rows.length, { bring: false }, {})) {
        const { held } = portion;
        for (const { at, count } of batchesOf(portion, this.info)) {
          const batch = guarded(() => held.keys.encrypt(rows, at, count));
          held.retain();
          batches.push({ held, batch });
        }
      }
      const handle = ++this.#handles;
      this.#encrypted.set(handle, batches);
      return {
        rows: rows.length,
        batches: batches.map(({ batch }) => batch.bytes as Uint8Array<ArrayBuffer>),
        keyIds: batches.map(({ held }) => held.keys.id),
        handle,
      };
    } finally {
      rows.free();
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
    const [predictions, untrusted]: [Prediction[], UntrustedAnswers] = [[], new UntrustedAnswers()];
    const times = { encrypt: 0, roundtrip: 0, network: 0, queue: null, compute: null };
    for (const [index, { held, batch }] of batches.entries()) {
      const one = decrypt(this.info, held, batch, answers[index] as Uint8Array, times);
      predictions.push(...one.predictions);
      untrusted.add(one.distrust);
      failures.set(held, (failures.get(held) ?? 0) + (one.distrust ? 1 : 0));
      batch.free();
      held.release();
    }
    for (const [held, count] of failures) await (await this.session.ring()).settle(held, count);
    untrusted.check();
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
    this.session.close();
    for (const { held, batch } of [...this.#encrypted.values()].flat()) {
      batch.free();
      held.release();
    }
    this.#encrypted.clear();
  }

  useStorage(choice: StorageChoice): Promise<Store["kind"]> {
    return this.session.useStorage(choice);
  }

  async storageKind(): Promise<Store["kind"]> {
    return (await this.session.ring()).store.kind;
  }

  async prepare(options: PredictOptions): Promise<KeyReport> {
    const held = await this.session.open(options);
    return held.use(() => this.#report(held, options));
  }

  async rotate(options: PredictOptions): Promise<KeyReport> {
    const before = (await this.currentKey()) ? await this.session.open({}) : undefined;
    before?.retain();
    if (before) this.session.drop(before);
    try {
      const held = await this.session.open(options, "asked");
      if (before) await this.session.forget(before);
      return await held.use(() => this.#report(held, options));
    } finally {
      before?.release();
    }
  }

  async currentKey(): Promise<StoredKey | null> {
    return (await this.session.ring()).current();
  }

  async listKeys(): Promise<StoredKey[]> {
    return (await this.session.ring()).list();
  }

  async deleteKey(model: string | undefined): Promise<void> {
    const ring = await this.session.ring();
    if (model !== undefined && model !== this.info.id) {
      if (await ring.delete(model)) return;
      throw new FhectlError("key_unknown", "no key of a model with this id is stored here", "`list` has those that are");
    }
    if (await ring.current()) {
      // One that cannot be opened any more is deleted all the same.
      const held = await this.session.open({}).catch(() => undefined);
      await held?.use(() => this.session.forget(held));
      if (held) this.session.drop(held);
    }
    await ring.delete(this.info.id);
  }

  async evaluation(): Promise<{ id: string; bytes: Uint8Array<ArrayBuffer> }> {
    const held = await this.session.open({});
    return held.use(({ id, evaluation }) => ({ id, bytes: evaluation as Uint8Array<ArrayBuffer> }));
  }

  async #report(held: HeldKeys, options: PredictOptions): Promise<KeyReport> {
    const brought = this.session.server ? await this.session.bring(held, options) : { seconds: 0, sent: 0 };
    return { ...held.report, upload: brought.seconds, sent: brought.sent };
  }
}
