/** The shell that keeps a supervisor, with a program in its place that ends at once. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { KEEP } from "../../../src/engines/oci/supervisor/launch.ts";

const it = suite<{ directory: string }>("the supervisor's keeper");

it.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), "wharf keeper-"));
});

it.after.each(({ directory }) => rmSync(directory, { recursive: true }));

it("what fails is started again, told the shell's number, until it ends well", ({ directory }) => {
  const { words } = keep(directory, 'echo "$# $2" >>"$1"; [ $(wc -l <"$1") -ge 2 ]');
  assert.match(words.join("\n"), /^2 (\d+)\n2 \1$/);
});

it("it ends where what it runs is not there any more", ({ directory }) => {
  assert.is(keep(directory, 'echo once >>"$1"; rm "$0"; exit 1').words.length, 1);
});

it.run();

function keep(directory: string, text: string): { readonly words: readonly string[] } {
  const [program, said] = [join(directory, "program"), join(directory, "said")];
  writeFileSync(program, `#!/bin/sh\n${text}\n`);
  chmodSync(program, 0o700);
  const { signal } = spawnSync("/bin/sh", ["-c", KEEP, program, program, said], { timeout: 30_000 });
  assert.is(signal, null, "it ends");
  return { words: readFileSync(said, "utf8").trim().split("\n") };
}
