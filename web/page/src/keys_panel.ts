/** The keys that this browser holds: where they are, which there are, and ways to be rid of them. */
import type { Keys, LoadedModel, StoredKey } from "./client.js";
import { announce, button, h } from "./dom.js";
import { errorNote } from "./errors.js";
import { bytes, seconds } from "./format.js";

const WHERE = {
  indexeddb: "In this browser, for this site, sealed with AES-GCM under a key that scripts can use and not read out.",
  memory: "In memory: they are gone when this tab is closed. Stored keys want https or localhost.",
  custom: "Where this page was told to keep them.",
};

export class KeysPanel {
  readonly element: HTMLDetailsElement;
  #model: LoadedModel;
  #body = h("div");
  #changed: () => void;

  /** `changed` is called when the model's own key is another or gone. */
  constructor(model: LoadedModel, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
    const details = h("details", { class: "card keys" }, h("summary", {}, h("h3", {}, "Your keys")), this.#body);
    details.addEventListener("toggle", () => void this.refresh());
    this.element = details;
  }

  /** Shows what there is now, where it can be seen. */
  async refresh(): Promise<void> {
    if (!this.element.open) return;
    try {
      const keys = await this.#model.keys();
      const all = await keys.list();
      this.#body.replaceChildren(
        h("p", {}, WHERE[keys.storage]),
        all.length > 0 ? this.#table(keys, all) : h("p", { class: "hint" }, "None yet. The first prediction makes one."),
        h(
          "p",
          { class: "hint" },
          "The secret key decrypts your answers and never leaves this tab. Deleting it makes old answers unreadable, here as everywhere.",
        ),
      );
    } catch (error) {
      this.#body.replaceChildren(errorNote(error));
    }
  }

  #table(keys: Keys, all: StoredKey[]): HTMLElement {
    const own = (key: StoredKey) => key.model === this.#model.info.id;
    const rows = all.map((key) =>
      h(
        "tr",
        { role: "row" },
        h("th", { scope: "row", role: "rowheader" }, key.name, own(key) && h("span", { class: "hint" }, " this model")),
        h("td", { class: "mono", role: "cell" }, key.serial.slice(0, 8)),
        h("td", { role: "cell" }, key.made.toLocaleString("en-US", { dateStyle: "medium", timeStyle: "short" })),
        h(
          "td",
          { class: "buttons", role: "cell" },
          own(key) && button("Rotate", () => void this.#rotate(keys), { class: "quiet", "aria-label": `Rotate the key of ${key.name}` }),
          button("Delete", () => void this.#delete(keys, key), { class: "quiet", "aria-label": `Delete the key of ${key.name}` }),
        ),
      ),
    );
    const headings = ["Model", "Key", "Made"].map((heading) => h("th", { scope: "col", role: "columnheader" }, heading));
    // Roles are said: on a phone the rows are no longer laid out as a table's, and browsers would take them for something else.
    return h(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Stored keys" },
      h(
        "table",
        { class: "rows", role: "table" },
        h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...headings, h("td", { role: "cell" }))),
        h("tbody", { role: "rowgroup" }, ...rows),
      ),
    );
  }

  async #rotate(keys: Keys): Promise<void> {
    await this.#change(async () => {
      const report = await keys.rotate();
      this.#changed();
      return `A new key was made in ${seconds(report.make)}${report.sent > 0 ? `, and ${bytes(report.sent)} were sent` : ""}`;
    });
  }

  async #delete(keys: Keys, key: StoredKey): Promise<void> {
    await this.#change(async () => {
      if (key.model === this.#model.info.id) {
        await keys.delete();
        this.#changed();
      } else await keys.delete(key.model);
      return `The key of ${key.name} is deleted`;
    });
  }

  async #change(work: () => Promise<string>): Promise<void> {
    for (const one of this.#body.querySelectorAll("button")) one.disabled = true;
    try {
      const done = await work();
      await this.refresh();
      this.#body.append(h("p", { class: "note" }, `${done}.`));
      announce(done);
    } catch (error) {
      await this.refresh();
      this.#body.append(errorNote(error));
    }
  }
}
