/** How quick published ports are beside Docker's: one large download, and small requests each with a connection of its own. */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Outside, withOutside } from "../test/support/outside.ts";
import { composeSide } from "./lib/compose-side.ts";
import { median, plainEnvironment, time } from "./lib/measure.ts";
import type { Row } from "./lib/report.ts";
import { nodeService, type Side } from "./lib/scenario.ts";
import { answering } from "./updates.ts";

const CLIENT = join(import.meta.dirname, "lib", "client.mjs");
const MEGABYTE = 1e6;
const run = promisify(execFile);

/** A way to a port of this machine, and the words before a command that goes it. */
interface Way {
  readonly what: string;
  readonly host: string;
  readonly prefix: readonly string[];
}

interface Open {
  readonly side: Side;
  readonly port: number;
}

/** Docker's ways to publish: by a process for each port, which is what it does unless told otherwise, and by the packet filter alone. */
const DOCKERS: readonly (readonly [name: string, options: readonly string[]])[] = [
  ["docker-proxy", []],
  ["iptables", ["--userland-proxy=false"]],
];

export async function publishedPorts(
  place: string,
  wharf: Side,
  options: { readonly rootfs: Buffer; readonly rounds: number },
): Promise<readonly Row[]> {
  const { rootfs, rounds } = options;
  return withOutside(async (outside) => {
    const rows: Row[] = [];
    const ours = await opened(place, wharf, 18_330);
    try {
      for (const [d, [name, more]] of DOCKERS.entries()) {
        const docker = await composeSide(join(place, name), rootfs, more);
        if (typeof docker === "string") {
          console.log(`no yardstick: ${docker}\n`);
          break;
        }
        try {
          const theirs = await opened(join(place, name), docker, 18_331 + d);
          try {
            rows.push(...(await compared({ ours, theirs, name, ways: waysFrom(outside), rounds })));
          } finally {
            await closed(join(place, name), theirs.side);
          }
        } finally {
          await docker.close();
        }
      }
    } finally {
      await closed(place, wharf);
    }
    return rows;
  });
}

function waysFrom({ host, prefix }: Outside): readonly Way[] {
  return [
    { what: "127.0.0.1", host: "127.0.0.1", prefix: [] },
    { what: "::1", host: "::1", prefix: [] },
    { what: "another machine", host, prefix },
  ];
}

async function compared(of: {
  readonly ours: Open;
  readonly theirs: Open;
  readonly name: string;
  readonly ways: readonly Way[];
  readonly rounds: number;
}): Promise<readonly Row[]> {
  const { ours, theirs, name, ways, rounds } = of;
  const rows: Row[] = [];
  for (const way of ways)
    for (const [what, unit, per] of [
      ["download", "MB/s", MEGABYTE],
      ["connect", "/s", 1],
    ] as const) {
      const measured: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds + 1; round++)
        for (const [s, { port }] of [ours, theirs].entries()) {
          const figure = await ask(way, what, port);
          if (round > 0 && figure !== null) measured[s]?.push(figure / per);
        }
      const yardstick = measured[1].length === 0 ? null : { name, ms: median(measured[1]) };
      rows.push({
        what: `${what === "download" ? "download" : "connections"} by ${way.what}`,
        wharf: median(measured[0]),
        unit,
        yardstick,
        target: 1,
        isLeast: true,
      });
    }
  return rows;
}

/** `null`: nobody answers there. */
async function ask({ host, prefix }: Way, what: string, port: number): Promise<number | null> {
  const [command = "", ...args] = [...prefix, process.execPath, CLIENT, what, host, String(port)];
  try {
    const { stdout } = await run(command, args, { env: plainEnvironment() });
    return Number(stdout);
  } catch (error) {
    if (error instanceof Error && "stderr" in error && /ECONNREFUSED|ECONNRESET|ETIMEDOUT/.test(String(error.stderr))) return null;
    throw error;
  }
}

async function opened(place: string, side: Side, port: number): Promise<Open> {
  const directory = join(place, `ports-${side.name}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "compose.yaml"), nodeService({ ports: [`${port}:3000`], colour: "blue" }));
  await time(side.program(directory, ["up", "-d"]));
  await answering(`http://127.0.0.1:${port}/`);
  return { side, port };
}

async function closed(place: string, side: Side): Promise<void> {
  await time(side.program(join(place, `ports-${side.name}`), ["down", "-t", "1"]));
}
