/**
 * Pulls of the same images from the same registry on this machine, into a cold store each time: wharf beside docker, podman and skopeo (which
 * unpacks nothing) where they are installed, and beside the floor, which only inflates, hashes and writes.
 *
 *   npm run bench -- pull [--rounds N]
 */
import { execFileSync, spawn } from "node:child_process";
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

/** Rows for each image and each other puller. */
export async function pulls(place: string, rounds: number): Promise<readonly Row[]> {
  const registry = await startLocalRegistry(REGISTRY);
  try {
    const three = [1, 2, 3].map((seed) => makeLayer({ name: `l${seed}`, files: 6000, bytes: 167e6, seed }));
    const single = [makeLayer({ name: "one", files: 3000, bytes: 250e6, seed: 9 })];
    await putImage(REGISTRY, "three", three);
    await putImage(REGISTRY, "single", single);
    return [
      ...(await compare(place, { what: "pull, three layers of 500 MB", name: "three", layers: three, index: 0 }, rounds)),
      ...(await compare(place, { what: "pull, one layer of 250 MB", name: "single", layers: single, index: 1 }, rounds)),
      await repull(place, rounds),
    ];
  } finally {
    await registry.stop();
  }
}

interface Puller {
  readonly name: string;
  /** Most that wharf may take of it for the three layers, and for the single one. */
  readonly targets: readonly [number | null, number | null];
  /**
   * Gets it ready to pull into a directory that nothing was in before: to empty a used one would not do, for file systems take their time to make
   * files where many were removed.
   */
  open(place: string): Promise<{ pull(reference: string): Program; close(): Promise<void> } | string>;
}

interface Subject {
  readonly what: string;
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly index: 0 | 1;
}

async function compare(place: string, subject: Subject, rounds: number): Promise<readonly Row[]> {
  const reference = `${REGISTRY}/${subject.name}:1`;
  const files = subject.layers.map(({ compressed }, i) => {
    const file = join(place, `layer-${i}`);
    writeFileSync(file, compressed);
    return file;
  });
  const floors: number[] = [];
  const times = new Map<Puller, number[]>(PULLERS.map((puller) => [puller, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [puller, measured] of times) {
      const directory = join(place, `${subject.name}-${puller.name.replace(" ", "-")}-${round}`);
      mkdirSync(directory);
      const opened = await puller.open(directory).catch((error: unknown) => String(error));
      if (typeof opened === "string") {
        console.log(`no ${puller.name}: ${opened}`);
        times.delete(puller);
        continue;
      }
      try {
        execFileSync("sync"); // what others wrote is not waited for within the measurement
        measured.push(await time(opened.pull(reference)));
      } finally {
        await opened.close();
      }
    }
    execFileSync("sync");
    floors.push(await floor(files));
  }
  const ms = median(times.get(WHARF) ?? []);
  console.log(`${subject.what}: wharf took ${Math.max(...peaks)} MB of memory at most`);
  return [
    ...[...times].flatMap(([puller, measured]): Row[] => {
      const target = puller.targets[subject.index];
      return puller === WHARF ? [] : [{ what: subject.what, wharf: ms, yardstick: { name: puller.name, ms: median(measured) }, target }];
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
  const opened = await WHARF.open(join(place, "again"));
  if (typeof opened === "string") throw new Error(opened);
  const pull = opened.pull(`${REGISTRY}/single:1`);
  await time(pull);
  const version: Program = { command: process.execPath, args: [join(ROOT, "bin", "wharf.cjs"), "version"], env: plainEnvironment() };
  const [again, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds * 3; round++) {
    again.push(await time(pull));
    bare.push(await time(version));
  }
  return { what: "pull of an unchanged tag", wharf: median(again), yardstick: { name: "wharf version", ms: median(bare) }, target: 1.3 };
}

/** Megabytes that wharf's process took at most, of each run. */
const peaks: number[] = [];

const WHARF: Puller = {
  name: "wharf",
  targets: [null, null],
  open: async (place) => {
    mkdirSync(place, { recursive: true });
    const hook = join(place, "peak.cjs");
    const file = join(place, "peak");
    // Not what getrusage says: that begins with the size of the process that forked.
    const peak = '/VmHWM:\\s+(\\d+)/.exec(require("fs").readFileSync("/proc/self/status", "utf8"))[1]';
    writeFileSync(hook, `process.on("exit", () => require("fs").writeFileSync(${JSON.stringify(file)}, ${peak}));`);
    const env = plainEnvironment({
      WHARF_ROOT: join(place, "root"),
      WHARF_RUN: join(place, "run"),
      XDG_CACHE_HOME: join(place, "..", "cache"),
    });
    return {
      pull: (reference) => ({
        command: process.execPath,
        args: ["-r", hook, "--", join(ROOT, "bin", "wharf.cjs"), "image", "pull", reference],
        env,
      }),
      close: async () => void peaks.push(Math.round(Number(readFileSync(file, "utf8")) / 1024)),
    };
  },
};

const DOCKER: Puller = {
  name: "docker",
  targets: [0.45, 0.9],
  open: async (place) => {
    const docker = await startDocker(place);
    if (typeof docker === "string") return docker;
    const { socket, close } = docker;
    return {
      pull: (reference) => ({
        command: "docker",
        args: ["--host", `unix://${socket}`, "pull", "--quiet", reference],
        env: plainEnvironment(),
      }),
      close,
    };
  },
};

const PODMAN: Puller = {
  name: "podman",
  targets: [0.25, null],
  open: async (place) => {
    const at = ["--root", join(place, "root"), "--runroot", join(place, "run"), "--storage-driver", "overlay"];
    const podman = (...args: readonly string[]): Program => ({ command: "podman", args: [...at, ...args], env: plainEnvironment() });
    await time(podman("images")); // makes its store, and tells whether it is installed
    return {
      pull: (reference) => podman("pull", "--quiet", "--tls-verify=false", reference),
      close: async () =>
        void (await time({ command: "sh", args: ["-c", `umount ${place}/root/overlay || true`], env: plainEnvironment() })),
    };
  },
};

const SKOPEO: Puller = {
  name: "skopeo copy",
  targets: [null, null],
  open: async (place) => ({
    pull: (reference) => ({
      command: "skopeo",
      args: ["copy", "--quiet", "--src-tls-verify=false", `docker://${reference}`, `dir:${join(place, "image")}`],
      env: plainEnvironment(),
    }),
    close: async () => {},
  }),
};

const PULLERS: readonly Puller[] = [WHARF, DOCKER, PODMAN, SKOPEO];
