import { randomBytes } from "node:crypto";
import { splitWords } from "../lib/shell-words.ts";
import type { Action } from "../model/action.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import type { Service } from "../model/service.ts";
import { oneOffContainer } from "../plan/one-off.ts";
import { prepareOneOff } from "../reconcile/reconcile.ts";
import { onTerminal, programStatus, statusOfProgram } from "./exec.ts";
import { conclude, outcomeOf } from "./outcome.ts";
import type { Session } from "./session.ts";
import { pullPolicy, refuseUnknown } from "./up.ts";

export interface RunChoice {
  readonly service: string;
  /** Instead of the service's command; empty: the service's own. */
  readonly argv: readonly string[];
  readonly detach: boolean;
  readonly remove: boolean;
  /** `false`: never give it a terminal. */
  readonly terminal: boolean;
  /** `false`: its standard input is empty. */
  readonly interactive: boolean;
  readonly env: readonly string[];
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
  readonly pull: string | undefined;
  readonly quietPull: boolean;
}

/** Runs one container beside those of the project, from a service's description with what the caller puts in its place. */
export async function runOnce(session: Session, choice: RunChoice): Promise<number> {
  const began = performance.now();
  session.naming([choice.service]);
  const { project } = await session.load();
  refuseUnknown(project, [choice.service]);
  const tty = !choice.detach && choice.terminal && onTerminal();
  const stdin = choice.interactive && !choice.detach;
  const oneOff = {
    service: { ...(await overridden(session, choice)), tty, stdinOpen: stdin },
    slug: randomBytes(6).toString("hex"),
    name: choice.name ?? null,
    dependencies: choice.dependencies,
    ports: choice.servicePorts || choice.publish.length > 0,
    useAliases: choice.useAliases,
    pull: pullPolicy(choice.pull),
  };
  const result = await prepareOneOff(await session.world({ quietTransfers: choice.quietPull }), project, oneOff);
  if (result.outcome !== "converged") {
    const status = await conclude(session, outcomeOf(result), began);
    return statusOfProgram(result.diagnostics) ?? status;
  }
  await session.endRun();
  const container = oneOffContainer(project, oneOff);
  if (choice.detach) {
    await change(session, { kind: "container.start", container });
    session.out.line(container);
    return 0;
  }
  return attached(session, container, { tty, stdin, remove: choice.remove });
}

/** Runs a container that was made for it, with this process's standard streams. Whatever happens, it does not go on running behind our back. */
async function attached(
  session: Session,
  container: string,
  options: { readonly tty: boolean; readonly stdin: boolean; readonly remove: boolean },
): Promise<number> {
  const { tty, stdin, remove } = options;
  const engine = await session.engine();
  const id = (await session.containers(null)).find(({ name }) => name === container)?.id;
  if (id === undefined) throw new Error(`${container} was there a moment ago`);
  try {
    return await programStatus(() => engine.runAttached(id, { tty, stdin }, session.signal));
  } finally {
    if (session.signal.aborted) await change(session, { kind: "container.stop", container, graceMs: null });
    if (remove) await change(session, { kind: "container.remove", container, volumes: true, force: true });
  }
}

/** One action outside a run, also after an interruption. */
async function change(session: Session, action: Action): Promise<void> {
  const { signal } = new AbortController();
  await (await session.engine()).apply(action, { signal, progress: () => {}, note: (text) => session.say(text) });
}

async function overridden(session: Session, choice: RunChoice): Promise<Service> {
  const { project } = await session.load();
  const text = overlay(choice);
  const { services } = text === null ? project : await session.loadWith({ name: "the command line", text });
  const service = services.find(({ name }) => name === choice.service);
  if (service === undefined) throw new Error(`service ${choice.service} was there a moment ago`);
  return service;
}

/**
 * What the flags say as a spec to lay over the project's: so the flags mean what they mean in the file. `null` when they say nothing.
 */
function overlay(choice: RunChoice): string | null {
  const words = choice.entrypoint === undefined ? null : splitWords(choice.entrypoint);
  if (choice.entrypoint !== undefined && words === null) {
    throw new Failure({ code: "E_USAGE", message: `--entrypoint ${choice.entrypoint}: a quote is not closed` });
  }
  const values: Readonly<Record<string, Json>> = {
    ...(choice.argv.length === 0 ? {} : { command: choice.argv }),
    ...(words === null ? {} : { entrypoint: words }),
    ...(choice.env.length === 0 ? {} : { environment: choice.env }),
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
