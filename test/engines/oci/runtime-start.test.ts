import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openGate } from "../../../src/engines/oci/runtime.ts";

const it = suite("starting what the runtime made");

it("a program that was over before anybody looked was started all the same", () =>
  withGate(async (fifo) => {
    const alive = (): boolean => {
      writeFileSync(fifo, "0"); // it goes through the gate and ends after the first look, before this second one
      return false;
    };
    assert.is(await openGate(fifo, alive), true);
    assert.not.ok(existsSync(fifo), "the runtime sees that it was started");
  }));

it("where the process is gone without having come through, and where there is no gate, the runtime is asked", () =>
  withGate(async (fifo) => {
    assert.is(await openGate(fifo, () => false), false);
    assert.ok(existsSync(fifo));
    assert.is(await openGate(`${fifo}.none`, () => true), false);
  }));

it.run();

async function withGate(body: (fifo: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "wharf-gate-"));
  try {
    const fifo = join(directory, "exec.fifo");
    execFileSync("mkfifo", [fifo]);
    await body(fifo);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
