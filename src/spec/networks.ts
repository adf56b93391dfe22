import { formatAddress, formatSubnet, liesIn, parseAddress, parseSubnet, type Subnet } from "../lib/address.ts";
import { scopedName } from "../model/names.ts";
import { type Network, type NetworkConfig, type NetworkSubnet, PLAIN_NETWORK } from "../model/network.ts";
import type { Context, Draft } from "./draft.ts";
import { booleanOf, child, entriesOf, entry, itemsOf, type Node, sourceOf, textOf } from "./node.ts";
import { step } from "./path.ts";
import { readPairs } from "./service/environment.ts";
import { refuse } from "./service/scope.ts";
import { unsupported } from "./support.ts";
import { quote } from "./words.ts";

/** The networks that the file declares. */
export function readNetworks({ tree, name }: Draft, { report }: Context): readonly Network[] {
  return Array.from(entriesOf(child(tree, "networks")), ([key, { value }]) => {
    const external = child(value, "external");
    const isExternal = booleanOf(external) ?? external?.kind === "mapping";
    const at = child(value, "name") ?? child(external, "name");
    const given = textOf(at);
    const scope: Scope = { report, path: `networks.${key}` };
    if (at !== undefined && given !== null && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(given))
      refuse(scope, { place: at.place, message: `\`${scope.path}.name\` is ${quote(given)}: it cannot name a network` });
    return {
      key,
      name: given ?? (isExternal ? key : scopedName(name, key)),
      external: isExternal,
      labels: readPairs(child(value, "labels")),
      config: isExternal ? PLAIN_NETWORK : readConfig(value, scope),
    };
  });
}

interface Scope {
  readonly report: Context["report"];
  /** `networks.back` */
  readonly path: string;
}

/** Drivers whose networks reach over several machines; on one machine a bridge does the same. */
const OVER_MACHINES: ReadonlySet<string> = new Set(["overlay"]);

function readConfig(node: Node, scope: Scope): NetworkConfig {
  checkDriver(node, scope);
  const config = {
    ...PLAIN_NETWORK,
    internal: booleanOf(child(node, "internal")) ?? false,
    ipv4: booleanOf(child(node, "enable_ipv4")) ?? true,
    ipv6: booleanOf(child(node, "enable_ipv6")) ?? false,
    subnets: readSubnets(child(node, "ipam"), scope),
    ...readOptions(child(node, "driver_opts"), scope),
  };
  if (!config.ipv4 && !config.ipv6)
    refuse(scope, {
      place: (child(node, "enable_ipv4") ?? node).place,
      message: `\`${scope.path}\` gives neither IPv4 nor IPv6 addresses`,
      hint: "leave `enable_ipv4` out, or say `enable_ipv6: true`",
    });
  return config;
}

function checkDriver(node: Node, { report, path }: Scope): void {
  const at = entry(node, "driver");
  const driver = textOf(at?.value) ?? "";
  if (at === undefined || driver === "" || driver === "default" || driver === "bridge") return;
  if (OVER_MACHINES.has(driver))
    report.add({
      code: "W_UNSUPPORTED",
      message: `\`${path}.driver\` is ${quote(driver)}: the network is made as a bridge, for this machine alone`,
      hint: "`wharf explain W_UNSUPPORTED` says more",
      source: sourceOf(at.value.place),
    });
  else
    refuse(
      { report },
      {
        code: "E_NETWORK_DRIVER",
        place: at.value.place,
        message: `\`${path}.driver\` is ${quote(driver)}: wharf makes bridge networks`,
        hint:
          driver === "host" || driver === "none"
            ? `take the network out and give the services \`network_mode: ${driver}\``
            : "leave `driver` out, or say `bridge`",
      },
    );
}

/** Keys of Docker's bridge driver. */
function readOptions(node: Node | undefined, scope: Scope): Partial<NetworkConfig> {
  const options: { -readonly [K in keyof NetworkConfig]?: NetworkConfig[K] } = {};
  for (const [key, { place, value }] of entriesOf(node)) {
    const text = textOf(value) ?? "";
    const path = `${scope.path}.driver_opts.${key}`;
    const wrong = (rule: string): void => void refuse(scope, { place: value.place, message: `\`${path}\` is ${quote(text)}: ${rule}` });
    const flag = (): boolean => {
      if (!BOOLEANS.has(text.toLowerCase())) wrong("it must be true or false");
      return BOOLEANS.get(text.toLowerCase()) ?? true;
    };
    switch (key) {
      case "com.docker.network.driver.mtu":
      case "mtu":
        if (/^\d{2,5}$/.test(text) && Number(text) >= 68 && Number(text) <= 65_535) options.mtu = Number(text);
        else wrong("it must be 68 to 65535");
        break;
      case "com.docker.network.bridge.name":
        if (/^[a-zA-Z0-9_.-]{1,15}$/.test(text) && text !== "." && text !== "..") options.bridge = text;
        else wrong("an interface's name has at most 15 letters, digits, `_`, `.` and `-`");
        break;
      case "com.docker.network.bridge.enable_icc":
        options.connected = flag();
        break;
      case "com.docker.network.bridge.enable_ip_masquerade":
        options.masquerade = flag();
        break;
      default:
        unsupported(path, { place }, scope);
    }
  }
  return options;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["t", true],
  ["false", false],
  ["0", false],
  ["f", false],
]);

function readSubnets(ipam: Node | undefined, scope: Scope): readonly NetworkSubnet[] {
  const driver = entry(ipam, "driver");
  if (driver !== undefined && !["", "default"].includes(textOf(driver.value) ?? ""))
    unsupported(`${scope.path}.ipam.driver: ${textOf(driver.value)}`, driver, scope);
  const options = entry(ipam, "options");
  if (options !== undefined && [...entriesOf(options.value)].length > 0) unsupported(`${scope.path}.ipam.options`, options, scope);
  const seen = new Set<number>();
  return itemsOf(child(ipam, "config")).flatMap((item, index) => {
    const path = step(`${scope.path}.ipam.config`, index);
    const read = readSubnet(item, { ...scope, path });
    if (read === null) return [];
    const { family } = read;
    if (seen.has(family))
      refuse(scope, {
        place: item.place,
        message: `\`${path}\` is a second IPv${family} subnet: a bridge network has one`,
        hint: "make two networks of it",
      });
    if (seen.has(family)) return [];
    seen.add(family);
    return [read.subnet];
  });
}

function readSubnet(item: Node, scope: Scope): { readonly family: 4 | 6; readonly subnet: NetworkSubnet } | null {
  const wrong = (key: string, rule: string): null => {
    const at = child(item, key);
    const message = `\`${scope.path}.${key}\` is ${quote(textOf(at) ?? "")}: ${rule}`;
    return refuse(scope, { place: (at ?? item).place, message });
  };
  const subnet = parseSubnet(textOf(child(item, "subnet")) ?? "");
  if (child(item, "subnet") === undefined)
    return refuse(scope, {
      place: item.place,
      message: `\`${scope.path}\` has no \`subnet\``,
      hint: "add one, such as `subnet: 172.28.0.0/16`, or leave `ipam` out",
    });
  if (subnet === null) return wrong("subnet", "it must be a subnet, such as 172.28.0.0/16 or fd00:28::/64");
  const room = (subnet.family === 4 ? 32 : 128) - subnet.prefix;
  if (room < 2) return wrong("subnet", "it is too small for a gateway and a container");
  const inside = (key: string, text: string | null): string | null => {
    if (text === null) return null;
    const address = parseAddress(text);
    if (address === null) return wrong(key, "it is not an address");
    if (!liesIn(address, subnet)) return wrong(key, `it is not in ${formatSubnet(subnet)}`);
    return formatAddress(address);
  };
  const reserved = Array.from(entriesOf(child(item, "aux_addresses")), ([name, { value }]) =>
    inside(`aux_addresses.${name}`, textOf(value)),
  ).filter((address) => address !== null);
  return {
    family: subnet.family,
    subnet: {
      subnet: formatSubnet(subnet),
      gateway: inside("gateway", textOf(child(item, "gateway"))),
      range: readRange(textOf(child(item, "ip_range")), subnet, (rule) => wrong("ip_range", rule)),
      reserved,
    },
  };
}

function readRange(text: string | null, subnet: Subnet, wrong: (rule: string) => null): string | null {
  if (text === null) return null;
  const range = parseSubnet(text);
  if (range === null) return wrong("it must be a part of the subnet, such as 172.28.5.0/24");
  return liesIn(range, subnet) ? formatSubnet(range) : wrong(`it is not in ${formatSubnet(subnet)}`);
}
