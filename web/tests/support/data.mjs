// Rows of the committed models, with what the clear models say (tests/web_rows.rs), and tables of datasets/.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ROOT } from "./server.mjs";

/** By the model's name: `features`, `rows`, `scores` and `classes` of the clear model. */
export const ROWS = JSON.parse(readFileSync(new URL("../rows.json", import.meta.url)));

/** The lines of a data set. */
export function table(name) {
  const bytes = readFileSync(join(ROOT, "datasets", name));
  return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString().trim().split(/\r?\n/);
}

export function csv(header, rows) {
  return [header, ...rows].map((row) => row.join(",")).join("\n");
}
