/** A panel that decrypts an answer with keys that are not its own: what the server, or a thief of the answer, would see. */
import { answerView } from "./answer.js";
import type { LoadedModel, Prediction, WrongKeyView } from "./client.js";
import { announce, button, h } from "./dom.js";
import { errorNote } from "./errors.js";
import { number } from "./format.js";

const MOST_SCORES = 10;

export function breakItView(model: LoadedModel, prediction: Prediction): HTMLElement | null {
  const { answer } = prediction.exchange;
  if (answer === null) return null;
  const seen = h("div", { class: "wrong" });
  const tries = h("p", { class: "hint" });
  let tried = 0;
  const attempt = async () => {
    again.disabled = true;
    try {
      const view = await model.decryptWithWrongKey(answer);
      tried++;
      seen.replaceChildren(wrongView(model, view));
      tries.textContent = tried === 1 ? "One key tried." : `${tried} keys tried. Each says something else, and none says which is right.`;
      announce(`Another key gives ${outcome(view)}`);
    } catch (error) {
      seen.replaceChildren(errorNote(error));
    }
    again.disabled = false;
  };
  const again = button("Decrypt with a wrong key", attempt);
  return h(
    "section",
    { class: "card break-it", "aria-labelledby": "break-title" },
    h("h3", { id: "break-title" }, "Break it"),
    h("p", {}, "The same encrypted answer, opened with a key that was drawn just now. That is as far as the server gets."),
    h(
      "div",
      { class: "pair" },
      h("div", { class: "side" }, h("h4", {}, "Your key"), answerView(model.info, prediction)),
      h("div", { class: "side" }, h("h4", {}, "Another key"), seen, tries, again),
    ),
  );
}

function outcome(view: WrongKeyView): string {
  if (!view.decrypts) return "nothing";
  return view.class ?? (view.value === null ? "noise" : number(view.value));
}

function wrongView(model: LoadedModel, view: WrongKeyView): HTMLElement {
  const scores = view.scores.slice(0, MOST_SCORES).map(String);
  const more = view.scores.length > MOST_SCORES ? ", …" : "";
  return h(
    "div",
    { class: "answer" },
    h("p", { class: "answer-head" }, h("span", { class: "target" }, model.info.target || "Answer"), h("span", { class: "said noise" }, outcome(view))),
    !view.decrypts && h("p", { class: "hint" }, "Nothing that this circuit could have answered."),
    scores.length > 0 && h("p", { class: "mono" }, `${scores.join(", ")}${more}`),
  );
}
