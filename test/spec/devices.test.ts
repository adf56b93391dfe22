import { suite } from "uvu";
import * as assert from "uvu/assert";
import { NO_DEVICES } from "../../src/model/devices.ts";
import { attributesOf } from "../../src/plan/change.ts";
import { errorsOf, serviceText, web } from "./support.ts";

const it = suite("devices of services");

it("a service without any has none, and nothing of them goes into its hash", async () => {
  const service = await web("deploy: {resources: {limits: {cpus: 1}}}");
  assert.equal(service.devices, NO_DEVICES);
  assert.equal(Object.keys(attributesOf(service)), ["image", "cpus"]);
});

it("devices, names of vendors, rules and requests are read in their forms", async () => {
  const { devices } = await web(
    "devices: [/dev/fuse, '/dev/ttyUSB0:/dev/modem:rw', 'vendor.com/class=name', {source: /dev/a, target: /dev/b, permissions: r}]\ndevice_cgroup_rules: ['c 189:* rmw', 'a *:* r']\ngpus: all\ndeploy: {resources: {reservations: {devices: [{driver: nvidia, device_ids: ['0', '3'], capabilities: [gpu, compute]}, {capabilities: [tpu], count: 2}]}}}",
  );
  assert.equal(devices, {
    mapped: [
      { source: "/dev/fuse", target: "/dev/fuse", access: "rwm" },
      { source: "/dev/ttyUSB0", target: "/dev/modem", access: "rw" },
      { source: "/dev/a", target: "/dev/b", access: "r" },
    ],
    named: ["vendor.com/class=name"],
    rules: [
      { type: "c", major: 189, minor: null, access: "rmw" },
      { type: "a", major: null, minor: null, access: "r" },
    ],
    requested: [
      { driver: null, ids: [], count: -1, capabilities: ["gpu"] },
      { driver: "nvidia", ids: ["0", "3"], count: 0, capabilities: ["gpu", "compute"] },
      { driver: null, ids: [], count: 2, capabilities: ["tpu"] },
    ],
  });
});

it("what cannot be a device is refused at its place", async () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["devices: [fuse]", /`services\.web\.devices\[0\]` is `fuse`: it must be the absolute path of a device/],
    ["devices: ['/dev/a:b']", /is `b`: it must be the absolute path/],
    ["devices: ['/dev/a:/dev/b:x']", /permissions `x`/],
    ["devices: ['/dev/a:/dev/b:rr']", /permissions `rr`/],
    ["device_cgroup_rules: [c 1]", /`c 1`: it must be a kind, numbers and permissions/],
    ["gpus: some", /`services\.web\.gpus\[0\]\.count` is `some`/],
  ];
  for (const [attributes, message] of cases) {
    const errors = await errorsOf(serviceText(attributes));
    assert.ok(
      errors.some((error) => message.test(error.message) && error.source !== undefined),
      `${attributes}: ${errors.map((error) => error.message).join("; ")}`,
    );
  }
});

it.run();
