/** Cells as people write them, to cells as the client takes them. */
import type { Cell, Feature } from "./client.js";

const YES = new Set(["true", "yes", "1"]);
const NO = new Set(["false", "no", "0"]);

/**
 * What a text says of a feature; an empty one is a missing value.
 *
 * @throws Error where it is no value of this kind
 */
export function cellOf(feature: Feature, text: string): Cell {
  const plain = text.trim();
  if (plain === "") return null;
  if (feature.kind === "number") {
    const value = Number(plain);
    if (!Number.isFinite(value)) throw new Error(`${feature.name}: “${plain}” is not a number`);
    return value;
  }
  if (feature.kind === "boolean") {
    const word = plain.toLowerCase();
    if (!YES.has(word) && !NO.has(word)) throw new Error(`${feature.name}: “${plain}” is neither yes nor no`);
    return YES.has(word);
  }
  return plain;
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
