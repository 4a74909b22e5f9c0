/** The models of the server, each a link. */
import type { ListedModel } from "./client.js";
import { h } from "./dom.js";
import { count } from "./format.js";

export function modelsList(models: ListedModel[], chosen: string | null): HTMLElement[] {
  const items = models.map((model) =>
    h(
      "li",
      {},
      h(
        "a",
        { href: modelLink(model.name), class: "model", "aria-current": model.name === chosen ? "page" : null },
        h("span", { class: "model-name" }, model.name),
        h("span", { class: "hint" }, task(model)),
      ),
    ),
  );
  return [h("h2", {}, count(models.length, "model")), h("ul", {}, ...items)];
}

function modelLink(name: string): string {
  return `#/${encodeURIComponent(name)}`;
}

/** The name in the page's address; `null` where it names none. */
export function modelInAddress(): string | null {
  const match = /^#\/(.+)$/.exec(location.hash);
  try {
    return match ? decodeURIComponent(match[1]!) : null;
  } catch {
    return null;
  }
}

function task(model: ListedModel): string {
  const features = count(model.features, "feature");
  return model.classes.length > 0 ? `${features}, ${count(model.classes.length, "class", "classes")}` : `${features}, a number`;
}
