import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openLayout } from "../../../src/engines/oci/layout.ts";
import { type ContainerRecord, createRecord, removeRecord } from "../../../src/engines/oci/records.ts";

const it = suite("records of containers");

it("two that remove a container at once both succeed, and neither takes the name from a successor", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wharf-records-"));
  try {
    const layout = openLayout(join(directory, "root"), join(directory, "run"));
    for (const place of [layout.containers, layout.names, layout.exits]) mkdirSync(place, { recursive: true });
    const record = (id: string) => ({ id: id.repeat(64), name: "shop-web-1" }) as ContainerRecord; // all that keeping it needs
    await createRecord(layout, record("a"));
    await Promise.all([removeRecord(layout, record("a")), removeRecord(layout, record("a"))]);
    assert.equal([readdirSync(layout.containers), readdirSync(layout.names)], [[], []]);
    await createRecord(layout, record("b"));
    await removeRecord(layout, record("a"));
    assert.equal([readdirSync(layout.containers), readdirSync(layout.names)], [["b".repeat(64)], ["shop-web-1"]]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it.run();
