import type { Check } from "../engine/doctor.ts";
import type { Engine } from "../engine/engine.ts";
import type { RegistryMirror } from "../model/registry-settings.ts";

export interface EngineOptions {
  /** Directory of durable data. */
  readonly root: string;
  /** Directory of what does not outlive a boot. */
  readonly run: string;
  /** The caller's environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Registry hosts that may be spoken to over http besides loopback. */
  readonly insecureRegistries: readonly string[];
  /** Tried before the registries that they mirror, in this order. */
  readonly registryMirrors: readonly RegistryMirror[];
}

/** What an engine's module offers. `createEngine` throws a `Failure` that says what is missing where the engine cannot work. */
export interface EngineModule {
  createEngine(options: EngineOptions): Promise<Engine>;
  doctor(options: EngineOptions): Promise<readonly Check[]>;
}

/** The only file that knows all engines. Each is loaded when it is used. */
export const ENGINES = {
  oci: () => import("../engines/oci/engine.ts"),
  memory: () => import("../engines/memory/engine.ts"),
} as const satisfies Record<string, () => Promise<EngineModule>>;

export type EngineName = keyof typeof ENGINES;

/** Engines that are tried in this order when none is asked for. `memory` holds no real container: it is there for tests, and only by its name. */
export const DEFAULT_ENGINES: readonly EngineName[] = ["oci"];

export async function openEngine(name: EngineName | null, options: EngineOptions): Promise<Engine> {
  const { createEngine } = await ENGINES[name ?? "oci"]();
  return createEngine(options);
}
