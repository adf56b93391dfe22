import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { cgroupManager, managerConcerns, sliceDirectory, sliceNamed } from "../../../src/engines/oci/cgroup-manager.ts";
import { cgroupPath, cgroupRequest, placeCgroup } from "../../../src/engines/oci/cgroups.ts";
import { containerDirectory, openLayout } from "../../../src/engines/oci/layout.ts";
import { service } from "./fixtures.ts";

const it = suite("who makes control groups");

it("it is the runtime unless systemd is asked for, or auto finds it", () => {
  assert.equal(
    [undefined, "", "cgroupfs", "systemd"].map((asked) => cgroupManager(asked, () => true)),
    ["cgroupfs", "cgroupfs", "cgroupfs", "systemd"],
  );
  assert.equal([cgroupManager("auto", () => true), cgroupManager("auto", () => false)], ["systemd", "cgroupfs"]);
  assert.throws(() => cgroupManager("docker"), /no such manager/);
});

it("what systemd cannot do is said of each service that asks for it", () => {
  const asks = (cgroupParent: string | null) => {
    const plain = service({});
    return [{ ...plain, isolation: { ...plain.isolation, cgroupParent } }];
  };
  assert.equal(
    managerConcerns(asks("/limits"), "cgroupfs", () => false),
    [],
  );
  assert.equal(
    managerConcerns(asks("/shop.slice"), "systemd", () => true),
    [],
  );
  assert.match(managerConcerns(asks(null), "systemd", () => false)[0]?.message ?? "", /does not run on this machine/);
  assert.match(
    managerConcerns(asks("/limits"), "systemd", () => true)[0]?.message ?? "",
    /asks for the control group \/limits, and systemd has slices/,
  );
});

it("a slice lies in those whose names its own begins with", () => {
  assert.equal(["system.slice", "a-b-c.slice", "-.slice"].map(sliceDirectory), ["/system.slice", "/a.slice/a-b.slice/a-b-c.slice", ""]);
  assert.equal(["/shop.slice", "-.slice", "/a/b.slice", "shop", "a--b.slice", null].map(sliceNamed), [
    "shop.slice",
    "-.slice",
    null,
    null,
    null,
    null,
  ]);
});

it("a container's group is a path of the runtime's, or a scope of systemd's", async () => {
  const directory = mkdtempSync("/tmp/wharf-cgroups-");
  try {
    const layout = openLayout(join(directory, "root"), join(directory, "run"));
    const made = async (digit: string, parent: string | null, manager: "cgroupfs" | "systemd") => {
      const id = digit.repeat(64);
      mkdirSync(containerDirectory(layout, id));
      const plain = service({});
      const spec = { service: { ...plain, isolation: { ...plain.isolation, cgroupParent: parent } } };
      await placeCgroup(containerDirectory(layout, id), { spec, manager });
      return [cgroupPath(layout, id), cgroupRequest(layout, id)];
    };
    assert.equal(await made("a", null, "cgroupfs"), ["/wharf-aaaaaaaaaaaa", { path: "/wharf-aaaaaaaaaaaa", words: [] }]);
    assert.equal(await made("b", "/limits", "cgroupfs"), ["/limits/wharf-bbbbbbbbbbbb", { path: "/limits/wharf-bbbbbbbbbbbb", words: [] }]);
    assert.equal(await made("c", null, "systemd"), [
      "/system.slice/wharf-cccccccccccc.scope",
      { path: "system.slice:wharf:cccccccccccc", words: ["--systemd-cgroup"] },
    ]);
    assert.equal(await made("d", "/shop-in.slice", "systemd"), [
      "/shop.slice/shop-in.slice/wharf-dddddddddddd.scope",
      { path: "shop-in.slice:wharf:dddddddddddd", words: ["--systemd-cgroup"] },
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it.run();
