/**
 * Keys in IndexedDB. Secrets are sealed with AES-GCM under a key that is stored beside them as a `CryptoKey` and cannot be
 * extracted: scripts of this origin can use it, and nobody can read it out of what a script can see.
 */

import type { KeyRecord, KeyStorage } from "./api.js";
import { FhectlError } from "./error.js";
import type { Sealer } from "./storage.js";

const DATABASE = "fhectl";
const VERSION = 1;
const RECORDS = "keys";
const EVALUATIONS = "evaluations";
const SEALS = "seals";

export class IndexedDbStorage implements KeyStorage, Sealer {
  readonly #database: IDBDatabase;
  readonly #key: CryptoKey;

  /** Whether it can be had: WebCrypto is there in secure contexts only. */
  static isThere(): boolean {
    return typeof indexedDB !== "undefined" && globalThis.crypto?.subtle !== undefined;
  }

  static async open(): Promise<IndexedDbStorage> {
    try {
      const request = indexedDB.open(DATABASE, VERSION);
      request.onupgradeneeded = () => {
        for (const name of [RECORDS, EVALUATIONS, SEALS]) request.result.createObjectStore(name);
      };
      const database = await done(request);
      // Another version of this page may want to change it.
      database.onversionchange = () => database.close();
      return new IndexedDbStorage(database, await sealingKey(database));
    } catch (error) {
      throw unwritable(error);
    }
  }

  private constructor(database: IDBDatabase, key: CryptoKey) {
    this.#database = database;
    this.#key = key;
  }

  read(model: string): Promise<KeyRecord | undefined> {
    return this.#in(RECORDS, "readonly", (store) => done(store.get(model)));
  }

  update(model: string, change: (record: KeyRecord | undefined) => KeyRecord | undefined): Promise<KeyRecord | undefined> {
    return this.#in(RECORDS, "readwrite", async (store) => {
      // In one transaction: other tabs wait.
      const before = (await done(store.get(model))) as KeyRecord | undefined;
      const after = change(before);
      if (after && after !== before) await done(store.put(after, model));
      if (!after && before) await done(store.delete(model));
      return after;
    });
  }

  list(): Promise<KeyRecord[]> {
    return this.#in(RECORDS, "readonly", (store) => done(store.getAll()));
  }

  readEvaluation(model: string, serial: string): Promise<Uint8Array | undefined> {
    return this.#in(EVALUATIONS, "readonly", (store) => done(store.get(`${model}.${serial}`)));
  }

  async writeEvaluation(model: string, serial: string, bytes: Uint8Array): Promise<void> {
    await this.#in(EVALUATIONS, "readwrite", (store) => done(store.put(bytes, `${model}.${serial}`)));
  }

  async deleteEvaluation(model: string, serial: string): Promise<void> {
    await this.#in(EVALUATIONS, "readwrite", (store) => done(store.delete(`${model}.${serial}`)));
  }

  async seal(label: string, bytes: Uint8Array<ArrayBuffer>): Promise<{ secret: Uint8Array; nonce: Uint8Array }> {
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const secret = await crypto.subtle.encrypt(algorithm(label, nonce), this.#key, bytes);
    return { secret: new Uint8Array(secret), nonce };
  }

  async open(label: string, { secret, nonce }: Pick<KeyRecord, "secret" | "nonce">): Promise<Uint8Array> {
    try {
      const opened = await crypto.subtle.decrypt(algorithm(label, nonce as Uint8Array), this.#key, secret as Uint8Array<ArrayBuffer>);
      return new Uint8Array(opened);
    } catch {
      throw new FhectlError("key_file_invalid", "the stored key is damaged", "delete it, and a new key is made at the next use");
    }
  }

  /** Work in one transaction, whose requests follow each other without a pause. Resolves when it is on the disk. */
  async #in<T>(name: string, mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    try {
      // What was told of a key must not be forgotten in a power cut: by default browsers do not wait for the disk.
      const transaction = this.#database.transaction(name, mode, { durability: "strict" });
      const over = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
      });
      over.catch(() => undefined);
      const value = await work(transaction.objectStore(name));
      await over;
      return value;
    } catch (error) {
      throw unwritable(error);
    }
  }
}

const algorithm = (label: string, iv: Uint8Array): AesGcmParams => ({
  name: "AES-GCM",
  iv: iv as Uint8Array<ArrayBuffer>,
  additionalData: new TextEncoder().encode(label),
});

/** The key that seals, made at the first use. Of two tabs that make it at once, one wins. */
async function sealingKey(database: IDBDatabase): Promise<CryptoKey> {
  const read = (): Promise<CryptoKey | undefined> =>
    done(database.transaction(SEALS, "readonly").objectStore(SEALS).get("aes-gcm"));
  const there = await read();
  if (there) return there;
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const store = database.transaction(SEALS, "readwrite").objectStore(SEALS);
  const meanwhile = (await done(store.get("aes-gcm"))) as CryptoKey | undefined;
  if (meanwhile) return meanwhile;
  await done(store.put(made, "aes-gcm"));
  return made;
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("IndexedDB failed"));
  });
}

function unwritable(error: unknown): FhectlError {
  if (error instanceof FhectlError) return error;
  return new FhectlError(
    "keys_unwritable",
    `the browser's storage of keys failed: ${(error as Error)?.message ?? error}`,
    "free some space, allow this site to store data, or keep keys in memory",
  );
}
