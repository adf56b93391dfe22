/** Answers a registry's challenges: basic credentials, or access tokens that are fetched, kept while they last, and shared by requests. */
import { Failure } from "../../model/diagnostic.ts";
import type { Secret } from "../../model/secret.ts";
import { fields, optional, parseJson, text, WrongShape } from "../shape.ts";
import { bestChallenge, type Challenge, parseChallenges } from "./challenge.ts";
import type { Credential } from "./credentials.ts";
import { garbage, refusal } from "./problems.ts";
import { hostOf, type Request, readBody, type Transport } from "./transport.ts";

export interface AuthorizerOptions {
  readonly transport: Transport;
  /** Called once, and only when the registry asks. */
  readonly credential: () => Promise<Credential | null>;
  /** The registry itself is spoken to over plain http: then its token service may be, too. */
  readonly plain: () => boolean;
}

export interface Reason {
  /** `repository:NAME:pull` each. */
  readonly scopes: readonly string[];
  /** The registry's certificate is not checked: nor is that of its token service. */
  readonly insecure: boolean;
  readonly signal: AbortSignal;
}

interface Token {
  readonly header: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

const TOKEN_BODY_LIMIT = 1 << 20;
const SHORTEST_LIFE_S = 60;
/** A token is not used in its last seconds: a request that starts with it must not end without it. */
const MARGIN_MS = 5_000;
const CLIENT_ID = "wharf";

export class Authorizer {
  readonly #options: AuthorizerOptions;
  /** By scope; promises, so that requests at the same time fetch one token. */
  readonly #tokens = new Map<string, Promise<Token>>();
  #credential: Promise<Credential | null> | null = null;
  #basic: string | null = null;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** What to send for these scopes, as far as is known; `null`: nothing yet. */
  async header(scopes: readonly string[]): Promise<string | null> {
    if (this.#basic !== null) return this.#basic;
    const token = await this.#tokens.get(keyOf(scopes));
    if (token === undefined || token.until < Date.now()) return null;
    return token.header;
  }

  /** Answers a 401 for these scopes. Gives the header to try again with, or `null` when there is nothing to answer with. */
  async answer(headers: readonly string[], options: Reason): Promise<string | null> {
    const challenge = bestChallenge(headers.flatMap(parseChallenges));
    if (challenge === null) return null;
    this.#credential ??= this.#options.credential();
    const credential = await this.#credential;
    if (challenge.scheme === "basic") {
      this.#basic = credential?.kind === "password" ? basicHeader(credential.username, credential.password) : null;
      return this.#basic;
    }
    if (credential?.kind === "bearer") return `Bearer ${credential.token.reveal()}`;
    const fetching = this.#fetch(challenge, credential, options);
    this.#tokens.set(keyOf(options.scopes), fetching);
    try {
      return (await fetching).header;
    } catch (error) {
      this.#tokens.delete(keyOf(options.scopes));
      throw error;
    }
  }

  async #fetch(challenge: Challenge, credential: Credential | null, reason: Reason): Promise<Token> {
    const realm = realmOf(challenge);
    if (realm.protocol !== "https:" && !this.#options.plain()) throw garbage(hostOf(realm), "its token service is not on https");
    const named = (challenge.parameters.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
    const scopes = [...new Set([...reason.scopes, ...named])].sort();
    const service = challenge.parameters.get("service") ?? null;
    const { insecure, signal } = reason;
    const request =
      credential?.kind === "identity"
        ? exchange(realm, { service, scopes, token: credential.token })
        : login(realm, { service, scopes, credential });
    const response = await this.#options.transport.send({ ...request, insecure, signal });
    if (response.statusCode !== 200) throw await refusal(response, `an access token for ${keyOf(reason.scopes)}`, hostOf(realm));
    const body = await readBody(response, TOKEN_BODY_LIMIT);
    return tokenFrom(body ?? Buffer.alloc(0), hostOf(realm));
  }
}

function keyOf(scopes: readonly string[]): string {
  return [...scopes].sort().join(" ");
}

interface Wanted {
  readonly service: string | null;
  readonly scopes: readonly string[];
}

type TokenRequest = Omit<Request, "insecure" | "signal">;

/** Asks for a token with a user and password, or without a name. */
function login(realm: URL, { service, scopes, credential }: Wanted & { readonly credential: Credential | null }): TokenRequest {
  const url = new URL(realm);
  if (service !== null) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const headers = credential?.kind === "password" ? { authorization: basicHeader(credential.username, credential.password) } : {};
  return { method: "GET", url, headers };
}

/** Asks for a token with an identity token, as OAuth 2 does. */
function exchange(realm: URL, { service, scopes, token }: Wanted & { readonly token: Secret }): TokenRequest {
  const form = new URLSearchParams({
    grant_type: "refresh_token",
    client_id: CLIENT_ID,
    scope: scopes.join(" "),
    refresh_token: token.reveal(),
  });
  if (service !== null) form.set("service", service);
  return { method: "POST", url: realm, headers: { "content-type": "application/x-www-form-urlencoded" }, body: form.toString() };
}

function realmOf(challenge: Challenge): URL {
  const realm = challenge.parameters.get("realm") ?? "";
  const url = URL.canParse(realm) ? new URL(realm) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw new Failure({
      code: "E_REGISTRY_ANSWER",
      message: `the registry names a token service that is no address: ${JSON.stringify(realm.slice(0, 200))}`,
    });
  return url;
}

function tokenFrom(body: Buffer, host: string): Token {
  try {
    const answer = fields(parseJson(body, "its token"), "its token");
    const token = optional(answer["token"], "token", text) ?? optional(answer["access_token"], "access_token", text) ?? "";
    if (token === "" || /[\r\n]/.test(token)) throw new WrongShape("its token", "there");
    const life = typeof answer["expires_in"] === "number" ? Math.max(answer["expires_in"], SHORTEST_LIFE_S) : SHORTEST_LIFE_S;
    return { header: `Bearer ${token}`, until: Date.now() + life * 1000 - MARGIN_MS };
  } catch (error) {
    if (error instanceof WrongShape) throw garbage(host, error.message, { cause: error });
    throw error;
  }
}

function basicHeader(username: string, password: Secret): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString("base64")}`;
}
