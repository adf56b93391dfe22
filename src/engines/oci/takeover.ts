/** One container takes over from another that runs beside it: its host ports and its names, in one step of the packet filter. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../lib/file-lock.ts";
import { isAlive } from "../../lib/process-identity.ts";
import type { PublishedPort } from "../../model/observed.ts";
import type { Port } from "../../model/service.ts";
import type { Context } from "./context.ts";
import { addressesFor, choosePorts, type HolderOf, holders } from "./network/publish.ts";
import { type Container, type ContainerRecord, liveRun, runOf, writeState } from "./records.ts";
import { alone } from "./restarts.ts";
import { poke } from "./supervisor/launch.ts";

const PATIENCE_MS = 30_000;

/**
 * From then on new connections come to this container; those that the other one has stay there. `from`: `null` where nobody has the ports.
 * The one says that it hands them over before the other says that it has them: whenever this is broken off exactly one of the two has them.
 */
export async function takeOver(context: Context, container: Container, from: Container | null): Promise<void> {
  const { layout } = context;
  const purpose = `take over ports for ${container.record.name}`;
  const change = () =>
    withLock(join(layout.locks, "ports.lock"), { purpose, timeoutMs: PATIENCE_MS }, () => changeHands(context, container, from));
  // Should the other one end now, its policy is not to start it between the look at its run and what is written of it.
  await (from === null ? change() : alone(layout, from.record, { purpose, timeoutMs: PATIENCE_MS, work: change }));
  await context.syncNetwork();
  poke(layout);
}

async function changeHands({ layout }: Context, container: Container, from: Container | null): Promise<void> {
  const run = runOf(layout, container);
  if (run.beside !== true) return;
  const other = from === null ? null : liveRun(layout, from.record.id);
  const inherited = [...run.ports, ...(other?.ports ?? [])];
  const ports = portsFrom(container.record, { inherited, holderOf: holders(layout, container.record.id) });
  if (other !== null && from !== null && other.ports.length > 0) await writeState(layout, from.record.id, { ...other, beside: true });
  await writeState(layout, container.record.id, { ...run, ports, beside: false });
  if (other !== null && from !== null) await writeState(layout, from.record.id, { ...other, ports: [], beside: true });
}

/** The ports that it had, or another one has that it takes over from, where they fit what the service asks for; free ones elsewhere. */
export function portsFrom(
  record: ContainerRecord,
  { inherited, holderOf }: { readonly inherited: readonly PublishedPort[]; readonly holderOf: HolderOf },
): readonly PublishedPort[] {
  const kept = keptPorts(record.spec.service.ports, inherited);
  const wanted = record.spec.service.ports.map((port, index) => {
    const published = kept.get(index);
    return published === undefined ? port : { ...port, published: { from: published, to: published } };
  });
  const isInherited: HolderOf = (binding) => {
    const own = inherited.some(
      ({ protocol, host, published }) => protocol === binding.protocol && host === binding.host && published === binding.port,
    );
    return own ? null : holderOf(binding);
  };
  return choosePorts(wanted, isInherited);
}

/** Which of the host ports that are there each port keeps, by its place: first those that lead where it does, and none for two. */
function keptPorts(ports: readonly Port[], inherited: readonly PublishedPort[]): ReadonlyMap<number, number> {
  const kept = new Map<number, number>();
  const used = new Set<string>();
  for (const isStrict of [true, false])
    for (const [index, { target, protocol, host, published }] of ports.entries()) {
      const hosts = addressesFor(host, { ipv6: true });
      const found = inherited.find(
        (port) =>
          port.protocol === protocol &&
          hosts.includes(port.host) &&
          !used.has(`${protocol} ${port.published}`) &&
          (port.target === target || (!isStrict && published !== null)) &&
          (published === null || (port.published >= published.from && port.published <= published.to)),
      );
      if (kept.has(index) || found === undefined) continue;
      kept.set(index, found.published);
      used.add(`${protocol} ${found.published}`);
    }
  return kept;
}

/**
 * Waits until nobody is connected to the container's published ports any more, `graceMs` at most. Nobody comes to it from then on, also where
 * the command that gave its ports to another one did not live to tell the packet filter.
 */
export async function drain(
  context: Context,
  { record }: Container,
  { graceMs, signal }: { readonly graceMs: number | null; readonly signal: AbortSignal },
): Promise<void> {
  const { layout } = context;
  await context.syncNetwork();
  poke(layout);
  const deadline = Date.now() + (graceMs ?? record.spec.service.stopGraceMs);
  const targets = new Set(record.spec.service.ports.map(({ target }) => target));
  for (let pause = 10; ; pause = Math.min(pause * 2, 200)) {
    const run = liveRun(layout, record.id);
    if (run === null || Date.now() >= deadline || signal.aborted) return;
    const texts = await Promise.all(["tcp", "tcp6"].map((table) => connectionTable(run.process.pid, table)));
    if (!isAlive(run.process) || !texts.some((text) => hasConnection(text, targets))) return;
    await sleep(Math.min(pause, Math.max(1, deadline - Date.now())));
  }
}

async function connectionTable(pid: number, table: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/net/${table}`, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EINVAL") return ""; // it ended; or there is no IPv6 here
    throw error;
  }
}

/** States of a connection that still carries, or may carry, bytes of the container (linux/net/tcp_states.h). */
const OPEN: ReadonlySet<string> = new Set(["01", "03", "04", "05", "08", "09"]);

/** Whether a table as of /proc/net/tcp has a connection on one of these local ports. Pure. */
export function hasConnection(table: string, ports: ReadonlySet<number>): boolean {
  return table
    .split("\n")
    .slice(1)
    .some((line) => {
      const [, local = "", , state = ""] = line.trim().split(/\s+/);
      return OPEN.has(state) && ports.has(Number.parseInt(local.slice(local.lastIndexOf(":") + 1), 16));
    });
}
