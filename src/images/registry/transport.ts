/**
 * One request over http or https, on connections that are kept. Redirects are given back, not followed. Knows nothing of registries; its
 * errors are `TransportError`s that say what kind of thing went wrong and on which host, never with credentials.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export interface Request {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array | (() => Readable);
  /** Accept any certificate. */
  readonly insecure: boolean;
  readonly signal: AbortSignal;
}

export type TransportProblem = "refused" | "unknown-host" | "unreachable" | "timeout" | "tls" | "protocol" | "broken";

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
/** Without a byte for so long a connection counts as broken. */
const IDLE_MS = 30_000;

export interface Transport {
  send(request: Request): Promise<IncomingMessage>;
  close(): void;
}

export function openTransport(): Transport {
  const options = { keepAlive: true, maxSockets: SOCKETS_PER_HOST };
  const plain = new HttpAgent(options);
  const secure = new HttpsAgent(options);
  const lax = new HttpsAgent({ ...options, rejectUnauthorized: false });
  return {
    send: (request) => send(request, request.url.protocol === "http:" ? plain : request.insecure ? lax : secure),
    close: () => {
      for (const agent of [plain, secure, lax]) agent.destroy();
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

function urlOf(response: IncomingMessage): URL {
  return URLS.get(response) ?? new URL("http://unknown");
}

function send(request: Request, agent: HttpAgent | HttpsAgent): Promise<IncomingMessage> {
  const { url, method, headers, body, signal } = request;
  return new Promise((resolve, reject) => {
    const open = url.protocol === "http:" ? httpRequest : httpsRequest;
    const outgoing = open(url, { method, headers, agent, signal, timeout: IDLE_MS });
    outgoing.on("response", (response) => {
      URLS.set(response, url);
      resolve(response);
    });
    outgoing.on("timeout", () => outgoing.destroy(Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" })));
    outgoing.on("error", (error) => reject(signal.aborted ? signal.reason : asTransportError(error, url)));
    if (typeof body === "function")
      pipeline(body(), outgoing).catch((error: unknown) => outgoing.destroy(error instanceof Error ? error : new Error(String(error))));
    else outgoing.end(body);
  });
}

const PROBLEMS: Readonly<Record<string, TransportProblem>> = {
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
