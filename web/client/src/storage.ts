/** Where keys stay, and what seals them there. */

import type { KeyRecord, KeyStorage, StorageChoice } from "./api.js";
import { FhectlError } from "./error.js";
import { IndexedDbStorage } from "./indexeddb.js";

/** Keeps a secret's bytes from whoever reads the storage. What comes out opens only with the same `label`. */
export interface Sealer {
  seal(label: string, bytes: Uint8Array<ArrayBuffer>): Promise<{ secret: Uint8Array; nonce: Uint8Array }>;
  open(label: string, record: Pick<KeyRecord, "secret" | "nonce">): Promise<Uint8Array>;
}

/** A storage in use. */
export interface Store {
  kind: "indexeddb" | "memory" | "custom";
  records: KeyStorage;
  /** `null` where secrets stay as they are. */
  sealer: Sealer | null;
}

/** Opens the storage that is asked for; where nothing is, the best there is. */
export async function openStore(choice: StorageChoice | undefined): Promise<Store> {
  if (typeof choice === "object") return { kind: "custom", records: choice, sealer: null };
  if (choice === "memory") return memory();
  if (!IndexedDbStorage.isThere()) {
    if (choice === undefined) return memory();
    throw new FhectlError(
      "keys_unwritable",
      "this page cannot keep keys: there is no IndexedDB with WebCrypto here",
      "serve it over https or from localhost, or take `memory`",
    );
  }
  try {
    const storage = await IndexedDbStorage.open();
    return { kind: "indexeddb", records: storage, sealer: storage };
  } catch (error) {
    // A browser may forbid it, in a private window say.
    if (choice === undefined) return memory();
    throw error;
  }
}

const memory = (): Store => ({ kind: "memory", records: MemoryStorage.shared, sealer: null });

/** Keys until the page is closed or the process ends. */
class MemoryStorage implements KeyStorage {
  static readonly shared = new MemoryStorage();
  readonly #records = new Map<string, KeyRecord>();
  readonly #evaluations = new Map<string, Uint8Array>();

  async read(model: string): Promise<KeyRecord | undefined> {
    return this.#records.get(model);
  }

  async update(model: string, change: (record: KeyRecord | undefined) => KeyRecord | undefined): Promise<KeyRecord | undefined> {
    const before = this.#records.get(model);
    const after = change(before);
    if (before && before.serial !== after?.serial) before.secret.fill(0);
    if (after) this.#records.set(model, after);
    else this.#records.delete(model);
    return after;
  }

  async list(): Promise<KeyRecord[]> {
    return [...this.#records.values()];
  }

  async readEvaluation(model: string, serial: string): Promise<Uint8Array | undefined> {
    return this.#evaluations.get(`${model}.${serial}`);
  }

  async writeEvaluation(model: string, serial: string, bytes: Uint8Array): Promise<void> {
    this.#evaluations.set(`${model}.${serial}`, bytes);
  }

  async deleteEvaluation(model: string, serial: string): Promise<void> {
    this.#evaluations.delete(`${model}.${serial}`);
  }
}
