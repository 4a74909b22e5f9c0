/** What a model says of a row before it is sent. */
import { type Cell, FhectlError } from "./client.js";

/** Whether a model takes a row: rejects with `row_value` where it does not. */
export type Judge = (row: Cell[]) => Promise<unknown>;

/** What a model has against the row that it was given alone; `null` for any other error. */
export function refusalOf(error: unknown): string | null {
  if (!(error instanceof FhectlError) || error.code !== "row_value") return null;
  return error.message.replace(/^row 1: /, "");
}
