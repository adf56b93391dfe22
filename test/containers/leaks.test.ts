/**
 * Hundreds of short lives of small projects, each with what chance gives it: after the last `down -v` nothing is left of any of them, in the
 * kernel, on disk, or in the process that did it all.
 */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { reference } from "../support/build.ts";
import { builtModule } from "../support/built.ts";
import { beginTraces, endTraces, leftovers, note } from "../support/leftovers.ts";
import type { lives } from "../support/lives.ts";
import { Random } from "../support/random.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { containerSuite } from "../support/world.ts";

/** With the rest of the suite fewer than by themselves (WHARF_RUNS=200), and always the same: a run of the suite is no place for news. */
const LIVES = Number(process.env["WHARF_RUNS"] ?? 40);
const SEED = Number(process.env["WHARF_SEED"] ?? 1);
/** Lives at a time: projects that know nothing of each other share the engine's locks, networks' addresses and firewall. */
const AT_ONCE = 3;
/** Lives after which a look is taken at what is left, which costs more than a life. After the first of these everything is open that stays open. */
const LOOK_EVERY = 20;

const it = containerSuite("leaks");
console.log(`leaks: WHARF_SEED=${SEED}`);

it(`of ${LIVES} random lives of a project nothing is left (WHARF_SEED=${SEED})`, async () => {
  const built = (await builtModule("lives")) as { readonly lives: typeof lives };
  const { createEngine, Life } = built.lives;
  const traces = await beginTraces("/tmp/wharf-lives-");
  const { directory, root, run } = traces;
  const options = { root, run, env: { PATH: process.env["PATH"], HOME: directory }, insecureRegistries: [] };
  try {
    const first = await createEngine(options);
    await first.images.import(
      chunks(busyboxRootfs()),
      { reference: reference("tools"), platform: null, config: {} },
      AbortSignal.timeout(60_000),
    );
    await first.close();
    let open = 0;
    for (let lived = 0; lived < LIVES; lived += LOOK_EVERY) {
      const numbers = Array.from({ length: Math.min(LOOK_EVERY, LIVES - lived) }, (_, i) => lived + i + 1);
      const stories: string[] = [];
      const work = async (name: string): Promise<void> => {
        for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
          const life = new Life(new Random(SEED * 1000 + number), {
            name,
            directory,
            seen: () => note(traces),
            open: () => createEngine(options),
          });
          await life.live().catch((error: unknown) => {
            throw new Error(`life ${number} (WHARF_SEED=${SEED}): ${error}\n${life.story()}`, { cause: error });
          });
          stories.push(`life ${number}, of project ${name}:\n${life.story()}`);
        }
      };
      const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, (_, i) => work(`life${i + 1}`)));
      for (const end of ends) if (end.status === "rejected") throw end.reason;
      const left = [...(await leftovers(traces)), ...kept(directory)];
      assert.equal(left, [], `WHARF_SEED=${SEED}, left: ${left.join(", ")}, by one of:\n${stories.join("\n")}`);
      if (lived === 0) open = await descriptors(0);
    }
    assert.ok((await descriptors(open)) <= open, `${open} descriptors were open after ${LOOK_EVERY} lives, then: ${opened().join(", ")}`);
  } finally {
    await endTraces(traces);
  }
});

it.run();

/** How many files this process has open, once it is no more than this, or it has had time to close them. */
async function descriptors(expected: number): Promise<number> {
  for (let tries = 0; tries < 400 && opened().length > expected; tries++) await sleep(50);
  return opened().length;
}

function opened(): readonly string[] {
  return readdirSync("/proc/self/fd");
}

/** What is in the world's directories and may not stay there. */
function kept(directory: string): readonly string[] {
  return ["root", "run"]
    .flatMap((base) => readdirSync(join(directory, base), { recursive: true, withFileTypes: true }))
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((path) => !STAYS.some((pattern) => pattern.test(path)));
}

/** Images, what is kept of each project for later, the directories that these and others are in, the bell that wakes supervisors, what they have compiled, and when
 * the packet filter was last as it is to be. */
const STAYS: readonly RegExp[] = [
  /^root\/images(\/|$)/,
  /^root\/secret\.key$/,
  /^root\/(containers|names|networks|volumes|events|revisions)$/,
  /^root\/events\/life\d\.jsonl$/,
  /^root\/revisions\/life\d(\/\d+\.json)?$/,
  /^run\/(c|runtime|locks|exits|supervisors|cgroups|secrets|mounts|volumes)$/,
  /^run\/locks\/projects$/,
  /^run\/exits\/\.poke$/,
  /^run\/filter-generation$/,
  /^run\/code(\/[^/]+\.bin)?$/,
];

async function* chunks(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data;
}
