/** A form made of a model's features. */
import type { Cell, Feature, ModelInfo, Row } from "./client.js";
import { cellOf, randomCell } from "./cells.js";
import { button, freshId, h } from "./dom.js";
import { count, number } from "./format.js";

/** Features that are shown before the rest is asked for. */
const FIRST = 12;

type Control = HTMLInputElement | HTMLSelectElement;

export class FeatureForm {
  readonly element: HTMLElement;
  #info: ModelInfo;
  #controls: Control[];

  /** `predict` is called with the row when the form is sent. */
  constructor(info: ModelInfo, predict: (row: Row) => void) {
    this.#info = info;
    this.#controls = info.features.map(control);
    const fields = info.features.map((feature, at) => field(feature, this.#controls[at]!));
    const [first, rest] = [fields.slice(0, FIRST), fields.slice(FIRST)];
    const problem = h("p", { class: "note bad", role: "alert", hidden: true });
    const form = h(
      "form",
      { class: "features", novalidate: true },
      h(
        "div",
        { class: "row wrap" },
        button("Example", () => this.fill((feature) => feature.example), { class: "quiet", "aria-label": "Fill in an example" }),
        button("Random", () => this.fill(randomCell), { class: "quiet", "aria-label": "Fill in random values" }),
        button("Clear", () => this.fill(() => null), { class: "quiet", "aria-label": "Clear all values" }),
      ),
      h("div", { class: "fields" }, ...first),
      rest.length > 0 && more(rest),
      problem,
      h("button", { type: "submit", class: "primary" }, "Encrypt and predict"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      try {
        const row = this.row();
        problem.hidden = true;
        predict(row);
      } catch (error) {
        problem.textContent = error instanceof Error ? error.message : String(error);
        problem.hidden = false;
      }
    });
    this.element = form;
    this.fill((feature) => feature.example);
  }

  /** The row that stands in the form. Missing values are the client's to judge. */
  row(): Cell[] {
    return this.#info.features.map((feature, at) => cellOf(feature, this.#controls[at]!.value));
  }

  fill(value: (feature: Feature) => Cell): void {
    this.#info.features.forEach((feature, at) => {
      const cell = value(feature);
      this.#controls[at]!.value = cell === null || cell === undefined ? "" : written(cell);
    });
  }
}

/** Without the last digits of a middle between two numbers. */
function written(cell: NonNullable<Cell>): string {
  return String(typeof cell === "number" ? Number(cell.toPrecision(6)) : cell);
}

function more(rest: HTMLElement[]): HTMLElement {
  return h(
    "details",
    { class: "more" },
    h("summary", {}, count(rest.length, "more feature")),
    h("div", { class: "fields" }, ...rest),
  );
}

function control(feature: Feature): Control {
  const id = freshId();
  const choices = feature.categories ?? (feature.kind === "boolean" ? ["true", "false"] : null);
  if (choices) {
    const options = choices.map((choice) => h("option", { value: choice }, choice));
    return h("select", { id, "aria-describedby": `${id}-range` }, h("option", { value: "" }, "(missing)"), ...options);
  }
  const type = { number: "text", date: "date", text: "text", boolean: "text", category: "text" }[feature.kind];
  const inputmode = feature.kind === "number" ? "decimal" : null;
  return h("input", { id, type, inputmode, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-range` });
}

function field(feature: Feature, control: Control): HTMLElement {
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id, title: feature.name }, feature.name),
    control,
    h("span", { class: "hint", id: `${control.id}-range` }, range(feature)),
  );
}

function range({ kind, low, high, categories }: Feature): string {
  if (categories) return count(categories.length, "category", "categories");
  if (low !== null && high !== null) return `${number(low)} to ${number(high)}`;
  return { number: "a number", boolean: "yes or no", date: "a date", text: "words", category: "a category" }[kind];
}
