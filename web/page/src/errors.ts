/** What went wrong, for people: the message, what to do, and the code to look up. */
import { FhectlError } from "./client.js";
import { announce, button, h } from "./dom.js";
import { plainly, sentence } from "./format.js";
import { hintOf, mayPass } from "./hints.js";

export function codeOf(error: unknown): string {
  return error instanceof FhectlError ? error.code : "unexpected";
}

/** A note in the page; `again` is offered as a button where asking again can help. */
export function errorNote(error: unknown, again?: () => void): HTMLElement {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  const hint = hintOf(code, error instanceof FhectlError ? error.hint : null);
  announce(`Error: ${plainly(message)}`);
  return h(
    "div",
    { class: "note bad", role: "alert" },
    h("p", {}, h("strong", {}, ...withCode(sentence(message)))),
    hint !== null && h("p", {}, sentence(hint)),
    code.startsWith("model_un") && h("p", {}, h("a", { href: "#/" }, "All models")),
    h("p", { class: "hint" }, "Code: ", h("code", {}, code)),
    mayPass(code) && again && button("Try again", again),
  );
}

/** What stands between backticks, as code. */
function withCode(text: string): (HTMLElement | string)[] {
  return text.split("`").map((part, at) => (at % 2 === 1 ? h("code", {}, part) : part));
}
