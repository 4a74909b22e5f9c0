/** What went wrong, for people: the message, what to do, and the code to look up. */
import { FhectlError } from "./client.js";
import { announce, button, h } from "./dom.js";
import { sentence } from "./format.js";

export function codeOf(error: unknown): string {
  return error instanceof FhectlError ? error.code : "unexpected";
}

/** A note in the page; `again` is offered as a button. */
export function errorNote(error: unknown, again?: () => void): HTMLElement {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof FhectlError ? error.hint : null;
  announce(`Error: ${message}`);
  return h(
    "div",
    { class: "note bad", role: "alert" },
    h("p", {}, h("strong", {}, sentence(message))),
    hint !== null && h("p", {}, sentence(hint)),
    h("p", { class: "hint" }, "Code: ", h("code", {}, codeOf(error))),
    again && button("Try again", again),
  );
}
