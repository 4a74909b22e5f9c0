/** Answers that cannot be trusted, counted while rows are under way and told when all is done. */

import { FhectlError } from "./error.js";

/** A server that sees when a client is not content learns something of its key: so nothing is told before the end. */
export class UntrustedAnswers {
  batches = 0;
  #first: FhectlError | undefined;

  add(distrust: FhectlError | undefined): void {
    if (!distrust) return;
    this.batches += 1;
    this.#first ??= distrust;
  }

  /** Throws `answers_untrusted` where there are any. */
  check(): void {
    if (this.batches === 0) return;
    const many = this.batches === 1 ? "one batch of answers" : `${this.batches} batches of answers`;
    throw new FhectlError(
      "answers_untrusted",
      `${many} cannot be trusted; the first: ${this.#first?.message}`,
      "use no row of this run before the cause is found: where it is the key, others were wrong without a sign; ask the server's operator, and give no sign of it to a server that you do not trust (SECURITY.md)",
    );
  }
}
