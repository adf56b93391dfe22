import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as assert from "uvu/assert";
import { ROOT } from "./sources.ts";

/** Compares a text with the file `test/golden/NAME`. `UPDATE_GOLDEN=1` writes the file instead; where CI is set that is refused. */
export function golden(name: string, actual: string): void {
  const path = join(ROOT, "test", "golden", name);
  if (process.env["UPDATE_GOLDEN"] === "1") {
    if (process.env["CI"]) throw new Error("golden files are not rewritten in CI");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, actual);
    return;
  }
  if (!existsSync(path)) throw new Error(`test/golden/${name} is missing; UPDATE_GOLDEN=1 writes it`);
  assert.fixture(actual, readFileSync(path, "utf8"), `differs from test/golden/${name} (UPDATE_GOLDEN=1 rewrites it)`);
}
