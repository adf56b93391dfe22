/** A world of wharf's own for the bench, and the projects that are timed in it. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Program, plainEnvironment } from "./measure.ts";

/** One of two programs that run the same Compose files. */
export interface Side {
  readonly name: string;
  /** `up -d` of the project in a directory, and so on. */
  program(directory: string, args: readonly string[]): Program;
  close(): Promise<void>;
}

export const IMAGE = "bench:1";
export const ROOT = join(import.meta.dirname, "..", "..");
const WHARF = join(ROOT, "bin", "wharf.cjs");

/** wharf in a world of its own. */
export function wharfAlone(place: string): Side {
  const env = plainEnvironment({
    WHARF_ROOT: join(place, "root"),
    WHARF_RUN: join(place, "run"),
    XDG_CACHE_HOME: join(place, "cache"),
  });
  return {
    name: "wharf",
    program: (directory, args) => ({ command: process.execPath, args: [WHARF, ...args], cwd: directory, env }),
    close: async () => {},
  };
}

/** Likewise, with its image already in the store. */
export function wharfSide(place: string, rootfs: Buffer): Side {
  const side = wharfAlone(place);
  const { env } = side.program(place, []);
  const imported = spawnSync(process.execPath, [WHARF, "image", "import", "-", IMAGE], { env, input: rootfs });
  if (imported.status !== 0) throw new Error(`wharf image import failed: ${imported.stderr.toString()}`);
  return side;
}

/** The root file system that both sides make their image from. */
export function rootfsOfExample(): Buffer {
  return execFileSync(join(ROOT, "examples", "colors", "rootfs"), { maxBuffer: 64 * 1024 * 1024 });
}

/** Makes a project with as many services; the first publishes a port. */
export function makeProject(place: string, options: { readonly name: string; readonly services: number; readonly port: number }): string {
  const directory = join(place, options.name);
  mkdirSync(directory, { recursive: true });
  const services = Array.from({ length: options.services }, (_, i) => {
    const ports = i === 0 ? `\n    ports: ["${options.port}:3000"]` : "";
    return `  s${i + 1}:\n    image: ${IMAGE}\n    command: ["/usr/bin/colors"]\n    environment: { COLOR: blue }${ports}\n`;
  });
  writeFileSync(join(directory, "compose.yaml"), `services:\n${services.join("")}`);
  return directory;
}

/**
 * A spec of one service, `server.mjs` by this machine's node, which it is lent with its libraries: both engines run the same program, and no image
 * has to be made for it.
 */
export function nodeService(options: { readonly ports: readonly string[]; readonly colour: string; readonly more?: string }): string {
  const lent = [
    `${process.execPath}:/usr/bin/node:ro`,
    `${join(import.meta.dirname, "server.mjs")}:/srv/server.mjs:ro`,
    ...["/usr/lib", "/lib", "/lib64"].filter((directory) => existsSync(directory)).map((directory) => `${directory}:${directory}:ro`),
  ];
  const attributes = [
    `image: ${IMAGE}`,
    'command: ["/usr/bin/node", "/srv/server.mjs"]',
    `environment: { COLOR: "${options.colour}" }`,
    `ports: ${JSON.stringify(options.ports)}`,
    `volumes: ${JSON.stringify(lent)}`,
    `healthcheck: { test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:3000/"], interval: 500ms }`,
    ...(options.more === undefined ? [] : [options.more]),
  ];
  return `services:\n  web:\n${attributes.map((line) => `    ${line}\n`).join("")}`;
}

/** Makes a project of services each of which waits until the one before it is healthy. */
export function makeChain(place: string, options: { readonly name: string; readonly services: number }): string {
  const directory = join(place, options.name);
  mkdirSync(directory, { recursive: true });
  const services = Array.from({ length: options.services }, (_, i) => {
    const after = i === 0 ? "" : `\n    depends_on: { s${i}: { condition: service_healthy } }`;
    const check = `{ test: [CMD, test, -e, /tmp/page/index.html], interval: 500ms }`;
    return `  s${i + 1}:\n    image: ${IMAGE}\n    command: ["/usr/bin/colors"]\n    environment: { COLOR: blue }\n    healthcheck: ${check}${after}\n`;
  });
  writeFileSync(join(directory, "compose.yaml"), `services:\n${services.join("")}`);
  return directory;
}

/** Makes a project of one service with many containers. */
export function makeCrowd(place: string, options: { readonly name: string; readonly containers: number }): string {
  const directory = join(place, options.name);
  mkdirSync(directory, { recursive: true });
  const service = `image: ${IMAGE}\n    command: ["sleep", "1000"]\n    init: true\n    scale: ${options.containers}`;
  writeFileSync(join(directory, "compose.yaml"), `services:\n  s:\n    ${service}\n`);
  return directory;
}

export interface Spec {
  readonly directory: string;
  /** In merge order. */
  readonly files: readonly string[];
}

/** Writes a spec to be loaded: services with an anchor, variables, a port and a dependency, and files laid over every fourth of them. */
export function makeSpec(place: string, options: { readonly name: string; readonly services: number; readonly overrides: number }): Spec {
  const directory = join(place, options.name);
  mkdirSync(directory, { recursive: true });
  const services = Array.from({ length: options.services }, (_, i) => {
    const after = i === 0 ? "" : `    depends_on: [s${i - 1}]\n`;
    const port = 10_000 + i;
    return `  s${i}:\n    <<: *base\n    image: registry.example/app${i}:\${TAG:-1.0}\n    ports: ["${port}:80"]\n${after}`;
  });
  const base = 'x-base: &base\n  restart: unless-stopped\n  environment: {TZ: "${TZ:-UTC}", LEVEL: "${LEVEL:-info}"}\n';
  writeFileSync(join(directory, "compose.yaml"), `${base}services:\n${services.join("")}`);
  const overrides = Array.from({ length: options.overrides }, (_, n) => {
    const changed = Array.from({ length: options.services }, (_, i) => i).filter((i) => i % 4 === n % 4);
    const name = `override-${n}.yaml`;
    writeFileSync(join(directory, name), `services:\n${changed.map((i) => `  s${i}:\n    labels: {file: "${n}"}\n`).join("")}`);
    return name;
  });
  return { directory, files: ["compose.yaml", ...overrides] };
}
