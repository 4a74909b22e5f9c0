/**
 * What the client's users see: types and their meaning. `index.ts` has what implements them.
 *
 * ```ts
 * import { Model } from "./index.js";
 *
 * const model = await Model.load("https://host:8443/v1/models/mails", { token });
 * const prediction = await model.predict([0.1, 0, 3]);
 * console.log(prediction.class, prediction.exchange.times.compute);
 * ```
 */

/** Where a model comes from. */
export type ModelSource =
  /**
   * A model's URL, `https://host/v1/models/NAME` (also with `/client.zip` behind it), or a server's, where it serves one model
   * only. Relative to the page, where there is one: "/v1/models/mails".
   */
  | string
  | URL
  | {
      /** The server or the model, as above; left out, nothing is sent: {@link Model.encrypt} and {@link Model.decrypt} only. */
      url?: string | URL;
      /** The model's name, where `url` is the server's. */
      name?: string;
      /** The bytes of `client.zip`, where they did not come from the server: it cannot choose its own parameters then. */
      clientZip?: Uint8Array | ArrayBuffer;
    };

export interface LoadOptions {
  /** The bearer token that the server asks for. */
  token?: string;
  /**
   * Whether keys, encryption and decryption run in a Web Worker, so that the page stays responsive. By default they do in
   * a page, where a worker can be started, and not in Node and Deno.
   */
  worker?: boolean;
  /** Where keys stay; as {@link Model.keys}. */
  storage?: StorageChoice;
  /** Show the scores of a network's classes too. Never where a server that knows the rows could see them. Default: no. */
  scores?: boolean;
  /** Make a new key where the one that is there is older than so many seconds. Default: any age. */
  keyMaxAge?: number;
  /** Accept models whose answers are wrong as often as this, 2^-40 say. Safe only where nobody else learns which were. */
  acceptPFail?: number;
  /** Takes the place of the global `fetch`; without a worker only. */
  fetch?: typeof fetch;
  signal?: AbortSignal;
}

/**
 * Where secret keys stay.
 *
 * - `"indexeddb"`: in this browser, for this origin, sealed with AES-GCM under a key that scripts cannot read out.
 *   It needs a secure context (https or localhost).
 * - `"memory"`: until the page is closed.
 * - left out: the first where it can be had, else the second.
 */
export type StorageChoice = "indexeddb" | "memory" | KeyStorage;

/** A cell of a row: a number, a text (of a category, a date or words), yes or no; `null` for a missing one. */
export type Cell = number | string | boolean | null | undefined;

/** A row: its cells in the order of `info.features`, or by their names. */
export type Row = readonly Cell[] | Float64Array | { readonly [feature: string]: Cell };

/** What a row's cells are: one entry a column. */
export interface Feature {
  name: string;
  kind: "number" | "boolean" | "category" | "date" | "text";
  /** The values of a category, sorted. */
  categories: string[] | null;
  /** The range of numbers that the model tells apart, about; `null` where it is not known or has no meaning. */
  low: number | null;
  high: number | null;
  /** How many values of it the model tells apart; `null` where it is prepared in another way before. */
  levels: number | null;
  /** A value from the middle of what the model knows, to begin a form with: nobody's own. */
  example: Cell;
}

/** What a model says of itself. It is its author's word. */
export interface ModelInfo {
  name: string;
  /** SHA-256 over the bundle, in hexadecimal. */
  id: string;
  /** `tree`, `logreg`, `mlp`, ... */
  kind: string;
  /** `linear`, `path-cost`, `leaf-sum`, `cmux-forest`, `table` or `network`. */
  circuit: string;
  target: string;
  /** Names of the classes; `null` where a number is predicted. */
  classes: string[] | null;
  features: Feature[];
  /** Height and width where rows are images; `null` otherwise. */
  image: { height: number; width: number } | null;
  /** What numbers of classes are (`Prediction.classScores`). */
  scoreUnit: "probability" | "share" | "margin" | "score";
  /** Whether answers equal the clear quantized model's; a network's carry noise. */
  exact: boolean;
  /** Whether predictions have scores (always of exact models). */
  showsScores: boolean;
  /**
   * Bytes, headers included: the evaluation key (0 for none), and one row's request and answer. The first batch under a key, and of the
   * others one of 16, have a tag that makes both longer (`Exchange` has what was sent).
   */
  sizes: { key: number; request: number; response: number };
  /** Rows that go into one request at most. */
  batchRows: number;
  securityBits: number;
  /** log2 of the chance that an answer is wrong; `null` for networks. */
  pFailLog2: number | null;
  /** Rows that may be asked under one key; `null` for exact models, which have no limit. The client goes on under a new one. */
  rowsAKey: number | null;
  /** What a client learns of the model, in a sentence. */
  clientLearns: string;
}

/** Seconds of each stage. */
export interface Times {
  encrypt: number;
  /** On the way there and back: round trip without queue and compute, where the server tells those. */
  network: number;
  /** `null` where the server does not tell. */
  queue: number | null;
  compute: number | null;
  decrypt: number;
  /** From the first byte sent to the last received, queue and compute included. */
  roundtrip: number;
}

/** One batch there and back. Predictions of one batch share it. */
export interface Exchange {
  rows: number;
  /** The id of the evaluation key that the server computed with; `null` where the model needs none. */
  keyId: string | null;
  times: Times;
  requestBytes: number;
  answerBytes: number;
  /** What went over the wire; only with `PredictOptions.keepBytes`. */
  request: Uint8Array | null;
  answer: Uint8Array | null;
}

export interface Prediction {
  /** The class's name; `null` where a number is predicted. */
  class: string | null;
  /** Its index in `info.classes`. */
  classIndex: number | null;
  /** The number that is predicted; `null` where it is a class. */
  value: number | null;
  /** The integer scores; `null` where they are withheld (networks, unless `LoadOptions.scores`). */
  scores: number[] | null;
  /** One number a class, in `info.scoreUnit`; `null` where they are withheld or a number is predicted. */
  classScores: number[] | null;
  /** Names of the features that lie beyond what the model knows: the nearest end of the range was taken. */
  outside: string[];
  exchange: Exchange;
}

/** What is being done. `done` and `total` are in `unit`. */
export interface Progress {
  /**
   * - `keys`: a key is read or made (`total` is 0: it cannot be foreseen);
   * - `upload`: the evaluation key is sent, in bytes;
   * - `predict`: rows are answered.
   */
  stage: "keys" | "upload" | "predict";
  done: number;
  total: number;
}

export interface PredictOptions {
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
  /** Keep request and answer in `Exchange`, to show or to store them. */
  keepBytes?: boolean;
}

/** A stored key, without the key. */
export interface StoredKey {
  /** The model's id and name. */
  model: string;
  name: string;
  circuit: string;
  /** Names the key among those that the model had: 16 hexadecimal digits. */
  serial: string;
  made: Date;
  /** Whether it is sealed under a key that scripts cannot read. */
  sealed: boolean;
  /** Bits that were told of a network's answers under it. */
  told: number;
  /** Batches of answers under it that could not be trusted. */
  failures: number;
}

/** The keys of one model's client. */
export interface Keys {
  /** Where they are. */
  readonly storage: "indexeddb" | "memory" | "custom";
  /**
   * Reads the keys, or makes them, and brings the evaluation key to the server: `predict` does it too, the first time. Without
   * a server it only makes them.
   */
  prepare(options?: PredictOptions): Promise<KeyReport>;
  /** The stored key of this model; `null` before there is one. */
  current(): Promise<StoredKey | null>;
  /** All stored keys, those of other models too. */
  list(): Promise<StoredKey[]>;
  /** Makes a new key in the place of the one that is there, and has the server forget the old one. */
  rotate(options?: PredictOptions): Promise<KeyReport>;
  /** Deletes this model's key, here and at the server; or that of another model, by its id, here. Throws where that model has none. */
  delete(model?: string): Promise<void>;
  /** The evaluation key (public), for those who bring it to a server themselves, and its id there; empty where none is needed. */
  evaluation(): Promise<{ id: string; bytes: Uint8Array<ArrayBuffer> }>;
}

/** What it took to have keys. Seconds. */
export interface KeyReport {
  /** Whether they were made just now. */
  fresh: boolean;
  /** Why they took the place of others just now. */
  renewed: "age" | "failures" | "told" | "asked" | null;
  make: number;
  /** 0 where the server had the key. */
  upload: number;
  /** Bytes of the evaluation key, and how many of them were sent now. */
  bytes: number;
  sent: number;
}

/** Encrypted rows, and what is kept until they are answered. */
export interface EncryptedRows {
  readonly rows: number;
  /** What to send: one body for each request (`POST /v1/models/NAME/infer`). */
  readonly batches: Uint8Array<ArrayBuffer>[];
  /** The evaluation key's id that each batch names in the header `key-id`. */
  readonly keyIds: string[];
  /** Opaque. */
  readonly handle: number;
}

/** What an answer looks like to whoever has another key. */
export interface WrongKeyView {
  /** Whether it decrypts to anything at all; `false` where the circuit notices that it is no answer. */
  decrypts: boolean;
  /** What comes out: the first row's scores under a key drawn just now. Noise; new at each call. */
  scores: number[];
  /** The class that such scores would have; `null` where a number is predicted. */
  class: string | null;
  value: number | null;
}

/** A model, and all that its client does. Of one model many can be loaded; they share their stored key. */
export interface Model {
  readonly info: ModelInfo;
  /** Whether it works in a worker, and whether the SIMD build of the code was taken. */
  readonly runtime: { worker: boolean; simd: boolean };

  /** The keys, and where they stay from now on. Without an argument those of {@link LoadOptions.storage}. */
  keys(storage?: StorageChoice): Promise<Keys>;

  /**
   * Encrypts, has the server compute and decrypts. Makes and brings keys where that was not done.
   *
   * Throws `answers_untrusted` when all is done where some answers cannot be trusted: use no row of such a run.
   */
  predict(row: Row, options?: PredictOptions): Promise<Prediction>;
  predict(rows: readonly Row[], options?: PredictOptions): Promise<Prediction[]>;

  /** Encrypts rows; nothing is sent. What a network's key may tell is counted here. */
  encrypt(rows: readonly Row[]): Promise<EncryptedRows>;
  /** Decrypts the answers, one for each batch, once. */
  decrypt(encrypted: EncryptedRows, answers: readonly Uint8Array[]): Promise<Prediction[]>;

  /** The integers that a row becomes before encryption: what the model sees of it. One for each quantized feature. */
  quantize(row: Row): Promise<Uint32Array>;

  /** Decrypts an answer with a key drawn just now: what the server, or anyone else, can make of it. */
  decryptWithWrongKey(answer: Uint8Array): Promise<WrongKeyView>;

  /** Bytes of WebAssembly memory in use. */
  memoryBytes(): Promise<number>;

  /** Wipes the keys in memory and ends the worker. Stored keys stay. Every call after it throws. */
  close(): Promise<void>;
}

/** `Model.load`: exported by `index.ts` as the value `Model`. */
export interface ModelConstructor {
  /** Throws what is wrong with the URL, the server, the token or the zip: {@link FhectlError}. */
  load(source: ModelSource, options?: LoadOptions): Promise<Model>;
}

/** A model as its server lists it. */
export interface ListedModel {
  name: string;
  id: string;
  kind: string;
  circuit: string;
  classes: string[];
  features: number;
  sizes: { key: number; request: number; response: number };
}

/** Exported by `index.ts`: the models of a server, in its order. */
export type ListModels = (url: string | URL, options?: Pick<LoadOptions, "token" | "signal" | "fetch">) => Promise<ListedModel[]>;

/** Exported by `index.ts`: where the files beside `index.js` are, for pages that serve them from elsewhere or inline them. */
export interface Assets {
  /**
   * The WebAssembly module: its URL, its bytes or the compiled `WebAssembly.Module` (not every environment's types know it). By default
   * `fhectl-simd.wasm` or `fhectl.wasm` beside `index.js`.
   */
  wasm?: string | URL | Uint8Array | ArrayBuffer | object;
  /** The worker's script. By default `worker.js` beside `index.js`. */
  worker?: string | URL;
}
/** To be called before the first `Model.load`. */
export type Configure = (assets: Assets) => void;

/** What a storage of one's own does. Secrets come to it unsealed: it is its task to keep them. */
export interface KeyStorage {
  /** The record of a model's id. */
  read(model: string): Promise<KeyRecord | undefined>;
  /**
   * Changes a record in one step that no other change comes between: `change` gets what is there and returns what shall
   * be (`undefined`: nothing). Resolves to what is there then.
   */
  update(model: string, change: (record: KeyRecord | undefined) => KeyRecord | undefined): Promise<KeyRecord | undefined>;
  list(): Promise<KeyRecord[]>;
  /** Evaluation keys are public, large (up to some 10 MB) and belong to one serial. */
  readEvaluation(model: string, serial: string): Promise<Uint8Array | undefined>;
  writeEvaluation(model: string, serial: string, bytes: Uint8Array): Promise<void>;
  deleteEvaluation(model: string, serial: string): Promise<void>;
}

/** A stored key. */
export interface KeyRecord {
  model: string;
  name: string;
  circuit: string;
  serial: string;
  /** Seconds since 1970. */
  made: number;
  /** The command line's key file (docs/src/reference/formats.md), as it is or sealed. */
  secret: Uint8Array;
  /** What sealed it: 12 bytes; `null` where it is as it is. */
  nonce: Uint8Array | null;
  told: number;
  failures: number;
}
