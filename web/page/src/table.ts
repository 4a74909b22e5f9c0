/** A file of rows: dropped or chosen, matched by column names, predicted, shown and handed back with the predictions. */
import type { Cell, ModelInfo, Prediction } from "./client.js";
import { cellOf } from "./cells.js";
import { csvLine, MOST_BYTES, parseCsv, type Table } from "./csv.js";
import { button, download, freshId, h } from "./dom.js";
import { bytes, count, number, percent, seconds } from "./format.js";

/** Rows that the page shows; the download has all. */
const SHOWN = 100;

export interface TableRows {
  name: string;
  rows: Cell[][];
  /** What the file itself says of the target, row by row; `null` where it has no such column. */
  expected: string[] | null;
}

export class TableDrop {
  readonly element: HTMLElement;
  #info: ModelInfo;
  #said = h("div", { "aria-live": "polite" });
  #send: HTMLButtonElement;
  #read: TableRows | null = null;

  constructor(info: ModelInfo, predict: (rows: TableRows) => void) {
    this.#info = info;
    const id = freshId();
    const input = h("input", { type: "file", id, accept: ".csv,.tsv,.txt,text/csv", class: "visually-hidden" });
    const zone = h(
      "label",
      { for: id, class: "drop" },
      h("span", { class: "drop-title" }, "Drop a CSV file here, or choose one"),
      h("span", { class: "hint" }, "A header, and columns of the model's names in any order. The file stays in this tab."),
    );
    input.addEventListener("change", () => void this.#take(input.files?.[0]));
    for (const name of ["dragover", "dragleave", "drop"] as const) {
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.toggle("over", name === "dragover");
        if (name === "drop") void this.#take(event.dataTransfer?.files[0]);
      });
    }
    this.#send = button("Encrypt and predict", () => this.#read && predict(this.#read), { class: "primary", hidden: true });
    this.element = h("div", { class: "table-drop" }, input, zone, this.#said, this.#send);
  }

  async #take(file: File | undefined): Promise<void> {
    if (!file) return;
    this.#read = null;
    this.#send.hidden = true;
    try {
      if (file.size > MOST_BYTES) throw new Error(`${file.name} has ${bytes(file.size)}; the page reads ${bytes(MOST_BYTES)} at most`);
      const { rows, note } = match(this.#info, parseCsv(await file.text()), file.name);
      this.#read = rows;
      this.#said.replaceChildren(h("p", {}, h("strong", {}, file.name), ` ${note}`));
      this.#send.hidden = false;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#said.replaceChildren(h("p", { class: "note bad", role: "alert" }, message));
    }
  }
}

/**
 * Brings a table's columns into the model's order.
 *
 * @throws Error that names columns which are missing, or the first cell that is no value
 */
function match(info: ModelInfo, table: Table, name: string): { rows: TableRows; note: string } {
  const at = new Map(table.header.map((column, index) => [column, index]));
  const missing = info.features.filter((feature) => !at.has(feature.name)).map((feature) => feature.name);
  if (missing.length > 0) {
    const more = missing.length > 5 ? ` and ${missing.length - 5} more` : "";
    throw new Error(`The file lacks ${count(missing.length, "column")} of the model: ${missing.slice(0, 5).join(", ")}${more}`);
  }
  if (table.rows.length === 0) throw new Error("The file has a header and no rows");
  const rows = table.rows.map((record, index) =>
    info.features.map((feature) => {
      try {
        return cellOf(feature, record[at.get(feature.name)!]!);
      } catch (error) {
        throw new Error(`Row ${index + 1}, ${error instanceof Error ? error.message : String(error)}`);
      }
    }),
  );
  const target = at.get(info.target);
  const expected = target === undefined ? null : table.rows.map((record) => record[target]!.trim());
  const used = new Set([...info.features.map((feature) => feature.name), info.target]);
  const others = table.header.filter((column) => !used.has(column));
  const note =
    `has ${count(rows.length, "row")} for all ${count(info.features.length, "feature")}` +
    (expected ? `; its column ${info.target} is compared and never sent` : "") +
    (others.length > 0 ? `; ${count(others.length, "other column")} left out` : "");
  return { rows: { name, rows, expected }, note };
}

/** What became of a file. */
export function tableResults(info: ModelInfo, table: TableRows, predictions: Prediction[], took: number): HTMLElement {
  const said = predictions.map((one) => one.class ?? (one.value === null ? "" : String(one.value)));
  const headings = ["Row", "Prediction", ...(table.expected ? [`In the file`] : []), ...(predictions[0]?.classScores ? ["Score"] : [])];
  const body = predictions.slice(0, SHOWN).map((one, at) =>
    h(
      "tr",
      {},
      h("td", { class: "figure" }, String(at + 1)),
      h("td", {}, one.value === null ? said[at]! : number(one.value)),
      table.expected !== null && expectation(info, said[at]!, table.expected[at]!),
      one.classScores !== null && h("td", { class: "figure" }, shownScore(info, one)),
    ),
  );
  const exchanges = new Set(predictions.map((one) => one.exchange));
  const sent = [...exchanges].reduce((sum, exchange) => sum + exchange.requestBytes, 0);
  return h(
    "section",
    { class: "card results", "aria-labelledby": "results-title" },
    h("h3", { id: "results-title" }, `${count(predictions.length, "row")} answered`),
    h(
      "p",
      {},
      `${seconds(took)} in all, ${seconds(took / predictions.length)} a row, ${bytes(sent)} encrypted. `,
      summary(info, said, table.expected),
    ),
    button("Download predictions", () => save(info, table, predictions), { class: "primary" }),
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Predictions" },
      h(
        "table",
        { class: "rows" },
        h("thead", {}, h("tr", {}, ...headings.map((heading) => h("th", { scope: "col" }, heading)))),
        h("tbody", {}, ...body),
      ),
    ),
    predictions.length > SHOWN && h("p", { class: "hint" }, `The first ${SHOWN} rows; the download has all.`),
  );
}

function expectation(info: ModelInfo, said: string, expected: string): HTMLElement {
  if (info.classes === null) return h("td", {}, expected);
  const same = said === expected;
  return h("td", { class: same ? "same" : "other" }, expected, h("span", { class: "visually-hidden" }, same ? " (the same)" : " (another)"));
}

function shownScore(info: ModelInfo, prediction: Prediction): string {
  const score = prediction.classScores?.[prediction.classIndex ?? 0] ?? 0;
  return info.scoreUnit === "probability" || info.scoreUnit === "share" ? percent(score) : number(score);
}

function summary(info: ModelInfo, said: string[], expected: string[] | null): string {
  if (expected === null) return "";
  if (info.classes === null) {
    const errors = said.map((value, at) => Math.abs(Number(value) - Number(expected[at]))).filter(Number.isFinite);
    if (errors.length === 0) return "";
    return `The mean difference from the file's ${info.target} is ${number(errors.reduce((a, b) => a + b, 0) / errors.length)}.`;
  }
  const same = said.filter((one, at) => one === expected[at]).length;
  return `${same} of ${said.length} (${percent(same / said.length)}) are what the file's ${info.target} says.`;
}

/** The columns of `fhectl predict --output`: the prediction, and a score for each class where they are shown. */
function save(info: ModelInfo, table: TableRows, predictions: Prediction[]): void {
  const scored = predictions[0]?.classScores ? (info.classes ?? []) : [];
  const lines = predictions.map((one) => csvLine([one.class ?? one.value ?? "", ...(one.classScores ?? [])]));
  const stem = table.name.replace(/\.[^.]*$/, "");
  download(`${stem}-predictions.csv`, [csvLine(["prediction", ...scored]), ...lines], "text/csv");
}
