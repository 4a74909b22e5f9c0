/** Tabs: one of several panels, as the ARIA practices have them (arrow keys move, Home and End go to the ends). */
import { freshId, h } from "./dom.js";

interface Tab {
  title: string;
  panel: HTMLElement;
}

/** One tab alone needs no tabs. `shown` is called with the index of the tab that is chosen. */
export function tabs(label: string, all: Tab[], shown: (at: number) => void): HTMLElement {
  if (all.length === 1) return all[0]!.panel;
  const panels: HTMLElement[] = [];
  const buttons = all.map(({ title, panel }, at) => {
    const id = freshId();
    const tab = h("button", { type: "button", role: "tab", id, "aria-controls": `${id}-panel` }, title);
    panels.push(h("div", { role: "tabpanel", id: `${id}-panel`, "aria-labelledby": id }, panel));
    tab.addEventListener("click", () => select(at));
    return tab;
  });
  const select = (chosen: number) => {
    buttons.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === chosen));
      tab.tabIndex = at === chosen ? 0 : -1;
      panels[at]!.hidden = at !== chosen;
    });
    shown(chosen);
  };
  const list = h("div", { role: "tablist", "aria-label": label }, ...buttons);
  list.addEventListener("keydown", (event) => {
    const now = buttons.findIndex((tab) => tab === document.activeElement);
    const last = buttons.length - 1;
    const places: Record<string, number> = {
      ArrowRight: now === last ? 0 : now + 1,
      ArrowLeft: now === 0 ? last : now - 1,
      Home: 0,
      End: last,
    };
    const next = places[event.key];
    if (next === undefined || now < 0) return;
    event.preventDefault();
    select(next);
    buttons[next]!.focus();
  });
  select(0);
  return h("div", { class: "tabs" }, list, ...panels);
}
