/** Where a registry of an image's name is: its base addresses, the likeliest first. */
import { BlockList, isIP } from "node:net";
import type { RegistryMirror } from "../../model/registry-settings.ts";

export interface Base {
  readonly url: URL;
  /** Any certificate will do. */
  readonly insecure: boolean;
}

/** Docker Hub's registry answers under another name than its images have. */
const DOCKER_HUB = { domain: "docker.io", host: "registry-1.docker.io" };

/**
 * https for all but registries on this machine and those listed as insecure: the former are tried over http first (unless the port is
 * https' own), the latter over https with any certificate, then over http. The list has `host`, `host:port` and subnets of addresses.
 */
export function basesOf(domain: string, insecureRegistries: readonly string[]): readonly Base[] {
  const host = domain === DOCKER_HUB.domain ? DOCKER_HUB.host : domain;
  const plain: Base = { url: new URL(`http://${host}/`), insecure: false };
  const lax: Base = { url: new URL(`https://${host}/`), insecure: true };
  if (isLoopback(plain.url.hostname)) return domain.endsWith(":443") ? [lax, plain] : [plain, lax];
  return isListed(domain, insecureRegistries) ? [lax, plain] : [{ ...lax, insecure: false }];
}

/** As `basesOf`; a scheme that was given with a mirror is the only one. */
export function basesOfMirror({ host, scheme }: RegistryMirror, insecureRegistries: readonly string[]): readonly Base[] {
  if (scheme === "http") return [{ url: new URL(`http://${host}/`), insecure: false }];
  const bases = basesOf(host, insecureRegistries);
  return scheme === null ? bases : bases.filter(({ url }) => url.protocol === "https:");
}

export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."));
}

function isListed(domain: string, entries: readonly string[]): boolean {
  const hostname = domain.replace(/:\d+$/, "");
  const address = hostname.replace(/^\[(.*)\]$/, "$1");
  return entries.some((entry) => entry === domain || entry === hostname || (entry.includes("/") && isWithin(address, entry)));
}

/** Whether an address is in a subnet (`10.0.0.0/8`). */
export function isWithin(address: string, subnet: string): boolean {
  const family = isIP(address);
  const [network = "", bits = ""] = subnet.split("/");
  if (family === 0 || isIP(network) !== family || Number(bits) > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, Number(bits), type);
  return list.check(address, type);
}
