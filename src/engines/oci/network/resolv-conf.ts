import { readFile } from "node:fs/promises";
import type { Service } from "../../../model/service.ts";

/** resolv.conf(5): what it says, and how one is written. */
export interface ResolvConf {
  /** Addresses, an IPv6 one perhaps with `%interface`. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

const PATH = "/etc/resolv.conf";
/** Where those who put a stub on loopback write down the real servers. */
const REAL_PATHS = ["/run/systemd/resolve/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf"];

/** What C libraries ask where no server is named. */
const DEFAULT_SERVER = "127.0.0.1";
const MOST_SERVERS = 3;

/** Reads a file as C libraries do: the last `search` counts, words that mean nothing are passed over. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let search: readonly string[] = [];
  const options: string[] = [];
  for (const line of text.split("\n")) {
    const [word = "", ...rest] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (word === "nameserver" && rest[0] !== undefined) servers.push(rest[0]);
    if (word === "search" || word === "domain") search = word === "domain" ? rest.slice(0, 1) : rest;
    if (word === "options") options.push(...rest);
  }
  return { servers: servers.length === 0 ? [DEFAULT_SERVER] : servers.slice(0, MOST_SERVERS), search, options };
}

export function resolvConfText({ servers, search, options }: ResolvConf): string {
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(" ")}`] : []),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * What a container's resolv.conf says. In a network names are looked up at its gateway, which passes on to the service's own servers; elsewhere at
 * those servers, or where this machine looks them up.
 */
export async function containerResolvConf(wanted: {
  readonly gateway: string | null;
  /** It lives in this machine's own network, and reaches its loopback. */
  readonly host: boolean;
  readonly service: Pick<Service, "dns" | "dnsSearch" | "dnsOptions">;
}): Promise<string> {
  const { gateway, service } = wanted;
  const host = await readConf(PATH);
  const search = (service.dnsSearch.length > 0 ? service.dnsSearch : host.search).filter((domain) => domain !== ".");
  const options = service.dnsOptions.length > 0 ? service.dnsOptions : host.options;
  if (gateway !== null) {
    const dots = options.some((option) => option.startsWith("ndots:")) ? [] : ["ndots:0"]; // a service's name has none
    return resolvConfText({ servers: [gateway], search, options: [...options, ...dots] });
  }
  const servers = wanted.host ? host.servers : await reachableServers(host);
  return resolvConfText({ servers: service.dns.length > 0 ? service.dns : servers, search, options });
}

/** This machine's servers without those that only this machine reaches. */
async function reachableServers(host: ResolvConf): Promise<readonly string[]> {
  for (const path of [null, ...REAL_PATHS]) {
    const { servers } = path === null ? host : await readConf(path);
    const reachable = servers.filter((server) => !/^(?:127\.|::1$)/.test(server));
    if (reachable.length > 0) return reachable;
  }
  return [];
}

async function readConf(path: string): Promise<ResolvConf> {
  try {
    return parseResolvConf(await readFile(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return parseResolvConf("");
    throw error;
  }
}
