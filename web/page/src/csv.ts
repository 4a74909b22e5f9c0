/** Tables as text: comma, semicolon or tab between cells, quotes around those that need them (RFC 4180). */

/** Characters of a file that is read at most. */
export const MOST_BYTES = 64e6;

export interface Table {
  header: string[];
  rows: string[][];
}

/**
 * Reads a table with a header. Rows of other lengths than the header's are an error that names their line.
 *
 * @throws Error
 */
export function parseCsv(text: string): Table {
  const records = [...cells(text.replace(/^\uFEFF/, ""))];
  const header = records.shift()?.cells.map((name) => name.trim());
  if (!header || header.every((name) => name === "")) throw new Error("The file has no header: its first line names the columns");
  for (const { line, cells } of records) {
    if (cells.length !== header.length) {
      throw new Error(`Line ${line} has ${cells.length} cells, the header has ${header.length}`);
    }
  }
  return { header, rows: records.map((record) => record.cells) };
}

function separator(text: string): string {
  const first = text.slice(0, text.search(/\r|\n|$/));
  const times = (mark: string) => first.split(mark).length;
  return [",", ";", "\t"].reduce((best, mark) => (times(mark) > times(best) ? mark : best));
}

function* cells(text: string): Generator<{ line: number; cells: string[] }> {
  const mark = separator(text);
  let [at, line] = [0, 1];
  while (at < text.length) {
    const record: string[] = [];
    const begun = line;
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        for (at++; at < text.length; at++) {
          if (text[at] === "\n") line++;
          if (text[at] !== '"') cell += text[at];
          else if (text[at + 1] === '"') cell += text[at++];
          else break;
        }
        if (at >= text.length) throw new Error(`Line ${begun} has a quote that does not end`);
        at++;
      }
      const from = at;
      while (at < text.length && text[at] !== mark && text[at] !== "\n" && text[at] !== "\r") at++;
      record.push(cell + text.slice(from, at));
      if (text[at] !== mark) break;
      at++;
    }
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    line++;
    if (record.length > 1 || record[0] !== "") yield { line: begun, cells: record };
  }
}

/** One line of a table, with quotes where they are needed. */
export function csvLine(values: readonly (string | number)[]): string {
  const quoted = values.map(String).map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value));
  return `${quoted.join(",")}\n`;
}
