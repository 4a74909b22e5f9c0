/** The file that is handed back: the very columns and cells that `fhectl predict --output` writes. */
import { saidOf } from "./answer.js";
import type { ModelInfo, Prediction } from "./client.js";
import { csvLine } from "./csv.js";
import type { TableRows } from "./rows.js";

/**
 * Lines of a table with one row for each row of the file: the prediction, the scores of all classes where they are shown, and
 * `outside` where a row lies beyond what the model knows. Cells of rows that were left out are empty, as with `--on-error skip`.
 */
export function outputLines(info: ModelInfo, table: TableRows, predictions: Prediction[]): string[] {
  const scored = info.showsScores ? (info.classes ?? []) : [];
  const outside = predictions.some((one) => one.outside.length > 0);
  const header = ["prediction", ...scored.map((name) => `score_${name}`), ...(outside ? ["outside"] : [])];
  const lines = Array.from({ length: table.total }, () => header.map(() => ""));
  predictions.forEach((one, at) => {
    const scores = scored.map((_, index) => (one.classScores ? decimal(one.classScores[index] ?? 0) : ""));
    lines[table.places[at]!] = [saidOf(one, decimal), ...scores, ...(outside ? [one.outside.join(" ")] : [])];
  });
  return [header, ...lines].map(csvLine);
}

/** A number as Rust writes it: the fewest digits that tell it from others, and never an exponent. */
export function decimal(value: number): string {
  if (Object.is(value, -0)) return "-0";
  const [, sign, whole, , fraction = "", exponent] = /^(-?)(\d+)(\.(\d+))?(?:e([-+]\d+))?$/.exec(String(value)) ?? [];
  if (whole === undefined || exponent === undefined) return String(value);
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, "0").slice(0, point)}${digits.length > point ? `.${digits.slice(point)}` : ""}`;
}
