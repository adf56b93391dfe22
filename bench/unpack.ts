/**
 * Measures how quickly layers are unpacked, beside the least that any program has to do: read, inflate, hash and write the same bytes.
 *
 *   node --import tsx bench/unpack.ts [--rounds N] [--in DIRECTORY] [--keep DIRECTORY]
 *
 * Medians of runs in turns, in memory (`/dev/shm`) unless told otherwise: ext4 takes up to ten times as long to make files for some minutes
 * after others were deleted, as each run does. `--keep` leaves the archives there for the next time.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SETS, writeLayers } from "./lib/layers.ts";
import { median } from "./lib/measure.ts";

interface Run {
  readonly ms: number;
  readonly cpu: number;
  readonly rss: number;
}

const SIDES = ["floor", "ours"] as const;
const { values } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, in: { type: "string", default: "/dev/shm" }, keep: { type: "string" } },
});
const place = mkdtempSync(join(values.in, "wharf-bench-unpack-"));
try {
  for (const [s, set] of SETS.entries()) {
    const kept = join(values.keep ?? place, `set-${s}`);
    if (!existsSync(kept)) {
      mkdirSync(kept, { recursive: true });
      await writeLayers(kept, set);
    }
    const archives = readdirSync(kept).map((name) => join(kept, name));
    const runs: Record<(typeof SIDES)[number], Run[]> = { floor: [], ours: [] };
    for (let round = 0; round < Number(values.rounds); round += 1) for (const side of SIDES) runs[side].push(run(side, archives));
    for (const side of SIDES) console.log(`${set.what}, ${side.padEnd(5)} ${line(runs[side])}`);
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}

function run(side: string, archives: readonly string[]): Run {
  const into = mkdtempSync(join(place, "run-"));
  try {
    const script = join(import.meta.dirname, "lib/unpack-side.ts");
    return JSON.parse(execFileSync(process.execPath, ["--import", "tsx", script, side, into, ...archives], { encoding: "utf8" }));
  } finally {
    rmSync(into, { recursive: true });
  }
}

function line(runs: readonly Run[]): string {
  const of = (pick: (run: Run) => number): string => Math.round(median(runs.map(pick))).toLocaleString("en");
  return `${of(({ ms }) => ms)} ms, ${of(({ cpu }) => cpu)} ms of processor, ${of(({ rss }) => rss / 2 ** 20)} MiB`;
}
