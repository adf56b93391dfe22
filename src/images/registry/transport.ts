/**
 * One request over http or https, on connections that are kept. Redirects are given back, not followed. Knows nothing of registries; its
 * errors are `TransportError`s that say what kind of thing went wrong and on which host, never with credentials.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Environment, proxyFor, proxyHeaders } from "./proxy.ts";
import { TunnelAgent } from "./tunnel.ts";

export interface Request {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array | (() => Readable);
  /** Accept any certificate. */
  readonly insecure: boolean;
  readonly signal: AbortSignal;
}

export type TransportProblem = "proxy" | "refused" | "unknown-host" | "unreachable" | "timeout" | "tls" | "protocol" | "broken";

export class TransportError extends Error {
  readonly problem: TransportProblem;
  /** `host:port` */
  readonly host: string;

  constructor(problem: TransportProblem, url: URL, cause: Error) {
    super(`${hostOf(url)}: ${cause.message}`, { cause });
    this.name = "TransportError";
    this.problem = problem;
    this.host = hostOf(url);
  }
}

const SOCKETS_PER_HOST = 12;
/** Some registries turn away who does not say what they are. */
const USER_AGENT = "wharf";
/** Without a byte for so long a connection counts as broken. */
const IDLE_MS = 30_000;

export interface Transport {
  send(request: Request): Promise<IncomingMessage>;
  close(): void;
}

/** `env` names proxies. */
export function openTransport(env: Environment): Transport {
  const options = { keepAlive: true, maxSockets: SOCKETS_PER_HOST };
  const agents = new Map<string, HttpAgent | HttpsAgent>();
  const agentFor = ({ url, insecure }: Request, proxy: URL | null): HttpAgent | HttpsAgent => {
    const secure = url.protocol === "https:";
    const key = [proxy?.href, secure ? "https" : proxy?.protocol, secure && insecure].join(" ");
    const checks = { ...options, rejectUnauthorized: !insecure };
    const make = (): HttpAgent | HttpsAgent => {
      if (!secure) return proxy?.protocol === "https:" ? new HttpsAgent(options) : new HttpAgent(options);
      return proxy === null ? new HttpsAgent(checks) : new TunnelAgent(proxy, checks);
    };
    const agent = agents.get(key) ?? make();
    agents.set(key, agent);
    return agent;
  };
  return {
    send: async (request) => {
      const proxy = proxyFor(request.url, env);
      return send(request, { agent: agentFor(request, proxy), proxy: request.url.protocol === "http:" ? proxy : null });
    },
    close: () => {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

/** The body of an answer, at most `limit` bytes of it; `null` when it is longer. */
export async function readBody(response: IncomingMessage, limit: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(response)) {
    size += chunk.length;
    if (size > limit) {
      response.destroy();
      return null;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The bytes of an answer as they come. */
export async function* bodyOf(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response) yield chunk;
  } catch (error) {
    throw asTransportError(error, urlOf(response));
  }
}

/** Reads what is left, so that the connection can be used again. */
export async function discard(response: IncomingMessage): Promise<void> {
  await readBody(response, 1 << 20);
}

export function hostOf(url: URL): string {
  return url.port === "" ? `${url.hostname}:${url.protocol === "http:" ? 80 : 443}` : url.host;
}

const URLS = new WeakMap<IncomingMessage, URL>();

/** Where an answer came from. */
export function urlOf(response: IncomingMessage): URL {
  return URLS.get(response) ?? new URL("http://unknown");
}

/** `proxy`: sends the request there, with its whole address. */
function send(
  request: Request,
  { agent, proxy }: { readonly agent: HttpAgent | HttpsAgent; readonly proxy: URL | null },
): Promise<IncomingMessage> {
  const { url, method, body, signal } = request;
  const headers = { "user-agent": USER_AGENT, ...request.headers };
  return new Promise((resolve, reject) => {
    const open = (proxy ?? url).protocol === "http:" ? httpRequest : httpsRequest;
    const options = { method, agent, timeout: IDLE_MS };
    const outgoing =
      proxy === null
        ? open(url, { ...options, headers })
        : open(proxy, { ...options, path: url.href, headers: { host: url.host, ...proxyHeaders(proxy), ...headers } });
    // The signal is not given to node: it would end the connection with an error also where nobody uses it, and so nobody hears of it.
    let answer: IncomingMessage | null = null;
    const abort = (): void => void (answer === null ? outgoing.destroy(new Error("called off")) : answer.destroy());
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    outgoing.on("close", () => signal.removeEventListener("abort", abort));
    let ours: { readonly error: unknown } | null = null; // what is sent could not be read: no word of the other side
    outgoing.on("response", (response) => {
      URLS.set(response, url);
      answer = response;
      resolve(response);
    });
    outgoing.on("timeout", () => outgoing.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })));
    outgoing.on("error", (error) => reject(signal.aborted ? signal.reason : ours === null ? asTransportError(error, url) : ours.error));
    if (typeof body !== "function") {
      outgoing.end(body);
      return;
    }
    const stream = body();
    stream.once("error", (error) => {
      if (!outgoing.destroyed) ours = { error };
    });
    pipeline(stream, outgoing).catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : new Error(String(error))));
  });
}

const PROBLEMS: Readonly<Record<string, TransportProblem>> = {
  ERR_PROXY: "proxy",
  ECONNREFUSED: "refused",
  ENOTFOUND: "unknown-host",
  EAI_AGAIN: "unknown-host",
  ENETUNREACH: "unreachable",
  EHOSTUNREACH: "unreachable",
  ETIMEDOUT: "timeout",
  EPROTO: "tls",
  CERT_HAS_EXPIRED: "tls",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls",
  SELF_SIGNED_CERT_IN_CHAIN: "tls",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls",
  UNABLE_TO_GET_ISSUER_CERT: "tls",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "tls",
  CERT_NOT_YET_VALID: "tls",
};

function asTransportError(error: unknown, url: URL): unknown {
  if (!(error instanceof Error) || error instanceof TransportError || error.name === "AbortError") return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return new TransportError(PROBLEMS[code] ?? problemByPrefix(code), url, error);
}

function problemByPrefix(code: string): TransportProblem {
  if (code.startsWith("ERR_TLS") || code.startsWith("ERR_SSL") || code.startsWith("CERT_")) return "tls";
  return code.startsWith("HPE_") ? "protocol" : "broken";
}
