import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type CdiSpec, editsFor, mergeHooks, namesFor, parseCdi } from "../../../src/engines/oci/cdi.ts";
import { deviceRules, NOTHING_GIVEN, ociRule, withEnvironment } from "../../../src/engines/oci/devices.ts";
import { deviceNumbers } from "../../../src/engines/oci/limits-here.ts";

const it = suite("devices");

const GPUS: CdiSpec = parseCdi("/etc/cdi/nvidia.yaml", {
  cdiVersion: "0.5.0",
  kind: "nvidia.com/gpu",
  containerEdits: {
    env: ["NVIDIA_VISIBLE_DEVICES=void"],
    deviceNodes: [{ path: "/dev/nvidiactl" }],
    hooks: [{ hookName: "createContainer", path: "/usr/bin/nvidia-ctk", args: ["nvidia-ctk", "hook"] }],
    mounts: [{ hostPath: "/usr/lib/libcuda.so", containerPath: "/usr/lib/libcuda.so", options: ["ro", "bind"] }],
  },
  devices: [
    {
      name: "0",
      containerEdits: { deviceNodes: [{ path: "/dev/nvidia0", hostPath: "/dev/n0", type: "c", major: 195, minor: 0, permissions: "rw" }] },
    },
    { name: 1, containerEdits: { deviceNodes: [{ path: "/dev/nvidia1" }], additionalGids: [44] } },
    { name: "all", containerEdits: { deviceNodes: [{ path: "/dev/nvidia0" }, { path: "/dev/nvidia1" }] } },
  ],
});
const OTHER: CdiSpec = parseCdi("/var/run/cdi/nvidia.json", {
  kind: "nvidia.com/gpu",
  devices: [{ name: "0", containerEdits: { env: ["NEWER=1"] } }],
});
const AMD: CdiSpec = parseCdi("/etc/cdi/amd.json", { kind: "amd.com/gpu", devices: [{ name: "a", containerEdits: {} }] });

it("what a vendor's file says of all its devices is given once, and then what it says of each", () => {
  const { edits, missing } = editsFor(["nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=9", "none/x=0"], [GPUS]);
  assert.equal(missing, ["nvidia.com/gpu=9", "none/x=0"]);
  assert.equal(
    edits.flatMap(({ nodes }) => nodes.map(({ path, hostPath, access }) => `${path} ${hostPath} ${access}`)),
    ["/dev/nvidiactl /dev/nvidiactl rwm", "/dev/nvidia0 /dev/n0 rw", "/dev/nvidia1 /dev/nvidia1 rwm"],
  );
  assert.equal(mergeHooks(edits.map(({ hooks }) => hooks)), {
    createContainer: [{ path: "/usr/bin/nvidia-ctk", args: ["nvidia-ctk", "hook"] }],
  });
  assert.equal(
    edits.flatMap(({ groups }) => groups),
    [44],
  );
});

it("a file that was written later counts more, device by device", () => {
  const env = editsFor(["nvidia.com/gpu=0"], [GPUS, OTHER]).edits.flatMap((edit) => edit.env);
  assert.equal(env, ["NEWER=1"]);
  assert.is(editsFor(["nvidia.com/gpu=1"], [GPUS, OTHER]).missing.length, 0);
});

it("requests come to names: all, some, or by number", () => {
  const request = { driver: null, ids: [], count: -1, capabilities: ["gpu"] };
  assert.equal(namesFor(request, [AMD, GPUS]), ["nvidia.com/gpu=all"]);
  assert.equal(namesFor({ ...request, count: 2 }, [GPUS]), ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]);
  assert.equal(namesFor({ ...request, count: 0, ids: ["1"] }, [GPUS]), ["nvidia.com/gpu=1"]);
  assert.equal(namesFor(request, [AMD]), ["amd.com/gpu=a"]);
  assert.equal(namesFor({ ...request, driver: "amd" }, [AMD, GPUS]), ["amd.com/gpu=a"]);
  assert.equal(namesFor({ ...request, driver: "cdi", ids: ["v.org/x=y"] }, []), ["v.org/x=y"]);
  assert.is(namesFor(request, []), "device with the capabilities gpu");
  assert.is(namesFor({ ...request, capabilities: ["tpu"] }, []), "device with the capabilities tpu");
});

it("a file that describes nothing says what it lacks", () => {
  const why = (value: unknown): string => {
    try {
      parseCdi("/x", value);
      return "";
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  };
  assert.is(why(null), "its kind is no text");
  assert.is(why([]), "it is no mapping");
  assert.is(why({ kind: "x" }), 'its kind "x" is no vendor/class');
  assert.is(why({ kind: "a/b", devices: {} }), "its devices is no list");
  assert.is(
    why({ kind: "a/b", devices: [{ name: "x", containerEdits: { deviceNodes: [{ path: "dev" }] } }] }),
    "its devices[0].containerEdits.deviceNodes[0].path is no absolute path",
  );
  assert.match(why({ kind: "a/b", containerEdits: { hooks: [{ hookName: "later", path: "/x" }] } }), /its hook "later" is none of/);
});

it("an ordinary container may use what every container has and what it is given, a privileged one everything", () => {
  const given = { ...NOTHING_GIVEN, rules: [ociRule({ type: "c", major: 189, minor: null, access: "rw" })] };
  const rules = deviceRules(given, false);
  assert.equal(rules[0], { allow: false, access: "rwm" });
  assert.equal(rules.at(-1), { allow: true, type: "c", major: 189, access: "rw" });
  assert.equal(deviceRules(given, true), [{ allow: true, access: "rwm" }]);
});

it("numbers and environments are put together as the kernel and the vendors mean them", () => {
  assert.equal(deviceNumbers(0x801), { major: 8, minor: 1 });
  assert.equal(deviceNumbers(0x12345678), { major: 0x456, minor: 0x12378 });
  assert.equal(withEnvironment(["A=1", "B=2"], ["A=3", "C=4"]), ["B=2", "A=3", "C=4"]);
});

it.run();
