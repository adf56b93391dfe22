/** Names and host ports that steps take: who has them now, and whether that one lets go of them in the same plan. */
import type { Observed, ObservedContainer, TakenPort } from "../model/observed.ts";
import { meet } from "../model/ports.ts";
import type { Port, Protocol } from "../model/service.ts";
import { hookKey } from "./hooks.ts";
import { isUp, type NameClaim, type Planning, type PortClaim, placed, stepKey } from "./planning.ts";

/** Orders each taking behind the letting go, and reports what nobody lets go of. All containers are planned by now. */
export function planConflicts(p: Planning): void {
  for (const claim of p.names) claimName(p, claim);
  const needed = new Set(p.ports.flatMap((claim) => claimPort(p, claim)));
  claimTwice(p);
  // An old container that nobody waits for runs until its successor can start.
  for (const { container, until } of p.patient) {
    const stop = stepKey("container.stop", container);
    if (needed.has(stop)) continue;
    for (const earlier of until) for (const key of [hookKey("pre_stop", container), stop]) p.draft.order(key, earlier);
  }
}

function claimName(p: Planning, { name, step, source }: NameClaim): void {
  const holder = p.observed.containers.find((container) => container.name === name);
  const foreign = p.observed.foreign.find((candidate) => candidate.name === name);
  const frees = ["container.remove", "container.rename"] as const;
  const freed = frees.map((kind) => stepKey(kind, name)).find((key) => key !== step && p.draft.has(key));
  if (foreign === undefined && holder === undefined) return;
  if (foreign === undefined && freed !== undefined) {
    p.draft.order(step, freed);
    return;
  }
  const service = holder?.service ?? null;
  const owner = foreign === undefined ? p.desired.name : foreign.project;
  const whose = owner === null ? "a container of no project" : `${service === null ? "" : `service ${service} of `}project ${owner}`;
  const remedy =
    owner === p.desired.name ? "with --remove-orphans it goes, if the spec has that service no more" : `\`wharf rm ${name}\` removes it`;
  p.problems.push({
    code: "E_NAME_TAKEN",
    message: `container name ${name} is taken by ${whose}`,
    hint: `${remedy}; or choose another \`name\` for the service`,
    ...placed(source),
  });
}

/** Gives the stops that must come before the port can be opened. */
function claimPort(p: Planning, claim: PortClaim): readonly string[] {
  const { port, step } = claim;
  const range = port.published;
  if (range === null) return [];
  const stops: string[] = [];
  const taken = new Map<number, string>();
  for (const other of holders(p.observed)) {
    if (other.protocol !== port.protocol || !meet(other.host, port.host) || other.port < range.from || other.port > range.to) continue;
    if (other.container !== null && other.container.name === claim.from) {
      if (range.from < range.to) return []; // of a range that one is enough
      continue; // it hands it over itself
    }
    const stop = other.container === null ? null : stepKey("container.stop", other.container.name);
    const freed = p.freed.find(
      ({ container, protocol, host, published }) =>
        container === other.container?.name && protocol === other.protocol && host === other.host && published === other.port,
    );
    if (stop !== null && p.draft.has(stop)) {
      if (range.from < range.to && other.container !== null && claim.olds.includes(other.container.name)) {
        p.draft.order(step, stop);
        return [stop]; // likewise
      }
      stops.push(stop);
    } else if (freed !== undefined) p.draft.order(step, freed.step);
    else taken.set(other.port, other.by);
  }
  for (const stop of stops) p.draft.order(step, stop);
  if (taken.size > range.to - range.from) reportPort(p, claim, [...taken.values()][0] ?? "");
  return stops;
}

/** Two containers of this plan that want one port: the spec allows it only by a scale that it does not know. */
function claimTwice(p: Planning): void {
  p.ports.forEach((claim, index) => {
    const rival = p.ports.slice(0, index).find((other) => isFixed(other.port) && isFixed(claim.port) && overlap(other.port, claim.port));
    if (rival !== undefined) reportPort(p, claim, `container ${rival.container}, which is started as well`);
  });
}

function reportPort(p: Planning, { port, container, source }: PortClaim, by: string): void {
  const { from, to } = port.published ?? { from: 0, to: 0 };
  const what = from === to ? `port ${from}/${port.protocol}` : `every port of ${from}-${to}/${port.protocol}`;
  p.problems.push({
    code: "E_PORT_TAKEN",
    message: `${what}${port.host === "" ? "" : ` on ${port.host}`}, which ${container} publishes, is taken by ${by}`,
    hint: "stop that one, or publish another port",
    ...placed(source),
  });
}

interface Holder {
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  readonly by: string;
  /** The container of this project that has it, or `null`: somebody else. */
  readonly container: ObservedContainer | null;
}

function holders({ containers, takenPorts }: Observed): readonly Holder[] {
  const having = containers.filter((container) => isUp(container) && !container.beside);
  const own = having.flatMap((container) =>
    container.ports.map(({ protocol, host, published }) => {
      return { protocol, host, port: published, by: `container ${container.name} of this project`, container };
    }),
  );
  const isOwn = ({ protocol, host, port }: TakenPort) =>
    own.some((held) => held.protocol === protocol && held.port === port && meet(held.host, host));
  const others = takenPorts.filter((taken) => !isOwn(taken)).map((taken) => ({ ...taken, container: null }));
  return [...own, ...others];
}

function isFixed({ published }: Port): boolean {
  return published !== null && published.from === published.to;
}

function overlap(a: Port, b: Port): boolean {
  return a.published?.from === b.published?.from && a.protocol === b.protocol && meet(a.host, b.host);
}
