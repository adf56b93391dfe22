/** Finds what to log in with: the files that `docker login` and `podman login` write, and the helper programs that they name. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/diagnostic.ts";
import { Secret } from "../../model/secret.ts";
import { type Fields, fields, optional, parseJson, text, WrongShape } from "../shape.ts";
import { runHelper } from "./credential-helper.ts";
import { isHeaderWord } from "./tokens.ts";

export type Credential =
  | { readonly kind: "password"; readonly username: string; readonly password: Secret }
  /** To be exchanged for access tokens; the name is for services that want it as a password. */
  | { readonly kind: "identity"; readonly username: string; readonly token: Secret }
  /** To be sent as it is. */
  | { readonly kind: "bearer"; readonly token: Secret };

export interface CredentialSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of a helper that does not work: it must not get into the way of public images. */
  readonly note: (message: string) => void;
  /** What helpers said, by program and registry: each is asked once. */
  readonly helpers: Map<string, Promise<Credential | null>>;
}

/** Whose credentials are looked for: a repository's. */
export interface Place {
  readonly domain: string;
  /** `library/nginx` */
  readonly path: string;
}

/** Under which Docker Hub's credentials are kept, in files and by helpers. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";
const HELPER_NAME = /^[A-Za-z0-9._-]+$/;
/** The name that stands for "the secret is an identity token". */
const TOKEN_USER = "<token>";

/** The credential for a repository from the first file that has one, or `null`: then its registry is spoken to without a name. */
export async function findCredential(place: Place, sources: CredentialSources): Promise<Credential | null> {
  for (const path of files(sources.env)) {
    const config = await readConfig(path);
    if (config === null) continue;
    const found = await fromConfig(config, place, { ...sources, path });
    if (found !== null) return found;
  }
  return null;
}

function files(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const inDirectory = (directory: string | undefined, ...name: readonly string[]): readonly string[] =>
    directory === undefined || directory === "" ? [] : [join(directory, ...name)];
  const home = env["HOME"];
  return [
    ...(env["REGISTRY_AUTH_FILE"] === undefined
      ? inDirectory(env["XDG_RUNTIME_DIR"], "containers", "auth.json")
      : [env["REGISTRY_AUTH_FILE"]]),
    ...inDirectory(env["XDG_CONFIG_HOME"] ?? inDirectory(home, ".config")[0], "containers", "auth.json"),
    ...inDirectory(env["DOCKER_CONFIG"] ?? inDirectory(home, ".docker")[0], "config.json"),
  ];
}

async function readConfig(path: string): Promise<Fields | null> {
  try {
    return fields(parseJson(await readFile(path), path), path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    if (!(error instanceof WrongShape) && code === undefined) throw error;
    throw unreadable(path, error);
  }
}

type Origin = CredentialSources & { readonly path: string };

/** The longest key for a part of the registry that the repository is in comes first, then helpers, then the key of the registry. */
async function fromConfig(config: Fields, place: Place, origin: Origin): Promise<Credential | null> {
  const { domain } = place;
  try {
    const auths = optional(config["auths"], "auths", fields) ?? {};
    for (const part of partsAround(place)) {
      const found = Object.hasOwn(auths, part) ? fromEntry(fields(auths[part], `auths.${part}`)) : null;
      if (found !== null) return found;
    }
    const helpers = optional(config["credHelpers"], "credHelpers", fields) ?? {};
    const own = keyFor(helpers, domain);
    const helper = optional(own === null ? config["credsStore"] : helpers[own], own ?? "credsStore", text) ?? "";
    const fromHelper = helper === "" ? null : await askHelper(helper, domain, origin);
    if (fromHelper !== null) return fromHelper;
    const key = keyFor(auths, domain);
    return key === null ? null : fromEntry(fields(auths[key], `auths.${key}`));
  } catch (error) {
    if (!(error instanceof WrongShape)) throw error;
    throw unreadable(origin.path, error);
  }
}

function fromEntry(entry: Fields): Credential | null {
  const word = (name: string): string => optional(entry[name], name, text) ?? "";
  const encoded = word("auth");
  const decoded = encoded === "" ? "" : Buffer.from(encoded, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  if (encoded !== "" && colon === -1) throw new WrongShape("auth", "base64 of user:password");
  const username = encoded === "" ? word("username") : decoded.slice(0, colon);
  const password = encoded === "" ? word("password") : decoded.slice(colon + 1).replace(/^\0+/, "");
  const identity = word("identitytoken");
  if (identity !== "") return { kind: "identity", username: username || TOKEN_USER, token: new Secret(identity) };
  const bearer = word("registrytoken");
  if (bearer !== "" && !isHeaderWord(bearer)) throw new WrongShape("registrytoken", "a token that can be sent");
  if (bearer !== "") return { kind: "bearer", token: new Secret(bearer) };
  if (username === "" && password === "") return null; // an empty entry only marks that a helper keeps it
  return { kind: "password", username, password: new Secret(password) };
}

/** The repository and the namespaces around it, the innermost first: `reg.example/team/app`, `reg.example/team`. */
function partsAround({ domain, path }: Place): readonly string[] {
  const names = path.split("/");
  return names.map((_, i) => [domain, ...names.slice(0, names.length - i)].join("/"));
}

/** The key that means a registry: spelled as its domain is, else with a scheme and a path around it. */
function keyFor(entries: Fields, domain: string): string | null {
  if (Object.hasOwn(entries, domain)) return domain;
  return Object.keys(entries).find((name) => normalised(name) === normalised(domain)) ?? null;
}

/** One spelling for the keys of a registry. A path without a scheme names a part of it only, and is left as it is. */
function normalised(key: string): string {
  const host = /^https?:\/\//.test(key) ? key.replace(/^https?:\/\//, "").replace(/\/.*$/, "") : key.replace(/\/(?:v[12]\/?)?$/, "");
  return ["docker.io", "registry-1.docker.io"].includes(host) ? "index.docker.io" : host;
}

function askHelper(helper: string, domain: string, origin: Origin): Promise<Credential | null> {
  if (!HELPER_NAME.test(helper)) throw new WrongShape("the name of the credential helper", "made of letters, digits, dots and dashes");
  const program = `docker-credential-${helper}`;
  const key = `${program} ${domain}`;
  const answer = origin.helpers.get(key) ?? askProgram(program, domain, origin);
  origin.helpers.set(key, answer);
  return answer;
}

/** What a helper keeps. One that is missing or does not work is told of, and does not get into the way of public images. */
async function askProgram(program: string, domain: string, { path, note, env }: Origin): Promise<Credential | null> {
  const answer = await runHelper(program, domain === "docker.io" ? DOCKER_HUB_KEY : domain, env);
  const unusable = (problem: string): null => {
    note(`${program} (named in ${path}) gave no credentials for ${domain}: ${problem}`);
    return null;
  };
  if ("problem" in answer) return /credentials not found/i.test(answer.problem) ? null : unusable(answer.problem);
  try {
    const said = fields(parseJson(answer.output, "its answer"), "its answer");
    const username = optional(said["Username"], "Username", text) ?? "";
    const secret = new Secret(text(said["Secret"], "Secret"));
    if (username === TOKEN_USER) return { kind: "identity", username, token: secret };
    return { kind: "password", username, password: secret };
  } catch (error) {
    if (error instanceof WrongShape) return unusable(error.message);
    throw error;
  }
}

function unreadable(path: string, cause: unknown): Failure {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    {
      code: "E_CREDENTIALS",
      message: `the registry credentials in ${path} cannot be read: ${reason}`,
      hint: "mend the file, or log in again with the tool that wrote it",
    },
    { cause },
  );
}
