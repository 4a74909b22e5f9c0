/** The worker's script: one model, whose functions the page calls. */

import type { PredictOptions } from "./api.js";
import type { Call, FromWorker, ToWorker } from "./calls.js";
import { plain } from "./error.js";
import { LocalModel } from "./local.js";
import { isBroken, start } from "./runtime.js";

interface Scope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: { data: ToWorker }) => void) | null;
}
const scope = globalThis as unknown as Scope;
let model: LocalModel | undefined;
const aborts = new Map<number, AbortController>();

/** Which argument of a call is `PredictOptions`: functions and signals do not come through a message. */
const OPTIONS: { readonly [call in Call]?: number } = { predict: 1, prepare: 0, rotate: 0 };

scope.onmessage = ({ data }) => void answer(data);

async function answer(message: ToWorker): Promise<void> {
  if ("abort" in message) {
    aborts.get(message.abort)?.abort();
    return;
  }
  const { id } = message;
  try {
    if (message.call === "load") {
      await start(message.compiled);
      model = await LocalModel.load(message.source, message.options);
      scope.postMessage({ id, value: null, info: model.info });
      return;
    }
    const { call, args } = message;
    const at = OPTIONS[call];
    if (at !== undefined) args[at] = { ...(args[at] as PredictOptions | undefined), ...optionsOf(message) };
    const own = model as unknown as Record<Call, (...args: unknown[]) => Promise<unknown>>;
    scope.postMessage({ id, value: await own[call](...args) });
  } catch (error) {
    scope.postMessage({ id, error: plain(error), broken: isBroken() });
  } finally {
    aborts.delete(id);
  }
}

function optionsOf({ id, progress, abortable }: Extract<ToWorker, { args: unknown[] }>): PredictOptions {
  const options: PredictOptions = {};
  if (progress) options.onProgress = (progress) => scope.postMessage({ id, progress });
  if (abortable) {
    const controller = new AbortController();
    aborts.set(id, controller);
    options.signal = controller.signal;
  }
  return options;
}
