/** What a user asks of a container, where a restart policy may ask for something else: the user's word is written down first, and it counts. */
import { signalNumber } from "../../lib/signal.ts";
import type { Contents } from "../../model/action.ts";
import type { Attachment } from "./attach.ts";
import type { Context } from "./context.ts";
import { noteEvent } from "./events.ts";
import { forgetIntent, intending, isBrokenOff } from "./intents.ts";
import { type Container, type ContainerRecord, findContainer } from "./records.ts";
import { removeContainer } from "./remove.ts";
import { alone, comesBack, forgetRestarts, hasPolicy, markStopped, RESTARTING } from "./restarts.ts";
import { type StartOptions, startAttached, startContainer } from "./start.ts";
import { killContainer, type StopOptions, stopContainer } from "./stop.ts";
import { noteStop } from "./stopped.ts";

/** How long a command waits for the supervisor to be done with a container: it starts it, at most. */
const PATIENCE_MS = 60_000;

export async function startAsked(context: Context, container: Container, options: StartOptions): Promise<void> {
  await turn(context, container.record, async () => startContainer(context, await anew(context, container), options));
}

export async function attachedStartAsked(context: Context, container: Container): Promise<Attachment | null> {
  return turn(context, container.record, async () => startAttached(context, await anew(context, container)));
}

export async function stopAsked(context: Context, container: Container, options: StopOptions): Promise<void> {
  await turn(context, container.record, async () => {
    await forgetIntent(context.layout, container.record.id, "restarting");
    await markStopped(context.layout, container.record);
    await stopContainer(context, container, options);
  });
}

export async function restartAsked(
  context: Context,
  container: Container,
  options: StopOptions & { readonly contents: Contents | undefined },
): Promise<void> {
  const { layout } = context;
  const { record } = container;
  const both = async (): Promise<void> => {
    await markStopped(layout, record);
    await stopContainer(context, container, options);
    await startContainer(context, await anew(context, container), { contents: options.contents });
    noteEvent(layout, { record, action: "restart" });
  };
  const work = (): Promise<void> => intending(layout, { id: record.id, intent: "restarting" }, both);
  await alone(layout, record, { purpose: RESTARTING, timeoutMs: PATIENCE_MS, always: true, work });
}

/**
 * A signal by hand. One that is meant to end it keeps it down, as a stop does; one that waits to come back stays down by it. It waits for nobody:
 * it may be meant to cut a stop short.
 */
export async function killAsked(context: Context, container: Container, signal: string): Promise<void> {
  const { layout } = context;
  const { record } = container;
  const number = signalNumber(signal);
  const ends = ["SIGKILL", "SIGTERM", record.process.stopSignal].some((name) => signalNumber(name) === number);
  if (ends && container.status.state === "running") await noteStop(layout, record.id, container.status.run);
  if (ends) await forgetIntent(layout, record.id, "restarting");
  if (!ends || !hasPolicy(record)) return killContainer(context, container, signal);
  const waits = comesBack(layout, container);
  await markStopped(layout, record);
  if (!waits) await killContainer(context, container, signal);
}

export async function removeAsked(
  context: Context,
  container: Container,
  options: { readonly force: boolean; readonly volumes: boolean },
): Promise<void> {
  await turn(context, container.record, () => removeContainer(context, container, options));
}

/** As it is now, and one that does not run with nothing remembered of its restarts. */
async function anew({ layout }: Context, { record, status }: Container): Promise<Container> {
  const now = findContainer(layout, record.id) ?? { record, status };
  if (isBrokenOff(layout, now, "restarting")) await forgetIntent(layout, record.id, "restarting"); // this is its other half
  if (now.status.state !== "running" && hasPolicy(record)) await forgetRestarts(layout, record.id);
  return now;
}

function turn<T>({ layout }: Context, record: ContainerRecord, work: () => Promise<T>): Promise<T> {
  return alone(layout, record, { purpose: `work on ${record.name}`, timeoutMs: PATIENCE_MS, work });
}
