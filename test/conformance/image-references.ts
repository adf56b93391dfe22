/**
 * Compares our reference parser with published tables of names (`parse.json`, `names.json`) in `image-reference` below `$WHARF_FIXTURES`.
 * The tables speak of the raw grammar; what our parser adds to it (the default registry and project) is accounted for here.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseReference, partsOf } from "../../src/model/reference.ts";

interface Case {
  readonly input: string;
  readonly err?: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly domain?: string;
  readonly repository?: string;
}

const it = suite("image references as published");
const directory = join(process.env["WHARF_FIXTURES"] ?? join(import.meta.dirname, "../../../shared/fixtures"), "image-reference");

if (!existsSync(directory)) {
  console.log("skipped: image-reference/{parse,names}.json is not in $WHARF_FIXTURES (../shared/fixtures when unset)");
} else {
  const cases: readonly Case[] = JSON.parse(readFileSync(join(directory, "parse.json"), "utf8"));
  const names: Readonly<Record<string, readonly string[]>> = JSON.parse(readFileSync(join(directory, "names.json"), "utf8"));
  for (const one of cases.filter(comparable)) it(`parses ${one.input.slice(0, 80)}`, () => compare(one));
  for (const list of ["validRepoNames", "validRepositoryNames"])
    for (const name of names[list] ?? []) it(`accepts ${name}`, () => assert.type(parseReference(name), "string"));
  for (const list of ["invalidRepoNames", "invalidRepositoryNames"])
    for (const name of names[list] ?? []) it(`refuses ${name}`, () => assert.type(parseReference(name), "object"));
}

/** Left out: sha512, which the tables' parser has switched off, and names that outgrow the limit with the default registry before them. */
function comparable(one: Case): boolean {
  return !one.input.includes("@sha512:") && !(one.err === undefined && one.input.length > 240);
}

function compare(one: Case): void {
  const parsed = parseReference(one.input);
  if (one.err !== undefined) {
    assert.type(parsed, "object");
    return;
  }
  if (typeof parsed !== "string") throw new Error(parsed.problem);
  const { domain, path, tag, digest } = partsOf(parsed);
  const given = one.repository ?? "";
  assert.ok(`${domain}/${path}`.endsWith(given), `${domain}/${path} is not ${given}`);
  assert.is(digest, one.digest ?? null);
  if (digest === null) assert.is(tag, one.tag ?? "latest");
}

it.run();
