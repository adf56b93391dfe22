import { setTimeout as sleep } from "node:timers/promises";
import type { Check } from "../../engine/doctor.ts";
import type { ApplyContext, Engine } from "../../engine/engine.ts";
import type { ImageConfig } from "../../engine/images.ts";
import type { Action } from "../../model/action.ts";
import { diagnosticsOf, Failure } from "../../model/diagnostic.ts";
import { familiar } from "../../model/reference.ts";
import {
  attachTo,
  createContainer,
  execIn,
  filesOf,
  killContainer,
  processesOf,
  removeContainer,
  runAttached,
  startContainer,
  stopContainer,
  updateContainer,
  usageOf,
  waitFor,
  waitUntil,
} from "./containers.ts";
import { contentless, imagesOf, observedImage, registryImage, sha256 } from "./images.ts";
import { containerDocument } from "./inspect.ts";
import { readLines } from "./lines.ts";
import { networksOf } from "./networks.ts";
import { type ActionOf, byId, change, type MemoryOptions, madeOf, type Place } from "./place.ts";
import { createVolume, labelVolume, volumesOf } from "./volumes.ts";
import { type Image, memoryStore, observedBy, type Store, shown } from "./world.ts";
import { fileStore, worldFile } from "./world-file.ts";

/** The engine that holds no real container: all it does is remember. What one command did the next one finds in a file below `root`. */
export async function createEngine({ root }: { readonly root: string }): Promise<Engine> {
  const store = fileStore(root);
  store.read(); // what is wrong with the file is said before anything begins
  return engineOn(store, {});
}

/** As `createEngine`, for this process alone, with what happens in its containers and registries in the hands of the caller. */
export function createMemoryEngine(options: MemoryOptions = {}): Engine {
  return engineOn(memoryStore(), options);
}

export async function doctor({ root }: { readonly root: string }): Promise<readonly Check[]> {
  const name = "a file to remember in";
  try {
    const { containers } = fileStore(root).read().observed;
    return [{ name, ok: true, detail: `${worldFile(root)} (containers: ${containers.length})`, fix: null }];
  } catch (error) {
    const [problem] = diagnosticsOf(error);
    return [{ name, ok: false, detail: problem?.message ?? "", fix: `rm ${worldFile(root)}` }];
  }
}

function engineOn(store: Store, options: MemoryOptions): Engine {
  const place: Place = { store, options, runs: new Map(), guests: new Set(), stopping: new Set() };
  return {
    name: "memory",
    capabilities: { scheduling: "client", healthchecks: options.healthchecks ?? "engine", builds: false },
    observe: async (project) => observedBy(project, store.read()),
    apply: (action, context) => apply(place, action, context),
    containers: async () => store.read().observed.containers.map(shown),
    logs: (ids, logOptions, signal) => readLines(store, ids, { options: logOptions, signal }),
    events: async function* () {}, // nothing of it is kept
    exec: (id, execOptions, signal) => execIn(place, id, { options: execOptions, signal }),
    runAttached: (id, _, signal) => runAttached(place, id, signal),
    attach: (id, _, signal) => attachTo(place, id, signal),
    wait: (id, signal) => waitFor(place, id, signal),
    processes: async (id) => processesOf(place, id),
    usage: async (id) => usageOf(place, id),
    exportFiles: (id) => filesOf(place, id).read("/", "."),
    files: async (id) => filesOf(place, id),
    commit: async (id) => {
      throw contentless("committed", [byId(place, id).name]);
    },
    inspect: async (id) => containerDocument(byId(place, id), madeOf(place, id)),
    images: imagesOf(store, (reference, signal) => fetched(place, { reference, platform: null }, signal)),
    networks: networksOf(place),
    volumes: volumesOf(place),
    close: async () => {
      const all = [...place.runs.values(), ...place.guests];
      for (const run of all) run.send("SIGKILL");
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

/** Milliseconds: what is played here ends at once, if at all. */
const MOMENT = 20;

async function apply(place: Place, action: Action, context: ApplyContext): Promise<void> {
  switch (action.kind) {
    case "image.pull":
      return pull(place, action, context);
    case "network.create":
    case "network.update":
    case "network.connect":
    case "network.remove":
    case "volume.remove":
    case "container.hook":
    case "container.rename":
    case "container.pause":
    case "container.unpause":
    case "supervisor.start":
      return change(place, action);
    case "volume.create":
      return createVolume(place, action);
    case "volume.update":
      return labelVolume(place, action);
    case "container.create":
      return createContainer(place, action);
    case "container.update":
      return updateContainer(place, action);
    case "container.start":
      return startContainer(place, action.container, action.beside === true);
    case "container.takeover":
    case "container.drain":
      return change(place, action);
    case "container.stop":
      return stopContainer(place, action, context.signal);
    case "container.kill":
      return killContainer(place, action);
    case "container.restart":
      await stopContainer(place, action, context.signal);
      return startContainer(place, action.container);
    case "container.remove":
      return removeContainer(place, action);
    case "container.prove":
      await sleep(MOMENT, null, { signal: context.signal });
      return change(place, action);
    case "container.wait":
      return waitUntil(place, action, context.signal);
  }
}

async function pull(place: Place, action: ActionOf<"image.pull">, { signal, note }: ApplyContext): Promise<void> {
  const { reference, policy, platform } = action;
  if (policy === "missing" && place.store.read().observed.images[reference] !== undefined) return;
  const image = await fetched(place, { reference, platform }, signal);
  const digest = sha256(image.id);
  change(place, { ...action, policy: "always" }, { registry: () => observedImage(image, digest) });
  const world = place.store.read();
  place.store.write({ ...world, images: { ...world.images, [image.id]: image } });
  note(`digest: ${digest}`);
}

/** What its registry has of an image. Throws `E_IMAGE_NOT_FOUND`. */
async function fetched(
  place: Place,
  { reference, platform }: Pick<ActionOf<"image.pull">, "reference" | "platform">,
  signal: AbortSignal,
): Promise<Image> {
  const config = await (place.options.registry ?? anyImage)(reference, signal);
  if (config === null)
    throw new Failure({
      code: "E_IMAGE_NOT_FOUND",
      message: `there is no image ${familiar(reference)} in its registry`,
      hint: "check its name and tag",
    });
  return registryImage(reference, { config, platform });
}

function anyImage(): ImageConfig {
  return { Cmd: ["/run"] };
}
