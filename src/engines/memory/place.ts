import type { Capabilities } from "../../engine/engine.ts";
import type { ImageConfig } from "../../engine/images.ts";
import type { Action } from "../../model/action.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { ObservedContainer } from "../../model/observed.ts";
import type { Reference } from "../../model/reference.ts";
import { type Chance, simulate } from "../../model/simulate.ts";
import type { Program, Run } from "./programs.ts";
import { type Made, type Store, tidied } from "./world.ts";

export interface MemoryOptions {
  /** What a registry has under a name, or `null` when it has nothing. Without it there is an image of every name. */
  readonly registry?: (reference: Reference, signal: AbortSignal) => ImageConfig | null | Promise<ImageConfig | null>;
  /** Plays the programs of containers. Without it they print their command and go on until something ends them. */
  readonly program?: Program;
  /** `engine` unless given. A container is healthy as soon as it runs. */
  readonly healthchecks?: Capabilities["healthchecks"];
}

/** What every part of the engine works with. */
export interface Place {
  readonly store: Store;
  readonly options: MemoryOptions;
  /** First processes of containers, by container id. */
  readonly runs: Map<string, Run>;
  /** Processes that `exec` put beside them. */
  readonly guests: Set<Run>;
  /** Ids of containers that were told to stop. */
  readonly stopping: Set<string>;
}

export type ActionOf<K extends Action["kind"]> = Extract<Action, { readonly kind: K }>;

/** What an action does by itself. The world is read and written in one go: within a process nothing comes in between. */
export function change({ store }: Place, action: Action, chance: Chance = {}): void {
  const world = store.read();
  const observed = simulate(world.observed, action, { now: new Date().toISOString(), ...chance });
  if (observed !== world.observed) store.write(tidied({ ...world, observed }));
}

/** Throws E_NO_SUCH_CONTAINER. */
export function byId({ store }: Place, id: string): ObservedContainer {
  const container = store.read().observed.containers.find((candidate) => candidate.id === id);
  return container ?? missing(`there is no container ${id.slice(0, 12)}`);
}

/** Throws E_NO_SUCH_CONTAINER. */
export function byName({ store }: Place, name: string): ObservedContainer {
  const container = store.read().observed.containers.find((candidate) => candidate.name === name);
  return container ?? missing(`there is no container named ${name}`);
}

export function madeOf({ store }: Place, id: string): Made {
  return store.read().made[id] ?? missing(`nothing is known of what container ${id.slice(0, 12)} was made of`);
}

function missing(message: string): never {
  throw new Failure({ code: "E_NO_SUCH_CONTAINER", message, hint: "wharf ps -a lists those there are" });
}
