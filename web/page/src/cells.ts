/** Cells as people write them, to cells as the client takes them: by the rules of the command line. */
import type { Cell, Feature } from "./client.js";

/** Texts that stand for a missing value, whatever their case, as data tools write them. */
const MISSING = new Set(["", "na", "n/a", "#n/a", "#na", "nan", "-nan", "null", "none", "?", "-", "<na>"]);
const YES = new Set(["true", "t", "yes", "y", "on", "1", "1.0"]);
const NO = new Set(["false", "f", "no", "n", "off", "0", "0.0"]);

/** What a word says: yes, no, or `null` for neither. */
export function truthOf(text: string): boolean | null {
  const word = text.toLowerCase();
  return YES.has(word) ? true : NO.has(word) ? false : null;
}

export function isMissing(text: string): boolean {
  return text.length <= 4 && MISSING.has(text.toLowerCase());
}

/** Whether a text spells a finite number: in decimal, with a point. JavaScript alone would take `0x10`, too. */
export function isNumber(text: string): boolean {
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) && Number.isFinite(Number(text));
}

/**
 * What a text says of a feature; `null` is a missing value.
 *
 * @throws Error where it is no value of this kind
 */
export function cellOf(feature: Feature, text: string): Cell {
  const plain = text.trim();
  if (feature.kind === "text") return plain;
  // A category may be named as what stands for nothing elsewhere.
  if (feature.kind === "category" && feature.categories?.includes(plain)) return plain;
  if (isMissing(plain)) return null;
  if (feature.kind === "number") {
    if (!isNumber(plain)) throw refused(feature, plain, `is not a number${numberHint(plain)}`);
    return Number(plain);
  }
  if (feature.kind === "boolean") {
    const truth = truthOf(plain);
    if (truth === null) throw refused(feature, plain, "is neither yes nor no");
    return truth;
  }
  return plain;
}

function refused(feature: Feature, text: string, what: string): Error {
  return new Error(`${feature.name}: “${text.slice(0, 40)}” ${what}`);
}

/** What to do about a text that is nearly a number. */
function numberHint(text: string): string {
  if (/^[\u2212\u2013\ufe63\uff0d]/.test(text) && isNumber(text.slice(1))) return ": its minus is a dash; write the plain hyphen, -";
  if (/^[-+]?\d{1,3}(?:[ \u00a0\u202f'\u2019.,]\d{3})+(?:[.,]\d+)?$/.test(text)) return ": write it without separators of thousands";
  if (/^[-+]?\d+,\d+$/.test(text)) return ": write it with a decimal point";
  if (/%$/.test(text)) return ": write it without the percent sign";
  if (/[$€£¥]/.test(text)) return ": write it without the currency's sign";
  return "";
}

/** A value that the model tells from others, drawn anew: anywhere in a feature's range. */
export function randomCell(feature: Feature): Cell {
  const { categories, low, high, levels } = feature;
  if (categories && categories.length > 0) return categories[Math.floor(Math.random() * categories.length)]!;
  if (feature.kind === "boolean") return Math.random() < 0.5;
  if (feature.kind !== "number" || low === null || high === null) return feature.example;
  // Most features of most rows are near the low end: words of a mail, say.
  const share = Math.random() ** 2;
  const steps = levels && levels > 1 ? Math.round(share * (levels - 1)) / (levels - 1) : share;
  return Number((low + steps * (high - low)).toPrecision(4));
}
