import { readFile } from "node:fs/promises";

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

/** What a container's resolv.conf says. With a gateway names are looked up there, else where this machine looks them up. */
export async function containerResolvConf({ gateway }: { readonly gateway: string | null }): Promise<string> {
  const host = await readConf(PATH);
  const options = [...host.options, ...(host.options.some((option) => option.startsWith("ndots:")) ? [] : ["ndots:0"])];
  if (gateway !== null) return resolvConfText({ servers: [gateway], search: host.search, options });
  return resolvConfText({ ...host, servers: await reachableServers(host) });
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
