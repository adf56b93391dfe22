/**
 * The yardstick: Docker Engine from Debian's docker.io, with a socket and directories of its own, and Compose's plugin binary, which runs
 * without the docker command. WHARF_BENCH_COMPOSE names the binary where it is not found.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdirSync } from "node:fs";
import { request } from "node:http";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { plainEnvironment } from "./measure.ts";
import { IMAGE, type Side } from "./scenario.ts";

/** Starts the engine and gives it the image; gives the reason where that cannot be done here. */
export async function composeSide(place: string, rootfs: Buffer, options: readonly string[] = []): Promise<Side | string> {
  const compose = findCompose();
  if (compose === null) return "Compose's plugin binary is not here: name it with WHARF_BENCH_COMPOSE=…/docker-compose";
  const docker = await startDocker(place, options);
  if (typeof docker === "string") return docker;
  const { socket, close } = docker;
  const [repository = "", tag = ""] = IMAGE.split(":");
  await ask(socket, { path: `/images/create?fromSrc=-&repo=${repository}&tag=${tag}`, body: rootfs });
  const env = plainEnvironment({ DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(place, "docker-config") });
  // The plugin is a program of its own when it is called by another name than the docker command would.
  return { name: "compose", program: (directory, args) => ({ command: compose, args, cwd: directory, env }), close };
}

/** Docker Engine on a socket and with directories of its own, with further options; the reason where that cannot be done here. */
export async function startDocker(
  place: string,
  options: readonly string[] = [],
): Promise<{ readonly socket: string; close(): Promise<void> } | string> {
  const dockerd = find("dockerd");
  if (dockerd === null) return "dockerd is not here: apt-get install docker.io";
  mkdirSync(place, { recursive: true });
  const socket = join(place, "docker.sock");
  const engine = spawn(
    dockerd,
    [
      ...["--host", `unix://${socket}`, "--data-root", join(place, "docker"), "--exec-root", join(place, "docker-run")],
      ...["--pidfile", join(place, "docker.pid"), "--bridge", "none", "--log-level", "error"],
      ...options,
    ],
    { stdio: ["ignore", "ignore", "pipe"], env: plainEnvironment() },
  );
  let said = "";
  engine.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)));
  const ended = once(engine, "exit");
  const close = async (): Promise<void> => {
    if (engine.exitCode === null) engine.kill("SIGTERM");
    await ended;
  };
  for (let tries = 0; !(await ask(socket, { path: "/_ping" }).catch(() => false)); tries++) {
    if (engine.exitCode !== null || tries > 300) {
      await close();
      return `dockerd did not start: ${said.trim()}`;
    }
    await sleep(100);
  }
  return { socket, close };
}

function findCompose(): string | null {
  const given = process.env["WHARF_BENCH_COMPOSE"];
  if (given !== undefined) return given;
  const plugins = ["/usr/libexec/docker/cli-plugins", "/usr/lib/docker/cli-plugins", join(homedir(), ".docker/cli-plugins")];
  return find("docker-compose", plugins);
}

function find(name: string, further: readonly string[] = ["/usr/sbin", "/sbin"]): string | null {
  const directories = [...(process.env["PATH"] ?? "").split(delimiter), ...further];
  return directories.map((directory) => join(directory, name)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}

/** One request to the engine. Rejects unless it answers with a status below 300. */
function ask(socket: string, options: { readonly path: string; readonly body?: Buffer }): Promise<true> {
  return new Promise((resolve, reject) => {
    const { path, body } = options;
    const call = request({ socketPath: socket, path, method: body === undefined ? "GET" : "POST" }, (response) => {
      response.resume();
      response.on("end", () => ((response.statusCode ?? 500) < 300 ? resolve(true) : reject(new Error(`${path}: ${response.statusCode}`))));
    });
    call.on("error", reject);
    call.end(body);
  });
}
