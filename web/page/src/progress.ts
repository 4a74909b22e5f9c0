/** What is being done, how far it is, and a way to stop it. */
import type { Progress } from "./client.js";
import { announce, button, h } from "./dom.js";
import { bytes, count } from "./format.js";

/** How often those who listen are told, in milliseconds. */
const TOLD_EVERY = 2000;

export class ProgressBar {
  readonly element: HTMLElement;
  readonly signal: AbortSignal;
  #bar = h("progress", { max: 1, "aria-label": "Progress" });
  #text = h("span", { class: "progress-text" });
  #told = 0;
  /** How often keys were read or made. */
  #keys = 0;

  constructor() {
    const stop = new AbortController();
    this.signal = stop.signal;
    this.element = h(
      "div",
      { class: "progress" },
      this.#bar,
      this.#text,
      button("Cancel", () => stop.abort(), { class: "quiet" }),
    );
    this.say("Encrypting");
  }

  show(progress: Progress): void {
    const { stage, done, total } = progress;
    if (total > 0) this.#bar.value = done / total;
    else this.#bar.removeAttribute("value");
    // Within a run keys are asked for again where those before may answer no more.
    if (stage === "keys") this.say(this.#keys++ === 0 ? "Making your keys" : "Making a new key: the one before has answered its rows");
    if (stage === "upload") this.say(`Sending the ${this.#keys > 1 ? "new " : ""}evaluation key: ${bytes(done)} of ${bytes(total)}`);
    if (stage === "predict") this.say(total > 1 ? `Answered: ${done} of ${count(total, "row")}` : "Waiting for the answer");
  }

  say(text: string): void {
    this.#text.textContent = text;
    const now = performance.now();
    if (now - this.#told < TOLD_EVERY) return;
    this.#told = now;
    announce(text);
  }
}
