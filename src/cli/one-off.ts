import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttachOptions } from "../engine/engine.ts";
import { stopwatch } from "../lib/clock.ts";
import { splitWords } from "../lib/shell-words.ts";
import type { Action } from "../model/action.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import type { Service } from "../model/service.ts";
import { oneOffContainer } from "../plan/one-off.ts";
import { prepareOneOff } from "../reconcile/reconcile.ts";
import { detachKeys } from "./detach.ts";
import { onTerminal, programStatus, statusOfProgram } from "./exec.ts";
import { refuseUnmanual } from "./jobs.ts";
import { conclude, outcomeOf } from "./outcome.ts";
import type { Session } from "./session.ts";
import { isTrue } from "./settings.ts";
import { pullPolicy, refuseUnknown } from "./up.ts";

export interface RunChoice {
  readonly service: string;
  /** Instead of the service's command; empty: the service's own. */
  readonly argv: readonly string[];
  readonly detach: boolean;
  readonly remove: boolean;
  /** `false`: never give it a terminal. */
  readonly terminal: boolean;
  /** It is to have a terminal, and an error where nobody has one to give. */
  readonly forced: boolean;
  /** `false`: its standard input is empty. */
  readonly interactive: boolean;
  readonly env: readonly string[];
  /** Files of variables. */
  readonly envFiles: readonly string[];
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly removeOrphans: boolean;
  readonly volumes: readonly string[];
  readonly publish: readonly string[];
  /** Publish the service's own ports. */
  readonly servicePorts: boolean;
  /** Answer to the service's names too. */
  readonly useAliases: boolean;
  readonly user: string | undefined;
  readonly workingDir: string | undefined;
  readonly entrypoint: string | undefined;
  readonly name: string | undefined;
  readonly labels: readonly string[];
  readonly dependencies: boolean;
  /** Whether those are replaced that are described otherwise now. */
  readonly recreate: "changed" | "never";
  readonly pull: string | undefined;
  readonly quietPull: boolean;
  /** Keys that leave the container running. */
  readonly detachKeys: string | undefined;
}

/** Runs one container beside those of the project, from a service's description with what the caller puts in its place. */
export async function runOnce(session: Session, choice: RunChoice): Promise<number> {
  const began = stopwatch();
  const keys = detachKeys(choice.detachKeys);
  session.naming([choice.service]);
  const { project, variables } = await session.load();
  refuseUnknown(project, [choice.service]);
  refuseUnmanual(project, choice.service);
  const stdin = choice.interactive && !choice.detach;
  if (choice.forced && stdin && process.stdin.isTTY !== true) {
    throw new Failure({
      code: "E_NO_TERMINAL",
      message: "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
      hint: "leave --tty out: it gets a terminal when you have one",
    });
  }
  const tty = !choice.detach && choice.terminal && onTerminal();
  const oneOff = {
    service: { ...(await overridden(session, choice)), tty, stdinOpen: choice.interactive },
    slug: randomBytes(6).toString("hex"),
    name: choice.name ?? null,
    dependencies: choice.dependencies,
    recreate: choice.recreate,
    ports: choice.servicePorts || choice.publish.length > 0,
    useAliases: choice.useAliases,
    autoRemove: choice.remove,
    removeOrphans: choice.removeOrphans,
    ignoreOrphans: session.settings.ignoreOrphans || isTrue(variables.get("COMPOSE_IGNORE_ORPHANS")),
    pull: pullPolicy(choice.pull),
  };
  const result = await prepareOneOff(await session.world({ quietTransfers: choice.quietPull }), project, oneOff);
  if (result.outcome !== "converged") {
    const status = await conclude(session, outcomeOf(result), began);
    return statusOfProgram(result.diagnostics) ?? status;
  }
  await session.endRun();
  const container = oneOffContainer(project, oneOff);
  const hooks = oneOff.service.postStart.map((hook) => ({ kind: "container.hook", container, when: "post_start", hook }) as const);
  if (choice.detach) {
    await change(session, { kind: "container.start", container });
    session.out.line(container);
    for (const hook of hooks) await change(session, hook);
    return 0;
  }
  return attached(session, container, { tty, stdin, remove: choice.remove, detachKeys: keys, hooks });
}

/** Runs a container that was made for it, with this process's standard streams. Whatever happens, it does not go on running behind our back. */
async function attached(
  session: Session,
  container: string,
  { remove, hooks, ...options }: AttachOptions & { readonly remove: boolean; readonly hooks: readonly Action[] },
): Promise<number> {
  const engine = await session.engine();
  const id = (await session.containers(null)).find(({ name }) => name === container)?.id;
  if (id === undefined) throw new Error(`${container} was there a moment ago`);
  let detached = false;
  const over = new AbortController();
  const hooked = whenRunning(session, container, { hooks, signal: over.signal });
  try {
    const status = await programStatus(async () => {
      const ended = await engine.runAttached(id, options, session.signal);
      detached = ended === null;
      return ended ?? 0;
    });
    if (detached) session.say(`\ndetached from ${container}, which runs on`);
    return status;
  } finally {
    over.abort();
    await hooked;
    if (session.signal.aborted) await change(session, { kind: "container.stop", container, graceMs: null });
    if (remove && !detached) await removeIfThere(session, container);
  }
}

/** Does something in a container once it runs, beside whoever is attached to it. What goes wrong is told and ends nothing. */
async function whenRunning(
  session: Session,
  container: string,
  { hooks, signal }: { readonly hooks: readonly Action[]; readonly signal: AbortSignal },
): Promise<void> {
  if (hooks.length === 0) return;
  try {
    while (!signal.aborted && (await session.containers(null)).find(({ name }) => name === container)?.state !== "running") await sleep(20);
    for (const hook of hooks) if (!signal.aborted) await change(session, hook);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (!signal.aborted) await session.tell(error.diagnostics);
  }
}

async function removeIfThere(session: Session, container: string): Promise<void> {
  try {
    await change(session, { kind: "container.remove", container, volumes: true, force: true });
  } catch (error) {
    if (!(error instanceof Failure && error.has("E_NO_SUCH_CONTAINER"))) throw error; // somebody was quicker
  }
}

/** One action outside a run, also after an interruption. */
async function change(session: Session, action: Action): Promise<void> {
  const { signal } = new AbortController();
  await (await session.engine()).apply(action, { signal, progress: () => {}, note: (text) => session.say(text) });
}

async function overridden(session: Session, choice: RunChoice): Promise<Service> {
  const { project, variables } = await session.load();
  // A variable that nobody has says nothing: the service's stays, or the image's.
  const env = choice.env.filter((entry) => entry.includes("=") || variables.has(entry));
  const text = overlay({ ...choice, env }, session.settings.cwd);
  const { services } = text === null ? project : await session.loadWith({ name: "the command line", text });
  const service = services.find(({ name }) => name === choice.service);
  if (service === undefined) throw new Error(`service ${choice.service} was there a moment ago`);
  return service;
}

/**
 * What the flags say as a spec to lay over the project's: so the flags mean what they mean in the file. `null` when they say nothing.
 */
function overlay(choice: RunChoice, directory: string): string | null {
  const words = choice.entrypoint === undefined ? null : splitWords(choice.entrypoint);
  if (choice.entrypoint !== undefined && words === null) {
    throw new Failure({ code: "E_USAGE", message: `--entrypoint ${choice.entrypoint}: a quote is not closed` });
  }
  const values: Readonly<Record<string, Json>> = {
    ...(choice.argv.length === 0 ? {} : { command: choice.argv }),
    ...(words === null ? {} : { entrypoint: words }),
    ...(choice.env.length === 0 ? {} : { environment: choice.env }),
    ...(choice.envFiles.length === 0 ? {} : { env_file: choice.envFiles.map((file) => resolve(directory, file)) }),
    ...(choice.capAdd.length === 0 ? {} : { cap_add: choice.capAdd }),
    ...(choice.capDrop.length === 0 ? {} : { cap_drop: choice.capDrop }),
    ...(choice.volumes.length === 0 ? {} : { volumes: choice.volumes }),
    ...(choice.user === undefined ? {} : { user: choice.user }),
    ...(choice.workingDir === undefined ? {} : { working_dir: choice.workingDir }),
    ...(choice.labels.length === 0 ? {} : { labels: choice.labels }),
  };
  const lines = Object.entries(values).map(([key, value]) => `    ${key}: ${literal(value)}`);
  if (choice.publish.length > 0) lines.push(`    ports: ${choice.servicePorts ? "" : "!override "}${literal(choice.publish)}`);
  return lines.length === 0 ? null : `services:\n  ${literal(choice.service)}:\n${lines.join("\n")}\n`;
}

/** A value as YAML that means just itself: nothing in it is a variable. */
function literal(value: Json): string {
  return JSON.stringify(value).replaceAll("$", "$$$$");
}
