/** One model: what it says of itself, ways to ask it, its answer. */
import { answerText, answerView } from "./answer.js";
import { breakItView } from "./break_it.js";
import type { LoadedModel, ModelInfo, Prediction, Row } from "./client.js";
import { announce, h } from "./dom.js";
import { DrawingPad } from "./draw.js";
import { errorNote } from "./errors.js";
import { FeatureForm } from "./form.js";
import { bytes, count, sentence } from "./format.js";
import { Freshness } from "./fresh.js";
import { journeyView } from "./journey.js";
import { KeysPanel } from "./keys_panel.js";
import { ProgressBar } from "./progress.js";
import { resultsView } from "./results.js";
import type { TableRows } from "./rows.js";
import { TableDrop } from "./table.js";
import { tabs } from "./tabs.js";

/** Features beyond which a form of single numbers helps nobody. */
const MOST_FIELDS = 200;

export class ModelView {
  readonly element: HTMLElement;
  #model: LoadedModel;
  #host: string;
  #keys: KeysPanel;
  #result = h("div", { class: "result" });
  #fresh: Freshness;
  #memory = h("p", { class: "hint" });
  #busy = false;

  constructor(model: LoadedModel, host: string) {
    this.#model = model;
    this.#host = host;
    this.#keys = new KeysPanel(model, () => {
      this.#result.replaceChildren();
      this.#fresh.answered();
    });
    const { info } = model;
    const { image } = info;
    const predict = (row: Row) => void this.#predictRow(row);
    const judge = (row: Row) => model.quantize(row);
    type Way = { title: string; panel: (changed: () => void) => HTMLElement };
    const all: (Way | false)[] = [
      image !== null && { title: "Draw", panel: (changed) => new DrawingPad(info, image, { predict, changed }).element },
      info.features.length <= MOST_FIELDS && {
        title: "Fill in",
        panel: (changed) => new FeatureForm(info, { predict, judge, changed }).element,
      },
      {
        title: "CSV file",
        panel: (changed) => new TableDrop(info, { predict: (rows) => void this.#predictTable(rows), judge, changed }).element,
      },
    ];
    const ways = all.filter((way) => way !== false);
    this.#fresh = new Freshness(this.#result, ways.map(({ title }) => title));
    const panels = ways.map(({ title, panel }, at) => ({ title, panel: panel(() => this.#fresh.changed(at)) }));
    this.element = h(
      "article",
      {},
      h("a", { href: "#/", class: "back" }, "All models"),
      h("h2", { tabindex: -1 }, info.name),
      about(model, this.#memory),
      h("section", { class: "card ask", "aria-label": "Ask" }, tabs("Ways to ask", panels, (at) => this.#fresh.shown(at))),
      this.#fresh.note,
      this.#result,
      this.#keys.element,
    );
  }

  /** Puts the focus where a reader begins. */
  focus(): void {
    this.element.querySelector("h2")?.focus({ preventScroll: true });
  }

  async #predictRow(row: Row): Promise<void> {
    let answered: Prediction | null = null;
    await this.#working(async (progress) => {
      const options = { onProgress: (step: Parameters<ProgressBar["show"]>[0]) => progress.show(step), signal: progress.signal };
      const prediction = await this.#model.predict(row, { ...options, keepBytes: true });
      const { info } = this.#model;
      this.#result.replaceChildren(h("section", { class: "card", "aria-label": "Answer" }, answerView(info, prediction)));
      announce(`The answer is ${answerText(info, prediction)}`);
      answered = prediction;
    }, () => void this.#predictRow(row));
    // The rest may wait until the answer is read, and another question need not wait for it.
    if (answered) await this.#explain(row, answered);
  }

  async #explain(row: Row, prediction: Prediction): Promise<void> {
    const shown = this.#result.firstChild;
    try {
      const quantized = await this.#model.quantize(row);
      if (this.#result.firstChild !== shown) return;
      const broken = breakItView(this.#model, prediction);
      const { info } = this.#model;
      this.#result.append(journeyView({ info, prediction, quantized, host: this.#host }), ...(broken ? [broken] : []));
    } catch (error) {
      if (this.#result.firstChild === shown) this.#result.append(errorNote(error));
    }
  }

  async #predictTable(table: TableRows): Promise<void> {
    await this.#working(async (progress) => {
      const begun = performance.now();
      const options = { onProgress: (step: Parameters<ProgressBar["show"]>[0]) => progress.show(step), signal: progress.signal };
      const predictions: Prediction[] = await this.#model.predict(table.rows, options);
      const took = (performance.now() - begun) / 1e3;
      this.#result.replaceChildren(resultsView(this.#model.info, table, predictions, took));
      announce(`${count(predictions.length, "row")} answered`);
    }, () => void this.#predictTable(table));
  }

  /** Does one thing at a time, and shows how far it is. */
  async #working(work: (progress: ProgressBar) => Promise<void>, again: () => void): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const progress = new ProgressBar();
    this.#result.replaceChildren(progress.element);
    this.#fresh.asked();
    progress.element.scrollIntoView({ block: "nearest" });
    try {
      await work(progress);
    } catch (error) {
      this.#result.replaceChildren(progress.signal.aborted ? h("p", { class: "note" }, "Canceled.") : errorNote(error, again));
    }
    this.#busy = false;
    this.#fresh.answered();
    void Promise.all([this.#keys.refresh(), this.#showMemory()]).catch(() => undefined);
  }

  async #showMemory(): Promise<void> {
    const size = await this.#model.memoryBytes();
    this.#memory.textContent = `It uses ${bytes(size)} of WebAssembly memory.`;
    this.#memory.dataset["memory"] = String(size);
  }
}

/** The key's size, and how many rows it answers where that is bounded: then another is made and sent. */
function keySize({ sizes, rowsAKey }: ModelInfo): string {
  if (sizes.key === 0) return "none";
  return `${bytes(sizes.key)}${rowsAKey === null ? "" : `, for ${count(rowsAKey, "row")}`}`;
}

function about({ info, runtime }: LoadedModel, memory: HTMLElement): HTMLElement {
  const fact = (name: string, value: string) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const failure = info.pFailLog2 === null ? "" : `, wrong at most once in 2^${Math.round(-info.pFailLog2)}`;
  return h(
    "div",
    { class: "about" },
    h(
      "dl",
      { class: "sizes" },
      fact("Key, sent once", keySize(info)),
      fact("A row, encrypted", bytes(info.sizes.request)),
      fact("Its answer", bytes(info.sizes.response)),
      fact("Security", `${info.securityBits} bits`),
    ),
    h(
      "details",
      {},
      h("summary", {}, "What this model is, and what it tells you"),
      h("p", {}, `A ${info.kind} as the circuit ${info.circuit}: `, info.exact ? `exact${failure}.` : "its answers carry noise."),
      h("p", {}, sentence(info.clientLearns)),
      h("p", { class: "hint" }, `Id ${info.id.slice(0, 16)}…; the client runs ${runtime.worker ? "in a worker" : "in the page"}${runtime.simd ? ", with SIMD" : ""}.`),
      memory,
    ),
  );
}
