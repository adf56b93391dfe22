/** What the `network …` commands do. */
import type { NetworkSummary } from "../engine/networks.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { SHARED_BRIDGE } from "../model/network.ts";
import { load } from "../spec/load.ts";
import { type Column, table } from "../ui/table.ts";
import { plural } from "../ui/text.ts";
import { hasLabel, pairsOf, truth, unknownKey } from "./image-filters.ts";
import { inspectEach } from "./inspect-each.ts";
import { removeEach } from "./remove-each.ts";
import type { Session } from "./session.ts";

export interface NetworkListOptions {
  readonly filters: readonly string[];
  readonly quiet: boolean;
  readonly format: string;
}

/** Lists the networks of all projects and of none. */
export async function listNetworks(session: Session, { filters, quiet, format }: NetworkListOptions): Promise<number> {
  const matches = networkFilter(filters, LIST_KEYS);
  const networks = (await summaries(session)).filter(matches);
  if (quiet) for (const { name } of networks) session.out.line(name);
  else if (format === "json") for (const network of networks) session.out.line(JSON.stringify(line(network)));
  else {
    const columns: readonly Column[] = [
      { title: "NETWORK NAME" },
      { title: "PROJECT", shrinkTo: 8, drop: 1 },
      { title: "SUBNETS" },
      { title: "KIND", drop: 2 },
      { title: "CONTAINERS", shrinkTo: 12 },
    ];
    const rows = networks.map((network) => [
      network.name,
      network.project ?? "",
      network.subnets.map(({ subnet }) => subnet).join(", "),
      network.config.internal ? "internal" : "bridge",
      network.members.map(({ name }) => name).join(", "),
    ]);
    for (const text of table(columns, rows, { width: session.out.columns })) session.out.line(text.trimEnd());
  }
  return 0;
}

/** Shows everything about networks, in the form of Docker. */
export async function inspectNetworks(session: Session, names: readonly string[]): Promise<number> {
  const documents = new Map((await summaries(session)).map((network) => [network.name, document(network)]));
  return inspectEach(session, names, { find: (name) => documents.get(name) ?? null, absent });
}

export interface NewNetworkChoice {
  readonly driver: string;
  readonly options: readonly string[];
  readonly labels: readonly string[];
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  readonly ranges: readonly string[];
  readonly internal: boolean;
  readonly ipv6: boolean;
}

/** Makes a network that belongs to no project, and prints its name. What is said of it means what it means in a spec. */
export async function createNetwork(session: Session, name: string, choice: NewNetworkChoice): Promise<number> {
  const { labels, config } = await described(session, name, choice);
  await (await session.engine()).networks.create({ name, labels, config }, session.signal);
  session.out.line(name);
  return 0;
}

/** Removes networks by their names, and prints them. All that can go goes; what cannot is said. */
export async function removeNetworks(session: Session, names: readonly string[], { force }: { readonly force: boolean }): Promise<number> {
  const { networks } = await session.engine();
  const remove = (name: string, signal: AbortSignal): Promise<void> => networks.remove(name, signal);
  return removeEach(session, names, { remove, unless: force ? "E_NO_SUCH_NETWORK" : null });
}

export interface NetworkPruneOptions {
  readonly filters: readonly string[];
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** Removes networks that no container joins, after a question that names each. */
export async function pruneNetworks(session: Session, { filters, yes, dryRun }: NetworkPruneOptions): Promise<number> {
  const matches = networkFilter(filters, PRUNE_KEYS);
  const unused = (await summaries(session)).filter((network) => network.members.length === 0 && matches(network));
  if (dryRun) for (const { name } of unused) session.out.line(`Would remove: ${name}`);
  if (dryRun || unused.length === 0) return 0;
  const list = unused.map(({ name }) => `  ${name}`).join("\n");
  if (!yes && !(await session.confirm(`${list}\nRemove ${plural(unused.length, "network")} that no container joins?`, false))) return 1;
  const { networks } = await session.engine();
  for (const { name } of unused) {
    try {
      await networks.remove(name, session.signal);
      session.out.line(`Removed: ${name}`);
    } catch (error) {
      if (error instanceof Failure && (error.has("E_NETWORK_IN_USE") || error.has("E_NO_SUCH_NETWORK"))) continue; // others are at work too
      throw error;
    }
  }
  return 0;
}

async function summaries(session: Session): Promise<readonly NetworkSummary[]> {
  return (await session.engine()).networks.list(session.signal);
}

const LIST_KEYS = ["dangling", "driver", "label", "name", "project"];
const PRUNE_KEYS = ["label", "project"];

function networkFilter(filters: readonly string[], known: readonly string[]): (network: NetworkSummary) => boolean {
  const given = pairsOf(filters);
  for (const { key } of given) if (!known.includes(key)) throw unknownKey(key, known);
  return (network) =>
    given.every(({ key, value }) => {
      switch (key) {
        case "dangling":
          return (network.members.length === 0) === truth(value);
        case "driver":
          return value === DRIVER;
        case "label":
          return hasLabel(network, value);
        case "name":
          return network.name.includes(value);
        default:
          return network.project === value;
      }
    });
}

/** The only one there is. */
const DRIVER = "bridge";

/** What a spec with this network in it says. */
async function described(session: Session, name: string, choice: NewNetworkChoice) {
  const { driver, options, labels, subnets, gateways, ranges, internal, ipv6 } = choice;
  const config = subnets.map((subnet) => {
    const family = subnet.includes(":");
    const of = (texts: readonly string[]): string | undefined => texts.find((text) => text.includes(":") === family);
    return { subnet, gateway: of(gateways), ip_range: of(ranges) };
  });
  const network = {
    name,
    driver,
    driver_opts: pairs(options),
    labels: pairs(labels),
    internal,
    enable_ipv6: ipv6 || subnets.some((subnet) => subnet.includes(":")),
    ipam: { config },
  };
  const key = /^[a-zA-Z0-9._-]+$/.test(name) ? name : "network"; // what is wrong is told of under it
  const spec = { name: "network", services: { any: { image: "any", networks: [key] } }, networks: { [key]: network } };
  const text = new TextEncoder().encode(JSON.stringify(spec).replaceAll("$", "$$$$"));
  const { project, refusals, warnings } = await load(
    {
      files: ["-"],
      stdin: async () => text,
      cwd: "/",
      projectName: null,
      projectDirectory: null,
      envFiles: [],
      profiles: [],
      env: {},
    },
    { read: () => Promise.reject(Object.assign(new Error("no files"), { code: "ENOENT" })), exists: async () => false },
  );
  const [made] = project.networks;
  const words = ({ source: _, ...diagnostic }: (typeof refusals)[number]) => diagnostic; // there is no file to point at
  if (refusals.length > 0 || made === undefined || name === SHARED_BRIDGE)
    throw new Failure(
      refusals.length > 0
        ? refusals.map(words)
        : {
            code: "E_NAME_TAKEN",
            message: `the name ${name} stands for the network of \`network_mode: bridge\``,
            hint: "choose another one",
          },
    );
  await session.notice(warnings.map(words));
  return made;
}

/** As Docker's listings have it. */
function line({ name, labels, config, createdAt }: NetworkSummary): Json {
  const text = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return {
    Name: name,
    Driver: DRIVER,
    Scope: "local",
    IPv4: String(config.ipv4),
    IPv6: String(config.ipv6),
    Internal: String(config.internal),
    Labels: text.join(","),
    CreatedAt: createdAt,
  };
}

function document({ name, labels, config, createdAt, bridge, subnets, members }: NetworkSummary): Json {
  const options = {
    "com.docker.network.bridge.name": bridge,
    ...(config.mtu === null ? {} : { "com.docker.network.driver.mtu": String(config.mtu) }),
    ...(config.connected ? {} : { "com.docker.network.bridge.enable_icc": "false" }),
    ...(config.masquerade ? {} : { "com.docker.network.bridge.enable_ip_masquerade": "false" }),
  };
  return {
    Name: name,
    Created: createdAt,
    Scope: "local",
    Driver: DRIVER,
    EnableIPv4: config.ipv4,
    EnableIPv6: config.ipv6,
    IPAM: {
      Driver: "default",
      Config: subnets.map(({ subnet, gateway, range }) => ({
        Subnet: subnet,
        ...(range === null ? {} : { IPRange: range }),
        Gateway: gateway,
      })),
    },
    Internal: config.internal,
    Attachable: true,
    Containers: Object.fromEntries(
      members
        .filter(({ running }) => running)
        .map((member) => [
          member.id,
          { Name: member.name, MacAddress: member.mac ?? "", IPv4Address: member.ipv4 ?? "", IPv6Address: member.ipv6 ?? "" },
        ]),
    ),
    Options: options,
    Labels: labels,
    UsedBy: members.map((member) => member.name),
  };
}

function pairs(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf("=");
      return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function absent(name: string) {
  return { code: "E_NO_SUCH_NETWORK", message: `there is no network ${name}`, hint: "wharf network ls lists those there are" } as const;
}
