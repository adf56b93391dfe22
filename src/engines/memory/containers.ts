import { randomBytes } from "node:crypto";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExecOptions, LogLine, ProcessInfo, ResourceUsage } from "../../engine/engine.ts";
import type { Files } from "../../engine/files.ts";
import { adjusted } from "../../model/adjust.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { ObservedContainer } from "../../model/observed.ts";
import { contentOf } from "../../model/service.ts";
import { end, simulate } from "../../model/simulate.ts";
import { PAUSE, scribe } from "./lines.ts";
import { mergeCommand, mergeEnvironment } from "./merge.ts";
import { type ActionOf, byId, byName, change, madeOf, type Place } from "./place.ts";
import { runProgram, stopRun } from "./programs.ts";
import { isLive } from "./world.ts";

export function createContainer({ store }: Place, action: ActionOf<"container.create">): void {
  const world = store.read();
  const { spec } = action;
  const { service } = spec;
  const config = world.images[world.observed.images[contentOf(service)]?.id ?? ""]?.config ?? {};
  const id = randomBytes(32).toString("hex");
  // The simulation cannot tell an image's entrypoint from the rest of its command: it gets what comes of both.
  const merged = { ...spec, service: { ...service, ...mergeCommand(service, config) } };
  const observed = simulate(world.observed, { ...action, spec: merged }, { now: new Date().toISOString(), id });
  store.write({ ...world, observed, made: { ...world.made, [id]: { spec, config } } });
}

/** Gives it what can change in place; its program goes on. */
export function updateContainer(place: Place, action: ActionOf<"container.update">): void {
  const { id } = byName(place, action.container);
  const { spec, config } = madeOf(place, id);
  change(place, action);
  const world = place.store.read();
  place.store.write({ ...world, made: { ...world.made, [id]: { spec: adjusted(spec, action.spec), config } } });
}

/** Starts a container that does not run; nothing when it does. */
export function startContainer(place: Place, name: string, beside = false): void {
  begin(place, name, { print: () => {}, beside });
}

export async function stopContainer(
  place: Place,
  { container: name, graceMs }: Pick<ActionOf<"container.stop">, "container" | "graceMs">,
  signal: AbortSignal,
): Promise<void> {
  const { id } = byName(place, name);
  const run = place.runs.get(id);
  if (run === undefined) return change(place, { kind: "container.stop", container: name, graceMs });
  const { spec, config } = madeOf(place, id);
  place.stopping.add(id);
  const stopSignal = spec.service.stopSignal ?? config.StopSignal ?? "SIGTERM";
  await stopRun(run, { stopSignal, graceMs: graceMs ?? spec.service.stopGraceMs, signal });
}

export async function killContainer(place: Place, action: ActionOf<"container.kill">): Promise<void> {
  const { container: name, signal } = action;
  if (!isSignal(signal))
    throw new Failure({
      code: "E_SIGNAL_UNKNOWN",
      message: `there is no signal ${signal}`,
      hint: "use a name such as SIGTERM, or a number from 1 to 64",
    });
  const run = place.runs.get(byName(place, name).id);
  if (run === undefined) return change(place, action);
  run.send(signal);
  change(place, { kind: "container.unpause", container: name }); // a program here is only said to be paused: it hears signals at once
  if (signal === "SIGKILL") await run.ended;
}

export async function removeContainer(place: Place, action: ActionOf<"container.remove">): Promise<void> {
  const run = place.runs.get(byName(place, action.container).id);
  if (action.force && run !== undefined) {
    run.send("SIGKILL");
    await run.ended;
  }
  change(place, action);
}

/** Gives the exit status once the container has ended. */
export async function waitFor(place: Place, id: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    const { state, exitCode } = byId(place, id);
    if (state === "exited" || state === "dead") return exitCode ?? 0;
    await sleep(PAUSE, null, { signal });
  }
}

export async function waitUntil(place: Place, action: ActionOf<"container.wait">, signal: AbortSignal): Promise<void> {
  if (action.until === "healthy" && place.options.healthchecks === "none")
    throw new Failure({
      code: "E_UNSUPPORTED",
      message: `${action.container}: waiting for health is not supported here`,
      hint: "use condition: service_started",
    });
  const { id } = byName(place, action.container);
  if (action.until === "completed" && place.runs.has(id)) await waitFor(place, id, signal);
  change(place, action);
}

/** Gives the exit status of a program that is run beside the container's own: 0 where no programs are played. */
export async function execIn(
  place: Place,
  id: string,
  { options, signal }: { readonly options: ExecOptions; readonly signal: AbortSignal },
): Promise<number> {
  const container = liveById(place, id);
  if (container.state === "paused")
    throw new Failure({
      code: "E_PAUSED",
      message: `container ${container.name} is paused`,
      hint: `wharf unpause ${container.service ?? container.name} lets it go on`,
    });
  const { program } = place.options;
  if (program === undefined) return 0;
  const { spec, config } = madeOf(place, id);
  const run = runProgram(program, {
    argv: options.argv,
    env: { ...mergeEnvironment(spec.service, config), ...options.env },
    print: options.detach ? () => {} : show,
    onEnd: () => void place.guests.delete(run),
  });
  place.guests.add(run);
  if (options.detach) return 0;
  const abort = (): void => run.send("SIGKILL");
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const status = await run.ended;
  signal.removeEventListener("abort", abort);
  return status;
}

/** The container's program, as the one process that it is here. Throws E_NOT_RUNNING. */
export function processesOf(place: Place, id: string): readonly ProcessInfo[] {
  const { pid, startedAt, createdAt, argv } = liveById(place, id);
  return [{ user: "root", pid: pid ?? 1, parent: 1, startedAt: startedAt ?? createdAt, tty: null, cpuMs: 0, command: argv.join(" ") }];
}

/** Nothing real is used here but a process. Throws E_NOT_RUNNING. */
export function usageOf(place: Place, id: string): ResourceUsage {
  liveById(place, id);
  const nothing = { cpuMs: 0, memory: 0, memoryLimit: 0, received: 0, sent: 0, blockRead: 0, blockWritten: 0 };
  return { ...nothing, at: performance.now(), processes: 1 };
}

/** Containers here have no files. */
export function filesOf(place: Place, id: string): Files {
  const { name } = byId(place, id);
  const refuse = (): never => {
    throw new Failure({
      code: "E_UNSUPPORTED",
      message: `container ${name} is only remembered: it has no files`,
      hint: "--engine oci makes real ones",
    });
  };
  return { stat: () => null, read: refuse, write: refuse, close: async () => {} };
}

/** Starts a container, shows what it prints, and gives its exit status: 0 at once where no programs are played. */
export async function runAttached(place: Place, id: string, signal: AbortSignal): Promise<number> {
  const { name } = byId(place, id);
  begin(place, name, { print: show, beside: false });
  if (!place.runs.has(id)) change(place, { kind: "container.wait", container: name, until: "completed", required: false });
  return waitFor(place, id, signal);
}

/** Waits until a container that runs has ended: what it prints is in its log. Throws E_NOT_RUNNING. */
export async function attachTo(place: Place, id: string, signal: AbortSignal): Promise<number> {
  liveById(place, id);
  return waitFor(place, id, signal);
}

function liveById(place: Place, id: string): ObservedContainer {
  const container = byId(place, id);
  if (!isLive(container))
    throw new Failure({
      code: "E_NOT_RUNNING",
      message: `container ${container.name} is not running`,
      hint: `wharf start ${container.service ?? container.name} starts it`,
    });
  return container;
}

type Print = (stream: LogLine["stream"], text: string) => void;

function begin(place: Place, name: string, { print, beside }: { readonly print: Print; readonly beside: boolean }): void {
  const before = byName(place, name);
  checkNetwork(place, before);
  change(place, { kind: "container.start", container: name, beside });
  if (isLive(before)) return;
  const { store, runs, options } = place;
  const { id, argv } = before;
  const log = scribe(store, id);
  const both: Print = (stream, text) => {
    log.print(stream, text);
    print(stream, text);
  };
  if (options.program === undefined) {
    both("stdout", `${argv.join(" ")}\n`);
    return;
  }
  const { spec, config } = madeOf(place, id);
  const onEnd = (exitCode: number): void => {
    log.flush();
    runs.delete(id);
    const world = store.read();
    const ended = { name: byId(place, id).name, exitCode, now: new Date().toISOString(), stopped: place.stopping.delete(id) };
    store.write({ ...world, observed: end(world.observed, ended) });
  };
  runs.set(id, runProgram(options.program, { argv, env: mergeEnvironment(spec.service, config), print: both, onEnd }));
}

/** Who shares the network of another cannot be without it. */
function checkNetwork(place: Place, { id, name, project }: ObservedContainer): void {
  const mode = madeOf(place, id).spec.service.networkMode;
  if (mode?.type !== "service" && mode?.type !== "container") return;
  const isMeant = (other: ObservedContainer): boolean =>
    mode.type === "container" ? other.name === mode.of : other.project === project && other.service === mode.of;
  if (place.store.read().observed.containers.some((other) => isLive(other) && isMeant(other))) return;
  throw new Failure({
    code: "E_NETWORK_SHARED",
    message: `container ${name} shares the network of ${mode.type} ${mode.of}, which does not run`,
    hint: "start it first",
  });
}

const show: Print = (stream, text) => void process[stream].write(text);

function isSignal(name: string): boolean {
  return Object.hasOwn(constants.signals, name) || /^SIGRT(MIN|MAX)([+-]\d{1,2})?$/.test(name);
}
