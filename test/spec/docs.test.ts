import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { phasesDocument } from "../../scripts/lib/phases-docs.ts";
import { specDocument } from "../../scripts/lib/spec-docs.ts";
import { ROOT } from "../support/sources.ts";

const it = suite("documents of the spec");

it("docs/spec.md is what the schema and the table of support say: `npm run generate:docs` writes it", () => {
  assert.ok(readFileSync(join(ROOT, "docs/spec.md"), "utf8") === specDocument(ROOT), "out of date: npm run generate:docs");
});

it("the phases are those of the loader: `npm run generate:docs` writes them", () => {
  assert.ok(readFileSync(join(ROOT, "docs/spec-phases.md"), "utf8") === phasesDocument(), "out of date: npm run generate:docs");
});

it.run();
