/** What a file's own column of the target says, beside what was predicted. */
import { isMissing, isNumber, truthOf } from "./cells.js";
import type { ModelInfo } from "./client.js";
import { quoted } from "./csv.js";
import { count, number, percent } from "./format.js";

/** The class that a label names, by the command line's rules: `1.0` is `1`, `True` is `1`; `null` for none of the model's. */
export function classOf(classes: string[], label: string): string | null {
  if (classes.includes(label)) return label;
  if (isNumber(label)) {
    const value = Number(label);
    return Number.isInteger(value) ? (classes.find((name) => name === String(value + 0)) ?? null) : null;
  }
  const truth = truthOf(label);
  if (truth === null) return null;
  const names = truth ? ["1", "true"] : ["0", "false"];
  return names.flatMap((name) => classes.filter((one) => one.toLowerCase() === name))[0] ?? null;
}

/**
 * A sentence on how far predictions and labels agree. Both are row by row; a prediction is `null` for a row that has none.
 */
export function agreement(info: ModelInfo, said: (string | null)[], labels: string[]): string {
  const blank = (label: string) => isMissing(label) && !info.classes?.includes(label);
  const pairs = labels.flatMap((label, at) => (said[at] == null || blank(label) ? [] : [[said[at], label] as const]));
  if (pairs.length === 0) return `The file's ${info.target} has no label of these rows.`;
  return info.classes === null ? difference(info.target, pairs) : sameClasses(info.target, info.classes, pairs);
}

function difference(target: string, pairs: (readonly [string, string])[]): string {
  const errors = pairs.filter(([, label]) => isNumber(label)).map(([value, label]) => Math.abs(Number(value) - Number(label)));
  if (errors.length === 0) return `The file's ${target} is no number, so there is nothing to compare.`;
  return `The mean difference from the file's ${target} is ${number(errors.reduce((a, b) => a + b, 0) / errors.length)}.`;
}

function sameClasses(target: string, classes: string[], pairs: (readonly [string, string])[]): string {
  const known = pairs.filter(([, label]) => classOf(classes, label) !== null);
  const other = pairs.find(([, label]) => classOf(classes, label) === null)?.[1];
  if (known.length === 0) {
    const names = classes.slice(0, 5).map(quoted).join(", ");
    return `Nothing is compared: the file's ${target} (${quoted(other!)}, say) is no class of the model, whose classes are ${names}${classes.length > 5 ? ", …" : ""}.`;
  }
  const same = known.filter(([one, label]) => one === classOf(classes, label)).length;
  const left = pairs.length - known.length;
  const rest = left > 0 ? ` In ${count(left, "other row")} it is no class of the model, ${quoted(other!)} for one.` : "";
  return `${same} of ${known.length} (${percent(same / known.length)}) are what the file's ${target} says.${rest}`;
}
