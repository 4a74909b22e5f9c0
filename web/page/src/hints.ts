/** What to do about an error, in the words of the page: hints of the server and the client are of the command line. */

const DELETE_KEY = "Delete the key under “Your keys”; the next prediction makes another.";
const OPERATOR = "Ask the server's operator.";

const HINTS: Record<string, string> = {
  answers_untrusted:
    "Use no answer of this run before the cause is found: where it is the key, others were wrong without a sign. Ask the server's operator, and give no sign of it to a server that you do not trust.",
  arguments: "Load the page again.",
  batch_too_large: "Send fewer rows at once.",
  body_too_large: "Send fewer rows at once.",
  failure_rate: "Answers of this model may be wrong more often than this page accepts. Its author can make one that is more exact.",
  format_version: "Load the page again: it and the server are of different releases.",
  internal: "Load the page again. If that does not help, it is a fault of fhectl.",
  key_damaged: DELETE_KEY,
  key_file_invalid: DELETE_KEY,
  key_file_version: DELETE_KEY,
  key_invalid: DELETE_KEY,
  key_mismatch: DELETE_KEY,
  key_too_large: DELETE_KEY,
  key_unknown: "The key was deleted or replaced meanwhile. Ask again: another one is used then.",
  key_used_up: "Rotate the key under “Your keys”, then ask again.",
  keys_unwritable: "Let this site store data in your browser, and check that there is room.",
  model_unknown: "The server has other models: choose one of the list.",
  model_unnamed: "Choose a model of the list.",
  no_server: "Check your connection, and that the server runs.",
  origin_refused: `The server answers no pages from this address. ${OPERATOR}`,
  part_conflict: DELETE_KEY,
  part_invalid: DELETE_KEY,
  quota_exceeded: `Your token's room for keys at the server is used up. Delete keys that you no longer use, or ask the server's operator.`,
  rate_limited: "Wait a while, then ask again.",
  reply_invalid: "Load the page again: it and the server are of different releases, or what answers is no fhectl server.",
  row_budget_spent: `Your token's rows for this model are used up. ${OPERATOR}`,
  row_shape: "Give a value for each of the model's features.",
  row_value: "Fill in or correct the value; this model takes no other.",
  server_error: `The server failed, or what answers is no fhectl server. ${OPERATOR}`,
  store_failed: OPERATOR,
  store_unavailable: "Wait a while, then ask again.",
  unauthorized: "Give a token of this server: the button “Token” is at the top of the page. The server's operator gives it out.",
  uid_unknown: DELETE_KEY,
  url_invalid: "The page was made for an address that is none. Whoever gave you the page can make it again.",
  wrong_model: "Load the page again: the server has another model by this name now.",
};

/**
 * Errors that may pass, so that asking the same again makes sense. `answers_untrusted` is none: it would tell the server that its
 * answer was not trusted.
 */
const PASSING = new Set([
  "body_broken", "busy", "deadline", "draining", "internal", "key_incomplete", "key_unknown", "no_server", "rate_limited",
  "reply_invalid", "server_error", "store_failed", "store_unavailable", "timeout", "unexpected",
]);

/** Words that only the command line, a program or an operator can use. */
const ELSEWHERE = /`|--[a-z]|\b(?:GET|PUT|POST|DELETE) |FHECTL_|\bfhectl [a-z]|\.(?:zip|md|json)\b|\bheader\b/;

/** What to do about an error of this code; `given` is the hint that came with it. */
export function hintOf(code: string, given: string | null): string | null {
  return HINTS[code] ?? (given !== null && !ELSEWHERE.test(given) ? given : null);
}

/** Whether asking the same once more can help. */
export function mayPass(code: string): boolean {
  return PASSING.has(code);
}
