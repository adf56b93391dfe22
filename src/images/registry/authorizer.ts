/** Answers a registry's challenges: basic credentials, or access tokens that are fetched, kept while they last, and shared by requests. */
import { Failure } from "../../model/diagnostic.ts";
import { bestChallenge, type Challenge } from "./challenge.ts";
import type { Credential } from "./credentials.ts";
import { basicHeader, fetchToken, type Token, type Wanted } from "./tokens.ts";
import type { Transport } from "./transport.ts";

export interface AuthorizerOptions {
  readonly transport: Transport;
  /** Called once for each repository, and only when the registry asks. */
  readonly credential: (repository: string) => Promise<Credential | null>;
}

interface Grant {
  readonly challenge: Challenge;
  /** A promise, so that requests at the same time fetch one token. */
  readonly token: Promise<Token>;
}

export class Authorizer {
  readonly #options: AuthorizerOptions;
  /** By scopes. */
  readonly #grants = new Map<string, Grant>();
  /** By repositories: files may hold credentials for parts of a registry. */
  readonly #credentials = new Map<string, Promise<Credential | null>>();
  /** What it asked for, once it did: a header that needs no token then goes with every request. */
  #asked: Challenge["scheme"] | null = null;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** What to send for these scopes, as far as is known; `null`: nothing yet. A token that has run out is replaced. */
  async header(wanted: Wanted): Promise<string | null> {
    const fixed = this.#asked === null ? null : fixedHeader(this.#asked, await this.#whoAmI(wanted));
    if (fixed !== null) return fixed;
    const grant = this.#grants.get(keyOf(wanted.scopes));
    if (grant === undefined) return null;
    try {
      const token = await grant.token;
      return isFresh(token) ? token.header : await this.#bearer(grant.challenge, { wanted, refused: token.header });
    } catch (error) {
      wanted.signal.throwIfAborted();
      if (error instanceof Failure || isAbort(error)) return null; // the registry's answer without it says what is wrong
      throw error;
    }
  }

  /** Answers challenges. `refused` was sent and is not enough. Gives the header to try again with, or `null` when there is none to try. */
  async answer(challenges: readonly Challenge[], { wanted, refused }: Refusal): Promise<string | null> {
    const challenge = bestChallenge(challenges);
    if (challenge === null) return null;
    const fixed = fixedHeader(challenge.scheme, await this.#whoAmI(wanted));
    this.#asked = challenge.scheme;
    return fixed === null && challenge.scheme !== "basic" ? this.#bearer(challenge, { wanted, refused }) : fixed;
  }

  #whoAmI({ repository }: Wanted): Promise<Credential | null> {
    const known = this.#credentials.get(repository) ?? this.#options.credential(repository);
    this.#credentials.set(repository, known);
    return known;
  }

  /** Another token than the one that was refused: from a request that was faster, or fetched now. */
  async #bearer(challenge: Challenge, { wanted, refused }: Refusal): Promise<string> {
    const key = keyOf(wanted.scopes);
    for (;;) {
      const known = this.#grants.get(key);
      const token = known === undefined ? null : await finished(known.token, wanted.signal);
      if (token !== null && token.header !== refused && isFresh(token)) return token.header;
      if (this.#grants.get(key) === known) break; // nobody else fetches one meanwhile
    }
    const token = this.#whoAmI(wanted).then((credential) => fetchToken(this.#options.transport, challenge, { credential, wanted }));
    const grant: Grant = { challenge, token };
    this.#grants.set(key, grant);
    try {
      return (await grant.token).header;
    } catch (error) {
      if (this.#grants.get(key) === grant) this.#grants.delete(key);
      throw error;
    }
  }
}

export interface Refusal {
  readonly wanted: Wanted;
  readonly refused: string | null;
}

/** A token that another request fetches; `null` when that one was called off, which is no word about this one. */
async function finished(token: Promise<Token>, signal: AbortSignal): Promise<Token | null> {
  try {
    return await token;
  } catch (error) {
    signal.throwIfAborted();
    if (isAbort(error)) return null;
    throw error;
  }
}

/** What answers a challenge without asking anybody for a token. */
function fixedHeader(scheme: Challenge["scheme"], credential: Credential | null): string | null {
  if (scheme === "basic") return credential?.kind === "password" ? basicHeader(credential.username, credential.password) : null;
  return credential?.kind === "bearer" ? `Bearer ${credential.token.reveal()}` : null;
}

function isFresh(token: Token): boolean {
  return token.until > Date.now();
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError");
}

function keyOf(scopes: readonly string[]): string {
  return [...scopes].sort().join(" ");
}
