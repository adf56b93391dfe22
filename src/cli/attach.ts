import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../engine/engine.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Emit } from "../model/event.ts";
import type { ContainerState, ObservedContainer } from "../model/observed.ts";
import type { Project } from "../model/project.ts";
import { withDependencies } from "../plan/order.ts";
import { operate } from "../reconcile/reconcile.ts";
import { labels, pourLogs } from "./logs.ts";
import { sorted } from "./selection.ts";
import type { Session } from "./session.ts";

/** How an attached `up` follows its containers. */
export interface AttachChoice {
  /** Only these services' logs; empty: all. */
  readonly only: readonly string[];
  readonly except: readonly string[];
  readonly prefix: boolean;
  readonly timestamps: boolean;
  readonly colour: boolean;
  /** Stop everything when the first container ends, or the first that ends badly. */
  readonly abortOn: "exit" | "failure" | null;
  /** Also what the services named depend on. */
  readonly dependencies: boolean;
  /** The service whose exit status becomes the command's; its end, and any other, ends everything. */
  readonly exitCodeFrom: string | null;
}

export interface AttachOptions extends AttachChoice {
  /** Milliseconds since 1970: only what was written after. */
  readonly since: number;
  /** Services that the run was about; `null`: all. */
  readonly names: readonly string[] | null;
}

export interface End {
  readonly container: ObservedContainer;
  readonly status: number;
}

/**
 * Shows the logs of a project until all its containers ended. The first interruption stops them and goes on showing what they say, the second
 * kills them. Gives the exit status.
 */
export async function attach(session: Session, project: Project, options: AttachOptions): Promise<number> {
  const { exitCodeFrom } = options;
  const engine = await session.engine();
  const { names, dependencies } = options;
  const meant = names === null || !dependencies ? (names ?? []) : [...withDependencies(project.services, names)];
  const containers = sorted(await session.containers(project.name)).filter((c) => !c.oneOff && isWanted(c, meant, []));
  if (containers.length === 0) return 0;

  const awaitedNames = names === null ? null : new Set([...names, ...(exitCodeFrom === null ? [] : [exitCodeFrom])]);
  const over = new AbortController();
  const shown = containers.filter((c) => isShown(c, options, project));
  const called = labels(shown);
  if (shown.length > 0) session.say(`Attaching to ${shown.map(({ id, name }) => called.get(id) ?? name).join(", ")}`);
  const logs = pourLogs(session, shown, { ...options, follow: true, tail: null, until: null }, over.signal);
  const ends = containers.map((container) => watchEnd(session, engine, container, over.signal));
  const own = ends.filter((_, i) => awaitedNames === null || awaitedNames.has(containers[i]?.service ?? ""));
  for (const end of ends) if (!own.includes(end)) end.catch(() => {}); // what only came along is let go of when the others are over
  const all = Promise.all(own);
  const abortOn = exitCodeFrom === null ? options.abortOn : (options.abortOn ?? "exit");
  const first = abortOn === "failure" ? firstFailure(ends) : Promise.race(ends);
  const stopped = stopWhen(session, project, { containers, names: awaitedNames, all, first: abortOn === null ? null : first });

  const statuses = await all;
  await stopped;
  await Promise.race([logs, grace()]); // the last lines are on their way
  over.abort();
  await logs;
  if (exitCodeFrom !== null) return statuses.find(({ container }) => container.service === exitCodeFrom)?.status ?? 0;
  return abortOn === null ? 0 : ((await Promise.race([first, all.then(() => null)]))?.status ?? 0);
}

/** The first end with a status other than 0; never settles where there is none. */
function firstFailure(ends: readonly Promise<End>[]): Promise<End> {
  return new Promise((resolve, reject) => {
    for (const end of ends) end.then((ended) => (ended.status === 0 ? undefined : resolve(ended)), reject);
  });
}

/** Whether a container's logs are shown: where none are named, not those of services with `attach: false`. */
export function isShown(
  container: ObservedContainer,
  { only, except }: Pick<AttachChoice, "only" | "except">,
  { services }: Project,
): boolean {
  if (!isWanted(container, only, except)) return false;
  return only.length > 0 || services.find(({ name }) => name === container.service)?.attach !== false;
}

export function isWanted(container: ObservedContainer, only: readonly string[], except: readonly string[]): boolean {
  const service = container.service ?? "";
  return (only.length === 0 || only.includes(service)) && !except.includes(service);
}

/** Says how a container ended, each time; over when it does not come back by itself. */
export async function watchEnd(session: Session, engine: Engine, container: ObservedContainer, signal: AbortSignal): Promise<End> {
  const name = labels([container]).get(container.id) ?? container.name;
  try {
    for (;;) {
      const status = await engine.wait(container.id, signal);
      const again = await comesBack(engine, container, signal);
      session.say(`${name} exited with code ${status}${again ? " (restarting)" : ""}`);
      if (!again) return { container, status };
      while ((await stateOf(engine, container, signal)) === "restarting") await sleep(RESTART_LOOK_MS, undefined, { signal });
    }
  } catch (error) {
    if (!(error instanceof Failure && error.has("E_NO_SUCH_CONTAINER"))) throw error;
    session.say(`${name} was removed`);
    return { container, status: 0 };
  }
}

async function comesBack(engine: Engine, container: ObservedContainer, signal: AbortSignal): Promise<boolean> {
  const state = await stateOf(engine, container, signal);
  return state === "restarting" || state === "running";
}

/** `null`: it was removed. */
async function stateOf(engine: Engine, { id }: ObservedContainer, signal: AbortSignal): Promise<ContainerState | null> {
  return (await engine.containers(signal)).find((other) => other.id === id)?.state ?? null;
}

/** How often is looked whether a container that waits to come back is back. */
const RESTART_LOOK_MS = 100;

interface Watched {
  readonly containers: readonly ObservedContainer[];
  /** The services that are stopped; `null`: all. */
  readonly names: ReadonlySet<string> | null;
  readonly all: Promise<unknown>;
  /** The end of a container that ends all of them, or `null` when none does. */
  readonly first: Promise<unknown> | null;
}

/**
 * Stops the project when asked to, by an interruption or because one container ended, and lets a second interruption kill its containers.
 * Settles when what it began is over; with the last container when nothing asked for it.
 */
async function stopWhen(session: Session, project: Project, { containers, names, all, first }: Watched): Promise<void> {
  const interrupted = new Promise<void>((resolve) => {
    if (session.signal.aborted) resolve();
    session.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const cause = await Promise.race([
    interrupted.then(() => "interrupted" as const),
    all.then(() => "over" as const),
    ...(first === null ? [] : [first.then(() => "first" as const)]),
  ]);
  if (cause === "over") return;
  session.say(cause === "interrupted" ? "stopping … (Ctrl-C again to kill)" : "Aborting on container exit...");
  await stopAll(session, project, { containers, names });
}

/** Stops a project, or services of it, whatever interrupted the session; a further interruption kills the containers. */
export async function stopAll(
  session: Session,
  project: Project,
  { containers, names }: Pick<Watched, "containers" | "names">,
): Promise<void> {
  const engine = await session.engine();
  const fresh = new AbortController(); // the session's own signal has gone off; what it asks for must still be done
  session.interrupts.onSecond(() => {
    session.say("killing …");
    for (const { name, service } of containers) if (names === null || names.has(service ?? "")) void kill(session, engine, name);
  });
  const { progress } = session.settings;
  const renderer = progress === "json" || progress === "quiet" ? progress : "plain"; // the logs go on meanwhile
  const world = await session.world({ signal: fresh.signal, renderer });
  const emit = renderer === "plain" ? hooksTold(session, world.emit, containers) : world.emit;
  await operate({ ...world, emit }, project, { kind: "stop", graceMs: null }, names === null ? null : [...names]);
  await session.endRun();
}

/** What hooks print goes where the logs go, and looks like them. */
function hooksTold(session: Session, emit: Emit, containers: readonly ObservedContainer[]): Emit {
  const prefixes = labels(containers);
  const hooks = new Map<number, string>();
  return (event) => {
    if (event.type === "plan.ready") for (const { id, kind, subject } of event.steps) if (kind === "container.hook") hooks.set(id, subject);
    const name = event.type === "step.note" ? hooks.get(event.step) : undefined;
    const container = name === undefined ? undefined : containers.find((one) => one.name === name);
    if (event.type !== "step.note" || container === undefined) emit(event);
    else session.out.line(`${prefixes.get(container.id) ?? container.name}  | ${event.message}`);
  };
}

/** Ends a container at once, beside the run that is stopping it. */
async function kill(session: Session, engine: Engine, container: string): Promise<void> {
  const { signal } = new AbortController();
  try {
    await engine.apply({ kind: "container.kill", container, signal: "SIGKILL" }, { signal, progress: () => {}, note: () => {} });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    session.say(error.message);
  }
}

/** How long the logs may take to end after their containers, in milliseconds. */
const LOG_GRACE_MS = 2000;

function grace(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, LOG_GRACE_MS).unref();
  });
}
