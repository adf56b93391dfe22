/** A Docker Engine of one's own for one test: its socket and all that it keeps lie in one directory, and it touches neither network nor firewall. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "../../src/model/json.ts";

export interface DockerEngine {
  load(archive: Buffer): Promise<void>;
  save(name: string): Promise<Buffer>;
  /** Id, and the directories that overlayfs makes one tree of, the highest first. */
  image(name: string): Promise<{ readonly id: string; readonly layers: string }>;
  /** The configuration that a runtime gets for a container (a body of `POST /containers/create`), which is not run. */
  configuration(body: Json): Promise<Json>;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;

export async function startDockerEngine(directory: string): Promise<DockerEngine> {
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, "docker.sock");
  const at = (option: string, name: string): readonly string[] => [option, join(directory, name)];
  const child = spawn(
    "dockerd",
    [
      ...["--host", `unix://${socket}`, ...at("--data-root", "data"), ...at("--exec-root", "exec"), ...at("--pidfile", "docker.pid")],
      ...["--add-runtime", `witness=${witness(directory)}`, "--default-runtime", "witness"],
      ...["--storage-driver", "overlay2", "--iptables=false", "--bridge=none", "--ip-forward=false", "--log-level", "error"],
    ],
    { stdio: ["ignore", "ignore", "pipe"], env: { PATH: path(), HOME: directory } },
  );
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM"); // it ends what it started
    await ended;
    for (const mount of mountsBelow(directory)) execFileSync("umount", [mount]);
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers(socket))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`dockerd did not start: ${said}`);
    }
    await sleep(50);
  }
  return {
    load: async (archive) => {
      const answer = await ask(socket, { method: "POST", path: "/images/load?quiet=1", body: archive });
      if (answer.includes('"error"')) throw new Error(`dockerd did not load it: ${answer.toString()}`);
    },
    save: (name) => ask(socket, { method: "GET", path: `/images/${name}/get` }),
    image: async (name) => {
      const { Id: id, GraphDriver } = JSON.parse((await ask(socket, { method: "GET", path: `/images/${name}/json` })).toString());
      const { UpperDir: upper, LowerDir: lower } = GraphDriver.Data;
      return { id, layers: lower === undefined ? upper : `${upper}:${lower}` };
    },
    configuration: async (body) => {
      const { Id: id } = JSON.parse((await ask(socket, { method: "POST", path: "/containers/create", body: json(body) })).toString());
      const said = await ask(socket, { method: "POST", path: `/containers/${id}/start` }).catch(String);
      const seen = join(directory, "seen.json");
      if (!existsSync(seen)) throw new Error(`no runtime was asked: ${said}`);
      const configuration = JSON.parse(readFileSync(seen, "utf8"));
      rmSync(seen);
      await ask(socket, { method: "DELETE", path: `/containers/${id}?force=1&v=1` });
      return configuration;
    },
    stop,
  };
}

/** A runtime that keeps what it is told as `seen.json`, and runs nothing. */
function witness(directory: string): string {
  const file = join(directory, "witness");
  const script = `#!/bin/sh\nwhile [ $# -gt 1 ]; do [ "$1" = --bundle ] && cp "$2/config.json" "${directory}/seen.json"; shift; done\nexit 1\n`;
  writeFileSync(file, script, { mode: 0o755 });
  return file;
}

/** Whether the program is here; as root's programs it may lie where other users do not look. */
export function hasDockerEngine(): boolean {
  try {
    execFileSync("dockerd", ["--version"], { stdio: "ignore", env: { PATH: path() } });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}

const json = (body: Json): Buffer => Buffer.from(JSON.stringify(body));

function path(): string {
  return `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin`;
}

/** The innermost first. */
function mountsBelow(directory: string): readonly string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((mount) => mount.startsWith(`${directory}/`))
    .reverse();
}

async function answers(socket: string): Promise<boolean> {
  try {
    await ask(socket, { method: "GET", path: "/_ping" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ECONNREFUSED")) return false;
    throw error;
  }
}

/** The body of an answer. Rejects where its status is not below 300. */
function ask(
  socketPath: string,
  { body, ...options }: { readonly method: string; readonly path: string; readonly body?: Buffer },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined || body[0] !== 0x7b ? {} : { "Content-Type": "application/json" };
    const call = request({ socketPath, ...options, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const answer = Buffer.concat(chunks);
        if ((response.statusCode ?? 500) < 300) resolve(answer);
        else reject(new Error(`${options.path}: ${response.statusCode} ${answer.toString()}`));
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}
