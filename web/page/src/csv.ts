/** Tables as text: rows under a header, by the rules of `fhectl predict`. */
import { isNumber } from "./cells.js";
import { isDecimal, recognize } from "./dialect.js";
import { count } from "./format.js";
import { recordsOf } from "./records.js";

/** Bytes of a file that is read at most, and its columns. */
export const MOST_BYTES = 64e6;
const MOST_COLUMNS = 1 << 16;

export interface Table {
  header: string[];
  /** Cells without blanks around them, their numbers with decimal points. */
  rows: string[][];
}

/**
 * Reads a table with a header. Rows of other lengths than the header's are an error that names their line.
 *
 * @throws Error
 */
export function parseCsv(text: string): Table {
  const { separator, decimalComma, skip } = recognize(text);
  const records = recordsOf(text.slice(skip), separator);
  const first = records.next();
  const header = checkedHeader(first.done ? [] : first.value.cells.map(plain));
  const lines = skip > 0 ? 1 : 0;
  const rows: string[][] = [];
  for (const { line, cells } of records) {
    // A separator at a line's end begins a cell that nobody meant.
    while (cells.length > header.length && cells.at(-1)!.trim() === "") cells.pop();
    if (cells.length !== header.length) throw new Error(ragged(line + lines, cells.length, header.length));
    const trimmed = cells.map(plain);
    rows.push(decimalComma ? trimmed.map((cell) => (isDecimal(cell, ",") ? cell.replace(",", ".") : cell)) : trimmed);
  }
  return { header, rows };
}

function ragged(line: number, cells: number, columns: number): string {
  const title = columns === 1 ? ". If the first line is a title, delete what stands above the names of the columns" : "";
  return `Line ${line} has ${count(cells, "cell")}, the header has ${columns}${title}`;
}

/** A cell on one line, without blanks around it. */
function plain(cell: string): string {
  const trimmed = cell.trim();
  return /\p{Cc}/u.test(trimmed) ? trimmed.replace(/\p{Cc}/gu, " ").trim() : trimmed;
}

/** The columns' names, each once. */
function checkedHeader(cells: string[]): string[] {
  // As of rows: separators at the end of the line begin no column.
  while (cells.length > 1 && cells.at(-1) === "") cells.pop();
  if (cells.every((name) => name === "")) throw new Error("The file has no header: its first line names the columns");
  if (cells.length > MOST_COLUMNS) throw new Error(`The file has ${count(cells.length, "column")}, at most ${MOST_COLUMNS} are read`);
  if (looksLikeData(cells)) {
    throw new Error(`The first line looks like data, not like names of columns: ${cells.slice(0, 4).map(quoted).join(", ")}. Add a line with the names`);
  }
  // What pandas writes for its index has no name.
  if (cells.length > 1 && cells[0] === "") cells[0] = "index";
  const seen = new Set<string>();
  cells.forEach((name, at) => {
    if (name === "") throw new Error(`Column ${at + 1} has no name in the file's first line`);
    if (seen.has(name)) throw new Error(`Two columns are named ${quoted(name)}. Rename one of them, or take one away`);
    seen.add(name);
  });
  return cells;
}

/** Whether names are numbers: a fraction among them, or half of them and not simply counted (`0,1,2,...`). */
function looksLikeData(names: string[]): boolean {
  const numbers = names.filter(isNumber).map(Number);
  const counted = numbers.every((number, at) => at === 0 || number === numbers[at - 1]! + 1);
  return numbers.some((number) => !Number.isInteger(number)) || (numbers.length > 0 && 2 * numbers.length >= names.length && !counted);
}

/** A text of a file in a message: not all of a long one. */
export function quoted(text: string): string {
  const characters = [...text];
  return `“${characters.slice(0, 40).join("")}${characters.length > 40 ? "…" : ""}”`;
}

/** One line of a table, with quotes where they are needed. */
export function csvLine(values: readonly string[]): string {
  // A line of nothing but an empty cell would be no row.
  if (values.length === 1 && values[0] === "") return '""\n';
  return `${values.map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(",")}\n`;
}
