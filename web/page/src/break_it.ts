/** A panel that decrypts an answer with keys that are not its own: what the server, or a thief of the answer, would see. */
import { answerView } from "./answer.js";
import type { LoadedModel, ModelInfo, Prediction, WrongKeyView } from "./client.js";
import { announce, button, h } from "./dom.js";
import { errorNote } from "./errors.js";
import { count, number } from "./format.js";

/** Keys that are tried at once: one alone may hit the right class by chance. */
const AT_ONCE = 6;
const MOST_SCORES = 6;

export function breakItView(model: LoadedModel, prediction: Prediction): HTMLElement | null {
  const { answer } = prediction.exchange;
  if (answer === null) return null;
  const tries = h("ol", { class: "tries" });
  const told = h("p", { class: "hint" }, "None tried yet.");
  let tried = 0;
  const attempt = async () => {
    again.disabled = true;
    try {
      const views: WrongKeyView[] = [];
      for (let one = 0; one < AT_ONCE; one++) views.push(await model.decryptWithWrongKey(answer));
      tried += AT_ONCE;
      tries.replaceChildren(...views.map((view) => wrongView(model.info, view)));
      told.textContent = `${count(tried, "key")} tried. None knows whether it is right, and none says anything of your row.`;
      announce(`Wrong keys say ${views.map((view) => outcome(view)).join(", ")}`);
    } catch (error) {
      tries.replaceChildren(h("li", {}, errorNote(error)));
    }
    again.disabled = false;
  };
  const again = button(`Try ${AT_ONCE} wrong keys`, () => void attempt());
  return h(
    "section",
    { class: "card break-it", "aria-labelledby": "break-title" },
    h("h3", { id: "break-title" }, "Break it"),
    h("p", {}, "The same encrypted answer, opened with keys that are drawn at random. That is as far as the server gets."),
    h(
      "div",
      { class: "pair" },
      h("div", { class: "side" }, h("h4", {}, "Your key"), answerView(model.info, prediction)),
      h("div", { class: "side" }, h("h4", {}, "Other keys"), tries, told, again),
    ),
  );
}

function outcome(view: WrongKeyView): string {
  if (!view.decrypts) return "nothing";
  return view.class ?? (view.value === null ? "noise" : number(view.value));
}

function wrongView(info: ModelInfo, view: WrongKeyView): HTMLElement {
  const scores = view.scores.slice(0, MOST_SCORES).map(String);
  const more = view.scores.length > MOST_SCORES ? ", …" : "";
  const text = scores.length > 0 && info.classes !== null ? `${scores.join(", ")}${more}` : "";
  return h("li", {}, h("strong", { class: "noise" }, outcome(view)), text !== "" && h("span", { class: "mono" }, text));
}
