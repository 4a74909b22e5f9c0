/** The rows of a file for a model: those that can be sent, and what is wrong with the others. */
import { cellOf } from "./cells.js";
import type { Cell, ModelInfo } from "./client.js";
import { matchColumns } from "./columns.js";
import type { Table } from "./csv.js";
import { count, plainly } from "./format.js";
import { type Judge, refusalOf } from "./judge.js";

export interface TableRows {
  /** The file's name. */
  name: string;
  rows: Cell[][];
  /** Where each of `rows` stands among the rows of the file, from 0. */
  places: number[];
  /** Rows of the file, with those that cannot be sent. */
  total: number;
  /** What the file itself says of the target, for all its rows; `null` where it has no such column. */
  labels: string[] | null;
}

export interface CheckedRows {
  table: TableRows;
  /** What the file has, in a sentence without its subject. */
  note: string;
  /** Rows that cannot be sent; the first of them and why. */
  refused: number;
  first: string | null;
}

/**
 * Brings a table's columns into the model's order and looks at every cell. What the page cannot know, whether the model has a
 * rule for missing cells and how dates are written, `judge` tells: once for each pattern of them.
 *
 * @throws Error that names columns which are missing
 */
export async function checkRows(info: ModelInfo, table: Table, name: string, judge: Judge): Promise<CheckedRows> {
  const columns = matchColumns(info, table.header);
  if (table.rows.length === 0) throw new Error("The file has a header and no rows");
  const checked: TableRows = {
    name,
    rows: [],
    places: [],
    total: table.rows.length,
    labels: columns.target === null ? null : table.rows.map((record) => record[columns.target!]!),
  };
  const verdicts = new Map<string, string | null>();
  let [refused, first] = [0, null as string | null];
  for (const [place, record] of table.rows.entries()) {
    const outcome = read(info, columns.features.map((at) => record[at]!));
    const problem = typeof outcome === "string" ? outcome : await asked(info, outcome, judge, verdicts);
    if (problem !== null) {
      refused++;
      first ??= `Row ${place + 1}, ${problem}`;
      continue;
    }
    checked.rows.push(outcome as Cell[]);
    checked.places.push(place);
  }
  const note =
    `has ${count(checked.total, "row")} for all ${count(info.features.length, "feature")}` +
    (checked.labels ? `; its column ${info.target} is compared and never sent` : "") +
    (columns.others > 0 ? `; ${count(columns.others, "other column")} left out` : "");
  return { table: checked, note, refused, first };
}

/** The cells of a row, or what is wrong with the first bad one. */
function read(info: ModelInfo, record: string[]): Cell[] | string {
  try {
    return info.features.map((feature, at) => cellOf(feature, record[at]!));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What the model has against a row; `null` where it takes it. */
async function asked(info: ModelInfo, row: Cell[], judge: Judge, verdicts: Map<string, string | null>): Promise<string | null> {
  const open = info.features.flatMap(({ kind }, at) => (row[at] === null || kind === "date" ? [`${at} ${row[at] ?? ""}`] : []));
  if (open.length === 0) return null;
  const pattern = open.join("\n");
  const known = verdicts.get(pattern);
  if (known !== undefined) return known;
  const verdict = await judge(row).then(
    () => null,
    (error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      return plainly(refusal);
    },
  );
  verdicts.set(pattern, verdict);
  return verdict;
}
