/** Records of a table as text: a separator between cells, quotes around those that need them (RFC 4180). */

interface TextRecord {
  /** Where it begins, counted from 1. */
  line: number;
  cells: string[];
}

/**
 * The records one after the other; blank lines are none. A quote is one where a cell begins with it.
 *
 * @throws Error for a quote that does not end
 */
export function* recordsOf(text: string, separator: string): Generator<TextRecord, void, void> {
  let [at, line] = [0, 1];
  while (at < text.length) {
    const cells: string[] = [];
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
      while (at < text.length && text[at] !== separator && text[at] !== "\n" && text[at] !== "\r") at++;
      cells.push(cell + text.slice(from, at));
      if (text[at] !== separator) break;
      at++;
    }
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    line++;
    if (cells.length > 1 || cells[0] !== "") yield { line: begun, cells };
  }
}
