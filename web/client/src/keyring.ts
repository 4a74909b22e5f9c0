/** A model's keys: read from a store, made where there are none, replaced where they must not be used any more. */

import type { KeyRecord, KeyReport, ModelInfo, StoredKey } from "./api.js";
import { FhectlError } from "./error.js";
import { guarded, view, wasm } from "./runtime.js";
import type { Store } from "./storage.js";

/** Keys in use. The secret one is wiped when nobody uses it any more and it is not held. */
export class HeldKeys {
  /** Batches under them whose answers cannot be trusted: known also where other keys have taken their place. */
  failures = 0;
  /** Settled once the server has the evaluation key: the seconds that it took and the bytes that were sent. */
  brought: Promise<{ seconds: number; sent: number }> | undefined;
  #users = 1;

  constructor(
    readonly keys: wasm.Keys,
    readonly serial: string,
    /** What it took to have them. */
    readonly report: Pick<KeyReport, "fresh" | "renewed" | "make" | "bytes">,
  ) {}

  /** Keeps them while `work` runs. */
  async use<T>(work: (keys: wasm.Keys) => T | Promise<T>): Promise<T> {
    this.retain();
    try {
      return await work(this.keys);
    } finally {
      this.release();
    }
  }

  retain(): void {
    this.#users += 1;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) this.keys.free();
  }
}

export class Keyring {
  constructor(
    readonly store: Store,
    private readonly model: wasm.Model,
    private readonly info: ModelInfo,
    private readonly maxAge: number | undefined,
  ) {}

  /** The keys to use. `why` has a new one made whatever there is. */
  async open(why: KeyReport["renewed"] = null): Promise<HeldKeys> {
    const start = performance.now();
    const { records } = this.store;
    const before = await records.read(this.info.id);
    let renewed = why;
    if (before) {
      renewed ??= this.#renewal(before);
      if (renewed === null) {
        const secret = await this.#unseal(before);
        return this.#join(secret, before.serial, { fresh: false, renewed, start });
      }
    }
    const { secret, serial } = await this.#make(before?.serial);
    if (before) await records.deleteEvaluation(this.info.id, before.serial);
    return this.#join(secret, serial, { fresh: true, renewed: before ? renewed : null, start });
  }

  /**
   * Takes up to `wanted` of the rows that may still be asked under these keys; 0 where there are none, and `open` gives others. They
   * are counted before they are asked: a run that is cut short has used them up.
   */
  async takeRows(held: HeldKeys, wanted: number): Promise<number> {
    const bits = guarded(() => this.model.disclosedBits());
    if (bits === undefined) return wanted;
    let taken = 0;
    await this.store.records.update(this.info.id, (record) => {
      taken = 0;
      if (record?.serial !== held.serial) return record;
      const [rows, told] = guarded(() => wasm.takeRows(record.told, bits, wanted));
      taken = rows as number;
      return { ...record, told: told as number };
    });
    return taken;
  }

  /** Whether keys may be used still: another tab may have replaced or deleted them, or they have retired. */
  async isCurrent(held: HeldKeys): Promise<boolean> {
    const record = await this.store.records.read(this.info.id);
    return record?.serial === held.serial && this.#renewal(record) === null;
  }

  /**
   * Ends a run: counts its batches whose answers cannot be trusted. After a few of them the keys retire, and all runs under them that
   * end from then on fail alike: were those that saw none told from the others, each would be a bit about the key.
   */
  async settle(held: HeldKeys, batches: number): Promise<void> {
    held.failures += batches;
    const { records } = this.store;
    const record =
      batches === 0
        ? await records.read(this.info.id)
        : await records.update(this.info.id, (there) =>
            there?.serial === held.serial ? { ...there, failures: there.failures + batches } : there,
          );
    const counted = Math.max(held.failures, record?.serial === held.serial ? record.failures : 0);
    if (batches === 0 && guarded(() => wasm.renewal(0, counted, 0)) === "failures") {
      throw new FhectlError(
        "answers_untrusted",
        "answers to other rows under the same key cannot be trusted, and too many of them",
        "use no row of these runs before the cause is found; ask the server's operator, and give no sign of it to a server that you do not trust (SECURITY.md)",
      );
    }
  }

  #renewal({ told, failures, made }: KeyRecord): KeyReport["renewed"] {
    const age = Date.now() / 1e3 - made;
    return (guarded(() => wasm.renewal(told, failures, age, this.maxAge)) as KeyReport["renewed"]) ?? null;
  }

  async current(): Promise<StoredKey | null> {
    const record = await this.store.records.read(this.info.id);
    return record ? shown(record) : null;
  }

  async list(): Promise<StoredKey[]> {
    return (await this.store.records.list()).map(shown);
  }

  /** Whether there was one to delete. */
  async delete(model: string): Promise<boolean> {
    const before = await this.store.records.read(model);
    await this.store.records.update(model, () => undefined);
    if (before) await this.store.records.deleteEvaluation(model, before.serial);
    return before !== undefined;
  }

  async #unseal(record: KeyRecord): Promise<wasm.SecretKey> {
    const { sealer } = this.store;
    const sealed = record.nonce !== null;
    if (sealed && !sealer) {
      throw new FhectlError("key_file_invalid", "the stored key is sealed, and this storage does not open it", "delete it");
    }
    const bytes = sealed && sealer ? await sealer.open(label(record), record) : record.secret.slice();
    try {
      return guarded(() => this.model.readKeyFile(bytes));
    } finally {
      bytes.fill(0);
    }
  }

  /** Makes a key in the place of the one of serial `before`. Where another tab was faster, its key counts. */
  async #make(before: string | undefined): Promise<{ secret: wasm.SecretKey; serial: string }> {
    const secret = guarded(() => this.model.generateSecret());
    const made = Math.floor(Date.now() / 1e3);
    const file = guarded(() => this.model.writeKeyFile(secret, made));
    const { serial } = file;
    const bytes = file.bytes as Uint8Array<ArrayBuffer>;
    file.free();
    const { id: model, name, circuit } = this.info;
    const { sealer } = this.store;
    const header = { model, name, circuit, serial, made, told: 0, failures: 0 };
    let record: KeyRecord;
    if (sealer) {
      record = { ...header, ...(await sealer.seal(label(header), bytes)) };
      bytes.fill(0);
    } else {
      record = { ...header, secret: bytes, nonce: null };
    }
    const there = await this.store.records.update(model, (other) => (other?.serial === before ? record : other));
    if (there?.serial === serial) return { secret, serial };
    secret.free();
    if (!there) throw new FhectlError("keys_unwritable", "the stored key came and went", "try again");
    return { secret: await this.#unseal(there), serial: there.serial };
  }

  /** The evaluation key is kept too: its id is its hash, and making it again would make another, to be sent again. */
  async #join(
    secret: wasm.SecretKey,
    serial: string,
    { start, ...state }: { fresh: boolean; renewed: KeyReport["renewed"]; start: number },
  ): Promise<HeldKeys> {
    const bytes = this.info.sizes.key;
    const { records } = this.store;
    const stored = bytes > 0 ? await records.readEvaluation(this.info.id, serial) : undefined;
    const usable = stored?.length === bytes ? stored : undefined;
    const evaluation = guarded(() =>
      usable ? new wasm.EvaluationKey(usable) : this.model.generateEvaluation(secret),
    );
    let digest: Uint8Array | undefined;
    if (bytes > 0) {
      if (!usable) await records.writeEvaluation(this.info.id, serial, view(evaluation.address, evaluation.length).slice());
      // The browser's own is many times as fast as the module's; plain http has none.
      const subtle = globalThis.crypto?.subtle;
      if (subtle) digest = new Uint8Array(await subtle.digest("SHA-256", view(evaluation.address, evaluation.length)));
    }
    const keys = guarded(() => this.model.keys(secret, evaluation, digest));
    return new HeldKeys(keys, serial, { ...state, make: (performance.now() - start) / 1e3, bytes });
  }
}

/** What a seal covers beside the secret. */
const label = ({ model, serial, circuit }: Pick<KeyRecord, "model" | "serial" | "circuit">): string =>
  `fhectl key ${model} ${serial} ${circuit}`;

function shown({ model, name, circuit, serial, made, nonce, told, failures }: KeyRecord): StoredKey {
  return { model, name, circuit, serial, made: new Date(made * 1e3), sealed: nonce !== null, told, failures };
}
