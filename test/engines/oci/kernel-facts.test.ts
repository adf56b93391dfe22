import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  isAtLeast,
  type KernelTexts,
  parseCgroupMode,
  parseKernelFacts,
  parseKernelVersion,
} from "../../../src/engines/oci/kernel-facts.ts";

const it = suite("facts about the kernel");

const V1 =
  "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n";
const HYBRID = `${V1}41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n`;
const V2 = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

const texts = (given: Partial<KernelTexts> = {}): KernelTexts => ({
  release: "6.1.0-18-amd64",
  architecture: "amd64",
  status: "Name:\tnode\nCapEff:\t000001ffffffffff\nCapBnd:\t000001fffeffffff\n",
  limits:
    "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 20000                files\n",
  mountinfo: HYBRID,
  nrOpen: "1048576\n",
  ...given,
});

it("the layout of control groups shows in what is mounted", () => {
  assert.equal([V1, HYBRID, V2].map(parseCgroupMode), ["v1", "hybrid", "v2"]);
});

it("a version is two numbers, and no version is older than every one", () => {
  assert.equal(parseKernelVersion("6.1.0-18-amd64"), { major: 6, minor: 1 });
  assert.ok(isAtLeast({ major: 5, minor: 0 }, { major: 4, minor: 8 }));
  assert.ok(isAtLeast({ major: 4, minor: 8 }, { major: 4, minor: 8 }));
  assert.not(isAtLeast({ major: 4, minor: 7 }, { major: 4, minor: 8 }));
  assert.not(isAtLeast(parseKernelVersion("custom"), { major: 4, minor: 8 }));
});

it("open files are held to the engine's own limit, unless it may raise it", () => {
  assert.is(parseKernelFacts(texts()).maxOpenFiles, 20_000);
  const resourceful = texts({ status: "CapBnd:\t000001ffffffffff\n" });
  assert.is(parseKernelFacts(resourceful).maxOpenFiles, 1_048_576);
  assert.is(parseKernelFacts(texts({ nrOpen: "4096\n" })).maxOpenFiles, 4096);
});

it("what is held is the bounding set", () => {
  const { capabilities } = parseKernelFacts(texts());
  assert.ok(capabilities.has("SYS_ADMIN"));
  assert.not(capabilities.has("SYS_RESOURCE"));
});

it.run();
