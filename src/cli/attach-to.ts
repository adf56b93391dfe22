import type { Engine } from "../engine/engine.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { detachKeys } from "./detach.ts";
import { containerOf } from "./selection.ts";
import type { Session } from "./session.ts";

export interface AttachToChoice {
  readonly target: string;
  readonly index: number | null;
  readonly stdin: boolean;
  /** Pass signals on to the container's program. */
  readonly signals: boolean;
  readonly detachKeys: string | undefined;
}

/** Connects the caller's streams to a container that runs, until it ends or the caller detaches. Gives its exit status, or 0. */
export async function attachTo(session: Session, choice: AttachToChoice): Promise<number> {
  const keys = detachKeys(choice.detachKeys);
  const container = await containerOf(session, choice.target, choice.index);
  if (container.state === "paused")
    throw new Failure({
      code: "E_PAUSED",
      message: `container ${container.name} is paused`,
      hint: `wharf unpause ${choice.target} lets it go on`,
    });
  if (container.state !== "running")
    throw new Failure({
      code: "E_NOT_RUNNING",
      message: `container ${container.name} is not running (${container.state})`,
      hint: `wharf start ${container.service ?? container.name} starts it`,
    });
  const engine = await session.engine();
  const { tty, stdin } = streamsOf(await engine.inspect(container.id, session.signal));
  const stop = choice.signals && !tty ? passSignals(session, engine, container.name) : () => {};
  try {
    const options = { tty, stdin: choice.stdin && stdin, detachKeys: keys };
    const status = await engine.attach(container.id, options, session.signal);
    if (status === null) session.say(`\ndetached from ${container.name}, which runs on`);
    return status ?? 0;
  } finally {
    stop();
  }
}

/** What a container's program was given to read and write. */
function streamsOf(document: Json): { readonly tty: boolean; readonly stdin: boolean } {
  const config = member(document, "Config");
  return { tty: member(config, "Tty") === true, stdin: member(config, "OpenStdin") === true };
}

function member(value: Json, key: string): Json {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  const map = value as { readonly [key: string]: Json };
  return (Object.hasOwn(map, key) ? map[key] : null) ?? null;
}

const OTHERS = ["SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** Sends the container's program every signal that this process gets. Gives what ends that. */
function passSignals(session: Session, engine: Engine, container: string): () => void {
  const { signal } = new AbortController();
  const pass = (name: string): void => {
    engine
      .apply({ kind: "container.kill", container, signal: name }, { signal, progress: () => {}, note: () => {} })
      .catch((error: unknown) => {
        if (!(error instanceof Failure)) throw error; // it has ended: there is nobody to tell
      });
  };
  session.interrupts.relay(pass);
  const listeners = OTHERS.map((name) => [name, () => pass(name)] as const);
  for (const [name, listener] of listeners) process.on(name, listener);
  return () => {
    session.interrupts.relay(null);
    for (const [name, listener] of listeners) process.off(name, listener);
  };
}
