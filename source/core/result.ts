/** A value, or an expected failure. Bugs are thrown; everything a user can cause or meet is one of these. */
export type Result<T, F> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: F };

export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value };
}

export function err<F>(failure: F): Result<never, F> {
  return { ok: false, failure };
}

/** Ends every exhaustive `switch`: a new case that is not handled does not compile. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
