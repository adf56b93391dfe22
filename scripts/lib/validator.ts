import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

const GENERATED = "src/spec/generated/validate-spec.js";
const GENERATOR = "scripts/generate-validator.ts";
const SCHEMA = "schemas/spec.schema.json";

/** Compiles the spec's schema into its validator, when that is missing or older than what it is made from. */
export function ensureValidator(root: string): void {
  const output = join(root, GENERATED);
  const inputs = [GENERATOR, SCHEMA].map((path) => join(root, path));
  if (existsSync(output) && inputs.every((input) => statSync(input).mtimeMs <= statSync(output).mtimeMs)) return;
  if (!existsSync(join(root, GENERATOR))) return;
  const { status } = spawnSync(process.execPath, ["--import", "tsx", GENERATOR], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error(`${GENERATOR} ended with ${status}`);
}
