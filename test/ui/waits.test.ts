import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Awaited, Event } from "../../src/model/event.ts";
import { plainRenderer } from "../../src/ui/plain.ts";
import { styleOf } from "../../src/ui/style.ts";
import { width } from "../../src/ui/text.ts";
import { ttyRenderer } from "../../src/ui/tty.ts";
import { Waits, waitFrame } from "../../src/ui/waits.ts";
import { golden } from "../support/golden.ts";
import { BEGIN, Glass, OPTIONS, Paper, stamped } from "./screens.ts";

const it = suite("what --wait shows");

const one = (given: Partial<Awaited> & Pick<Awaited, "name">): Awaited => ({
  service: given.name.split("-")[1] ?? null,
  state: "running",
  exitCode: null,
  health: "starting",
  verdict: "open",
  since: new Date(BEGIN).toISOString(),
  ...given,
});

const RUN: readonly Event[] = [
  {
    type: "wait.started",
    containers: [
      one({ name: "shop-db-1" }),
      one({ name: "shop-init-1", health: null, verdict: "open" }),
      one({ name: "shop-web-1", health: null, verdict: "ready" }),
    ],
  },
  { type: "wait.changed", container: one({ name: "shop-init-1", state: "exited", exitCode: 0, health: null, verdict: "done" }) },
  { type: "wait.changed", container: one({ name: "shop-db-1", health: "unhealthy", verdict: "failed" }) },
  { type: "wait.finished", outcome: "failed", ms: 300 },
];

const size = { style: styleOf(false), columns: 80, rows: 24, now: BEGIN + 2500, tick: 0 };

it("a pipe gets one line a milestone, and none for what was well already", () => {
  const paper = new Paper();
  const renderer = plainRenderer(paper, OPTIONS);
  for (const event of stamped(RUN)) renderer.event(event);
  golden("ui/wait-plain.txt", paper.text);
});

it("a terminal gets a table of service, container, state, health and age, which stays", async () => {
  const waits = new Waits();
  for (const event of stamped(RUN)) waits.apply(event);
  golden("ui/wait-frame.txt", `${waitFrame(waits.rows, size).join("\n")}\n`);
  const glass = new Glass(80, 24);
  const renderer = ttyRenderer(glass, OPTIONS);
  for (const event of stamped(RUN)) renderer.event(event);
  await renderer.end();
  const left = await glass.lines();
  assert.is(left.length, 4);
  assert.match(left[1] ?? "", /✘ db +shop-db-1 +running +unhealthy/);
  assert.match(left[2] ?? "", /✔ init +shop-init-1 +exited \(0\) +-/);
});

it("where all is well at the first look nothing is left on the screen", async () => {
  const glass = new Glass(80, 24);
  const renderer = ttyRenderer(glass, OPTIONS);
  const containers = [one({ name: "shop-db-1", health: "healthy", verdict: "ready" })];
  for (const event of stamped([
    { type: "wait.started", containers },
    { type: "wait.finished", outcome: "ready", ms: 3 },
  ]))
    renderer.event(event);
  await renderer.end();
  assert.equal(await glass.lines(), []);
});

it("more rows than lines: what is not there yet comes first, the rest is counted; no line is too wide", () => {
  const rows = Array.from({ length: 60 }, (_, i) =>
    one({ name: `shop-${"x".repeat(90)}-${i}`, verdict: i < 55 ? "ready" : "open", health: i < 55 ? "healthy" : "starting" }),
  );
  const picture = waitFrame(rows, size);
  assert.is(picture.length, 22);
  assert.is(picture.filter((line) => line.includes("starting")).length, 5);
  assert.match(picture.at(-1) ?? "", /… 40 more \(40 ready, 0 to come\)$/);
  for (const line of picture) assert.ok(width(line) <= 80, line);
});

it.run();
