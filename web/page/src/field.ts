/** The field of one feature. */
import type { Cell, Feature } from "./client.js";
import { freshId, h } from "./dom.js";
import { count, number } from "./format.js";

export type Control = HTMLInputElement | HTMLSelectElement;

/** Where a value is typed or chosen. */
export function controlOf(feature: Feature): Control {
  const id = freshId();
  const choices = feature.categories ?? (feature.kind === "boolean" ? ["true", "false"] : null);
  if (choices) {
    const options = choices.map((choice) => h("option", { value: choice }, choice));
    return h("select", { id, "aria-describedby": `${id}-range` }, h("option", { value: "" }, "(missing)"), ...options);
  }
  const type = { number: "text", date: "date", text: "text", boolean: "text", category: "text" }[feature.kind];
  // Keypads of phones have no minus.
  const inputmode = feature.kind === "number" && feature.low !== null && feature.low >= 0 ? "decimal" : null;
  return h("input", { id, type, inputmode, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-range` });
}

/** A control with its label and its range. */
export function fieldOf(feature: Feature, control: Control): HTMLElement {
  return h(
    "div",
    { class: "field" },
    h("label", { for: control.id, title: feature.name }, feature.name),
    control,
    h("span", { class: "hint", id: `${control.id}-range` }, range(feature)),
  );
}

/** A cell as it stands in a field: without the last digits of a middle between two numbers. */
export function written(cell: NonNullable<Cell>): string {
  return String(typeof cell === "number" ? Number(cell.toPrecision(6)) : cell);
}

function range({ kind, low, high, categories }: Feature): string {
  if (categories) return count(categories.length, "category", "categories");
  if (low !== null && high !== null) return `${number(low)} to ${number(high)}`;
  return { number: "a number", boolean: "yes or no", date: "a date", text: "words", category: "a category" }[kind];
}
