/** From what a caller has to the rows that the module takes. */

import type { Cell, Feature, ModelInfo, Row } from "./api.js";
import { FhectlError } from "./error.js";
import { guarded, wasm } from "./runtime.js";

/** Whether these are several rows: a row has cells, rows have rows. */
export function areRows(given: Row | readonly Row[]): given is readonly Row[] {
  if (!Array.isArray(given)) return false;
  const first: unknown = given[0];
  return given.length === 0 || (typeof first === "object" && first !== null);
}

/** Quantizes rows. The caller frees what it gets. */
export function toRows(model: wasm.Model, info: ModelInfo, rows: readonly Row[]): wasm.Rows {
  if (rows.length === 0) throw new FhectlError("row_shape", "there are no rows", "give at least one");
  const numeric = info.features.every((feature) => feature.kind === "number");
  const cells = rows.map((row, index) => cellsOf(row, info.features, index));
  if (numeric && cells.every((row) => row.every(isNumeric))) {
    const numbers = new Float64Array(rows.length * info.features.length);
    cells.flat().forEach((cell, at) => (numbers[at] = typeof cell === "number" ? cell : NaN));
    const made = guarded(() => wasm.Rows.ofNumbers(model, numbers));
    numbers.fill(0);
    return made;
  }
  return guarded(() => wasm.Rows.ofTexts(model, cells.flat().map(textOf)));
}

function cellsOf(row: Row, features: Feature[], index: number): Cell[] {
  const shape = (what: string): FhectlError =>
    new FhectlError("row_shape", `row ${index + 1}: ${what}`, "`model.info.features` lists the columns in their order");
  if (Array.isArray(row) || ArrayBuffer.isView(row)) {
    const list = row as ArrayLike<Cell>;
    if (list.length !== features.length) throw shape(`${list.length} values, the model takes ${features.length}`);
    return Array.from(list);
  }
  if (typeof row !== "object" || row === null) throw shape("neither a list of cells nor cells by their names");
  const named = row as { readonly [feature: string]: Cell };
  const lacking = features.find(({ name }) => !Object.hasOwn(named, name));
  if (lacking) throw shape(`the column \`${lacking.name.slice(0, 40)}\` is not there`);
  return features.map(({ name }) => named[name]);
}

const isNumeric = (cell: Cell): boolean => typeof cell === "number" || cell === null || cell === undefined;

/** An empty text is a missing cell. */
function textOf(cell: Cell): string {
  if (cell === null || cell === undefined || (typeof cell === "number" && Number.isNaN(cell))) return "";
  return String(cell);
}
