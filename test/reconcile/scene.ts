/** A world for runs on the memory engine, with what they tell of themselves. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../../src/engine/engine.ts";
import type { ImageConfig } from "../../src/engine/images.ts";
import { createMemoryEngine } from "../../src/engines/memory/engine.ts";
import type { Event } from "../../src/model/event.ts";
import { familiar } from "../../src/model/reference.ts";
import type { World } from "../../src/reconcile/reconcile.ts";
import { tinyShell } from "../support/tiny-shell.ts";

export interface Scene {
  readonly engine: Engine;
  /** What the registry has, by familiar name; every other name has an image that runs forever. `null`: it has none. */
  readonly registry: Map<string, ImageConfig | null>;
  /** Names whose pull does not come to an end by itself. */
  readonly stuck: Set<string>;
  readonly events: Event[];
  world(given?: Partial<World>): World;
  /** What was told since the last call, in short. */
  told(): readonly string[];
  /** Names of all containers with their states. */
  containers(): Promise<readonly string[]>;
  /** Id of a container. */
  idOf(name: string): Promise<string | undefined>;
  dispose(): Promise<void>;
}

export async function makeScene(options: { readonly healthchecks?: "none" | "client" } = {}): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), "wharf-reconcile-"));
  const registry = new Map<string, ImageConfig | null>();
  const stuck = new Set<string>();
  const events: Event[] = [];
  const steps = new Map<number, string>();
  const lines: string[] = [];
  const engine = createMemoryEngine({
    healthchecks: "none",
    ...options,
    program: tinyShell,
    registry: async (reference, signal) => {
      const name = familiar(reference);
      if (stuck.has(name)) await sleep(60_000, null, { signal });
      const config = registry.get(name);
      return config === undefined ? FOREVER : config;
    },
  });
  const { signal } = new AbortController();
  return {
    engine,
    registry,
    stuck,
    events,
    world: (given = {}) => ({
      engine,
      emit: (event) => {
        events.push(event);
        if (event.type === "plan.ready") for (const { id, kind, subject } of event.steps) steps.set(id, `${kind} ${subject}`);
        lines.push(...inShort(event, (id) => steps.get(id) ?? `step ${id}`));
      },
      signal,
      lockDirectory: join(directory, "locks"),
      revisionDirectory: join(directory, "revisions"),
      lockTimeoutMs: 0,
      confirm: () => Promise.reject(new Error("nothing was to be asked")),
      ...given,
    }),
    told: () => lines.splice(0),
    containers: async () => (await engine.containers(signal)).map(({ name, state }) => `${name} ${state}`).sort(),
    idOf: async (name) => (await engine.containers(signal)).find((container) => container.name === name)?.id,
    dispose: async () => {
      await engine.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** An image that runs until it is told to end. */
export const FOREVER: ImageConfig = { Cmd: ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"] };

/** An image whose program does this and ends. */
export function image(script: string): ImageConfig {
  return { Cmd: ["sh", "-c", script] };
}

/** What became of a step, as `container.start shop-web-1: done`; a notice by its code. */
function inShort(event: Event, name: (id: number) => string): readonly string[] {
  switch (event.type) {
    case "step.done":
      return [`${name(event.step)}: done`];
    case "step.failed":
      return [`${name(event.step)}: ${event.diagnostics.map(({ code }) => code).join(", ")}`];
    case "step.skipped":
      return [`${name(event.step)}: skipped${event.because === null ? "" : ` because of ${name(event.because)}`}`];
    case "notice":
      return [event.diagnostic.code];
    case "run.finished":
      return [event.outcome];
    default:
      return [];
  }
}
