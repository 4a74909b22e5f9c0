/** What became of a file: how the rows were answered, the first of them, and all of them as a file. */
import { saidOf } from "./answer.js";
import type { ModelInfo, Prediction } from "./client.js";
import { button, download, h } from "./dom.js";
import { bytes, count, listed, number, percent, seconds } from "./format.js";
import { agreement, classOf } from "./labels.js";
import { outputLines } from "./output.js";
import type { TableRows } from "./rows.js";

/** Rows that the page shows; the download has all. */
const SHOWN = 100;
/** Features outside that are named in a row. */
const NAMED = 3;

export function resultsView(info: ModelInfo, table: TableRows, predictions: Prediction[], took: number): HTMLElement {
  const answered = new Map(table.places.map((place, at) => [place, predictions[at]!]));
  const said = Array.from({ length: table.total }, (_, place) => {
    const one = answered.get(place);
    return one ? saidOf(one, String) : null;
  });
  const exchanges = new Set(predictions.map((one) => one.exchange));
  const sent = [...exchanges].reduce((sum, exchange) => sum + exchange.requestBytes, 0);
  const left = table.total - predictions.length;
  return h(
    "section",
    { class: "card results", "aria-labelledby": "results-title" },
    h("h3", { id: "results-title" }, `${count(predictions.length, "row")} answered`),
    h(
      "p",
      {},
      `${seconds(took)} in all, ${seconds(took / predictions.length)} a row, ${bytes(sent)} encrypted. `,
      table.labels !== null && agreement(info, said, table.labels),
    ),
    left > 0 && h("p", { class: "note" }, `${count(left, "row")} of the file ${left === 1 ? "was" : "were"} left out: empty in the download.`),
    outsideNote(table, predictions),
    button("Download predictions", () => save(info, table, predictions), { class: "primary" }),
    h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Predictions" },
      rowsTable(info, table, answered),
    ),
    table.total > SHOWN && h("p", { class: "hint" }, `The first ${SHOWN} rows; the download has all.`),
  );
}

/** How many rows lie beyond the model's range, and where to look for one. */
function outsideNote(table: TableRows, predictions: Prediction[]): HTMLElement | null {
  const first = predictions.findIndex((one) => one.outside.length > 0);
  if (first < 0) return null;
  const rows = predictions.filter((one) => one.outside.length > 0).length;
  return h(
    "p",
    { class: "note" },
    `${count(rows, "row")} of ${predictions.length} ${rows === 1 ? "lies" : "lie"} beyond what the model knows (such as row ${table.places[first]! + 1}, `,
    `${predictions[first]!.outside[0]}). The nearest end of the range was taken; the download's column “outside” names the features.`,
  );
}

function rowsTable(info: ModelInfo, table: TableRows, answered: Map<number, Prediction>): HTMLElement {
  const all = [...answered.values()];
  const scored = all.some((one) => one.classScores !== null);
  const outside = all.some((one) => one.outside.length > 0);
  const headings = ["Row", "Prediction", table.labels && "In the file", scored && "Score", outside && "Outside"].filter(Boolean) as string[];
  const body = Array.from({ length: Math.min(SHOWN, table.total) }, (_, place) => {
    const one = answered.get(place);
    const label = table.labels?.[place];
    return h(
      "tr",
      { class: !one ? "left-out" : one.outside.length > 0 ? "outside" : null },
      h("td", { class: "figure" }, String(place + 1)),
      h("td", {}, one ? saidOf(one, number) : "left out"),
      label !== undefined && expectation(info, one, label),
      scored && h("td", { class: "figure" }, one ? shownScore(info, one) : ""),
      outside && h("td", {}, one ? listed(one.outside, NAMED) : ""),
    );
  });
  return h(
    "table",
    { class: "rows" },
    h("thead", {}, h("tr", {}, ...headings.map((heading) => h("th", { scope: "col" }, heading)))),
    h("tbody", {}, ...body),
  );
}

/** The file's own label; beside a class, whether it is the same. */
function expectation(info: ModelInfo, one: Prediction | undefined, label: string): HTMLElement {
  const known = info.classes === null ? null : classOf(info.classes, label);
  if (!one || known === null) return h("td", {}, label);
  const same = one.class === known;
  return h("td", { class: same ? "same" : "other" }, label, h("span", { class: "visually-hidden" }, same ? " (the same)" : " (another)"));
}

function shownScore(info: ModelInfo, prediction: Prediction): string {
  const score = prediction.classScores?.[prediction.classIndex ?? 0] ?? 0;
  return info.scoreUnit === "probability" || info.scoreUnit === "share" ? percent(score) : number(score);
}

function save(info: ModelInfo, table: TableRows, predictions: Prediction[]): void {
  const stem = table.name.replace(/\.[^.]*$/, "");
  download(`${stem}-predictions.csv`, outputLines(info, table, predictions), "text/csv");
}
