/** Asks a token service for an access token: with a name and password, with an identity token, or as nobody in particular. */
import type { IncomingMessage } from "node:http";
import { Failure } from "../../model/diagnostic.ts";
import type { Secret } from "../../model/secret.ts";
import { fields, optional, parseJson, text, WrongShape } from "../shape.ts";
import type { Challenge } from "./challenge.ts";
import type { Credential } from "./credentials.ts";
import { patiently } from "./patience.ts";
import { garbage } from "./problems.ts";
import { follow } from "./redirects.ts";
import { discard, hostOf, type Request, readBody, type Transport } from "./transport.ts";

export interface Token {
  readonly header: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface Wanted {
  /** Whose credentials are to be used: the path of a repository. */
  readonly repository: string;
  readonly scopes: readonly string[];
  /** The registry itself is spoken to without TLS or with any certificate: then its token service may be, too. */
  readonly lax: boolean;
  /** Accept any certificate. */
  readonly insecure: boolean;
  readonly signal: AbortSignal;
}

const TOKEN_BODY_LIMIT = 1 << 20;
const SHORTEST_LIFE_S = 60;
/** A token is not used in its last seconds: a request that starts with it must not end without it. */
const MARGIN_MS = 5_000;
const CLIENT_ID = "wharf";
/** Statuses of token services that do not know one of the two ways to ask: 400 and 401 are such a word only about identity tokens. */
const NOT_THIS_WAY: ReadonlySet<number> = new Set([404, 405]);
const NOT_WITH_IDENTITY: ReadonlySet<number> = new Set([400, 401, 404, 405]);

/** A token for the scopes and those that the challenge names. */
export async function fetchToken(
  transport: Transport,
  challenge: Challenge,
  { credential, wanted }: { readonly credential: Credential | null; readonly wanted: Wanted },
): Promise<Token> {
  const realm = realmOf(challenge);
  const host = hostOf(realm);
  if (realm.protocol !== "https:" && !wanted.lax) throw garbage(host, "its token service is not on https");
  const named = (challenge.parameters.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
  const scopes = [...new Set([...wanted.scopes, ...named])].sort();
  const service = challenge.parameters.get("service") ?? null;
  const { insecure, signal } = wanted;
  const ask = (request: TokenRequest, also: ReadonlySet<number>): Promise<IncomingMessage> =>
    patiently(
      () => follow(transport, { ...request, insecure, signal }),
      () => host,
      { expect: [200, ...also], what: `an access token for ${wanted.scopes.join(" ")}`, signal },
    );
  const [first, second] = ways(realm, { service, scopes, credential });
  let response = await ask(first, second === null ? new Set() : credential?.kind === "identity" ? NOT_WITH_IDENTITY : NOT_THIS_WAY);
  if (response.statusCode !== 200 && second !== null) {
    await discard(response);
    response = await ask(second, new Set());
  }
  const body = await readBody(response, TOKEN_BODY_LIMIT);
  if (body === null) throw garbage(host, `its access token is longer than ${TOKEN_BODY_LIMIT} bytes`);
  return tokenFrom(body, host);
}

export function basicHeader(username: string, password: Secret): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString("base64")}`;
}

interface Claim {
  readonly service: string | null;
  readonly scopes: readonly string[];
  readonly credential: Credential | null;
}

type TokenRequest = Omit<Request, "insecure" | "signal">;

/** How to ask, and how else where a service does not know the first way. Every service knows GET with a password; identity tokens are OAuth 2's. */
function ways(realm: URL, claim: Claim): readonly [TokenRequest, TokenRequest | null] {
  const { credential } = claim;
  if (credential === null || credential.kind === "bearer") return [login(realm, claim, null), null];
  if (credential.kind === "password") {
    const { username, password } = credential;
    return [
      login(realm, claim, basicHeader(username, password)),
      oauth(realm, claim, { grant_type: "password", username, password: password.reveal() }),
    ];
  }
  const { username, token } = credential;
  return [
    oauth(realm, claim, { grant_type: "refresh_token", refresh_token: token.reveal() }),
    login(realm, claim, basicHeader(username, token)),
  ];
}

function login(realm: URL, { service, scopes }: Claim, authorization: string | null): TokenRequest {
  const url = new URL(realm);
  if (service !== null) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return { method: "GET", url, headers: authorization === null ? {} : { authorization } };
}

function oauth(realm: URL, { service, scopes }: Claim, grant: Readonly<Record<string, string>>): TokenRequest {
  const form = new URLSearchParams({ ...grant, client_id: CLIENT_ID, scope: scopes.join(" ") });
  if (service !== null) form.set("service", service);
  const body = form.toString();
  const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) };
  return { method: "POST", url: realm, headers, body };
}

function realmOf(challenge: Challenge): URL {
  const realm = challenge.parameters.get("realm") ?? "";
  const url = URL.canParse(realm) ? new URL(realm) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw new Failure({
      code: "E_REGISTRY_ANSWER",
      message: `the registry names a token service that is no address: ${JSON.stringify(realm.slice(0, 200))}`,
    });
  url.username = "";
  url.password = "";
  return url;
}

function tokenFrom(body: Buffer, host: string): Token {
  try {
    const answer = fields(parseJson(body, "its token"), "its token");
    const word = (name: string): string => optional(answer[name], name, text) ?? "";
    const token = word("token") || word("access_token");
    if (!isHeaderWord(token)) throw new WrongShape("its token", "one that can be sent");
    const life = typeof answer["expires_in"] === "number" ? Math.max(answer["expires_in"], SHORTEST_LIFE_S) : SHORTEST_LIFE_S;
    return { header: `Bearer ${token}`, until: Date.now() + life * 1000 - MARGIN_MS };
  } catch (error) {
    if (error instanceof WrongShape) throw garbage(host, error.message, { cause: error });
    throw error;
  }
}

/** Whether a word can be sent in a header: nothing in it that would end the line, or that has no byte there. */
export function isHeaderWord(word: string): boolean {
  return /^[\x21-\x7e]+$/.test(word);
}
