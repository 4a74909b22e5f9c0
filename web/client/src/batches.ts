/** Batches of rows: encrypted, asked for, decrypted. */

import type { Exchange, ModelInfo, Prediction, PredictOptions } from "./api.js";
import { FhectlError } from "./error.js";
import type { HeldKeys } from "./keyring.js";
import { guarded, type wasm } from "./runtime.js";
import type { Portion, Session } from "./session.js";
import { converse, type Server } from "./transport.js";

/** Batches under way at once: one is encrypted while the server computes another. */
const JOBS = 2;

/** What a batch of answers came to. */
interface Batch {
  predictions: Prediction[];
  /** Why they cannot be trusted, where they cannot. */
  distrust: FhectlError | undefined;
}

/** Rows from `from` on, as many as a batch holds. */
export function* batchesOf({ from, count }: Portion, { batchRows }: ModelInfo): Generator<{ at: number; count: number }, void, void> {
  for (let at = from; at < from + count; at += batchRows) yield { at, count: Math.min(batchRows, from + count - at) };
}

/** Asks for the rows of a portion. Batches come in their order; the first goes alone: it has the tag that tells another key. */
export async function ask(
  session: Session,
  info: ModelInfo,
  portion: Portion,
  rows: wasm.Rows,
  options: PredictOptions,
  each: (batch: Batch) => void,
): Promise<void> {
  const under: Promise<Batch>[] = [];
  const { held } = portion;
  try {
    for (const { at, count } of batchesOf(portion, info)) {
      const job = held.use(() => askOne(session, info, held, rows, at, count, options));
      job.catch(() => undefined);
      under.push(job);
      if (at === portion.from || under.length >= JOBS) each(await (under.shift() as Promise<Batch>));
    }
    while (under.length > 0) each(await (under.shift() as Promise<Batch>));
  } finally {
    await Promise.allSettled(under);
  }
}

async function askOne(
  session: Session,
  info: ModelInfo,
  held: HeldKeys,
  rows: wasm.Rows,
  at: number,
  count: number,
  options: PredictOptions,
): Promise<Batch> {
  const server = session.needServer();
  const began = performance.now();
  const encrypted = guarded(() => held.keys.encrypt(rows, at, count));
  const encrypt = (performance.now() - began) / 1e3;
  try {
    const { brought } = held;
    let { answer, roundtrip } = await converseOnce(guarded(() => held.keys.ask(server.base, encrypted)), server, options);
    if (!answer) {
      await session.bringAgain(held, brought, options);
      ({ answer, roundtrip } = await converseOnce(guarded(() => held.keys.askAgain(server.base, encrypted)), server, options));
    }
    if (!answer) throw new FhectlError("internal", "a talk ended without its answer");
    const { bytes, queue, compute } = answer;
    answer.free();
    const network = Math.max(0, roundtrip - (queue ?? 0) - (compute ?? 0));
    const times = { encrypt, roundtrip, network, queue: queue ?? null, compute: compute ?? null };
    const kept = options.keepBytes ? { request: encrypted.bytes, answer: bytes } : undefined;
    return decrypt(info, held, encrypted, bytes, times, kept);
  } finally {
    encrypted.free();
  }
}

/** One question: its answer, or none where the server has forgotten the key, and the seconds that it took. */
async function converseOnce(
  talk: wasm.Talk,
  server: Server,
  options: PredictOptions,
): Promise<{ answer: wasm.Answer | undefined; roundtrip: number }> {
  try {
    const roundtrip = await converse(talk, server, options);
    return { roundtrip, answer: guarded(() => talk.takeAnswer()) };
  } finally {
    talk.free();
  }
}

/** Decrypts the answer to a batch; `times` are those of what came before. */
export function decrypt(
  info: ModelInfo,
  held: HeldKeys,
  encrypted: wasm.Encrypted,
  answer: Uint8Array,
  times: Omit<Exchange["times"], "decrypt">,
  kept: Pick<Exchange, "request" | "answer"> = { request: null, answer: null },
): Batch {
  const [rows, requestBytes] = [encrypted.rows, guarded(() => encrypted.length)];
  const start = performance.now();
  const result = guarded(() => held.keys.decrypt(encrypted, answer));
  const predictions = JSON.parse(result.predictions) as Omit<Prediction, "exchange">[];
  const distrust = result.distrust as FhectlError | undefined;
  result.free();
  const exchange: Exchange = {
    rows,
    keyId: info.sizes.key === 0 ? null : held.keys.id,
    times: { ...times, decrypt: (performance.now() - start) / 1e3 },
    requestBytes,
    answerBytes: answer.length,
    ...kept,
  };
  return { predictions: predictions.map((one) => ({ ...one, exchange })), distrust };
}
