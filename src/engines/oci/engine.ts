import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Check } from "../../engine/doctor.ts";
import type { ApplyContext, Engine } from "../../engine/engine.ts";
import type { Images } from "../../engine/images.ts";
import { openStore } from "../../images/images.ts";
import type { ImageUsers } from "../../images/store/remove.ts";
import { sweepTemporaries } from "../../lib/atomic-file.ts";
import { LockHeld, withLock } from "../../lib/file-lock.ts";
import { isAlive } from "../../lib/process-identity.ts";
import type { Action } from "../../model/action.ts";
import { Failure } from "../../model/diagnostic.ts";
import { LABEL } from "../../model/labels.ts";
import type { RegistryMirror } from "../../model/registry-settings.ts";
import { killAsked, removeAsked, restartAsked, startAsked, stopAsked } from "./asked.ts";
import { type AttachRequest, attachTo, runAttached } from "./attached.ts";
import { cgroupManager } from "./cgroup-manager.ts";
import { commitContainer } from "./commit.ts";
import { type Context, createContext } from "./context.ts";
import { createContainer } from "./create.ts";
import { checkMachine } from "./doctor.ts";
import { forgetMissing, sweepExits } from "./drift.ts";
import { noteEvent, readEvents } from "./events.ts";
import { execIn } from "./exec.ts";
import { exportFiles, filesOf } from "./files.ts";
import { sweepSecrets } from "./given-files.ts";
import { runHook } from "./hooks.ts";
import { inspectContainer } from "./inspection.ts";
import { openLayout } from "./layout.ts";
import { isLeft, removeLeft } from "./left.ts";
import { readLogs } from "./logs.ts";
import { networksOf } from "./network/network-care.ts";
import { createNetwork, removeNetwork, sweepNetworks, type WantedNetwork } from "./network/networks.ts";
import { connectNetwork, updateNetwork } from "./network/rewire.ts";
import { observeAll, observeProject } from "./observe.ts";
import { pauseContainer, unpauseContainer } from "./pause.ts";
import { processesOf } from "./processes.ts";
import { proveContainer } from "./prove.ts";
import {
  allContainers,
  clearState,
  containerNamed,
  containerWithId,
  findContainer,
  readStarting,
  renameRecord,
  sweepRecords,
} from "./records.ts";
import { removeUnusedVolume, tidy } from "./remove.ts";
import { ensureSupervisor, supervisorGone } from "./supervisor/launch.ts";
import { drain, takeOver } from "./takeover.ts";
import { updateContainer } from "./update.ts";
import { usageOf } from "./usage.ts";
import { volumesOf } from "./volume-care.ts";
import { sweepHolds } from "./volume-mounts.ts";
import { createVolume, labelVolume, sweepVolumes } from "./volumes.ts";
import { waitFor, waitUntil } from "./waits.ts";

export interface OciOptions {
  readonly root: string;
  readonly run: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors?: readonly RegistryMirror[];
}

/** The engine that needs no daemon. Looking works for anybody who may read its directories; changing anything needs root. */
export async function createEngine(options: OciOptions): Promise<Engine> {
  if (process.geteuid?.() !== 0)
    throw new Failure({
      code: "E_NO_PRIVILEGE",
      message: "the oci engine needs root to make namespaces and mounts",
      hint: "run it with sudo, or choose another engine with --engine",
    });
  const layout = openLayout(options.root, options.run);
  const { env, insecureRegistries, registryMirrors = [] } = options;
  const store = openStore({ directory: layout.images, env, insecureRegistries, registryMirrors });
  const context = createContext(layout, store, cgroupManager(env["WHARF_CGROUP_MANAGER"]));
  let swept: Promise<void> | undefined;
  const attaching = (id: string, request: Omit<AttachRequest, "wait">): AttachRequest => ({
    ...request,
    wait: () => waitFor(layout, id, request.signal),
  });
  return {
    name: "oci",
    capabilities: { scheduling: "client", healthchecks: "engine", builds: false },
    observe: (project) => observeProject(context, project),
    apply: async (action, applyContext) => {
      if (MAKES.has(action.kind)) context.tools(); // what cannot be finished here is not begun
      if (action.kind === "network.create") await callSupervisor(context, action.labels[LABEL.project]);
      if (action.kind !== "image.pull") {
        swept ??= sweep(context); // the image store has a sweep of its own
        await swept;
      }
      await apply(context, action, applyContext);
    },
    containers: async () => observeAll(context),
    logs: (ids, logOptions, signal) => readLogs(layout, ids, { options: logOptions, signal }),
    events: (project, eventOptions, signal) => readEvents(layout, project, { options: eventOptions, signal }),
    exec: async (id, execOptions, signal) => execIn(context, containerWithId(layout, id), { options: execOptions, signal }),
    runAttached: async (id, options, signal) => runAttached(context, containerWithId(layout, id), attaching(id, { options, signal })),
    attach: async (id, options, signal) => attachTo(context, containerWithId(layout, id), attaching(id, { options, signal })),
    wait: (id, signal) => waitFor(layout, id, signal),
    processes: async (id) => processesOf(context, containerWithId(layout, id)),
    usage: async (id) => usageOf(context, containerWithId(layout, id)),
    exportFiles: (id) => exportFiles(context, containerWithId(layout, id)),
    files: async (id) => filesOf(context, containerWithId(layout, id)),
    commit: async (id, commitOptions, signal) => commitContainer(context, containerWithId(layout, id), { options: commitOptions, signal }),
    inspect: async (id) => inspectContainer(context, containerWithId(layout, id)),
    images: imagesOf(context),
    networks: networksOf(context),
    volumes: volumesOf(context),
    close: async () => {
      for (const project of context.emptied) await supervisorGone(layout, project);
      await store.close();
    },
  };
}

/** Most networks are made for containers that start next, and a start waits for who answers for names: that takes longest to come up. */
async function callSupervisor(context: Context, project: string | undefined): Promise<void> {
  if (project === undefined) return;
  context.emptied.add(project); // no container may come of it
  await ensureSupervisor(context, project);
}

/** What only a machine with all tools is asked to do. */
const MAKES: ReadonlySet<Action["kind"]> = new Set(["network.create", "volume.create", "container.create", "container.start"]);

export async function doctor(options: { readonly root: string }): Promise<readonly Check[]> {
  return checkMachine(options);
}

async function apply(context: Context, action: Action, { signal, progress, note }: ApplyContext): Promise<void> {
  const { layout, store } = context;
  switch (action.kind) {
    case "image.pull":
      await store.pull(action.reference, { platform: action.platform, policy: action.policy, progress, note, signal });
      return;
    case "network.create":
      return createNetwork(layout, wantedNetwork(action));
    case "network.update":
      await updateNetwork(layout, wantedNetwork(action));
      return context.syncNetwork();
    case "network.connect":
      await connectNetwork(layout, action.network);
      return context.syncNetwork();
    case "network.remove":
      await removeNetwork(layout, action.network, { exists: (id) => findContainer(layout, id) !== null });
      return context.syncNetwork();
    case "volume.update":
      return labelVolume(layout, action.volume, action.labels);
    case "volume.create":
      return createVolume(layout, {
        name: action.volume,
        project: action.labels[LABEL.project] ?? null,
        key: action.key,
        anonymous: false,
        labels: action.labels,
        ...(action.driverOptions === undefined ? {} : { driverOptions: action.driverOptions }),
      });
    case "volume.remove":
      return removeUnusedVolume(context, action.volume);
    case "container.create":
      return createContainer(context, action);
    case "container.update":
      return updateContainer(context, containerNamed(layout, action.container), action.spec);
    case "container.start":
      return startAsked(context, containerNamed(layout, action.container), action);
    case "container.takeover":
      return takeOver(context, containerNamed(layout, action.container), action.from === null ? null : containerNamed(layout, action.from));
    case "container.drain":
      return drain(context, containerNamed(layout, action.container), { graceMs: action.graceMs, signal });
    case "container.stop":
      return stopAsked(context, containerNamed(layout, action.container), { graceMs: action.graceMs, signal });
    case "container.kill":
      return killAsked(context, containerNamed(layout, action.container), action.signal);
    case "container.hook":
      return runHook(context, containerNamed(layout, action.container), { ...action, signal, note });
    case "container.pause":
      return pauseContainer(context, containerNamed(layout, action.container));
    case "container.unpause":
      return unpauseContainer(context, containerNamed(layout, action.container));
    case "container.restart":
      return restartAsked(context, containerNamed(layout, action.container), {
        graceMs: action.graceMs,
        signal,
        contents: action.contents,
      });
    case "container.remove":
      if (!existsSync(join(layout.names, action.container)) && forgetMissing(layout, action.container)) return;
      return removeAsked(context, containerNamed(layout, action.container), { force: action.force, volumes: action.volumes });
    case "container.rename":
      await rename(context, action);
      return context.syncNetwork();
    case "container.prove":
      return proveContainer(context, containerNamed(layout, action.container), { ...action, signal });
    case "container.wait":
      return waitUntil(context, action, { signal, note });
    case "supervisor.start":
      return ensureSupervisor(context, action.project);
  }
}

async function rename({ layout }: Context, { container, to }: { readonly container: string; readonly to: string }): Promise<void> {
  const record = await renameRecord(layout, containerNamed(layout, container).record, to);
  noteEvent(layout, { record, action: "rename", attributes: { oldName: `/${container}` } });
}

function wantedNetwork(action: Extract<Action, { readonly kind: "network.create" | "network.update" }>): WantedNetwork {
  const { network: name, key, labels, config, attributes } = action;
  return { name, project: labels[LABEL.project] ?? "", key, labels, config, attributes };
}

function imagesOf({ layout, store }: Context): Images {
  const users = (): ImageUsers => {
    const found = new Map<string, { readonly name: string; readonly running: boolean }[]>();
    for (const { record, status } of allContainers(layout))
      for (const { id } of [record.image, ...record.mounts.flatMap(({ image }) => image ?? [])])
        found.set(id, [...(found.get(id) ?? []), { name: record.name, running: status.state === "running" }]);
    return found;
  };
  return {
    list: () => store.list(),
    inspect: (nameOrId) => store.inspect(nameOrId),
    history: (nameOrId) => store.history(nameOrId),
    tag: (nameOrId, target) => store.tag(nameOrId, target),
    import: (tar, options, signal) => store.import(tar, options, signal),
    resolve: (reference, signal) => store.resolve(reference, signal),
    push: (reference, progress, signal) => store.push(reference, progress, signal),
    remove: (nameOrId, { force }) => store.remove(nameOrId, { force, users: users() }),
    prune: (options) => store.prune({ ...options, users: users() }),
    save: (namesOrIds, format, signal) => store.save(namesOrIds, format, signal),
    load: (archive, progress, signal) => store.load(archive, progress, signal),
    verify: (namesOrIds, options, signal) => store.verify(namesOrIds, { ...options, users: users(), signal }),
    usage: () => store.usage(users()),
  };
}

/** Once a command that changes something: what commands left that were killed half-way goes first. */
async function sweep(context: Context): Promise<void> {
  const { layout } = context;
  await Promise.all([
    sweepRecords(layout),
    sweepExits(layout),
    sweepNetworks(layout),
    sweepVolumes(layout),
    sweepHolds(layout),
    sweepSecrets(layout),
    sweepTemporaries(layout.locks),
    sweepStarts(context),
  ]);
  await sweepLeft(context);
}

/** Where their project has no supervisor any more: after a reboot, above all. */
async function sweepLeft(context: Context): Promise<void> {
  for (const container of allContainers(context.layout)) {
    if (!isLeft(context.layout, container)) continue;
    try {
      await removeLeft(context, container.record.id);
    } catch (error) {
      if (!(error instanceof LockHeld)) throw error; // the supervisor is at it
    }
  }
}

/** Starts that their commands did not live to finish: what waits there to begin holds ports that others may want. */
async function sweepStarts(context: Context): Promise<void> {
  const { layout } = context;
  const broken = (): readonly string[] =>
    allContainers(layout).flatMap(({ record }) => {
      const starting = readStarting(layout, record.id);
      return starting !== null && !isAlive(starting.owner) ? [record.id] : [];
    });
  if (broken().length === 0) return;
  await withLock(join(layout.locks, "sweep.lock"), { purpose: "clear away what was broken off", timeoutMs: 60_000 }, async () => {
    for (const id of broken()) {
      await tidy(context, id);
      await clearState(layout, id);
    }
  });
}
