import { suite } from "uvu";
import * as assert from "uvu/assert";
import { nearest, suggestion } from "../../src/model/suggest.ts";

const it = suite("suggestions");

it("a word with one letter missing, doubled, wrong or swapped finds the one that is meant", () => {
  const keys = ["environment", "ports", "image", "volumes", "depends_on"];
  for (const [typed, meant] of [
    ["enviroment", "environment"],
    ["portts", "ports"],
    ["imaqe", "image"],
    ["voluems", "volumes"],
    ["Ports", "ports"],
  ] as const)
    assert.is(nearest(typed, keys), meant, typed);
});

it("a word that is near to nothing finds nothing", () => {
  assert.is(nearest("restart", ["image", "ports"]), null);
  assert.is(nearest("x".repeat(10_000), ["x".repeat(10_001)]), null);
  assert.equal(suggestion("zzz", ["image"], "see the list"), { hint: "see the list" });
});

it.run();
