/** One thing that an engine needs of the machine. */
export interface Check {
  /** In a few words: `a container runtime`. */
  readonly name: string;
  readonly ok: boolean;
  /** What was found, or what is missing. */
  readonly detail: string;
  /** The exact command that mends it; `null` when it is fine or nothing is known to help. */
  readonly fix: string | null;
}
