/** The way of one row: what left this tab, what the server saw, what came back, and how long each stage took. */
import type { Exchange, ModelInfo, Prediction } from "./client.js";
import { h } from "./dom.js";
import { bytes, count, hexDump, seconds } from "./format.js";

/** Bytes that are shown of a ciphertext. */
const SHOWN = 96;
/** Integers that are shown of a row. */
const SHOWN_CELLS = 48;

interface Travelled {
  info: ModelInfo;
  prediction: Prediction;
  /** The integers that were encrypted. */
  quantized: Uint32Array;
  /** The server, as the page names it. */
  host: string;
}

export function journeyView(travelled: Travelled): HTMLElement {
  const { info, prediction, quantized, host } = travelled;
  const { times, requestBytes, answerBytes, request, answer } = prediction.exchange;
  const step = (place: "tab" | "wire" | "server", title: string, time: string | null, ...rest: (HTMLElement | false)[]) =>
    h(
      "li",
      { class: `step ${place}` },
      h("h4", {}, title, time !== null && h("span", { class: "time" }, time)),
      ...rest,
    );
  const told = times.queue !== null && times.compute !== null;
  return h(
    "section",
    { class: "card journey", "aria-labelledby": "journey-title" },
    h("h3", { id: "journey-title" }, "Its journey"),
    timeBar(prediction.exchange),
    h(
      "ol",
      { class: "steps" },
      step("tab", "Your row, in this tab", null, rowText(quantized, info.image !== null), hint("As small integers, which is how the model reads it.")),
      step(
        "wire",
        `Encrypted: ${bytes(requestBytes)}`,
        seconds(times.encrypt),
        request !== null && dump(request, "The first bytes of the request"),
        hint("Fresh randomness each time: the same row never looks the same twice."),
      ),
      step("server", `What ${host} sees`, told ? seconds(times.queue! + times.compute!) : null, serverSees(travelled, told)),
      step(
        "wire",
        `The answer, still encrypted: ${bytes(answerBytes)}`,
        null,
        answer !== null && dump(answer, "The first bytes of the answer"),
      ),
      step("tab", "Decrypted, in this tab", seconds(times.decrypt), hint(conclusion(info, prediction))),
    ),
  );
}

function conclusion(info: ModelInfo, prediction: Prediction): string {
  const shown = prediction.scores?.slice(0, 10).join(", ");
  const said = prediction.class ?? String(prediction.value);
  const more = (prediction.scores?.length ?? 0) > 10 ? ", …" : "";
  return shown === undefined ? `${info.target || "Answer"}: ${said}.` : `Scores ${shown}${more}, which say ${said}.`;
}

function hint(text: string): HTMLElement {
  return h("p", { class: "hint" }, text);
}

/** Some integers of a row: the first, or of an image those where its ink begins. */
function rowText(quantized: Uint32Array, image: boolean): HTMLElement {
  const ink = image ? quantized.findIndex((value) => value !== quantized[0]) : 0;
  const from = Math.max(0, Math.min(ink, quantized.length - SHOWN_CELLS));
  const shown = Array.from(quantized.subarray(from, from + SHOWN_CELLS)).join(" ");
  const rest = quantized.length - from - SHOWN_CELLS;
  return h(
    "p",
    { class: "mono row-text" },
    from > 0 && h("span", { class: "hint" }, `${quantized[0]}, ${from} times, then `),
    shown,
    rest > 0 && h("span", { class: "hint" }, ` and ${rest} more`),
  );
}

function dump(data: Uint8Array, label: string): HTMLElement {
  const rest = data.length - SHOWN;
  const width = matchMedia("(max-width: 36rem)").matches ? 8 : 16;
  return h(
    "div",
    {},
    h("pre", { class: "hex", tabindex: 0, role: "region", "aria-label": `${label}, in hexadecimal` }, hexDump(data, SHOWN, width)),
    rest > 0 && hint(`and ${count(rest, "more byte")}. The first ones name the model; the rest is random to all but you.`),
  );
}

function serverSees({ info, prediction }: Travelled, told: boolean): HTMLElement {
  const { rows, keyId, requestBytes, times } = prediction.exchange;
  const fact = (name: string, ...value: (HTMLElement | string)[]) => [h("dt", {}, name), h("dd", {}, ...value)];
  return h(
    "dl",
    { class: "facts sees" },
    ...fact("Sees", `${count(rows, "row")} for ${info.name}, ${bytes(requestBytes)}; your address, and when`),
    ...(keyId === null ? [] : fact("Key", h("code", { title: keyId }, `${keyId.slice(0, 16)}…`), " which computes and cannot decrypt")),
    ...fact("Never sees", "the values above, the scores, the answer"),
    ...(told
      ? fact("Time", `waited ${seconds(times.queue!)}, computed ${seconds(times.compute!)}`)
      : fact("Time", "It does not tell how long it computed (--timing-headers)")),
  );
}

/** Where the time went, as one bar and as a table. */
function timeBar({ times }: Exchange): HTMLElement {
  const told = times.queue !== null && times.compute !== null;
  const stages: [string, string, number][] = told
    ? [
        ["encrypt", "Encrypt", times.encrypt],
        ["network", "Network", times.network],
        ["queue", "Queue", times.queue!],
        ["compute", "Compute", times.compute!],
        ["decrypt", "Decrypt", times.decrypt],
      ]
    : [
        ["encrypt", "Encrypt", times.encrypt],
        ["network", "Network and server", times.roundtrip],
        ["decrypt", "Decrypt", times.decrypt],
      ];
  const all = stages.reduce((sum, [, , time]) => sum + time, 0);
  const bar = h("div", { class: "time-bar", "aria-hidden": "true" });
  for (const [name, , time] of stages) {
    const part = h("span", { class: `part ${name}` });
    part.style.setProperty("--share", String(Math.max(time / all, 0.004)));
    bar.append(part);
  }
  const cells = stages.map(([name, label, time]) =>
    h("div", { class: "stage" }, h("dt", {}, h("span", { class: `dot ${name}`, "aria-hidden": "true" }), label), h("dd", {}, seconds(time))),
  );
  const total = h("div", { class: "stage total" }, h("dt", {}, "In all"), h("dd", {}, seconds(all)));
  return h("div", {}, bar, h("dl", { class: "stages" }, ...cells, total));
}
