import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Event } from "../../src/model/event.ts";
import { plainRenderer } from "../../src/ui/plain.ts";
import { openRenderer } from "../../src/ui/renderer.ts";
import { golden } from "../support/golden.ts";
import { finished, OPTIONS, Paper, ready, stamped, step } from "./screens.ts";

const RUN: readonly Event[] = [
  ready(
    step(1, "image.pull", "docker.io/library/web:1"),
    step(2, "network.create", "shop_default"),
    step(3, "container.create", "shop-web-1"),
    step(4, "container.start", "shop-web-1"),
    step(5, "container.start", "shop-db-1"),
    step(6, "container.start", "shop-app-1"),
  ),
  { type: "step.started", step: 1 },
  { type: "step.started", step: 2 },
  { type: "step.done", step: 2, ms: 90 },
  { type: "step.progress", step: 1, item: "a3ed95caeb02", phase: "download", done: 1_000_000, total: 4_000_000 },
  { type: "step.progress", step: 1, item: "a3ed95caeb02", phase: "download", done: 4_000_000, total: 4_000_000 },
  { type: "step.progress", step: 1, item: "a3ed95caeb02", phase: "unpack", done: 4_000_000, total: 4_000_000 },
  { type: "step.progress", step: 1, item: "a3ed95caeb02", phase: "unpacked", done: 4_000_000, total: 4_000_000 },
  { type: "step.note", step: 1, message: "digest: sha256:81ab…" },
  { type: "step.done", step: 1, ms: 640 },
  { type: "step.started", step: 3 },
  { type: "step.done", step: 3, ms: 20 },
  { type: "step.started", step: 5 },
  { type: "step.failed", step: 5, ms: 7, diagnostics: [{ code: "E_INTERNAL", message: "port 80 is taken" }] },
  { type: "step.skipped", step: 6, because: 5 },
  { type: "step.skipped", step: 4, because: null },
  { type: "notice", diagnostic: { code: "E_INTERNAL", message: "by the way" } },
  finished,
];

const it = suite("plain and json progress");

it("plain progress has one line a transition, with the time, the name and no escape sequence", async () => {
  const paper = new Paper();
  const renderer = plainRenderer(paper, OPTIONS);
  for (const event of stamped(RUN)) renderer.event(event);
  await renderer.end();
  assert.not.match(paper.text, /\x1b/);
  golden("ui/plain.txt", paper.text);
});

it("a transfer that goes on is told of every few seconds, not with each piece", () => {
  const paper = new Paper();
  const renderer = plainRenderer(paper, OPTIONS);
  const pieces = Array.from(
    { length: 200 },
    (_, i): Event => ({ type: "step.progress", step: 1, item: "l", phase: "download", done: i, total: 1000 }),
  );
  for (const event of stamped([ready(step(1, "image.pull", "web")), ...pieces])) renderer.event(event);
  assert.is(paper.text.trimEnd().split("\n").length, 4); // 20 seconds
});

it("a layer has one line when it is there, and a long transfer says how much is left of all", () => {
  const paper = new Paper();
  const renderer = plainRenderer(paper, OPTIONS);
  const progress = (item: string, phase: string, done: number): Event => ({
    type: "step.progress",
    step: 1,
    item,
    phase,
    done,
    total: 4_000_000,
  });
  const events = [
    ready(step(1, "image.pull", "web")),
    progress("aaaaaaaaaaaa", "waiting", 0),
    progress("bbbbbbbbbbbb", "waiting", 0),
    progress("aaaaaaaaaaaa", "download", 0),
    progress("bbbbbbbbbbbb", "here already", 4_000_000),
    progress("aaaaaaaaaaaa", "download", 1_000_000),
    progress("aaaaaaaaaaaa", "download", 2_000_000),
    progress("aaaaaaaaaaaa", "download", 4_000_000),
    progress("aaaaaaaaaaaa", "unpack", 4_000_000),
    progress("aaaaaaaaaaaa", "unpacked", 4_000_000),
  ];
  for (const event of stamped(events, 3000)) renderer.event(event);
  assert.equal(
    paper.text
      .trimEnd()
      .split("\n")
      .map((text) => text.replace(/^.*?s Image web /, "")),
    [
      "downloading 0B/8MB, 0/2 layers",
      "here already bbbbbbbbbbbb 4MB",
      "downloading 6MB/8MB 222kB/s 9.0 s left, 1/2 layers",
      "unpacking 8MB/8MB, 1/2 layers",
      "unpacked aaaaaaaaaaaa 4MB",
    ],
  );
});

it("a container that stays as it is has a line with its state, in the words of Compose", () => {
  const paper = new Paper();
  const renderer = plainRenderer(paper, OPTIONS);
  const states = ["running", "exited", "paused", "created"] as const;
  const settled = states.map((state) => ({ name: `shop-${state}-1`, state }));
  for (const event of stamped([{ type: "plan.ready", project: "shop", steps: [], unchanged: 4, settled }])) renderer.event(event);
  assert.equal(paper.text.match(/Container \S+ \w+/g), [
    "Container shop-running-1 Running",
    "Container shop-exited-1 Stopped",
    "Container shop-paused-1 Paused",
    "Container shop-created-1 Created",
  ]);
});

it("json progress has one event a line, as it came", async () => {
  const paper = new Paper();
  const renderer = await openRenderer("json", paper, OPTIONS);
  const events = stamped(RUN);
  for (const event of events) renderer.event(event);
  renderer.say("not for programs");
  assert.equal(
    paper.text
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line)),
    events,
  );
});

it("quiet progress says nothing", async () => {
  const paper = new Paper();
  const renderer = await openRenderer("quiet", paper, OPTIONS);
  for (const event of stamped(RUN)) renderer.event(event);
  await renderer.end();
  assert.is(paper.text, "");
});

it.run();
