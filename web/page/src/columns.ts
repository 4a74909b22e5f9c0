/** Which column of a file is which feature. */
import type { ModelInfo } from "./client.js";
import { quoted } from "./csv.js";
import { count } from "./format.js";

/** Names that a message lists. */
const SHOWN = 5;

export interface Columns {
  /** Where each feature stands in a row of the file. */
  features: number[];
  /** Where the target stands; `null` where the file has none. */
  target: number | null;
  /** Columns that the model does not take. */
  others: number;
}

/**
 * Finds the model's columns by their names.
 *
 * @throws Error that says which are missing, and which of the file's columns are nearly named so
 */
export function matchColumns(info: ModelInfo, header: string[]): Columns {
  const at = new Map(header.map((column, index) => [column, index]));
  const names = info.features.map((feature) => feature.name);
  const missing = names.filter((name) => !at.has(name));
  if (missing.length > 0) throw new Error(lacks(missing, header.filter((column) => !names.includes(column))));
  const target = at.get(info.target) ?? null;
  const used = new Set([...names, info.target]);
  return {
    features: names.map((name) => at.get(name)!),
    target: names.includes(info.target) ? null : target,
    others: header.filter((column) => !used.has(column)).length,
  };
}

function lacks(missing: string[], found: string[]): string {
  const told = `The file lacks ${count(missing.length, "column")} of the model: ${list(missing)}.`;
  const spelled = new Map(found.map((column) => [spelling(column), column]));
  const near = missing.flatMap((name) => (spelled.has(spelling(name)) ? [[spelled.get(spelling(name))!, name]] : []));
  if (near.length === 0) return `${told} It has ${found.length > 0 ? `other columns: ${list(found)}` : "no others"}.`;
  const renamed = near.slice(0, SHOWN).map(([column, name]) => `${quoted(column!)} to ${quoted(name!)}`);
  return `${told} Names have to be the same in every letter: rename ${renamed.join(", ")}${more(near.length)}.`;
}

/** What is left of a name where case, blanks, and marks between words do not count. */
function spelling(name: string): string {
  return name.toLowerCase().replace(/[\s_.\-\ufeff]+/gu, "");
}

function list(names: string[]): string {
  return `${names.slice(0, SHOWN).map(quoted).join(", ")}${more(names.length)}`;
}

function more(all: number): string {
  return all > SHOWN ? ` and ${count(all - SHOWN, "other")}` : "";
}
