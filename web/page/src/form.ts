/** A form made of a model's features. */
import type { Cell, ModelInfo, Row } from "./client.js";
import { cellOf, randomCell } from "./cells.js";
import { button, freshId, h } from "./dom.js";
import { type Control, controlOf, fieldOf, written } from "./field.js";
import { count, plainly } from "./format.js";
import { type Judge, refusalOf } from "./judge.js";

/** Features that are shown before the rest is asked for. */
const FIRST = 12;

interface Uses {
  /** Called with the row when the form is sent. */
  predict: (row: Row) => void;
  judge: Judge;
  /** Called when another row stands in the form. */
  changed: () => void;
}

export class FeatureForm {
  readonly element: HTMLElement;
  #info: ModelInfo;
  #uses: Uses;
  #controls: Control[];
  #more: HTMLDetailsElement | null;
  #problem = h("p", { class: "note bad", role: "alert", id: freshId(), hidden: true });

  constructor(info: ModelInfo, uses: Uses) {
    this.#info = info;
    this.#uses = uses;
    this.#controls = info.features.map(controlOf);
    const fields = info.features.map((feature, at) => fieldOf(feature, this.#controls[at]!));
    const [first, rest] = [fields.slice(0, FIRST), fields.slice(FIRST)];
    this.#more = rest.length > 0 ? more(rest) : null;
    const form = h(
      "form",
      { class: "features", novalidate: true },
      h(
        "div",
        { class: "row wrap" },
        button("Example", () => this.fill(info.features.map((feature) => feature.example)), { class: "quiet", "aria-label": "Fill in an example" }),
        button("Random", () => this.fill(info.features.map(randomCell)), { class: "quiet", "aria-label": "Fill in random values" }),
        button("Clear", () => this.fill(info.features.map(() => null)), { class: "quiet", "aria-label": "Clear all values" }),
      ),
      h("div", { class: "fields" }, ...first),
      this.#more,
      this.#problem,
      h("button", { type: "submit", class: "primary" }, "Encrypt and predict"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    form.addEventListener("input", (event) => {
      this.#good(event.target as Control);
      uses.changed();
    });
    this.element = form;
    this.fill(info.features.map((feature) => feature.example));
  }

  /** Puts a cell into each field. */
  fill(cells: Cell[]): void {
    this.#controls.forEach((control, at) => {
      const cell = cells[at];
      control.value = cell === null || cell === undefined ? "" : written(cell);
      this.#good(control);
    });
    this.#uses.changed();
  }

  async #submit(): Promise<void> {
    const bad: [Control, string][] = [];
    const row = this.#info.features.map((feature, at): Cell => {
      try {
        return cellOf(feature, this.#controls[at]!.value);
      } catch (error) {
        bad.push([this.#controls[at]!, error instanceof Error ? error.message : String(error)]);
        return null;
      }
    });
    if (bad.length === 0) bad.push(...(await this.#refused(row)));
    for (const control of this.#controls) this.#good(control);
    if (bad.length > 0) this.#point(bad);
    else this.#uses.predict(row);
  }

  /** The field that the model refuses, be it because it has no rule for a missing value. Other errors are told when it is asked. */
  async #refused(row: Cell[]): Promise<[Control, string][]> {
    try {
      await this.#uses.judge(row);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) return [];
      const named = this.#info.features.findIndex(({ name }) => refusal.includes(`\`${name}\``));
      const at = named >= 0 ? named : row.findIndex((cell) => cell === null);
      const control = this.#controls[Math.max(at, 0)]!;
      return [[control, plainly(refusal)]];
    }
    return [];
  }

  /** Says what is wrong, marks the fields, and leads to the first of them. */
  #point(bad: [Control, string][]): void {
    for (const [control] of bad) {
      control.setAttribute("aria-invalid", "true");
      control.setAttribute("aria-describedby", `${control.id}-range ${this.#problem.id}`);
    }
    const [control, what] = bad[0]!;
    const others = bad.length > 1 ? ` (and ${count(bad.length - 1, "other field")})` : "";
    this.#problem.textContent = `${what}${others}`;
    this.#problem.hidden = false;
    if (this.#more?.contains(control)) this.#more.open = true;
    control.focus();
  }

  #good(control: Control): void {
    if (control.getAttribute("aria-invalid") === null) return;
    control.removeAttribute("aria-invalid");
    control.setAttribute("aria-describedby", `${control.id}-range`);
    if (!this.#controls.some((one) => one.getAttribute("aria-invalid") !== null)) this.#problem.hidden = true;
  }
}

function more(rest: HTMLElement[]): HTMLDetailsElement {
  return h(
    "details",
    { class: "more" },
    h("summary", {}, count(rest.length, "more feature")),
    h("div", { class: "fields" }, ...rest),
  );
}
