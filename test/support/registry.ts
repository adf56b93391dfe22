/** Runs a real registry (Debian's docker-registry) on a free loopback port, for one test. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface RegistryOptions {
  /** Ask for this user and password with basic authentication. */
  readonly auth?: { readonly user: string; readonly password: string };
  /** Directory that keeps the content; without it a temporary one that goes with the registry. */
  readonly storage?: string;
  /** Listen here, to come back under the same name; without it on any free port. */
  readonly port?: number;
}

export interface Registry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;

export async function startRegistry(options: RegistryOptions = {}): Promise<Registry> {
  const directory = await mkdtemp(join(tmpdir(), "wharf-registry-"));
  const port = options.port ?? (await freePort());
  const storage = options.storage ?? join(directory, "storage");
  await writeFile(join(directory, "config.yml"), await configuration(directory, { port, storage, auth: options.auth }));
  const child = spawn("docker-registry", ["serve", join(directory, "config.yml")], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`docker-registry did not start: ${said}`);
    }
    await sleep(20);
  }
  return { host: `127.0.0.1:${port}`, stop };
}

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a TCP server has no port");
  return address.port;
}

/** As many of them in a row. */
export async function freePorts(count: number): Promise<readonly number[]> {
  for (;;) {
    const first = await freePort();
    const ports = Array.from({ length: count }, (_, i) => first + i);
    const free = await Promise.all(ports.map((port) => port < 65_536 && isFree(port)));
    if (free.every((is) => is)) return ports;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

interface Settings {
  readonly port: number;
  readonly storage: string;
  readonly auth: RegistryOptions["auth"];
}

async function configuration(directory: string, { port, storage, auth }: Settings): Promise<string> {
  const base = [
    "version: 0.1",
    "log: { level: error }",
    `storage: { filesystem: { rootdirectory: ${JSON.stringify(storage)} }, delete: { enabled: true } }`,
  ];
  const listen = `http: { addr: "127.0.0.1:${port}" }`;
  if (auth === undefined) return [...base, listen, ""].join("\n");
  const passwords = join(directory, "htpasswd");
  await writeFile(passwords, `${auth.user}:${bcrypt(auth.password)}\n`);
  return [...base, listen, `auth: { htpasswd: { realm: test, path: ${JSON.stringify(passwords)} } }`, ""].join("\n");
}

/** The registry takes only bcrypt, which node lacks and libcrypt (reached through perl) has. */
function bcrypt(password: string): string {
  return execFileSync("perl", ["-e", "print crypt($ARGV[0], q($2y$05$abcdefghijklmnopqrstuu))", password], { encoding: "utf8" });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const attempt = request({ host: "127.0.0.1", port, path: "/v2/", agent: false }, (response) => {
      response.resume();
      resolve(true);
    });
    attempt.on("error", () => resolve(false));
    attempt.end();
  });
}
