import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CODES } from "../src/model/codes.ts";
import { sources } from "./support/sources.ts";

const REGISTRY = "src/model/codes.ts";

const it = suite("diagnostic codes");
const registered = Object.keys(CODES);
const used = usedCodes();

it("every code that is used is registered, so that `wharf explain` knows it", () => {
  assert.equal(
    [...used].filter((code) => !registered.includes(code)),
    [],
  );
});

it("every code that is registered is used", () => {
  assert.equal(
    registered.filter((code) => !used.has(code)),
    [],
  );
});

it("the registry is in alphabetical order", () => {
  assert.equal(registered, [...registered].sort());
});

it("every explanation says more than a message would", () => {
  const short = Object.entries(CODES).filter(([, { explain }]) => explain.length < 60 || !/[.!]$/.test(explain));
  assert.equal(
    short.map(([code]) => code),
    [],
  );
});

it.run();

function usedCodes(): ReadonlySet<string> {
  const files = sources("src").filter(({ path }) => path !== REGISTRY);
  return new Set(files.flatMap(({ text }) => [...text.matchAll(/["'`]([EW]_[A-Z0-9_]+)["'`]/g)].map(([, code = ""]) => code)));
}
