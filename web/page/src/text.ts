/** The bytes of a file as text, and what a file is that is none. */

/** How files of other kinds begin. */
const KINDS: [string, string][] = [
  ["\x89PNG", "a PNG image"],
  ["\xff\xd8\xff", "a JPEG image"],
  ["GIF8", "a GIF image"],
  ["%PDF", "a PDF"],
  ["PK\x03\x04", "an Excel workbook or a zip file"],
  ["\xd0\xcf\x11\xe0", "an old Excel workbook"],
  ["\x1f\x8b", "a gzip file"],
  ["PAR1", "a Parquet file"],
  ["ARROW1", "an Arrow file"],
];
const SAVE = "Save the table as CSV and choose that file";

/**
 * Decodes UTF-8, or UTF-16 with a byte order mark.
 *
 * @throws Error that says what the file is, where it is not text or no table
 */
export function textOf(bytes: Uint8Array): string {
  const start = String.fromCharCode(...bytes.subarray(0, 8));
  const kind = KINDS.find(([magic]) => start.startsWith(magic));
  if (kind) throw new Error(`This is ${kind[1]}, not a table as text. ${SAVE}.`);
  let text: string;
  try {
    const encoding = start.startsWith("\xff\xfe") ? "utf-16le" : start.startsWith("\xfe\xff") ? "utf-16be" : "utf-8";
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new Error("The file is not UTF-8 text. In a spreadsheet, save it as “CSV UTF-8”.");
  }
  if (text.includes("\0")) throw new Error(`The file is not text. ${SAVE}.`);
  const markup = markupOf(text.trim());
  if (markup !== null) throw new Error(`This is ${markup}, not a table of rows and columns. ${SAVE}.`);
  return text;
}

function markupOf(text: string): string | null {
  if (/^<(!doctype html|html|head|body|table)\b/i.test(text)) return "a web page (HTML)";
  if (/^<(\?xml|svg)\b/i.test(text)) return "XML";
  return (text.startsWith("{") && text.endsWith("}")) || (text.startsWith("[") && text.endsWith("]")) ? "JSON" : null;
}
