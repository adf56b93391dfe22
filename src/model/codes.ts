/**
 * Every diagnostic code, what family of exit status it belongs to, and the longer text of `wharf explain CODE`.
 * A test checks that each code used is here and each one here is used.
 */
export type Family =
  | "spec" // the file is wrong: exit 3, nothing was touched
  | "usage" // the command line is wrong: exit 64
  | "engine" // no engine can work here: exit 69
  | "locked" // another wharf holds the project: exit 75
  | "timeout" // exit 5
  | "failed" // a step did not happen: exit 1
  | "warning";

interface Entry {
  readonly family: Family;
  readonly explain: string;
}

export const CODES = {
  E_INTERNAL: {
    family: "failed",
    explain: "Something went wrong that wharf did not foresee. Run the command again with --verbose and report what it prints.",
  },
} as const satisfies Record<`E_${string}` | `W_${string}`, Entry>;

export type Code = keyof typeof CODES;

/** Exit statuses by family, as `cli.md` lists them. */
export const EXIT = { spec: 3, usage: 64, engine: 69, locked: 75, timeout: 5, failed: 1, warning: 0 } as const satisfies Record<
  Family,
  number
>;

/** The exit status for a set of codes: the most specific family wins over a plain failure. */
export function exitStatus(codes: readonly Code[]): number {
  const families = new Set<Family>(codes.map((code) => CODES[code].family));
  for (const family of ["usage", "spec", "locked", "engine", "timeout", "failed"] as const) if (families.has(family)) return EXIT[family];
  return 0;
}
