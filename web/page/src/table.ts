/** A file of rows: dropped or chosen, read and checked in this tab, and predicted. */
import type { ModelInfo } from "./client.js";
import { MOST_BYTES, parseCsv } from "./csv.js";
import { announce, button, freshId, h } from "./dom.js";
import { bytes, count } from "./format.js";
import type { Judge } from "./judge.js";
import { type CheckedRows, checkRows, type TableRows } from "./rows.js";
import { textOf } from "./text.js";

interface Uses {
  predict: (rows: TableRows) => void;
  judge: Judge;
  /** Called when what would be predicted is another. */
  changed: () => void;
}

export class TableDrop {
  readonly element: HTMLElement;
  #info: ModelInfo;
  #uses: Uses;
  #said = h("div", { class: "table-said", "aria-live": "polite" });
  #send: HTMLButtonElement;
  #read: TableRows | null = null;
  /** Counts files, so that what is read late is known to be late. */
  #taken = 0;

  constructor(info: ModelInfo, uses: Uses) {
    this.#info = info;
    this.#uses = uses;
    const id = freshId();
    const input = h("input", { type: "file", id, accept: ".csv,.tsv,.txt,text/csv", class: "visually-hidden" });
    const zone = h(
      "label",
      { for: id, class: "drop" },
      h("span", { class: "drop-title" }, "Drop a CSV file here, or choose one"),
      h("span", { class: "hint" }, "A header, and columns of the model's names in any order. The file stays in this tab."),
    );
    input.addEventListener("change", () => {
      void this.#take(input.files?.[0]);
      // The same file, corrected, can be chosen again.
      input.value = "";
    });
    for (const name of ["dragover", "dragleave", "drop"] as const) {
      zone.addEventListener(name, (event) => {
        event.preventDefault();
        zone.classList.toggle("over", name === "dragover");
        if (name === "drop") void this.#take(event.dataTransfer?.files[0]);
      });
    }
    this.#send = button("Encrypt and predict", () => this.#read && uses.predict(this.#read), { class: "primary", hidden: true });
    this.element = h("div", { class: "table-drop" }, input, zone, this.#said, this.#send);
  }

  async #take(file: File | undefined): Promise<void> {
    if (!file) return;
    const mine = ++this.#taken;
    this.#read = null;
    this.#send.hidden = true;
    this.#uses.changed();
    this.#said.replaceChildren(h("p", { class: "hint" }, `Reading ${file.name} …`));
    try {
      if (file.size > MOST_BYTES) throw new Error(`${file.name} has ${bytes(file.size)}; the page reads ${bytes(MOST_BYTES)} at most`);
      const table = parseCsv(textOf(new Uint8Array(await file.arrayBuffer())));
      const checked = await checkRows(this.#info, table, file.name, this.#uses.judge);
      if (mine === this.#taken) this.#show(checked);
    } catch (error) {
      if (mine !== this.#taken) return;
      const message = error instanceof Error ? error.message : String(error);
      this.#said.replaceChildren(h("p", { class: "note bad", role: "alert" }, message));
    }
  }

  #show({ table, note, refused, first }: CheckedRows): void {
    const about = h("p", {}, h("strong", {}, table.name), ` ${note}`);
    if (refused === 0) {
      this.#said.replaceChildren(about);
      this.#offer(table);
      return;
    }
    const rows = refused === 1 ? "this row" : `these ${count(refused, "row")}`;
    const problem = h(
      "div",
      { class: "note bad", role: "alert" },
      h("p", {}, h("strong", {}, `${count(refused, "row")} of ${table.total} cannot be predicted.`), ` The first: ${first}.`),
      table.rows.length > 0 &&
        button(`Leave ${rows} out`, () => {
          const left = `${count(refused, "row")} of ${table.total} left out; the download has empty cells for ${refused === 1 ? "it" : "them"}.`;
          problem.replaceWith(h("p", { class: "note" }, left));
          announce(left);
          this.#offer(table);
          this.#send.focus();
        }),
      table.rows.length === 0 && h("p", {}, "None is left. Correct the file and choose it again."),
    );
    this.#said.replaceChildren(about, problem);
  }

  #offer(table: TableRows): void {
    this.#read = table;
    this.#send.hidden = false;
  }
}
