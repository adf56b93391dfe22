/** Writes the documents that are made of the code. A test tells when they are out of date. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { phasesDocument } from "./lib/phases-docs.ts";
import { specDocument } from "./lib/spec-docs.ts";

const root = join(import.meta.dirname, "..");
mkdirSync(join(root, "docs"), { recursive: true });
writeFileSync(join(root, "docs/spec.md"), specDocument(root));
writeFileSync(join(root, "docs/spec-phases.md"), phasesDocument());
