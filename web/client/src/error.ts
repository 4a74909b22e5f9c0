/** Errors with a stable code, as all of fhectl's are (docs/src/reference/errors.md). */
export class FhectlError extends Error {
  override readonly name = "FhectlError";
  /** `no_server`, `unauthorized`, `row_value`, ... */
  readonly code: string;
  /** What to do. */
  readonly hint: string | null;

  constructor(code: string, message: string, hint: string | null = null) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

/** What a structured clone keeps of an error on its way out of a worker. */
export interface PlainError {
  name: string;
  message: string;
  code: string | null;
  hint: string | null;
}

export function plain(error: unknown): PlainError {
  const { name, message, code, hint } = error as Partial<FhectlError> & Partial<Error>;
  const known = error instanceof FhectlError;
  return {
    name: typeof name === "string" ? name : "Error",
    message: typeof message === "string" ? message : String(error),
    code: known ? (code as string) : null,
    hint: known ? (hint ?? null) : null,
  };
}

/** The other way. */
export function revived(error: PlainError): Error {
  if (error.code !== null) return new FhectlError(error.code, error.message, error.hint);
  const other = new Error(error.message);
  other.name = error.name;
  return other;
}
