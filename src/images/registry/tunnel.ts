/** TLS through a proxy. Apart from what chooses the proxy: to extend node's agent loads all that it knows of TLS. */
import { request as httpRequest } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { ProxyError, proxyHeaders } from "./proxy.ts";

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
