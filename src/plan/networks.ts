import type { Action } from "../model/action.ts";
import { canonical } from "../model/json.ts";
import { LABEL } from "../model/labels.ts";
import { type Network, SHARED_BRIDGE } from "../model/network.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { AttributeChange } from "../model/plan.ts";
import type { Service } from "../model/service.ts";
import { compare, networkAttributes, sourceOf } from "./change.ts";
import { changed, drifted, isUp, type Planning, placed, stepKey } from "./planning.ts";

/** Plans the networks that these services are on: made where missing, made anew where the spec changed, external ones must be there. */
export function planNetworks(p: Planning, services: readonly Service[]): void {
  for (const network of usedBy(p, services)) planNetwork(p, network);
}

/** Looks which of the networks that exist will be made anew. Those on them are planned with that in mind. */
export function findRewired(p: Planning, services: readonly Service[]): void {
  for (const network of usedBy(p, services)) {
    if (isGone(p, network)) p.rewired.set(network.name, drifted(`network ${network.name} was removed`));
    const difference = differenceOf(p, network);
    if (difference?.rewires === true) p.rewired.set(network.name, `network ${network.name} ${difference.reason}`);
  }
}

/** The warning that something of this name is used though it was not made for the project. */
export function foreign(of: { readonly kind: string; readonly name: string; readonly owner: string | null; readonly project: string }) {
  const { kind, name, owner, project } = of;
  return {
    code: "W_NOT_OURS",
    message: `${kind} ${name} was made ${owner === null ? "outside any project" : `for project ${owner}`}, not for ${project}`,
    hint: "it is used as it is, and `wharf down` leaves it alone",
  } as const;
}

function usedBy({ desired, options }: Planning, services: readonly Service[]): readonly Network[] {
  const running = services.filter(({ name, scale }) => (options.scale[name] ?? scale) > 0);
  const keys = new Set(running.flatMap(({ networks }) => networks.map(({ network }) => network)));
  return desired.networks.filter(({ key }) => options.allResources || keys.has(key));
}

function planNetwork(p: Planning, network: Network): void {
  const { name, external } = network;
  const address = `network/${name}`;
  const found = p.observed.networks.find((candidate) => candidate.name === name);
  if (found === undefined && external && name !== SHARED_BRIDGE) {
    missing(p, network);
    return;
  }
  if (found === undefined && !external) {
    const reason = isGone(p, network) ? drifted("it was removed") : "not there yet";
    p.draft.step(stepKey("network.create", name), { action: making(p, network, "network.create"), reason, service: null });
    changed(p, "create", { address, reason });
    return;
  }
  const difference = differenceOf(p, network);
  if (difference !== null) {
    const { reason, attributes } = difference;
    p.draft.step(stepKey("network.update", name), { action: making(p, network, "network.update"), reason, service: null });
    changed(p, "update", { address, reason, attributes });
    return;
  }
  const loss = lossOf(p, name);
  if (loss !== null) {
    const reason = drifted(loss);
    p.draft.step(stepKey("network.connect", name), { action: { kind: "network.connect", network: name }, reason, service: null });
    changed(p, "update", { address, reason });
    return;
  }
  changed(p, "unchanged", { address, reason: "there already" });
  if (found !== undefined && found.project !== p.desired.name && !external)
    p.notices.push(foreign({ kind: "network", name, owner: found.project, project: p.desired.name }));
}

/** Whether there are containers on a network of the project's own that is not there any more. */
function isGone(p: Planning, { name, external }: Network): boolean {
  return !external && !p.observed.networks.some((network) => network.name === name) && hasMembers(p, name, () => true);
}

/** What a network that containers run on has lost; `null`: nothing. */
function lossOf(p: Planning, name: string): string | null {
  const found = p.observed.networks.find((network) => network.name === name);
  if (!hasMembers(p, name, isUp)) return null;
  if (found?.present === false) return "its bridge is gone";
  const isCutOff = ({ networks }: ObservedContainer) => networks.some((joined) => joined.name === name && joined.cutOff);
  const cutOff = p.observed.containers.filter((container) => isUp(container) && isCutOff(container));
  if (cutOff.length > 0)
    return `${listed(cutOff.map((container) => container.name))} ${cutOff.length === 1 ? "is" : "are"} not connected to it any more`;
  return found?.unfiltered === true ? "its rules in the packet filter are gone" : null;
}

/** Names of the first few. */
function listed(names: readonly string[]): string {
  const more = names.length - NAMED;
  return more > 0 ? `${names.slice(0, NAMED).join(", ")} and ${more} more` : names.join(", ");
}

const NAMED = 3;

function hasMembers({ observed }: Planning, network: string, isMeant: (container: ObservedContainer) => boolean): boolean {
  return observed.containers.some((container) => container.networks.some(({ name }) => name === network) && isMeant(container));
}

function making(p: Planning, network: Network, kind: "network.create" | "network.update"): Action {
  const { key, name, labels, config } = network;
  return {
    kind,
    network: name,
    key,
    labels: { ...labels, [LABEL.project]: p.desired.name, [LABEL.network]: key },
    config,
    attributes: networkAttributes(network),
  };
}

function missing(p: Planning, { key, name }: Network): void {
  p.problems.push({
    code: "E_NETWORK_MISSING",
    message: `network ${name} declared as external, but could not be found`,
    hint: `bring up the project that has it first, or take \`external\` away so that it is made for ${p.desired.name}`,
    ...placed(sourceOf(p.desired, `networks.${key}`)),
  });
}

interface Difference {
  readonly reason: string;
  readonly attributes: readonly AttributeChange[];
  /** More than its labels: what is on it is connected anew. */
  readonly rewires: boolean;
}

/** What the spec says otherwise of a network of the project's own than it was made with; `null`: nothing. */
function differenceOf(p: Planning, network: Network): Difference | null {
  const found = p.observed.networks.find(({ name }) => name === network.name);
  if (found === undefined || network.external || found.project !== p.desired.name) return null;
  const wanted = networkAttributes(network);
  if (found.attributes === null) return { reason: "was changed half-way", attributes: [], rewires: true };
  if (canonical(found.attributes) === canonical(wanted)) return null;
  const attributes = compare(found.attributes, wanted, { project: p.desired, path: `networks.${network.key}` });
  const paths = attributes.map(({ path }) => path);
  return {
    reason: `changed: ${listed(paths)}`,
    attributes,
    rewires: paths.some((path) => path !== "labels" && !path.startsWith("labels.")),
  };
}
