import type { Action } from "./action.ts";
import type { Diagnostic, Source } from "./diagnostic.ts";
import type { Json } from "./json.ts";

/** What to do, in what order, and why. Plain data: it prints, saves and compares. */
export interface Plan {
  readonly project: string;
  /** Dependencies first: a step's `after` and `afterAnyway` only name smaller ids. */
  readonly steps: readonly Step[];
  /** One entry per resource that the project has or had, unchanged ones too: what a person reads. */
  readonly changes: readonly Change[];
  /** Questions that must be answered with yes before anything is done (data would be lost). */
  readonly confirmations: readonly string[];
  /** Warnings that stop nothing. */
  readonly notices: readonly Diagnostic[];
  /** Why this cannot be carried out; when there is one, `steps` is empty. */
  readonly problems: readonly Diagnostic[];
}

export interface Step {
  /** From 1. */
  readonly id: number;
  /** Steps that must have succeeded before it begins. */
  readonly after: readonly number[];
  /** Steps that must have ended, well or not, before it begins: dependencies that are not required. */
  readonly afterAnyway?: readonly number[];
  /** Steps of one attempt stand or fall together. */
  readonly attempt?: Attempt;
  /** What it means for the update of its service. */
  readonly update?: UpdateRole;
  /** Why, in a few words: `config changed: image`, `not there yet`. */
  readonly reason: string;
  /** The service it belongs to, or `null` for networks, volumes and orphans of unknown service. */
  readonly service: string | null;
  readonly action: Action;
}

/** When a step of an attempt fails, or is not begun, those that were done before it are undone, the last one first. */
export interface Attempt {
  /** The container that shall be replaced, by its name in the end. */
  readonly name: string;
  /** What undoes the step; `null`: there is nothing to undo. */
  readonly undo: Action | null;
}

/** An update of several containers stops when more of its replacements failed than may. */
export interface UpdateRole {
  /**
   * `begins`: the first step of a replacement, which is not begun any more then. `proves`: the one whose end says whether a replacement succeeded.
   * `seals`: after it there is no way back; not begun any more either.
   */
  readonly role: "begins" | "proves" | "seals";
  /** How many replacements may fail. */
  readonly tolerated: number;
  /** Whether those that succeeded are taken back then, too. */
  readonly rollback: boolean;
  /** How they are. Absent: all at once. */
  readonly wayBack?: WayBack;
}

/** How replacements are taken back. */
export interface WayBack {
  /** At once; 0: all. */
  readonly parallelism: number;
  /** Between one lot and the next. */
  readonly delayMs: number;
  /** For how long what runs again is watched before the next lot. */
  readonly monitorMs: number;
  /** How many may fail at it; when more do, no further one is taken back. */
  readonly tolerated: number;
}

export type ChangeKind = "create" | "replace" | "update" | "start" | "stop" | "remove" | "pull" | "unchanged";

export interface Change {
  readonly kind: ChangeKind;
  /** `container/shop-web-1`, `network/shop_default`, `volume/shop_data`, `image/nginx:latest`, `supervisor/shop`. */
  readonly address: string;
  readonly reason: string;
  readonly attributes: readonly AttributeChange[];
  /** It was there, and is gone or ended, and nobody asked wharf for that. */
  readonly drift: boolean;
}

export interface AttributeChange {
  /** Dotted path inside the service (`environment.COLOR`). */
  readonly path: string;
  /** `null`: not set. */
  readonly before: Json;
  readonly after: Json;
  readonly source: Source | null;
  /** Why only a new container can have it, a sentence's end; `null`: what is there gets it. */
  readonly fixedBecause: string | null;
}
