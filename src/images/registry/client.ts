/** A registry: sends requests to it with whatever it takes to be answered (the right scheme, credentials, redirects, patience). */
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { Readable } from "node:stream";
import type { Base } from "./address.ts";
import { Authorizer } from "./authorizer.ts";
import { bestChallenge, type Challenge, parseChallenges, wantsMore } from "./challenge.ts";
import type { Credential } from "./credentials.ts";
import { type Patience, patiently } from "./patience.ts";
import { garbage } from "./problems.ts";
import { follow } from "./redirects.ts";
import type { Wanted } from "./tokens.ts";
import { discard, hostOf, type Request, type Transport, TransportError, urlOf } from "./transport.ts";
import { warningsOf } from "./warnings.ts";

export interface Ask extends Patience {
  readonly method: Request["method"];
  /** Below the registry's base (`/v2/…`), or an absolute address that the registry gave. */
  readonly path: string | URL;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array | (() => Readable);
  /** `repository:NAME:pull` */
  readonly scope: string;
  /** Further ones that the request needs. */
  readonly scopes?: readonly string[];
  /** Told of words for the user that come with an answer. */
  readonly warn: (text: string) => void;
}

export interface RegistryOptions {
  readonly bases: readonly Base[];
  readonly transport: Transport;
  readonly credential: (repository: string) => Promise<Credential | null>;
}

export class Registry {
  readonly #options: RegistryOptions;
  readonly #authorizer: Authorizer;
  /** The base that answered; until then each request tries them. */
  #base: Base | null = null;
  /** What it asks for in general, where an answer did not say. */
  #general: Promise<readonly Challenge[]> | null = null;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#authorizer = new Authorizer(options);
  }

  /** `host:port`, as messages name it. */
  get host(): string {
    return hostOf(this.base);
  }

  /** What relative addresses of its answers start from. */
  get base(): URL {
    const base = this.#base ?? this.#options.bases[0];
    if (base === undefined) throw new Error("a registry without an address");
    return base.url;
  }

  /** Sends a request; tries again where that may help. The answer's body is to be read or discarded. */
  request(ask: Ask): Promise<IncomingMessage> {
    return patiently(
      () => this.#exchange(ask),
      () => this.host,
      ask,
    );
  }

  /** One request to the base that works, found by trying on first contact. */
  async #exchange(ask: Ask): Promise<IncomingMessage> {
    const bases = this.#base === null ? this.#options.bases : [this.#base];
    let doubtful: { readonly base: Base; readonly response: IncomingMessage } | null = null;
    let problem: unknown = null;
    for (const base of bases) {
      try {
        const response = await this.#authorized(ask, base);
        for (const text of warningsOf(response)) ask.warn(`${hostOf(base.url)} warns: ${text}`);
        if (response.statusCode === 400 && base.url.protocol === "http:" && base !== bases.at(-1)) {
          doubtful = { base, response }; // what a TLS server says to one who speaks plain http, unless TLS does not work there
          continue;
        }
        doubtful?.response.destroy();
        this.#base = base;
        return response;
      } catch (error) {
        if (!(error instanceof TransportError) || error.host !== hostOf(base.url)) throw error;
        problem ??= error;
      }
    }
    if (doubtful === null) throw problem;
    this.#base = doubtful.base;
    return doubtful.response;
  }

  /** One request with what it takes to be let in. A second answer to a challenge is given only where it names a scope that is lacking. */
  async #authorized(ask: Ask, base: Base): Promise<IncomingMessage> {
    const url = new URL(ask.path, base.url);
    if (base.url.protocol === "https:" && url.protocol !== "https:")
      throw garbage(hostOf(base.url), `it leads to an address that is not on https: ${hostOf(url)}`);
    // What the registry sends us to elsewhere (to upload, say) is not told what only it may know.
    if (url.host !== base.url.host) return this.#send(ask, { url, header: null, base });
    const wanted = wantedFor(ask, base);
    let header = await this.#authorizer.header(wanted);
    for (let answers = 0; ; answers += 1) {
      const response = await this.#send(ask, { url, header, base });
      const challenges = urlOf(response).host === base.url.host ? challengesOf(response) : null;
      if (challenges === null || !isChallenge(response, challenges) || answers === 2 || (answers === 1 && !wantsMore(challenges)))
        return response;
      const usable = bestChallenge(challenges) === null && header === null ? await this.#generalChallenges(ask, base) : challenges;
      const fresh = await this.#authorizer.answer(usable, { wanted, refused: header });
      if (fresh === null || fresh === header) return response;
      await discard(response);
      header = fresh;
    }
  }

  /** Some registries say only at their root what they ask for. */
  #generalChallenges({ signal }: Ask, { url, insecure }: Base): Promise<readonly Challenge[]> {
    this.#general ??= this.#options.transport
      .send({ method: "GET", url: new URL("/v2/", url), headers: {}, insecure, signal })
      .then(async (response) => {
        await discard(response);
        return challengesOf(response);
      })
      .catch((error: unknown) => {
        this.#general = null;
        throw error;
      });
    return this.#general;
  }

  #send(
    { method, headers, body, signal }: Ask,
    { url, header, base }: { readonly url: URL; readonly header: string | null; readonly base: Base },
  ): Promise<IncomingMessage> {
    return follow(this.#options.transport, {
      method,
      url,
      headers: header === null ? { ...headers } : { ...headers, authorization: header },
      insecure: base.insecure,
      signal,
      ...(body === undefined ? {} : { body }),
    });
  }
}

function wantedFor({ scope, scopes = [], signal }: Ask, { url, insecure }: Base): Wanted {
  const repository = /^repository:(.*):[^:]*$/.exec(scope)?.[1] ?? "";
  return { repository, scopes: [scope, ...scopes], lax: url.protocol === "http:" || insecure, insecure, signal };
}

function isChallenge({ statusCode }: IncomingMessage, challenges: readonly Challenge[]): boolean {
  return statusCode === 401 || (statusCode === 403 && wantsMore(challenges));
}

/** The challenges of each header by itself: node would join them, and commas separate parameters, too. */
function challengesOf({ rawHeaders }: IncomingMessage): readonly Challenge[] {
  return rawHeaders
    .filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === "www-authenticate")
    .flatMap(parseChallenges);
}
