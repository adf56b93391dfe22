/** An image of a container: its own, and what the container changed in its files. */
import { closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import type { CommitOptions } from "../../engine/engine.ts";
import type { ImageConfig } from "../../engine/images.ts";
import { packChanges } from "../../files/pack.ts";
import type { Context } from "./context.ts";
import { noteEvent } from "./events.ts";
import { freeze, isFrozen, thaw } from "./freezer.ts";
import { intending } from "./intents.ts";
import { containerDirectory, type Layout } from "./layout.ts";
import { type Container, type ContainerRecord, liveRun } from "./records.ts";
import { INIT_TARGET } from "./spec-mounts.ts";

/** Throws E_IMAGE_ABSENT, E_COMMIT, and what freezing throws. */
export async function commitContainer(
  context: Context,
  { record }: Container,
  { options, signal }: { readonly options: CommitOptions; readonly signal: AbortSignal },
): Promise<string> {
  const { layout, store } = context;
  const { id } = record;
  const directory = openSync(join(containerDirectory(layout, id), "upper"), constants.O_RDONLY);
  const write = async (): Promise<string> => {
    const image = await store.addLayer(
      packChanges({ directory, skip: notItsOwn(record) }),
      {
        base: record.image.id,
        reference: options.reference,
        config: withChanges(configOf(record), options.config),
        author: options.author,
        comment: options.message,
        createdBy: record.process.argv.join(" "),
      },
      signal,
    );
    noteEvent(layout, {
      record,
      action: "commit",
      attributes: { comment: options.message, imageID: image, imageRef: options.reference ?? "" },
    });
    return image;
  };
  try {
    const isToBeHeld = options.pause && liveRun(layout, id) !== null && !isFrozen(layout, id);
    return await (isToBeHeld ? holding(layout, id, write) : write());
  } finally {
    closeSync(directory);
  }
}

/** Does something while a container stands still. */
function holding<T>(layout: Layout, id: string, work: () => Promise<T>): Promise<T> {
  return intending(layout, { id, intent: "held" }, async () => {
    try {
      await freeze(layout, id);
      return await work();
    } finally {
      await thaw(layout, id);
    }
  });
}

/** What the container runs and how, as an image says it. */
function configOf({ image, process, spec }: ContainerRecord): ImageConfig {
  // What was kept for builds was for those from the image before.
  const { Cmd: _, Entrypoint: __, User: ___, OnBuild: ____, ...kept } = image.config;
  return {
    ...kept,
    ...(process.command.length === 0 ? {} : { Cmd: process.command }),
    ...(process.entrypoint.length === 0 ? {} : { Entrypoint: process.entrypoint }),
    ...(process.user === null ? {} : { User: process.user }),
    Env: process.declaredEnv,
    WorkingDir: process.cwd,
    Labels: process.labels,
    ExposedPorts: Object.fromEntries(process.exposedPorts.map(({ port, protocol }) => [`${port}/${protocol}`, {}])),
    ...(spec.service.stopSignal === null ? {} : { StopSignal: process.stopSignal }),
  };
}

/** Pure. */
export function withChanges(config: ImageConfig, changes: ImageConfig): ImageConfig {
  const named = new Map([...(config.Env ?? []), ...(changes.Env ?? [])].map((entry) => [entry.split("=", 1)[0] ?? entry, entry]));
  return {
    ...config,
    ...changes,
    ...(named.size === 0 ? {} : { Env: [...named.values()] }),
    ...merged("Labels", config, changes),
    ...merged("ExposedPorts", config, changes),
    ...merged("Volumes", config, changes),
  };
}

function merged(key: "Labels" | "ExposedPorts" | "Volumes", config: ImageConfig, changes: ImageConfig): ImageConfig {
  const all = { ...config[key], ...changes[key] };
  return Object.keys(all).length === 0 ? {} : { [key]: all };
}

/** Files and directories that are there for something to be mounted on them alone, by the runtime or by us. */
function notItsOwn({ mounts }: ContainerRecord): (path: string) => boolean {
  const targets = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", INIT_TARGET, ...mounts.map(({ target }) => target)];
  const named = new Set(targets.map((target) => Buffer.from(target.slice(1)).toString("latin1")));
  return (path) => named.has(path) || /^(?:dev|proc|sys)(?:\/|$)/.test(path);
}
