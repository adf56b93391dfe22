/**
 * Pulls of the same images from the same registry on this machine, into a cold store each time: wharf beside docker, podman and skopeo (which
 * unpacks nothing) where they are installed, and beside the floor, which only inflates, hashes and writes.
 *
 *   npm run bench -- pull [--rounds N]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startLocalRegistry } from "../scripts/lib/registry.ts";
import { startDocker } from "./lib/compose-side.ts";
import { type Layer, makeLayer, putImage } from "./lib/images.ts";
import { median, type Program, plainEnvironment, time } from "./lib/measure.ts";
import type { Row } from "./lib/report.ts";
import { ROOT } from "./lib/scenario.ts";

const REGISTRY = "127.0.0.1:5601";

interface Puller {
  readonly name: string;
  /** Most that wharf may take of it for the three layers, and for the single one. */
  readonly targets: readonly [number | null, number | null];
  pull(reference: string): Program;
  /** Makes its store empty again. */
  clear(reference: string): Promise<void>;
}

/** Rows for each image and each other puller, and what memory wharf took at most. */
export async function pulls(place: string, rounds: number): Promise<readonly Row[]> {
  const registry = await startLocalRegistry(REGISTRY);
  const docker = await startDocker(place);
  if (typeof docker === "string") console.log(`no docker: ${docker}`);
  try {
    const three = [1, 2, 3].map((seed) => makeLayer({ name: `l${seed}`, files: 6000, bytes: 167e6, seed }));
    const single = [makeLayer({ name: "one", files: 3000, bytes: 250e6, seed: 9 })];
    await putImage(REGISTRY, "three", three);
    await putImage(REGISTRY, "single", single);
    const pullers = [wharf(place), ...(typeof docker === "string" ? [] : [dockerPuller(docker.socket)]), podman(place), skopeo(place)];
    return [
      ...(await compare(place, { what: "pull, three layers of 500 MB", name: "three", layers: three, index: 0 }, pullers, rounds)),
      ...(await compare(place, { what: "pull, one layer of 250 MB", name: "single", layers: single, index: 1 }, pullers, rounds)),
      await repull(place, rounds),
    ];
  } finally {
    if (typeof docker !== "string") await docker.close();
    await registry.stop();
  }
}

interface Subject {
  readonly what: string;
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly index: 0 | 1;
}

async function compare(place: string, subject: Subject, all: readonly Puller[], rounds: number): Promise<readonly Row[]> {
  const reference = `${REGISTRY}/${subject.name}:1`;
  const files = subject.layers.map(({ compressed }, i) => {
    const file = join(place, `layer-${i}`);
    writeFileSync(file, compressed);
    return file;
  });
  const floors: number[] = [];
  const times = new Map<Puller, number[]>(all.map((puller) => [puller, []]));
  for (let round = 0; round < rounds; round++) {
    for (const puller of all) {
      const measured = times.get(puller);
      if (measured === undefined) continue;
      try {
        await puller.clear(reference);
        measured.push(await time(puller.pull(reference)));
      } catch (error) {
        if (round === 0) console.log(`no ${puller.name}: ${error instanceof Error ? error.message : error}`);
        times.delete(puller);
      }
    }
    floors.push(await floor(files));
  }
  for (const puller of all) await puller.clear(reference).catch(() => {}); // one that is not installed has nothing to clear
  const [own, ...others] = all;
  const ms = median((own === undefined ? undefined : times.get(own)) ?? []);
  if (own !== undefined) console.log(`${subject.what}: wharf took ${peak(place)} MB of memory at most`);
  return [
    ...others.flatMap((puller): Row[] => {
      const measured = times.get(puller) ?? [];
      const target = puller.targets[subject.index];
      return measured.length === 0
        ? []
        : [{ what: subject.what, wharf: ms, yardstick: { name: puller.name, ms: median(measured) }, target }];
    }),
    { what: subject.what, wharf: ms, yardstick: { name: "the floor", ms: median(floors) }, target: null },
  ];
}

/** All layers at once. */
async function floor(files: readonly string[]): Promise<number> {
  const began = performance.now();
  await Promise.all(
    files.map(async (file) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, "lib", "floor.mjs"), file, `${file}.out`], { stdio: "inherit" });
      const [status]: (number | null)[] = await once(child, "exit");
      if (status !== 0) throw new Error(`the floor ended with ${status}`);
    }),
  );
  const ms = performance.now() - began;
  for (const file of files) rmSync(`${file}.out`);
  return ms;
}

/** An unchanged tag costs one request. */
async function repull(place: string, rounds: number): Promise<Row> {
  const side = wharf(place);
  const reference = `${REGISTRY}/single:1`;
  await time(side.pull(reference));
  const version: Program = { command: process.execPath, args: [join(ROOT, "bin", "wharf.cjs"), "version"], env: plainEnvironment() };
  const [again, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds * 3; round++) {
    again.push(await time(side.pull(reference)));
    bare.push(await time(version));
  }
  return { what: "pull of an unchanged tag", wharf: median(again), yardstick: { name: "wharf version", ms: median(bare) }, target: 1.3 };
}

function wharf(place: string): Puller {
  const root = join(place, "pull-root");
  const hook = join(place, "peak.cjs");
  writeFileSync(
    hook,
    `process.on("exit", () => require("fs").writeFileSync(${JSON.stringify(peakFile(place))}, String(process.resourceUsage().maxRSS)));`,
  );
  const env = plainEnvironment({ WHARF_ROOT: root, WHARF_RUN: join(place, "pull-run"), XDG_CACHE_HOME: join(place, "cache") });
  return {
    name: "wharf",
    targets: [null, null],
    pull: (reference) => ({
      command: process.execPath,
      args: ["-r", hook, join(ROOT, "bin", "wharf.cjs"), "image", "pull", reference],
      env,
    }),
    clear: async () => rmSync(root, { recursive: true, force: true }),
  };
}

const peakFile = (place: string): string => join(place, "peak");

function peak(place: string): number {
  return Math.round(Number(readFileSync(peakFile(place), "utf8")) / 1024);
}

function dockerPuller(socket: string): Puller {
  const docker = (...args: readonly string[]): Program => ({
    command: "docker",
    args: ["--host", `unix://${socket}`, ...args],
    env: plainEnvironment(),
  });
  return {
    name: "docker",
    targets: [0.45, 0.9],
    pull: (reference) => docker("pull", "--quiet", reference),
    clear: async (reference) => void (await time(docker("rmi", "--force", reference))),
  };
}

function podman(place: string): Puller {
  const podman = (...args: readonly string[]): Program => ({
    command: "podman",
    args: ["--root", join(place, "podman"), "--runroot", join(place, "podman-run"), "--storage-driver", "overlay", ...args],
    env: plainEnvironment(),
  });
  return {
    name: "podman",
    targets: [0.25, null],
    pull: (reference) => podman("pull", "--quiet", "--tls-verify=false", reference),
    clear: async () => void (await time(podman("rmi", "--all", "--force"))),
  };
}

function skopeo(place: string): Puller {
  const target = join(place, "skopeo");
  return {
    name: "skopeo copy",
    targets: [null, null],
    pull: (reference) => ({
      command: "skopeo",
      args: ["copy", "--quiet", "--src-tls-verify=false", `docker://${reference}`, `dir:${target}`],
      env: plainEnvironment(),
    }),
    clear: async () => {
      rmSync(target, { recursive: true, force: true });
      mkdirSync(target);
    },
  };
}
