import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ROOT } from "../support/sources.ts";

const it = suite<{ directory: string }>("bin/wharf.cjs");

it.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), "wharf-bin-"));
  mkdirSync(join(context.directory, "bin"));
  copyFileSync(join(ROOT, "bin/wharf.cjs"), join(context.directory, "bin/wharf.cjs"));
});

it.after.each(({ directory }) => rmSync(directory, { recursive: true, force: true }));

it("says what to do when nothing is built", ({ directory }) => {
  const { status, stderr } = spawnSync(process.execPath, [join(directory, "bin/wharf.cjs"), "up"], { encoding: "utf8" });
  assert.is(status, 1);
  assert.is(stderr.split("\n").length, 2, "one line");
  assert.match(stderr, "npm run build");
});

it("does not hide an error of what is built", ({ directory }) => {
  mkdirSync(join(directory, "dist"));
  writeFileSync(join(directory, "dist/launch.cjs"), 'require("./gone.cjs");');
  const { status, stderr } = spawnSync(process.execPath, [join(directory, "bin/wharf.cjs"), "up"], { encoding: "utf8" });
  assert.is.not(status, 0);
  assert.match(stderr, "gone.cjs");
});

it("an option that Node has, too, is the command's", ({ directory }) => {
  mkdirSync(join(directory, "dist"));
  writeFileSync(join(directory, "dist/launch.cjs"), "console.log(JSON.stringify(process.argv.slice(2)));");
  const argv = ["up", "--env-file", "not-there"];
  const { stdout, stderr } = spawnSync(join(directory, "bin/wharf.cjs"), argv, { encoding: "utf8" });
  assert.equal([stdout.trim(), stderr], [JSON.stringify(argv), ""]);
});

it.run();
