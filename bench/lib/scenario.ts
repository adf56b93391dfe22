/** A world of wharf's own for the bench, and the projects that are timed in it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
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

/** wharf with its image already in the store. */
export function wharfSide(place: string, rootfs: Buffer): Side {
  const env = plainEnvironment({
    WHARF_ROOT: join(place, "root"),
    WHARF_RUN: join(place, "run"),
    XDG_CACHE_HOME: join(place, "cache"),
  });
  const wharf = join(ROOT, "bin", "wharf.cjs");
  const imported = spawnSync(process.execPath, [wharf, "image", "import", "-", IMAGE], { env, input: rootfs });
  if (imported.status !== 0) throw new Error(`wharf image import failed: ${imported.stderr.toString()}`);
  return {
    name: "wharf",
    program: (directory, args) => ({ command: process.execPath, args: [wharf, ...args], cwd: directory, env }),
    close: async () => {},
  };
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
