import { suite } from "uvu";
import * as assert from "uvu/assert";
import { trafficIn, usageIn } from "../../../src/engines/oci/usage.ts";

const it = suite("usage");

const reader =
  (files: Readonly<Record<string, string>>) =>
  (file: string): string | null =>
    files[file] ?? null;

it("the old control groups are understood, and no limit is the machine's memory", () => {
  const files = {
    "cpuacct.usage": "2500000000\n",
    "memory.usage_in_bytes": "5000\n",
    "memory.limit_in_bytes": "9223372036854771712\n",
    "memory.stat": "inactive_file 1\ntotal_inactive_file 2000\n",
    "blkio.throttle.io_service_bytes": "8:0 Read 10\n8:0 Write 20\n8:16 Read 1\nTotal 31\n",
  };
  assert.equal(usageIn(reader(files), 8000), { cpuMs: 2500, memory: 3000, memoryLimit: 8000, blockRead: 11, blockWritten: 20 });
});

it("the unified control group is understood", () => {
  const files = {
    "cpu.stat": "usage_usec 2500000\nuser_usec 1\n",
    "memory.current": "5000\n",
    "memory.max": "6000\n",
    "memory.stat": "anon 1\ninactive_file 2000\n",
    "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=0 rios=1 wios=0\n",
  };
  assert.equal(usageIn(reader(files), 8000), { cpuMs: 2500, memory: 3000, memoryLimit: 6000, blockRead: 11, blockWritten: 20 });
});

it("traffic is that of every interface but the loopback one", () => {
  const text = [
    "Inter-|   Receive                                                |  Transmit",
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed",
    "    lo:     999       9    0    0    0     0          0         0      999       9    0    0    0     0       0          0",
    "  eth0:     100       1    0    0    0     0          0         0       40       1    0    0    0     0       0          0",
    "  eth1:      10       1    0    0    0     0          0         0        2       1    0    0    0     0       0          0",
  ].join("\n");
  assert.equal(trafficIn(text), { received: 110, sent: 42 });
});

it.run();
