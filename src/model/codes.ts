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
  E_NEEDS_ANSWER: {
    family: "usage",
    explain:
      "The command would lose data and has to ask first, but standard input is no terminal. Run it in a terminal, or give -y to say yes to every question.",
  },
  E_NOT_RUNNING: {
    family: "failed",
    explain:
      "A program can only be run inside a container that runs. `wharf ps -a` says in what state it is, `wharf up -d` starts what the spec describes.",
  },
  E_NO_SUCH_OBJECT: {
    family: "failed",
    explain:
      "No container and no image has this name or id. `wharf ps -a` lists the containers of a project, `wharf ls -a` the projects, `wharf image ls` the images.",
  },
  E_NOT_PUBLISHED: {
    family: "failed",
    explain: "The container does not publish this port. Ports are published with `ports:` in the spec; `wharf ps` shows those that are.",
  },
  E_UNKNOWN_COMMAND: {
    family: "usage",
    explain: "wharf has no command of this name. `wharf --help` lists them all.",
  },
  E_UNKNOWN_FLAG: {
    family: "usage",
    explain:
      "The command has no flag of this name. `wharf COMMAND --help` lists its flags; global flags such as -f and -p may stand before the command.",
  },
  E_USAGE: {
    family: "usage",
    explain:
      "The command line cannot be understood: an argument is missing, one is too many, or a value is not of the kind that the flag takes.",
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
