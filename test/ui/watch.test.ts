import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Event } from "../../src/model/event.ts";
import { plainRenderer } from "../../src/ui/plain.ts";
import { styleOf } from "../../src/ui/style.ts";
import { ttyRenderer } from "../../src/ui/tty.ts";
import { batchLine } from "../../src/ui/watch.ts";
import { until } from "../support/until.ts";
import { finished, Glass, OPTIONS, Paper, ready, stamped, step } from "./screens.ts";

const AT = new Date(2026, 0, 2, 3, 4, 5); // local: people read it
const PLAIN = styleOf(false);
const RUN: readonly Event[] = [
  { type: "watch.changed", files: ["/srv/wharf.yaml"] },
  ready(step(1, "container.start", "shop-web-1")),
  { type: "notice", diagnostic: { code: "W_ORPHANS", message: "by the way" } },
  { type: "step.started", step: 1 },
  { type: "step.done", step: 1, ms: 10 },
  finished,
  { type: "watch.waiting", state: "kept" },
];

const it = suite("a batch of changes");

it("is one line: when, what changed, what was done, how long it took", () => {
  const batch = { at: AT, files: ["wharf.yaml"], what: "1 replaced, 2 unchanged", ms: 812 };
  assert.is(batchLine(batch, PLAIN), "03:04:05 wharf.yaml -> 1 replaced, 2 unchanged in 0.8 s");
  assert.is(
    batchLine({ ...batch, files: ["web.env", ".env", "wharf.yaml"] }, PLAIN),
    "03:04:05 web.env (+2) -> 1 replaced, 2 unchanged in 0.8 s",
  );
  assert.is(
    batchLine({ ...batch, what: "2 problems, what runs is left as it is", ms: null }, PLAIN),
    "03:04:05 wharf.yaml -> 2 problems, what runs is left as it is",
  );
});

it("cannot be made to look like something else by the name of a file", () => {
  const line = batchLine({ at: AT, files: ["a\n\x1b[2Jb"], what: "nothing to do", ms: 0 }, PLAIN);
  assert.is(line, "03:04:05 a b -> nothing to do in 0.0 s");
});

it("shows nothing of its steps in plain text, only what is said", async () => {
  const paper = new Paper();
  const renderer = plainRenderer(paper, { ...OPTIONS, brief: true });
  for (const event of stamped(RUN)) renderer.event(event);
  renderer.say("a line");
  await renderer.end();
  assert.is(paper.text, "W_ORPHANS: by the way\na line\n");
});

it("leaves nothing of its picture on a terminal", async () => {
  const glass = new Glass(80, 24);
  const renderer = ttyRenderer(glass, { ...OPTIONS, brief: true });
  for (const event of stamped(RUN.slice(0, 4))) renderer.event(event);
  await until("a picture", async () => (await glass.lines()).some((line) => line.includes("shop-web-1")));
  for (const event of stamped(RUN.slice(4))) renderer.event(event);
  await renderer.end();
  assert.equal(await glass.lines(), ["W_ORPHANS: by the way"]);
});

it.run();
