/**
 * The environment of the program: the one place that reads it, and the one that changes it, such as by the keys of a
 * `.env` or by one that a person has entered. All programs that are started later get what it says then.
 */
export type Environment = Readonly<Record<string, string | undefined>>;

export function environment(): Environment {
  return process.env;
}

/** The value of a variable without blanks around it; null where it is not set, or empty. */
export function variable(name: string): string | null {
  return process.env[name]?.trim() || null;
}

/** @param value undefined takes the variable away */
export function setVariable(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
