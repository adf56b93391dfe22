import { formatAddress, parseAddress } from "../../lib/address.ts";
import { isContainerName } from "../../model/names.ts";
import { type Attachment, type Link, type NetworkMode, plainAttachment } from "../../model/network.ts";
import { child, entriesOf, itemsOf, type Node, numberOf, textOf } from "../node.ts";
import { step } from "../path.ts";
import { unsupported } from "../support.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** `networks`, whose list form the merge has made a mapping: the highest priority first, then by name, which is Compose's order. */
export function readAttachments(node: Node | undefined, scope: Scope): readonly Attachment[] {
  return Array.from(entriesOf(node), ([network, { value }]) => readAttachment(network, value, scope))
    .filter(({ network }) => !network.startsWith("x-"))
    .sort((a, b) => b.priority - a.priority || (a.network < b.network ? -1 : 1));
}

function readAttachment(network: string, node: Node, scope: Scope): Attachment {
  const path = step(`${scope.path}.networks`, network);
  const address = (key: string, family: 4 | 6): string | null => {
    const at = child(node, key);
    return at === undefined ? null : readAddress(at, `${path}.${key}`, { scope, family });
  };
  return {
    ...plainAttachment(network),
    aliases: itemsOf(child(node, "aliases")).flatMap((item, index) => readName(item, step(`${path}.aliases`, index), scope) ?? []),
    ipv4Address: address("ipv4_address", 4),
    ipv6Address: address("ipv6_address", 6),
    linkLocalAddresses: itemsOf(child(node, "link_local_ips")).flatMap(
      (item, index) => readAddress(item, step(`${path}.link_local_ips`, index), { scope, family: null }) ?? [],
    ),
    macAddress: readMacAddress(child(node, "mac_address"), `${path}.mac_address`, scope),
    ...readInterface(node, path, scope),
    priority: numberOf(child(node, "priority")) ?? 0,
    gatewayPriority: numberOf(child(node, "gw_priority")) ?? 0,
  };
}

function readAddress(node: Node, path: string, { scope, family }: { readonly scope: Scope; readonly family: 4 | 6 | null }): string | null {
  const text = textOf(node) ?? "";
  const address = parseAddress(text);
  if (address !== null && (family === null || address.family === family)) return formatAddress(address);
  const kind = family === null ? "address" : `IPv${family} address`;
  return refuse(scope, { code: "E_ADDRESS", place: node.place, message: `\`${path}\` is ${quote(text)}: it is no ${kind}` });
}

/** A name that containers find each other by. */
function readName(node: Node, path: string, scope: Scope): string | null {
  const text = textOf(node) ?? "";
  if (/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,252}$/.test(text)) return text;
  return refuse(scope, { place: node.place, message: `\`${path}\` is ${quote(text)}: it cannot name a host` });
}

export function readMacAddress(node: Node | undefined, path: string, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  const mac = text.toLowerCase().replaceAll("-", ":");
  // An odd first octet is an address of a group.
  if (/^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/.test(mac)) return mac;
  return refuse(scope, {
    place: node.place,
    message: `\`${path}\` is ${quote(text)}: it is no hardware address of one interface`,
    hint: "write six pairs of hex digits, such as 02:42:ac:11:65:43",
  });
}

/** `interface_name`, and what Docker's users write as options of the endpoint. Options that are not known are told of. */
function readInterface(node: Node, path: string, scope: Scope): Pick<Attachment, "interfaceName" | "sysctls"> {
  const interfaceName = readInterfaceName(child(node, "interface_name"), `${path}.interface_name`, scope);
  const read: { name: string | null; sysctls: Readonly<Record<string, string>> } = { name: null, sysctls: {} };
  for (const [key, { value, place }] of entriesOf(child(node, "driver_opts"))) {
    const at = `${path}.driver_opts.${key}`;
    if (key === IFNAME) read.name = readInterfaceName(value, at, scope);
    else if (key === SYSCTLS) read.sysctls = readInterfaceSysctls(value, at, scope);
    else unsupported(at, { place }, scope);
  }
  if (interfaceName !== null && read.name !== null && interfaceName !== read.name)
    refuse(scope, {
      place: node.place,
      message: `\`${path}\` names its interface twice: ${quote(interfaceName)} and ${quote(read.name)}`,
      hint: "leave `driver_opts` out, and keep `interface_name`",
    });
  return { interfaceName: interfaceName ?? read.name, sysctls: read.sysctls };
}

const IFNAME = "com.docker.network.endpoint.ifname";
const SYSCTLS = "com.docker.network.endpoint.sysctls";

/** `net.ipv4.conf.IFNAME.log_martians=1,net.ipv6.conf.IFNAME.accept_ra=2`. */
function readInterfaceSysctls(node: Node, path: string, scope: Scope): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const setting of (textOf(node) ?? "").split(",")) {
    const [, name, value] = /^(net\.(?:ipv4|ipv6|mpls)\.(?:conf|neigh)\.IFNAME\.[a-zA-Z0-9_]+)=(\S+)$/.exec(setting.trim()) ?? [];
    if (name !== undefined && value !== undefined) found[name] = value;
    else
      refuse(scope, {
        place: node.place,
        message: `\`${path}\` has ${quote(setting)}: it sets no kernel parameter of an interface`,
        hint: "such as net.ipv4.conf.IFNAME.log_martians=1, with commas between several; IFNAME stands for the interface's name",
      });
  }
  return found;
}

function readInterfaceName(node: Node | undefined, path: string, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  if (/^[a-zA-Z0-9_.-]{1,15}$/.test(text) && text !== "." && text !== ".." && text !== "lo") return text;
  return refuse(scope, {
    place: node.place,
    message: `\`${path}\` is ${quote(text)}: it cannot name an interface`,
    hint: "at most 15 letters, digits, `_`, `.` and `-`",
  });
}

/** `network_mode`; any other word is the name of a network, as with Docker. */
export function readNetworkMode(node: Node | undefined, scope: Scope): NetworkMode | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "" || text === "default") return null;
  if (text === "host" || text === "none" || text === "bridge") return { type: text };
  const [, type, of = ""] = /^(service|container):(.*)$/s.exec(text) ?? [];
  if ((type === "service" || type === "container") && isContainerName(of)) return { type, of };
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(text)) return { type: "network", name: text };
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.network_mode\` is ${quote(text)}: it names no network`,
    hint: "write host, none, bridge, service:NAME or container:NAME",
  });
}

export function readDomainname(node: Node | undefined, scope: Scope): string | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  if (/^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,62}$/.test(text)) return text;
  return refuse(scope, {
    place: node.place,
    message: `\`${scope.path}.domainname\` is ${quote(text)}: it cannot name a domain`,
    hint: "at most 63 letters, digits, `-` and `.`",
  });
}

/** `links` and `external_links`: `service:alias` or `service`, `container:alias` or `container`. */
export function readLinks(service: Node, scope: Scope): readonly Link[] {
  const read = (key: "links" | "external_links", type: Link["type"]): readonly Link[] =>
    itemsOf(child(service, key)).flatMap((item, index) => {
      const text = textOf(item) ?? "";
      const [of = "", alias = of] = text.split(":");
      if (isContainerName(of) && /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,252}$/.test(alias)) return [{ type, of, alias }];
      refuse(scope, {
        place: item.place,
        message: `\`${step(`${scope.path}.${key}`, index)}\` is ${quote(text)}: it is no link`,
        hint: `write ${type} or ${type}:alias`,
      });
      return [];
    });
  return [...read("links", "service"), ...read("external_links", "container")];
}
