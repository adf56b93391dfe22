import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readHealth } from "../../../src/engines/oci/health.ts";
import { openLayout } from "../../../src/engines/oci/layout.ts";
import { readNetwork } from "../../../src/engines/oci/network/networks.ts";
import {
  allContainers,
  allRecords,
  type ContainerRecord,
  createRecord,
  removeRecord,
  sweepRecords,
} from "../../../src/engines/oci/records.ts";
import { returnsAfterReboot } from "../../../src/engines/oci/restarts.ts";

const it = suite("records of containers");

it("what a power cut tore is no obstacle: a start that is forgotten is over, a container without its record goes, its name is free", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wharf-records-"));
  try {
    const layout = openLayout(join(directory, "root"), join(directory, "run"));
    for (const place of [layout.containers, layout.names, layout.exits, layout.networks]) mkdirSync(place, { recursive: true });
    const service = { name: "web", restart: { name: "always" } };
    const record = (id: string, name: string) =>
      ({ id: id.repeat(64), name, spec: { service, project: "shop" } }) as unknown as ContainerRecord;
    await createRecord(layout, { record: record("a", "shop-web-1") });
    await createRecord(layout, { record: record("b", "shop-web-2") });
    const file = (id: string, name: string) => join(layout.containers, id.repeat(64), name);
    for (const name of ["state.json", "restart.json", "health.json"]) writeFileSync(file("a", name), "");
    const [first, ...others] = allContainers(layout);
    assert.equal([first?.status.state, others.length], ["exited", 1]);
    if (first === undefined) throw new Error("it is not there");
    assert.ok(returnsAfterReboot(layout, first));
    assert.is(readHealth(layout, { ...first.record, image: { config: {} } } as ContainerRecord, "").status, "starting");
    writeFileSync(file("b", "container.json"), "\0\0\0");
    writeFileSync(join(layout.names, "shop-web-2"), "");
    writeFileSync(join(layout.networks, "shop_default.json"), "");
    assert.equal([allContainers(layout).length, readNetwork(layout, "shop_default")], [1, null]);
    await sweepRecords(layout);
    assert.equal([readdirSync(layout.containers), readdirSync(layout.names)], [["a".repeat(64)], ["shop-web-1"]]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it("a container is there with all that only its making gives it, or not at all", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wharf-records-"));
  try {
    const layout = openLayout(join(directory, "root"), join(directory, "run"));
    for (const place of [layout.containers, layout.names]) mkdirSync(place, { recursive: true });
    const record = { id: "a".repeat(64), name: "shop-web-1" } as ContainerRecord;
    const fill = async (place: string) => {
      assert.equal([allRecords(layout), readdirSync(layout.names)], [[], []]);
      writeFileSync(join(place, "given"), "");
    };
    await createRecord(layout, { record, fill });
    assert.ok(readdirSync(join(layout.containers, record.id)).includes("given"));
    await removeRecord(layout, record);
    const made = createRecord(layout, { record, fill: () => Promise.reject(new Error("no room")) });
    assert.is(
      await made.then(
        () => "made",
        (error: Error) => error.message,
      ),
      "no room",
    );
    assert.equal([readdirSync(layout.containers), readdirSync(layout.names)], [[], []]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it("two that remove a container at once both succeed, and neither takes the name from a successor", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wharf-records-"));
  try {
    const layout = openLayout(join(directory, "root"), join(directory, "run"));
    for (const place of [layout.containers, layout.names, layout.exits]) mkdirSync(place, { recursive: true });
    const record = (id: string) => ({ id: id.repeat(64), name: "shop-web-1" }) as ContainerRecord; // all that keeping it needs
    await createRecord(layout, { record: record("a") });
    await Promise.all([removeRecord(layout, record("a")), removeRecord(layout, record("a"))]);
    assert.equal([readdirSync(layout.containers), readdirSync(layout.names)], [[], []]);
    await createRecord(layout, { record: record("b") });
    await removeRecord(layout, record("a"));
    assert.equal([readdirSync(layout.containers), readdirSync(layout.names)], [["b".repeat(64)], ["shop-web-1"]]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it.run();
