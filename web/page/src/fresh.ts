/** Whether the answer that is shown is one to what stands in the page now. */
import { announce, h } from "./dom.js";

/**
 * Dims an answer, and says why, once its input was changed or another way to ask is looked at. Ways to ask are numbered as their
 * tabs are.
 */
export class Freshness {
  /** Stands before the answer. */
  readonly note = h("p", { class: "note stale-note", hidden: true });
  #result: HTMLElement;
  #titles: string[];
  #shown = 0;
  /** How often each way's input was changed. */
  #changes: number[];
  #asked: { way: number; changes: number } | null = null;
  #answered = false;

  constructor(result: HTMLElement, titles: string[]) {
    this.#result = result;
    this.#titles = titles;
    this.#changes = titles.map(() => 0);
  }

  /** The input of a way is another. */
  changed(way: number): void {
    this.#changes[way]! += 1;
    this.#update();
  }

  /** Another way is looked at. */
  shown(way: number): void {
    this.#shown = way;
    this.#update();
  }

  /** What stands in the page now was asked. */
  asked(): void {
    this.#asked = { way: this.#shown, changes: this.#changes[this.#shown]! };
    this.#answered = false;
    this.#update();
  }

  /** What was asked is answered, or has failed. */
  answered(): void {
    this.#answered = true;
    this.#update();
  }

  #why(): string | null {
    if (!this.#answered || !this.#asked || !this.#result.hasChildNodes()) return null;
    const { way, changes } = this.#asked;
    if (way !== this.#shown) return `The answer below is to what was asked under “${this.#titles[way]}”.`;
    return changes === this.#changes[way] ? null : "What you ask has changed since the answer below.";
  }

  #update(): void {
    const why = this.#why();
    if (why !== null && this.note.textContent !== why) announce(why);
    this.note.textContent = why ?? "";
    this.note.hidden = why === null;
    this.#result.classList.toggle("stale", why !== null);
  }
}
