/** Finds what to log in with: the files that `docker login` and `podman login` write, and the helper programs that they name. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../model/diagnostic.ts";
import { Secret } from "../../model/secret.ts";
import { type Fields, fields, optional, parseJson, text, WrongShape } from "../shape.ts";

export type Credential =
  | { readonly kind: "password"; readonly username: string; readonly password: Secret }
  /** To be exchanged for access tokens. */
  | { readonly kind: "identity"; readonly token: Secret }
  /** To be sent as it is. */
  | { readonly kind: "bearer"; readonly token: Secret };

export interface CredentialSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of a helper that does not work: it must not get into the way of public images. */
  readonly note: (message: string) => void;
}

/** Under which Docker Hub's credentials are kept, in files and by helpers. */
const DOCKER_HUB_KEY = "https://index.docker.io/v1/";
const HELPER_NAME = /^[A-Za-z0-9._-]+$/;
const HELPER_TIMEOUT_MS = 10_000;

/** The credential for a registry's domain from the first file that has one, or `null`: then it is spoken to without a name. */
export async function findCredential(domain: string, sources: CredentialSources): Promise<Credential | null> {
  for (const path of files(sources.env)) {
    const config = await readConfig(path);
    if (config === null) continue;
    const found = await fromConfig(config, domain, { path, note: sources.note });
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

interface Origin {
  readonly path: string;
  readonly note: (message: string) => void;
}

async function fromConfig(config: Fields, domain: string, origin: Origin): Promise<Credential | null> {
  try {
    const helpers = optional(config["credHelpers"], "credHelpers", fields) ?? {};
    const helper = optional(helpers[domain], `credHelpers.${domain}`, text) ?? optional(config["credsStore"], "credsStore", text);
    const fromHelper = helper === null || helper === "" ? null : await askHelper(helper, domain, origin);
    if (fromHelper !== null) return fromHelper;
    const auths = optional(config["auths"], "auths", fields) ?? {};
    const key = Object.keys(auths).find((name) => normalised(name) === normalised(domain));
    return key === undefined ? null : fromEntry(fields(auths[key], `auths.${key}`));
  } catch (error) {
    if (!(error instanceof WrongShape)) throw error;
    throw unreadable(origin.path, error);
  }
}

function fromEntry(entry: Fields): Credential | null {
  const identity = optional(entry["identitytoken"], "identitytoken", text) ?? "";
  if (identity !== "") return { kind: "identity", token: new Secret(identity) };
  const bearer = optional(entry["registrytoken"], "registrytoken", text) ?? "";
  if (bearer !== "") return { kind: "bearer", token: new Secret(bearer) };
  const encoded = optional(entry["auth"], "auth", text) ?? "";
  if (encoded === "") return null; // an empty entry only marks that a helper keeps it
  const decoded = Buffer.from(encoded, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = decoded.indexOf(":");
  if (colon === -1) throw new WrongShape("auth", "base64 of user:password");
  return { kind: "password", username: decoded.slice(0, colon), password: new Secret(decoded.slice(colon + 1)) };
}

/** One spelling for the keys of a registry: files have them with and without a scheme and a path. */
function normalised(key: string): string {
  const host = key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return ["docker.io", "registry-1.docker.io"].includes(host) ? "index.docker.io" : host;
}

async function askHelper(helper: string, domain: string, { path, note }: Origin): Promise<Credential | null> {
  if (!HELPER_NAME.test(helper)) throw new WrongShape("the name of the credential helper", "made of letters, digits, dots and dashes");
  const program = `docker-credential-${helper}`;
  const answer = await runHelper(program, domain === "docker.io" ? DOCKER_HUB_KEY : domain);
  if ("problem" in answer) {
    if (!/credentials not found/i.test(answer.problem))
      note(`${program} (named in ${path}) gave no credentials for ${domain}: ${answer.problem}`);
    return null;
  }
  const said = fields(parseJson(answer.output, program), program);
  const username = optional(said["Username"], `${program}'s Username`, text) ?? "";
  const secret = new Secret(text(said["Secret"], `${program}'s Secret`));
  return username === "<token>" ? { kind: "identity", token: secret } : { kind: "password", username, password: secret };
}

/** What a helper prints, or in one line why there is nothing. */
function runHelper(program: string, key: string): Promise<{ readonly output: string } | { readonly problem: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"], timeout: HELPER_TIMEOUT_MS, killSignal: "SIGKILL" });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on("error", (error: NodeJS.ErrnoException) =>
      resolve({ problem: error.code === "ENOENT" ? "it is not installed" : error.message }),
    );
    child.on("close", (status) =>
      resolve(status === 0 ? { output } : { problem: output.trim().split("\n")[0] || `it ended with ${status ?? "a signal"}` }),
    );
    child.stdin.on("error", () => {}); // a helper that does not read is judged by what it prints
    child.stdin.end(`${key}\n`);
  });
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
