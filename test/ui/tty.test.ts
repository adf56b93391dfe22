import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Event } from "../../src/model/event.ts";
import { Board } from "../../src/ui/board.ts";
import { frame } from "../../src/ui/frame.ts";
import { styleOf } from "../../src/ui/style.ts";
import { width } from "../../src/ui/text.ts";
import { ttyRenderer } from "../../src/ui/tty.ts";
import { golden } from "../support/golden.ts";
import { BEGIN, finished, Glass, OPTIONS, ready, stamped, step } from "./screens.ts";

const it = suite("terminal progress");

const FORTY = Array.from({ length: 40 }, (_, i) => step(i + 1, "container.start", `shop-web-${i + 1}`));

function board(...events: readonly Event[]): Board {
  const made = new Board();
  for (const event of stamped(events)) made.apply(event);
  return made;
}

const size = { style: styleOf(false), columns: 80, rows: 24, now: BEGIN + 2500, tick: 0 };

it("the picture of a run names each thing once, whatever steps it takes", () => {
  const picture = board(
    ready(
      step(1, "image.pull", "docker.io/library/web:1"),
      step(2, "container.create", "shop-web-1.next"),
      step(3, "container.stop", "shop-web-1"),
      step(4, "container.rename", "shop-web-1.next"),
      step(5, "container.start", "shop-db-1"),
    ),
    { type: "step.started", step: 1 },
    { type: "step.progress", step: 1, item: "a3ed95caeb02", phase: "download", done: 0, total: 4_000_000 },
    { type: "step.progress", step: 1, item: "a3ed95caeb02", phase: "download", done: 2_000_000, total: 4_000_000 },
    { type: "step.progress", step: 1, item: "f00dcafe0000", phase: "download", done: 1_000_000, total: 4_000_000 },
    { type: "step.started", step: 2 },
    { type: "step.done", step: 2, ms: 30 },
    { type: "step.started", step: 5 },
    { type: "step.failed", step: 5, ms: 1200, diagnostics: [{ code: "E_INTERNAL", message: "port 80 is taken" }] },
  );
  golden("ui/frame.txt", `${frame(picture.rows, size).join("\n")}\n`);
});

it("more things than the terminal has lines: what is at work is shown, the rest is counted", () => {
  const started = FORTY.slice(30, 36).map(({ id }): Event => ({ type: "step.started", step: id }));
  const done = FORTY.slice(0, 20).flatMap(({ id }): Event[] => [
    { type: "step.started", step: id },
    { type: "step.done", step: id, ms: 100 },
  ]);
  const lines = frame(board(ready(...FORTY), ...done, ...started).rows, size);
  assert.is(lines.length, 22);
  for (let i = 31; i <= 36; i++) assert.ok(lines.some((line) => line.includes(`shop-web-${i} `)));
  assert.match(lines.at(-1) ?? "", /… 19 more \(19 done, 0 to come\)$/);
});

it("no line is wider than the terminal", () => {
  const long = step(1, "container.start", `shop-${"x".repeat(200)}-1`);
  const failed: Event = { type: "step.failed", step: 1, ms: 10, diagnostics: [{ code: "E_INTERNAL", message: "y".repeat(300) }] };
  for (const line of frame(board(ready(long), failed).rows, { ...size, columns: 60 })) assert.ok(width(line) <= 60, line);
});

it("a run that is over at once draws no picture: its lines stand there once", async () => {
  const glass = new Glass(80, 24);
  const renderer = ttyRenderer(glass, OPTIONS);
  for (const event of stamped([
    ready(...FORTY.slice(0, 2)),
    { type: "step.started", step: 1 },
    { type: "step.done", step: 1, ms: 12 },
    finished,
  ]))
    renderer.event(event);
  await renderer.end();
  assert.not.match(glass.bytes, /\x1b\[\?25l/);
  assert.equal(await glass.lines(), [" ✔ container shop-web-1  started     0.0 s"]);
});

it("a run without steps draws nothing at all", async () => {
  const glass = new Glass(80, 24);
  const renderer = ttyRenderer(glass, OPTIONS);
  for (const event of stamped([ready(), finished])) renderer.event(event);
  await renderer.end();
  assert.is(glass.bytes, "");
});

it("a longer run is drawn in place: afterwards each thing stands there once and the cursor is back", async () => {
  const glass = new Glass(80, 24);
  const renderer = ttyRenderer(glass, OPTIONS);
  const events = stamped([
    ready(...FORTY),
    ...FORTY.map(({ id }): Event => ({ type: "step.started", step: id })),
    ...FORTY.map(({ id }): Event => ({ type: "step.done", step: id, ms: 400 })),
    finished,
  ]);
  for (const event of events.slice(0, 60)) renderer.event(event);
  await sleep(600);
  const drawn = await glass.lines();
  assert.ok(drawn.length <= 23, `${drawn.length} lines while it runs`);
  assert.match(drawn.join("\n"), /… \d+ more/);
  renderer.say("a word in between");
  for (const event of events.slice(60)) renderer.event(event);
  await renderer.end();
  const lines = await glass.lines();
  assert.is(lines[0], "a word in between");
  for (const { subject } of FORTY) assert.is(lines.filter((line) => line.includes(`${subject} `)).length, 1, subject);
  assert.ok(glass.bytes.lastIndexOf("\x1b[?25h") > glass.bytes.lastIndexOf("\x1b[?25l"));
});

it("steps that a pull brings later are drawn with the others", async () => {
  const glass = new Glass(80, 24);
  const renderer = ttyRenderer(glass, OPTIONS);
  const [pull, start] = [step(1, "image.pull", "web"), step(2, "container.start", "shop-web-1")];
  const events = stamped([
    ready(pull),
    { type: "step.started", step: 1 },
    { type: "step.done", step: 1, ms: 300 },
    ready(start),
    { type: "step.started", step: 2 },
    { type: "step.done", step: 2, ms: 5 },
  ]);
  for (const event of events.slice(0, 2)) renderer.event(event);
  await sleep(400);
  for (const event of events.slice(2, 5)) renderer.event(event);
  await sleep(200);
  assert.match((await glass.lines()).join("\n"), /container shop-web-1 {2}starting/);
  for (const event of events.slice(5)) renderer.event(event);
  await renderer.end();
  assert.equal(
    (await glass.lines()).map((line) => line.slice(0, 24).trimEnd()),
    [" ✔ image web", " ✔ container shop-web-1"],
  );
});

it.run();
