import { join } from "node:path";
import { withLock } from "../../lib/file-lock.ts";
import { identify } from "../../lib/process-identity.ts";
import type { Contents } from "../../model/action.ts";
import type { PublishedPort } from "../../model/observed.ts";
import type { Port } from "../../model/service.ts";
import { Attachment } from "./attach.ts";
import { hasBundle, writeBundle } from "./bundle.ts";
import { noteParents } from "./cgroups.ts";
import { monitor } from "./conmon.ts";
import { type Context, runtimeOf } from "./context.ts";
import { ensureWorkingDirectory } from "./create.ts";
import { noteEnd, noteEvent } from "./events.ts";
import { writeSecrets } from "./given-files.ts";
import { confirmJoined, joinedOf, mountSharedMemory } from "./joined.ts";
import { bundleDirectory } from "./layout.ts";
import { type Endpoint, endpointsOf } from "./network/endpoints.ts";
import { leaseNow } from "./network/leases.ts";
import { confirmPlace, hasNetworks, placeOf } from "./network/namespace.ts";
import { readNetwork } from "./network/networks.ts";
import { choosePorts, holders } from "./network/publish.ts";
import { attach, ensureBridge } from "./network/wiring.ts";
import { prepareMounts } from "./placed-mounts.ts";
import { type Container, type ContainerRecord, clearState, markStarting, unmarkStarting, writeState } from "./records.ts";
import { tidy } from "./remove.ts";
import { mountRootfs } from "./rootfs.ts";
import { programBegun, runtimeStart } from "./runtime.ts";
import { endNow } from "./stop.ts";
import { namesServed } from "./supervisor/dns/served.ts";
import { ensureSupervisor, exitCommand, poke } from "./supervisor/launch.ts";
import { wantsSupervisor } from "./supervisor/need.ts";

export interface StartOptions {
  /** Its secrets, where the caller has them. */
  readonly contents?: Contents | undefined;
  /** Without its host ports and names: another container has them until `takeOver`. */
  readonly beside?: boolean;
}

/** Starts a container that does not run. Nothing when it does. When it fails nothing of the start is left. */
export async function startContainer(context: Context, container: Container, options: StartOptions = {}): Promise<void> {
  await begin(context, container, { attached: false, contents: options.contents ?? {}, beside: options.beside === true });
}

/** As `startContainer`, with a connection to its streams that was made before its program began; `null` when it ran already. */
export async function startAttached(context: Context, container: Container): Promise<Attachment | null> {
  return begin(context, container, { attached: true, contents: {}, beside: false });
}

async function begin(
  context: Context,
  { record, status }: Container,
  options: { readonly attached: boolean; readonly contents: Contents; readonly beside: boolean },
): Promise<Attachment | null> {
  const { layout } = context;
  const { id, name } = record;
  if (status.state === "running") return null;
  const { conmon } = context.tools();
  const runtime = runtimeOf(context, record);
  noteEnd(layout, id);
  if (hasBundle(context, id) || status.state === "exited") await tidy(context, id);
  await clearState(layout, id);
  const rootfs = await mountRootfs(layout, { id, layersDirectory: context.store.layersDirectory, layers: record.image.layers });
  await writeSecrets(layout, record, options.contents);
  await prepareMounts(context, { record, rootfs });
  ensureWorkingDirectory(record, rootfs);
  const place = placeOf(layout, record);
  const endpoints = await ensureNetworks(context, record);
  const ports = await reservePorts(context, record, options.beside ? [] : portsOf(record));
  if (wantsSupervisor(record)) await ensureSupervisor(context, record.spec.project); // comes up beside the runtime
  let attachment: Attachment | null = null;
  try {
    await noteParents(layout, id);
    await mountSharedMemory(layout, record);
    const joined = joinedOf(layout, record);
    const { hooks } = await writeBundle(context, record, { rootfs, joined, place });
    const { tty, stdinOpen, logging } = record.spec.service;
    const keepStdin = tty || !options.attached; // at a terminal its end is a key; from a pipe it is for the one who started it
    // The packet filter takes its time to answer: it works while the runtime makes the container. Host ports lead to what is connected only,
    // so that who comes early is refused, and not kept waiting for an address that nobody has yet.
    const isPublished = ports.length > 0;
    const [monitored] = await settled(
      monitor(layout, runtime, {
        id,
        name,
        tty,
        stdin: stdinOpen,
        keepStdin,
        program: conmon,
        logging,
        exitCommand: exitCommand(layout, record),
      }),
      isPublished ? null : context.syncNetwork(),
    );
    await writeState(layout, id, {
      ...monitored,
      startedAt: new Date().toISOString(),
      ports,
      ...(options.beside ? { beside: true } : {}),
      ...(place.kind === "shared" ? { networkOf: place.with.id } : {}),
    });
    confirmJoined(joined, { name, pid: monitored.process.pid });
    confirmPlace(place, { name, pid: monitored.process.pid });
    if (place.kind === "own") attach(endpoints, { id, pid: monitored.process.pid });
    await settled(
      namesServed(
        layout,
        endpoints.map(({ network }) => network),
      ),
      isPublished ? context.syncNetwork() : null,
    );
    if (options.attached) attachment = new Attachment(bundleDirectory(layout, id));
    await runtimeStart(layout, runtime, { id, name, process: monitored.process, hasHooks: hooks?.poststart !== undefined });
    await programBegun(monitored.process.pid);
    await unmarkStarting(layout, id);
    noteEvent(layout, { record, action: "start" });
    poke(layout);
    return attachment;
  } catch (error) {
    attachment?.close();
    await endNow(context, id);
    await tidy(context, id);
    await clearState(layout, id);
    throw error;
  }
}

/** Both results when both are there; the first failure only after both have ended, so that nothing goes on behind the clean-up. */
async function settled<A, B>(first: Promise<A>, second: Promise<B> | null): Promise<[A, B | null]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

/** The container's networks, present in the kernel and with an address for it: a command killed while it made the container gave it none. */
async function ensureNetworks({ layout }: Context, record: ContainerRecord): Promise<readonly Endpoint[]> {
  for (const joined of record.spec.networks) await leaseNow(layout, record, joined);
  const networks = record.spec.networks.flatMap(({ name }) => readNetwork(layout, name) ?? []);
  for (const network of networks) ensureBridge(network);
  return endpointsOf(record, networks);
}

/** What it publishes: nothing where its network is another's. */
function portsOf(record: ContainerRecord): readonly Port[] {
  return hasNetworks(record) ? record.spec.service.ports : [];
}

/** Takes the host ports, written into the marker of this start so that no other start takes them. Throws E_PORT_TAKEN. */
async function reservePorts({ layout }: Context, record: ContainerRecord, ports: readonly Port[]): Promise<readonly PublishedPort[]> {
  const owner = identify(process.pid);
  if (owner === null) throw new Error("this process is not in /proc");
  if (ports.length === 0) {
    await markStarting(layout, record.id, { owner, ports: [] });
    return [];
  }
  return withLock(join(layout.locks, "ports.lock"), { purpose: `publish ports of ${record.name}`, timeoutMs: 30_000 }, async () => {
    const chosen = choosePorts(ports, holders(layout, record.id));
    await markStarting(layout, record.id, { owner, ports: chosen });
    return chosen;
  });
}
