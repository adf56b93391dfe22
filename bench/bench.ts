/**
 * Measures what wharf promises: how quickly a command starts, and how long up and down take beside Docker Engine with Compose.
 *
 *   npm run bench -- [--rounds N] [--json FILE] [startup] [load] [engine] [chain] [crowd] [pull] [dns] [updates]
 *                  [ports]
 *
 * Runs of all programs take turns in every round, so that a busy machine is busy for all of them; medians and their ratios are shown.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { composeSide } from "./lib/compose-side.ts";
import { median, type Program, plainEnvironment, time } from "./lib/measure.ts";
import { format, kept, type Row } from "./lib/report.ts";
import {
  makeChain,
  makeCrowd,
  makeProject,
  makeSpec,
  rootfsOfExample,
  type Side,
  type Spec,
  wharfAlone,
  wharfSide,
} from "./lib/scenario.ts";
import { names } from "./names.ts";
import { publishedPorts } from "./ports.ts";
import { pulls } from "./pull.ts";
import { updates } from "./updates.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "7" }, json: { type: "string" } },
});
const rounds = Number(values.rounds);
/** What an engine still has to do after its command ended must not be measured with the other's. */
const SETTLE_MS = 400;
const parts = positionals.length > 0 ? positionals : ["startup", "load", "engine"];

const place = mkdtempSync("/tmp/wharf-bench-");
const rows: Row[] = [];
try {
  if (parts.includes("load")) rows.push(...(await loading(wharfAlone(join(place, "load")))));
  if (["startup", "pull", "engine", "chain", "crowd", "dns", "updates", "ports"].some((part) => parts.includes(part))) {
    const rootfs = rootfsOfExample();
    const wharf = wharfSide(join(place, "wharf"), rootfs);
    if (parts.includes("startup")) rows.push(...(await startUp(wharf)));
    if (parts.includes("pull")) rows.push(...(await pulls(place, Math.min(rounds, 5))));
    if (parts.includes("dns")) rows.push(...(await names(place, wharf, Math.min(rounds, 5))));
    if (parts.includes("engine")) rows.push(...(await upAndDown(wharf, rootfs)));
    if (parts.includes("chain")) rows.push(...(await chained(wharf, rootfs)));
    if (parts.includes("updates")) rows.push(...(await updates(place, wharf, rootfs)));
    if (parts.includes("ports")) rows.push(...(await publishedPorts(place, wharf, { rootfs, rounds: Math.min(rounds, 3) })));
    if (parts.includes("crowd")) rows.push(...(await crowded(wharf)));
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}

console.log(format(rows));
if (values.json !== undefined) {
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, rounds, rows }, null, 2)}\n`);
}
if (rows.some((row) => kept(row) === false)) process.exitCode = 1;

/** How much longer than bare node a command takes. */
async function startUp(wharf: Side): Promise<readonly Row[]> {
  const directory = makeProject(place, { name: "startup", services: 1, port: 18_180 });
  await time(wharf.program(directory, ["up", "-d"]));
  const node: Program = { command: process.execPath, args: ["-e", "0"], env: plainEnvironment() };
  const promised: readonly (readonly [readonly string[], number | null])[] = [
    [["version"], 1.7],
    [["--help"], null],
    [["ps"], null],
    [["up", "-d"], 2.5],
  ];
  const commands = promised.map(([args]) => wharf.program(directory, args));
  const times = await inTurns([node, ...commands], rounds * 3);
  await time(wharf.program(directory, ["down", "-t", "0"]));
  const [bare = Number.NaN, ...ours] = times;
  return promised.map(([args, target], i) => ({
    what: `wharf ${args.join(" ")}${args[0] === "up" ? ", nothing to do" : ""}`,
    wharf: ours[i] ?? Number.NaN,
    yardstick: { name: "node -e 0", ms: bare },
    target,
  }));
}

/** How much longer than start-up it takes to load and check specs, against what is promised of it. */
async function loading(wharf: Side): Promise<readonly Row[]> {
  const small = makeSpec(place, { name: "load-small", services: 1, overrides: 0 });
  const middle = makeSpec(place, { name: "load-middle", services: 200, overrides: 3 });
  const large = makeSpec(place, { name: "load-large", services: 5000, overrides: 0 });
  const check = ({ directory, files }: Spec): Program =>
    wharf.program(directory, [...files.flatMap((file) => ["-f", file]), "config", "-q"]);
  const start = wharf.program(small.directory, ["explain", "E_YAML"]); // through the same machinery, and no spec
  const [bare = 0, one = 0, some = 0] = await inTurns([start, check(small), check(middle)], rounds * 3);
  const [many = 0] = await inTurns([check(large)], Math.min(rounds, 3));
  const row = (what: string, ms: number, promised: number): Row => ({
    what: `${what}, beyond start-up`,
    wharf: ms - bare,
    yardstick: { name: "promised", ms: promised },
    target: 1,
  });
  return [row("load one service", one, 15), row("load 200 services, three overrides", some, 60), row("load 5,000 services", many, 2000)];
}

/** Both sides run the same files on the same image. */
async function upAndDown(wharf: Side, rootfs: Buffer): Promise<readonly Row[]> {
  const compose = await composeSide(place, rootfs);
  if (typeof compose === "string") console.log(`no yardstick: ${compose}\n`);
  const sides = typeof compose === "string" ? [wharf] : [wharf, compose];
  const tasks = [
    { what: "up, one service with a port", services: 1, args: ["up", "-d"], target: 0.4 },
    { what: "up, nothing to do", services: 1, args: ["up", "-d"], target: 1 },
    { what: "down, one service", services: 1, args: ["down"], target: null },
    { what: "up, ten services", services: 10, args: ["up", "-d"], target: 0.3 },
    { what: "down, ten services", services: 10, args: ["down"], target: 0.4 },
  ] as const;
  const measured = tasks.map(() => sides.map((): number[] => []));
  try {
    for (let round = 0; round < rounds + 1; round++) {
      for (const [s, side] of sides.entries()) {
        for (const [t, task] of tasks.entries()) {
          const directory = makeProject(place, {
            name: `n${task.services}-${side.name}`,
            services: task.services,
            port: 18_200 + s * 10 + task.services,
          });
          await sleep(SETTLE_MS);
          const ms = await time(side.program(directory, task.args));
          if (round > 0) measured[t]?.[s]?.push(ms); // the first round warms caches
        }
      }
    }
  } finally {
    for (const side of sides) await side.close();
  }
  return tasks.map(({ what, target }, t) => ({
    what,
    wharf: median(measured[t]?.[0] ?? []),
    yardstick: sides[1] === undefined ? null : { name: sides[1].name, ms: median(measured[t]?.[1] ?? []) },
    target,
  }));
}

/** Ten services, each waiting for the health of the one before it. */
async function chained(wharf: Side, rootfs: Buffer): Promise<readonly Row[]> {
  const compose = await composeSide(place, rootfs);
  if (typeof compose === "string") console.log(`no yardstick: ${compose}\n`);
  const sides = typeof compose === "string" ? [wharf] : [wharf, compose];
  const measured = sides.map((): number[] => []);
  try {
    for (let round = 0; round < Math.min(rounds, 3) + 1; round++)
      for (const [s, side] of sides.entries()) {
        const directory = makeChain(place, { name: `chain-${side.name}`, services: 10 });
        await sleep(SETTLE_MS);
        const ms = await time(side.program(directory, ["up", "-d"]));
        if (round > 0) measured[s]?.push(ms);
        await time(side.program(directory, ["down", "-t", "1"]));
      }
  } finally {
    for (const side of sides) await side.close();
  }
  const [ours = [], theirs] = measured;
  const yardstick = theirs === undefined || sides[1] === undefined ? null : { name: sides[1].name, ms: median(theirs) };
  return [{ what: "up, ten services, each when the last is healthy", wharf: median(ours), yardstick, target: 0.3 }];
}

/** A hundred containers: each may take ninety milliseconds, and the last no more than the first. */
async function crowded(wharf: Side): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const containers of [25, 100]) {
    const measured: number[] = [];
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      const directory = makeCrowd(place, { name: `crowd-${containers}`, containers });
      await sleep(SETTLE_MS);
      measured.push(await time(wharf.program(directory, ["up", "-d"])));
      await time(wharf.program(directory, ["down", "-t", "1"]));
    }
    rows.push({
      what: `up, ${containers} containers`,
      wharf: median(measured),
      yardstick: { name: "promised", ms: containers * 90 },
      target: 1,
    });
  }
  return rows;
}

/** Median of each program over so many turns, the first not counted. */
async function inTurns(programs: readonly Program[], turns: number): Promise<readonly number[]> {
  const measured = programs.map((): number[] => []);
  for (let turn = 0; turn < turns + 1; turn++) {
    for (const [i, program] of programs.entries()) {
      const ms = await time(program);
      if (turn > 0) measured[i]?.push(ms);
    }
  }
  return measured.map(median);
}
