import { suite } from "uvu";
import * as assert from "uvu/assert";
import { imageFilter, isNamed, pruneFilter } from "../../src/cli/image-filters.ts";
import type { ImageSummary } from "../../src/engine/images.ts";
import { reference } from "../support/build.ts";
import { digestOf } from "../support/image-archive.ts";

const it = suite("filters of images");

const NOW = Date.parse("2026-01-10T00:00:00Z");

function image(name: string | null, given: Partial<ImageSummary> = {}): ImageSummary {
  return {
    reference: name === null ? null : reference(name),
    id: digestOf(Buffer.from(String(name))),
    digest: null,
    created: "2026-01-01T00:00:00Z",
    size: 1,
    platform: { os: "linux", architecture: "amd64", variant: null },
    labels: {},
    ...given,
  };
}

const ALL = [
  image("web:1", { labels: { team: "shop", tier: "web" } }),
  image("web:2", { created: "2026-01-02T00:00:00Z", labels: { team: "shop" } }),
  image("registry.example:5000/shop/db:3", { created: "2026-01-03T00:00:00Z" }),
  image(null, { created: "2026-01-04T00:00:00Z" }),
  image(`web@sha256:${"a".repeat(64)}`, { created: null }),
];

const chosen = (...filters: readonly string[]): readonly number[] => {
  const passes = imageFilter(filters, ALL, NOW);
  return ALL.flatMap((one, i) => (passes(one) ? [i] : []));
};

it("no filter takes all", () => assert.equal(chosen(), [0, 1, 2, 3, 4]));

it("dangling images have no tag, with a digest or without", () => {
  assert.equal(chosen("dangling=true"), [3, 4]);
  assert.equal(chosen("dangling=0"), [0, 1, 2]);
});

it("labels are asked for by key or with their value, and all of them must be there", () => {
  assert.equal(chosen("label=team"), [0, 1]);
  assert.equal(chosen("label=team=shop", "label=tier=web"), [0]);
  assert.equal(chosen("label=tier=db"), []);
  assert.equal(chosen("label!=team"), [2, 3, 4]);
});

it("references are patterns for the name, with its tag or without, and any of several will do", () => {
  assert.equal(chosen("reference=web"), [0, 1, 4]);
  assert.equal(chosen("reference=w?b:[12]"), [0, 1]);
  assert.equal(chosen("reference=*:3"), []);
  assert.equal(chosen("reference=*/*/*:3"), [2]);
  assert.equal(chosen("reference=web:1", "reference=registry.example:5000/shop/*"), [0, 2]);
});

it("before and since compare with another image, until with a time", () => {
  assert.equal(chosen("before=web:2"), [0, 4]);
  assert.equal(chosen("since=web:2"), [2, 3]);
  assert.equal(chosen("until=168h"), [0, 1]);
  assert.throws(() => chosen("since=nothing"), /there is no image nothing/);
});

it("different filters narrow each other down", () => assert.equal(chosen("label=team", "since=web:1"), [1]));

it("ids are known by their beginning", () => assert.equal(chosen(`id=${ALL[3]?.id.slice(7, 19)}`), [3]));

it("a filter that is none is named, with those there are", () => {
  assert.throws(() => chosen("colour=red"), /there is no filter colour/);
  assert.throws(() => chosen("dangling"), /is not key=value/);
  assert.throws(() => pruneFilter(["dangling=true"], NOW), /there is no filter dangling/);
});

it("a name without a tag means all of its tags", () => {
  assert.equal(
    ALL.map((one) => isNamed(one, "web")),
    [true, true, false, false, true],
  );
  assert.equal(
    ALL.map((one) => isNamed(one, "web:2")),
    [false, true, false, false, false],
  );
});

it.run();
