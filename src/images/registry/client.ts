/** A registry: sends requests to it with whatever it takes to be answered (the right scheme, credentials, redirects, patience). */
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Base } from "./address.ts";
import { Authorizer } from "./authorizer.ts";
import type { Credential } from "./credentials.ts";
import { garbage, refusal, unreachable } from "./problems.ts";
import { discard, hostOf, type Request, type Transport, TransportError } from "./transport.ts";

export interface Ask {
  readonly method: Request["method"];
  /** Below the registry's base (`/v2/…`), or an absolute address that the registry gave. */
  readonly path: string | URL;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array | (() => Readable);
  /** `repository:NAME:pull` */
  readonly scope: string;
  /** Further ones that the request needs. */
  readonly scopes?: readonly string[];
  /** The caller tries again itself, where there is more to it than to send the same once more. */
  readonly once?: boolean;
  /** Statuses that are an answer; any other becomes a failure. */
  readonly expect: readonly number[];
  /** What is asked for, for messages. */
  readonly what: string;
  readonly signal: AbortSignal;
}

export interface RegistryOptions {
  readonly bases: readonly Base[];
  readonly transport: Transport;
  readonly credential: () => Promise<Credential | null>;
}

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A registry that wants to be left alone for longer than this is not waited for. */
const LONGEST_RETRY_AFTER_MS = 60_000;
const REDIRECTS = 10;
const TRANSIENT: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const REDIRECT: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export class Registry {
  readonly #options: RegistryOptions;
  readonly #authorizer: Authorizer;
  /** The base that answered; until then each is tried. */
  #base: Base | null = null;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#authorizer = new Authorizer({
      transport: options.transport,
      credential: options.credential,
      plain: () => this.#base?.url.protocol === "http:",
    });
  }

  /** `host:port`, as messages name it. */
  get host(): string {
    const base = this.#base ?? this.#options.bases[0];
    return base === undefined ? "" : hostOf(base.url);
  }

  /** What relative addresses of its answers start from. */
  get base(): URL {
    const base = this.#base ?? this.#options.bases[0];
    if (base === undefined) throw new Error("a registry without an address");
    return base.url;
  }

  /** Sends a request; tries again where that may help. The answer's body is to be read or discarded. */
  async request(ask: Ask): Promise<IncomingMessage> {
    for (let attempt = 1; ; attempt += 1) {
      const last = attempt === ATTEMPTS || ask.once === true;
      let pause = Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
      try {
        const response = await this.#exchange(ask);
        const status = response.statusCode ?? 0;
        if (ask.expect.includes(status)) return response;
        const wanted = retryAfter(response);
        if (last || !TRANSIENT.has(status) || wanted > LONGEST_RETRY_AFTER_MS) throw await refusal(response, ask.what, this.host);
        await discard(response);
        pause = Math.max(pause, wanted);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        if (last || (error.problem !== "broken" && error.problem !== "timeout")) throw unreachable(error);
      }
      await sleep(pause, undefined, { signal: ask.signal });
    }
  }

  /** One request to the base that works, found by trying on first contact. */
  async #exchange(ask: Ask): Promise<IncomingMessage> {
    const [first, ...others] = this.#base === null ? this.#options.bases : [this.#base];
    if (first === undefined) throw new Error("a registry without an address");
    if (others.length === 0) return this.#authorized(ask, first);
    let problem: TransportError | null = null;
    for (const base of [first, ...others]) {
      this.#base = base;
      try {
        const response = await this.#authorized(ask, base);
        // What a TLS server says to one who speaks plain http: no word of the registry itself.
        if (response.statusCode !== 400 || base.url.protocol !== "http:" || base === others.at(-1)) return response;
        await discard(response);
      } catch (error) {
        this.#base = null;
        if (!(error instanceof TransportError) || error.problem === "unknown-host") throw error;
        problem ??= error;
      }
    }
    this.#base = null;
    throw problem ?? garbage(this.host, "it answers every request with status 400");
  }

  async #authorized(ask: Ask, base: Base): Promise<IncomingMessage> {
    const url = new URL(ask.path, base.url);
    const { scope, scopes = [] } = ask;
    // What the registry sends us to elsewhere (to upload, say) is not told what only it may know.
    const header = url.host === base.url.host ? await this.#authorizer.header([scope, ...scopes]) : null;
    const response = await this.#followed(ask, { url, header, insecure: base.insecure });
    if (response.statusCode !== 401 || url.host !== base.url.host) return response;
    const reason = { scopes: [scope, ...scopes], insecure: base.insecure, signal: ask.signal };
    const fresh = await this.#authorizer.answer(challengesOf(response), reason);
    if (fresh === null || fresh === header) return response;
    await discard(response);
    return this.#followed(ask, { url, header: fresh, insecure: base.insecure });
  }

  /** Follows redirects of reads. Another host is never told our credentials, and nothing goes from https down to http. */
  async #followed(
    ask: Ask,
    to: { readonly url: URL; readonly header: string | null; readonly insecure: boolean },
  ): Promise<IncomingMessage> {
    let { url, header } = to;
    for (let hop = 0; hop <= REDIRECTS; hop += 1) {
      const headers = header === null || url.host !== to.url.host ? { ...ask.headers } : { ...ask.headers, authorization: header };
      const { method, body, signal } = ask;
      const response = await this.#options.transport.send({
        method,
        url,
        headers,
        insecure: to.insecure,
        signal,
        ...(body === undefined ? {} : { body }),
      });
      const { location } = response.headers;
      const reads = method === "GET" || method === "HEAD";
      if (!reads || location === undefined || !REDIRECT.has(response.statusCode ?? 0)) return response;
      await discard(response);
      if (!URL.canParse(location, url.href)) throw garbage(hostOf(url), "it redirects to something that is no address");
      const next = new URL(location, url);
      if (next.protocol !== "https:" && next.protocol !== url.protocol)
        throw garbage(hostOf(url), `it redirects from ${url.protocol} to ${next.protocol}`);
      if (next.host !== url.host) header = null;
      url = next;
    }
    throw garbage(hostOf(to.url), `it redirects more than ${REDIRECTS} times`);
  }
}

/** Each challenge header by itself: node would join them, and commas separate parameters, too. */
function challengesOf(response: IncomingMessage): readonly string[] {
  const { rawHeaders } = response;
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === "www-authenticate");
}

/** Milliseconds that the answer asks to wait; 0 when it does not say. */
function retryAfter(response: IncomingMessage): number {
  const header = response.headers["retry-after"];
  if (header === undefined) return 0;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}
