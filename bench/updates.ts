/** Twenty updates of a service while requests come in at full rate: what fails, and how long nobody answers, with wharf and with Compose. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answers, Load } from "../test/support/load.ts";
import { composeSide } from "./lib/compose-side.ts";
import { time } from "./lib/measure.ts";
import type { Row } from "./lib/report.ts";
import { nodeService, type Side } from "./lib/scenario.ts";

const UPDATES = 20;
/** Connections that are kept as long as the server keeps them, and askers that make a new one for each request. */
const KEPT = 4;
const FRESH = 4;
/** Between two updates. */
const BETWEEN_MS = 500;

export async function updates(place: string, wharf: Side, rootfs: Buffer): Promise<readonly Row[]> {
  const compose = await composeSide(place, rootfs);
  if (typeof compose === "string") console.log(`no yardstick: ${compose}\n`);
  const sides = typeof compose === "string" ? [wharf] : [wharf, compose];
  const measured: Answers[] = [];
  try {
    for (const [s, side] of sides.entries()) measured.push(await underLoad(place, side, 18_310 + s));
  } finally {
    for (const side of sides) await side.close();
  }
  for (const [s, { failed }] of measured.entries())
    for (const [what, count] of counted(failed)) console.log(`${sides[s]?.name}: ${count} times ${what}`);
  const row = (what: string, of: (answers: Answers) => number, how: Pick<Row, "unit" | "target" | "isLeast">): Row => {
    const [ours, theirs] = measured.map(of);
    const yardstick = theirs === undefined ? null : { name: "compose", ms: theirs };
    return { what: `${UPDATES} updates under load: ${what}`, wharf: ours ?? Number.NaN, yardstick, ...how };
  };
  return [
    row("failed requests", ({ failed }) => failed.length, { unit: "", target: 0 }),
    row("longest time without an answer", ({ longestGapMs }) => longestGapMs, { target: 1 }),
    row("answers a second", ({ answered, ms }) => (answered * 1000) / ms, { unit: "/s", target: 1, isLeast: true }),
  ];
}

async function underLoad(place: string, side: Side, port: number): Promise<Answers> {
  const directory = join(place, `updates-${side.name}`);
  mkdirSync(directory, { recursive: true });
  const wear = (colour: string): void =>
    writeFileSync(
      join(directory, "compose.yaml"),
      nodeService({
        ports: [`${port}:3000`],
        colour,
        more: "stop_grace_period: 1s\n    deploy: { update_config: { order: start-first, monitor: 200ms } }",
      }),
    );
  wear("0");
  await time(side.program(directory, ["up", "-d"]));
  const url = `http://127.0.0.1:${port}/`;
  await answering(url);
  const load = new Load([url], { fresh: FRESH, kept: KEPT, pauseMs: 0 });
  try {
    for (let update = 1; update <= UPDATES; update++) {
      wear(String(update));
      await time(side.program(directory, ["up", "-d"]));
      await sleep(BETWEEN_MS);
    }
  } finally {
    await load.end();
    await time(side.program(directory, ["down", "-t", "1"]));
  }
  return load.end();
}

/** Waits until a new server does. */
export async function answering(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const once = new Load([url], { fresh: 1, pauseMs: 100 });
    if ((await once.end()).failed.length === 0) return;
    if (tries > 100) throw new Error(`${url} does not answer`);
  }
}

/** How often each failure came, without what differs from one to the next. */
function counted(failed: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of failed) {
    const kind = text.replace(/^\S+: /, "").replace(/ \(asked.*$/, "");
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}
