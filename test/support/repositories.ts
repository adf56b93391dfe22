/** The registry client as a pull has it, with what it tells the user. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, type Test } from "uvu";
import * as assert from "uvu/assert";
import { Registries, type RegistriesOptions } from "../../src/images/registries.ts";
import type { ReadOptions } from "../../src/images/registry/pull-api.ts";
import type { Repository } from "../../src/images/registry/repository.ts";
import type { Code } from "../../src/model/codes.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import { reference } from "./build.ts";

export interface Client {
  readonly repository: Repository;
  readonly registries: Registries;
  readonly notes: string[];
  readonly options: ReadOptions;
}

/** Runs work with a client for a name, and closes it. */
export async function withClient<T>(
  name: string,
  work: (client: Client) => Promise<T>,
  options: Partial<RegistriesOptions> = {},
): Promise<T> {
  const notes: string[] = [];
  const registries = new Registries({ env: {}, insecureRegistries: [], ...options });
  try {
    const repository = registries.repository(reference(name), (note) => notes.push(note));
    return await work({ repository, registries, notes, options: { what: name, signal: AbortSignal.timeout(20_000) } });
  } finally {
    registries.close();
  }
}

/** Runs work with a directory that has credentials as `docker login` writes them. */
export async function withLogin<T>(
  config: unknown,
  work: (env: Readonly<Record<string, string>>, directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "wharf-login-"));
  try {
    await writeFile(join(directory, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
    return await work({ DOCKER_CONFIG: directory, HOME: directory, PATH: `${directory}:/usr/bin:/bin` }, directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** `auth` of a user and password. */
export function basic(words: string): string {
  return Buffer.from(words).toString("base64");
}

/** That work fails with a code and words; gives the failure. */
export async function fails(work: Promise<unknown>, code: Code, words: RegExp = /./): Promise<Failure> {
  const error = await work.then(
    () => null,
    (problem: unknown) => problem,
  );
  if (!(error instanceof Failure)) throw new Error(`it did not fail as ${code}: ${String(error)}`, { cause: error });
  assert.equal(
    error.diagnostics.map((diagnostic) => diagnostic.code),
    [code],
  );
  assert.match(`${error.message} ${error.diagnostics[0]?.hint ?? ""}`, words);
  return error;
}

/** A suite that unpacks layers. Where their owners cannot be kept every test of it is skipped, and the reason is said. */
export function rootSuite(name: string): Pick<Test, "run"> & ((title: string, body: () => Promise<void>) => void) {
  const real = suite(name);
  if (process.geteuid?.() === 0) return real;
  console.log(`${name}: skipped, only root may give files away`);
  return Object.assign((title: string, body: () => Promise<void>) => real.skip(title, body), { run: real.run });
}
