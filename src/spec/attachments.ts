import { type Address, liesIn, parseAddress, parseSubnet } from "../lib/address.ts";
import type { Report } from "../model/diagnostic.ts";
import { type Attachment, type Network, plainAttachment, plainNetwork } from "../model/network.ts";
import { child, entry, type Node, sourceOf } from "./node.ts";
import { refuse } from "./service/scope.ts";
import type { ReadService } from "./service/service.ts";
import { quote } from "./words.ts";

/** Checks what services say of their networks against the networks, and against each other. */
export function checkAttachments(services: readonly ReadService[], networks: readonly Network[], report: Report): void {
  const taken = new Map<string, { readonly service: string; readonly node: Node }>();
  for (const service of services) {
    checkMode(service, report);
    checkInterfaces(service, report);
    checkReach(service, networks, report);
    for (const attachment of service.rest.networks) {
      const network = networks.find(({ key }) => key === attachment.network);
      if (network === undefined) continue; // said before
      for (const key of ["ipv4_address", "ipv6_address"] as const)
        checkFixed({ service, attachment, network, key, node: nodeOf(service, attachment, key) }, { report, taken });
    }
  }
}

interface Fixed {
  readonly service: ReadService;
  readonly attachment: Attachment;
  readonly network: Network;
  readonly key: "ipv4_address" | "ipv6_address";
  readonly node: Node | undefined;
}

function nodeOf({ entry: { value } }: ReadService, { network }: Attachment, key: string): Node | undefined {
  return child(child(child(value, "networks"), network), key);
}

function checkFixed(
  { service, attachment, network, key, node }: Fixed,
  { report, taken }: { readonly report: Report; readonly taken: Map<string, { readonly service: string; readonly node: Node }> },
): void {
  const text = key === "ipv4_address" ? attachment.ipv4Address : attachment.ipv6Address;
  const address = text === null ? null : parseAddress(text);
  if (address === null || text === null || node === undefined) return;
  const { name, rest } = service;
  const message = (rule: string): string => `\`services.${name}.networks.${attachment.network}.${key}\` is ${quote(text)}: ${rule}`;
  const problem = network.external ? null : outsideOf(network, address);
  const [rule, hint] = problem ?? (rest.scale > 1 ? shared(rest.scale) : []);
  if (rule !== undefined)
    refuse({ report }, { code: "E_ADDRESS", place: node.place, message: message(rule), ...(hint === undefined ? {} : { hint }) });
  const place = `${network.name} ${text}`;
  const other = taken.get(place);
  taken.set(place, other ?? { service: name, node });
  if (other !== undefined)
    report.add({
      code: "E_ADDRESS",
      message: message(`service ${quote(other.service)} has it`),
      hint: "give each service an address of its own",
      source: sourceOf(node.place),
      related: [{ source: sourceOf(other.node.place), message: "first taken here" }],
    });
}

type Problem = readonly [rule: string, hint: string];

/** Why a network of the project's own cannot give an address, or `null`. */
function outsideOf({ key, config }: Network, address: Address): Problem | null {
  const subnets = config.subnets.flatMap(({ subnet }) => parseSubnet(subnet) ?? []).filter(({ family }) => family === address.family);
  if (address.family === 6 && !config.ipv6)
    return [`network ${quote(key)} has no IPv6`, `add \`enable_ipv6: true\` to \`networks.${key}\``];
  if (subnets.length === 0)
    return [`the subnet of network ${quote(key)} is the engine's choice`, `choose it: \`networks.${key}.ipam.config: [{subnet: …}]\``];
  if (subnets.some((subnet) => liesIn(address, subnet))) return null;
  return [`it is not in a subnet of network ${quote(key)}`, `it has ${config.subnets.map(({ subnet }) => subnet).join(" and ")}`];
}

function shared(scale: number): Problem {
  return [`the service has ${scale} containers, and each needs an address of its own`, "leave the address out, or run one container"];
}

/** Attributes that make no sense where the network is somebody else's. */
const OF_A_NETWORK = ["ports", "hostname", "domainname", "mac_address", "links", "external_links", "extra_hosts"] as const;

function checkMode({ name, entry: { value }, rest }: ReadService, report: Report): void {
  const mode = rest.networkMode;
  if (mode === null) return;
  const given = (key: string) => {
    const found = entry(value, key);
    return found?.value.kind === "list" && found.value.items.length === 0 ? undefined : found;
  };
  const conflict = (key: string, why: string, hint: string): void => {
    const at = given(key);
    if (at !== undefined)
      refuse({ report }, { code: "E_CONFLICT", place: at.place, message: `service ${quote(name)} has \`${key}\`, and ${why}`, hint });
  };
  if (mode.type === "service" || mode.type === "container") {
    const why = `its network is that of ${mode.type} ${quote(mode.of)}`;
    for (const key of OF_A_NETWORK)
      conflict(
        key,
        why,
        mode.type === "service" ? `give it to service ${quote(mode.of)}` : `give it to ${quote(mode.of)}, or leave it out`,
      );
  } else if (mode.type === "host") {
    for (const key of ["links", "mac_address"]) conflict(key, "its network is this machine's own", "leave it out");
    const at = given("ports");
    if (at !== undefined)
      report.add({
        code: "W_PORTS_IGNORED",
        message: `service ${quote(name)} has \`network_mode: host\`: its \`ports\` are open on this machine as they are, and nothing is published`,
        hint: "leave `ports` out",
        source: sourceOf(at.place),
      });
  } else if (mode.type === "none")
    for (const key of ["links", "mac_address", "ports"]) conflict(key, "it is on no network", "leave it out");
}

/** Nothing from outside gets into an internal network, by published ports neither. */
function checkReach({ name, entry: { value }, rest }: ReadService, networks: readonly Network[], report: Report): void {
  const at = entry(value, "ports");
  const joined = rest.networks.map(({ network }) => networks.find(({ key }) => key === network));
  if (at === undefined || rest.ports.length === 0 || joined.length === 0 || joined.some((network) => network?.config.internal !== true))
    return;
  report.add({
    code: "W_PORTS_IGNORED",
    message: `service ${quote(name)} has \`ports\`, and is on internal networks only: nobody reaches them from outside`,
    hint: "put it on another network too, or leave `ports` out",
    source: sourceOf(at.place),
  });
}

function checkInterfaces({ name, entry: { value }, rest }: ReadService, report: Report): void {
  const seen = new Set<string>();
  for (const { network, interfaceName } of rest.networks) {
    if (interfaceName === null) continue;
    const node = child(child(child(value, "networks"), network), "interface_name") ?? value;
    if (seen.has(interfaceName))
      refuse(
        { report },
        {
          code: "E_CONFLICT",
          place: node.place,
          message: `service ${quote(name)} has two interfaces named ${quote(interfaceName)}`,
          hint: "rename one of them",
        },
      );
    seen.add(interfaceName);
  }
}

/**
 * Services whose `network_mode` is the name of a network are on that one: the project's own of this name, or one that exists already.
 * Those on this machine's own network publish nothing.
 */
export function withNamedNetworks(
  services: readonly ReadService[],
  declared: readonly Network[],
): { readonly services: readonly ReadService[]; readonly networks: readonly Network[] } {
  const networks = [...declared];
  const keyOf = (name: string): string => {
    const known = networks.find((network) => network.name === name);
    if (known !== undefined) return known.key;
    const key = `network_mode:${name}`; // no key of the file has a colon
    networks.push({ ...plainNetwork(key, name), external: true });
    return key;
  };
  const placed = services.map((service) => {
    const { rest } = service;
    const { networkMode: mode } = rest;
    if (mode?.type === "host") return { ...service, rest: { ...rest, ports: [] } };
    return mode?.type === "network" ? { ...service, rest: { ...rest, networks: [plainAttachment(keyOf(mode.name))] } } : service;
  });
  return { services: placed, networks };
}
