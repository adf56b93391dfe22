import type { Context } from "../context.ts";
import type { Layout } from "../layout.ts";
import type { NetworkRecord } from "../network/networks.ts";
import type { Container } from "../records.ts";

/**
 * One thing that the supervisor looks after. `look` is called with the newest view whenever something may have changed (an exit, a command's
 * poke, a timer); it must be cheap, level-driven and never throw for one container's sake. Looks never overlap. What takes long goes on beside
 * them, and asks for another look (`Tools.wake`) when it is done.
 */
export interface Duty {
  readonly name: string;
  look(view: View): Promise<void>;
  /** Lets go of everything that it holds. No look comes after it. */
  close(): Promise<void>;
}

/** What a duty sees: read from the world's files, never kept. */
export interface View {
  readonly layout: Layout;
  readonly project: string;
  /** The project's containers with their status. */
  readonly containers: readonly Container[];
  /** Every running container of this world (of other projects too), for networks that projects share. */
  readonly live: readonly Container[];
  readonly networks: readonly NetworkRecord[];
}

/** What every duty works with. */
export interface DutyTools {
  readonly context: Context;
  readonly project: string;
  /** Asks for another look soon. */
  readonly wake: () => void;
  /** Writes a line into the supervisor's own log, which is kept short. */
  readonly log: (line: string) => void;
}
