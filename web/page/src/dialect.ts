/** How a table is written, recognized from its first lines by the rules of the command line. */
import { recordsOf } from "./records.js";

/** Characters of a file that are looked at, and rows among them that tell the separator. */
const HEAD = 1 << 16;
const ROWS = 50;
/** In this order: of equally good ones the first. */
const SEPARATORS = [",", ";", "\t", "|"];

export interface Dialect {
  separator: string;
  /** Whether `3,5` is a number. */
  decimalComma: boolean;
  /** Characters of a first line that only names the separator, as Excel writes it. */
  skip: number;
}

export function recognize(text: string): Dialect {
  const named = /^"?sep=([,;\t|])"?[ \r]*(?:\n|$)/.exec(text.slice(0, 100));
  const skip = named?.[0].length ?? 0;
  const head = text.slice(skip, skip + HEAD);
  const separator = named?.[1] ?? bestSeparator(head);
  return { separator, decimalComma: separator !== "," && writesDecimalCommas(head, separator), skip };
}

/** The separator that parts all rows into the same number of cells, more than one; a comma where none does. */
function bestSeparator(head: string): string {
  let best = { separator: ",", same: 0, width: 0 };
  for (const separator of SEPARATORS) {
    const rows = firstRows(head, separator, ROWS);
    const width = rows[0]?.length ?? 0;
    // A file of one column is one under every separator.
    if (width < 2) continue;
    const same = Math.floor((rows.filter((row) => row.length === width).length * 1000) / rows.length);
    if (same > best.same || (same === best.same && width > best.width)) best = { separator, same, width };
  }
  return best.separator;
}

/** Whether there are cells such as `3,5` and none such as `3.5`. */
function writesDecimalCommas(head: string, separator: string): boolean {
  const cells = firstRows(head, separator, Infinity).slice(1).flat();
  return cells.some((cell) => isDecimal(cell, ",")) && !cells.some((cell) => isDecimal(cell, "."));
}

/** Whether a cell is digits, one `point`, and digits. */
export function isDecimal(cell: string, point: "," | "."): boolean {
  const pattern = point === "," ? /^[-+]*\d+,\d+(?:e.*)?$/i : /^[-+]*\d+\.\d+(?:e.*)?$/i;
  return pattern.test(cell.trim());
}

/** The first rows, without one that the end of the head may have cut. */
function firstRows(head: string, separator: string, most: number): string[][] {
  const end = head.length < HEAD / 2 ? -1 : head.lastIndexOf("\n");
  const rows: string[][] = [];
  try {
    for (const { cells } of recordsOf(end < 0 ? head : head.slice(0, end), separator)) {
      rows.push(cells);
      if (rows.length >= most) break;
    }
  } catch {
    // A quote that the head's end has cut, or one that does not end: the whole file tells which.
  }
  return rows;
}
