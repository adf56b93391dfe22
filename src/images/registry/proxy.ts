/** The proxy that the caller's environment wants requests to go through, as curl and Go programs read it. */
import { isIP } from "node:net";
import { Failure } from "../../model/diagnostic.ts";
import { isLoopback, isWithin } from "./address.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Something is wrong with the proxy, not with who is asked through it. */
export class ProxyError extends Error {
  readonly code = "ERR_PROXY";

  constructor(proxy: URL, problem: string, options?: ErrorOptions) {
    super(`the proxy ${proxy.host} ${problem}`, options);
    this.name = "ProxyError";
  }
}

/** The proxy for an address, or `null`: this machine itself is never asked through one, nor is what NO_PROXY names. */
export function proxyFor(url: URL, env: Environment): URL | null {
  const variable = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const value = env[variable] || env[variable.toLowerCase()] || "";
  if (value === "" || isLoopback(url.hostname) || isExempt(url, env["NO_PROXY"] || env["no_proxy"] || "")) return null;
  const text = value.includes("://") ? value : `http://${value}`;
  const proxy = URL.canParse(text) ? new URL(text) : null;
  if (proxy === null || (proxy.protocol !== "http:" && proxy.protocol !== "https:"))
    throw new Failure({ code: "E_USAGE", message: `${variable} is not a proxy that can be used ([http://]HOST:PORT)` });
  return proxy;
}

/** What tells a proxy who asks; none where its address has no name. */
export function proxyHeaders({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "") return {};
  const words = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(words).toString("base64")}` };
}

/** Whether NO_PROXY names a host: by itself or as a part of a domain, with or without a port, or by a subnet. */
function isExempt(url: URL, list: string): boolean {
  const name = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return list
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => {
      if (entry === "*") return true;
      if (entry.includes("/")) return isWithin(name, entry);
      const [, host = "", only = port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
      const domain = host.replace(/^\*?\./, "");
      return domain !== "" && only === port && (name === domain || name.endsWith(`.${domain}`));
    });
}
