import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseProcess, userNames } from "../../../src/engines/oci/processes.ts";

const it = suite("processes");

const STATUS = "Name:\tx\nUid:\t7\t1000\t7\t7\n";
const stat = (name: string): string => `42 (${name}) S 7 42 42 34819 0 0 0 0 0 0 150 50 0 0 20 0 1 0 6000 0 0`;

it("a process is read from the kernel's texts, whatever its name holds", () => {
  const context = { booted: Date.parse("2024-01-01T00:00:00Z"), names: userNames("root:x:0:0\nweb:x:1000:1000\nalso:x:1000:1\n") };
  const found = parseProcess({ stat: stat("a) S 1 (b"), status: STATUS, cmdline: "sleep\0" + "10\0" }, context);
  assert.equal(found, {
    user: "web",
    pid: 42,
    parent: 7,
    startedAt: "2024-01-01T00:01:00.000Z",
    tty: "pts/3",
    cpuMs: 2000,
    command: "sleep 10",
  });
});

it("without a name and without words it is its number and its program", () => {
  const found = parseProcess({ stat: stat("sh"), status: STATUS, cmdline: "" }, { booted: 0, names: new Map() });
  assert.equal([found.user, found.command], ["1000", "[sh]"]);
});

it.run();
