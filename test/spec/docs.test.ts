import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { specDocument } from "../../scripts/lib/spec-docs.ts";
import { ROOT } from "../support/sources.ts";

const it = suite("docs/spec.md");

it("is what the schema and the table of support say: `npm run generate:docs` writes it", () => {
  assert.ok(readFileSync(join(ROOT, "docs/spec.md"), "utf8") === specDocument(ROOT), "out of date: npm run generate:docs");
});

it.run();
