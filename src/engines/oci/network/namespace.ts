import { existsSync, readlinkSync } from "node:fs";
import { isAlive } from "../../../lib/process-identity.ts";
import { Failure } from "../../../model/diagnostic.ts";
import type { NetworkMode } from "../../../model/network.ts";
import type { Layout } from "../layout.ts";
import { allRecords, type ContainerRecord, liveRun, type RunState } from "../records.ts";

/** Which network namespace a container lives in. */
export type NetworkPlace =
  /**
   * One of its own, connected to its networks; to none with `network_mode: none`. Where somebody who shares it has kept it since its last run
   * it goes back there, so that they are together again.
   */
  | { readonly kind: "own"; readonly keeper: RunState | null }
  | { readonly kind: "host" }
  /** That of another container, which runs. */
  | { readonly kind: "shared"; readonly with: ContainerRecord; readonly run: RunState };

/** `null`: the service's networks. */
export function networkModeOf({ spec }: ContainerRecord): NetworkMode | null {
  return spec.service.networkMode;
}

/** Whether it is on networks of this engine, so that ports of it can be published. */
export function hasNetworks(record: ContainerRecord): boolean {
  const mode = networkModeOf(record);
  return mode === null || mode.type === "bridge" || mode.type === "network";
}

/** Whether a process still has a network. One that ends gives its namespaces back first, and may then wait for its children for a while. */
export function hasNamespace({ process }: Pick<RunState, "process">): boolean {
  return isAlive(process) && existsSync(`/proc/${process.pid}/ns/net`);
}

/** Throws E_NETWORK_SHARED when the container whose network it shares is not there or does not run. */
export function placeOf(layout: Layout, record: ContainerRecord): NetworkPlace {
  const mode = networkModeOf(record);
  if (mode?.type === "host") return { kind: "host" };
  if (mode?.type !== "service" && mode?.type !== "container") return { kind: "own", keeper: keeperOf(layout, record) };
  const isMeant = ({ id, name, spec }: ContainerRecord): boolean =>
    id !== record.id &&
    (mode.type === "container"
      ? name === mode.of || (mode.of.length >= 12 && id.startsWith(mode.of))
      : spec.project === record.spec.project && spec.service.name === mode.of && !spec.oneOff);
  const meant = allRecords(layout).filter(isMeant);
  const running = meant
    .flatMap((other) => {
      const run = liveRun(layout, other.id);
      return run === null ? [] : [{ record: other, run }];
    })
    .sort((a, b) => a.record.spec.number - b.record.spec.number || (a.record.createdAt < b.record.createdAt ? 1 : -1));
  const [first] = running;
  if (first === undefined)
    throw new Failure({
      code: "E_NETWORK_SHARED",
      message: `container ${record.name} shares the network of ${mode.type} ${mode.of}, which ${meant.length === 0 ? "is not there" : "does not run"}`,
      hint: mode.type === "service" ? `wharf up -d ${mode.of} starts it` : "start it first",
    });
  const chain = networkModeOf(first.record);
  // It has the namespace of the one it shares with in turn, whose files count.
  if (chain?.type === "service" || chain?.type === "container") return placeOf(layout, first.record);
  if (chain?.type === "host") return { kind: "host" };
  return { kind: "shared", with: first.record, run: first.run };
}

/** Somebody who lives in the network of a container's last run. */
function keeperOf(layout: Layout, { id }: ContainerRecord): RunState | null {
  for (const other of allRecords(layout)) {
    const mode = networkModeOf(other);
    const run = mode?.type === "service" || mode?.type === "container" ? liveRun(layout, other.id) : null;
    if (run?.networkOf === id) return run;
  }
  return null;
}

/** Makes sure that a process that was just made is where it should be: the other one may have ended, and its number be someone else's. */
export function confirmPlace(place: NetworkPlace, { name, pid }: { readonly name: string; readonly pid: number }): void {
  const other = place.kind === "shared" ? place.run : place.kind === "own" ? place.keeper : null;
  if (other === null) return;
  try {
    if (isAlive(other.process) && readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync(`/proc/${other.process.pid}/ns/net`)) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  throw new Failure({
    code: "E_NETWORK_SHARED",
    message: `container ${name} shares ${place.kind === "shared" ? `the network of ${place.with.name}` : "its network with a container"}, which ended meanwhile`,
    hint: place.kind === "shared" ? "start that one first" : "start it again",
  });
}
