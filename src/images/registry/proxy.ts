/** The proxy that the caller's environment wants requests to go through, as curl and Go programs read it. */
import { request as httpRequest } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import { Duplex } from "node:stream";
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

/** Speaks TLS through a tunnel, so that the proxy sees only to whom. */
export class TunnelAgent extends HttpsAgent {
  readonly #proxy: URL;

  constructor(proxy: URL, options: AgentOptions) {
    super(options);
    this.#proxy = proxy;
  }

  override createConnection(options: RequestOptions, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const host = options.host ?? "";
    tunnel(this.#proxy, `${isIP(host) === 6 ? `[${host}]` : host}:${options.port ?? 443}`).then(
      (socket) => {
        const through = { ...options, socket };
        callback?.(null, super.createConnection(through) ?? socket);
      },
      (error: Error) => callback?.(error, new Duplex()), // what comes with an error is not looked at
    );
  }
}

const CONNECT_MS = 30_000;

/** A connection to a host and port that the proxy makes and hands on. */
function tunnel(proxy: URL, to: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const open = proxy.protocol === "http:" ? httpRequest : httpsRequest;
    const headers = { host: to, ...proxyHeaders(proxy) };
    const { hostname: host, port, protocol } = proxy;
    const request = open({ protocol, host, port, method: "CONNECT", path: to, headers, agent: false, timeout: CONNECT_MS });
    request.on("connect", ({ statusCode }, socket) => {
      if (statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(new ProxyError(proxy, `does not connect to ${to}: status ${statusCode}`));
    });
    request.on("response", (response) => {
      response.destroy();
      reject(new ProxyError(proxy, `does not connect to ${to}: status ${response.statusCode}`));
    });
    request.on("timeout", () => request.destroy(new Error("no answer in time")));
    request.on("error", (error) => reject(new ProxyError(proxy, `cannot be reached: ${error.message}`, { cause: error })));
    request.end();
  });
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
