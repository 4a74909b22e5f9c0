/** What was decrypted: the class, and each class's score as a bar. */
import type { ModelInfo, Prediction } from "./client.js";
import { h } from "./dom.js";
import { listed, number, percent } from "./format.js";

/** Classes whose bars are shown; those with the most. */
const MOST_BARS = 12;

const UNITS = { probability: "Probability", share: "Share of trees", margin: "Margin", score: "Score" };

/** The answer in words; a class that is only a number says of what: `spam: 0`. */
export function answerText(info: ModelInfo, prediction: Prediction): string {
  const said = saidOf(prediction, number, "nothing");
  return numbered(info) ? `${info.target}: ${said}` : said;
}

/** The class or the number that was predicted, the number as `write` has it; `nothing` where there is neither. */
export function saidOf(prediction: Prediction, write: (value: number) => string, nothing = ""): string {
  return prediction.class ?? (prediction.value === null ? nothing : write(prediction.value));
}

/** Whether classes are numbers that say nothing without the target's name. */
function numbered(info: ModelInfo): boolean {
  return info.target !== "" && (info.classes?.every((name) => /^-?\d+$/.test(name)) ?? false);
}

export function answerView(info: ModelInfo, prediction: Prediction): HTMLElement {
  const said = saidOf(prediction, number, "nothing");
  const scores = prediction.classScores;
  return h(
    "div",
    { class: "answer" },
    h(
      "p",
      { class: "answer-head" },
      numbered(info) ? h("span", { class: "target said-of" }, `${info.target}: `) : h("span", { class: "target" }, info.target || "Answer"),
      h("output", { class: "said" }, said),
    ),
    scores !== null && info.classes !== null && bars(info.classes, scores, info.scoreUnit, prediction.classIndex),
    scores === null &&
      info.classes !== null &&
      h("p", { class: "hint" }, "This network tells its class only: exact scores would tell of your key."),
    prediction.outside.length > 0 &&
      h(
        "p",
        { class: "note" },
        `Beyond what the model knows, so the nearest end of its range was taken: ${listed(prediction.outside, 8)}.`,
      ),
  );
}

/** A table of classes, the tallest first where there are many. */
function bars(classes: string[], scores: number[], unit: ModelInfo["scoreUnit"], chosen: number | null): HTMLElement {
  const shares = unit === "probability" || unit === "share";
  const most = shares ? 1 : Math.max(...scores.map(Math.abs), 1e-12);
  let order = classes.map((_, at) => at);
  if (order.length > MOST_BARS) order = order.sort((a, b) => scores[b]! - scores[a]!).slice(0, MOST_BARS);
  const rows = order.map((at) => {
    const score = scores[at]!;
    const bar = h("span", { class: score < 0 ? "bar negative" : "bar" });
    bar.style.setProperty("--share", String(Math.min(1, Math.abs(score) / most)));
    return h(
      "tr",
      { class: at === chosen ? "chosen" : null },
      h("th", { scope: "row" }, classes[at]!, at === chosen && h("span", { class: "visually-hidden" }, " (the answer)")),
      h("td", { class: "bar-cell" }, bar),
      h("td", { class: "figure" }, shares ? percent(score) : number(score)),
    );
  });
  const head = ["Class", "", UNITS[unit]].map((text) => (text === "" ? h("td") : h("th", { scope: "col" }, text)));
  return h("table", { class: "bars" }, h("thead", { class: "visually-hidden" }, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}
