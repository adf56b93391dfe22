import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { eventsWritten, noteEvent } from "../../../src/engines/oci/events.ts";
import { openLayout } from "../../../src/engines/oci/layout.ts";
import type { ContainerRecord } from "../../../src/engines/oci/records.ts";

const it = suite("events of containers");

it("a line that its writer did not live to finish costs neither those around it nor the one that follows on it", () => {
  const directory = mkdtempSync(join(tmpdir(), "wharf-events-"));
  try {
    const layout = openLayout(join(directory, "root"), join(directory, "run"));
    const service = { name: "web", labels: { time: "now" } };
    const record = {
      id: "a",
      name: "shop-web-1",
      image: { reference: "web" },
      spec: { service, project: "shop" },
    } as unknown as ContainerRecord;
    const path = join(layout.root, "events", "shop.jsonl");
    mkdirSync(join(layout.root, "events"), { recursive: true });
    noteEvent(layout, { record, action: "create" });
    writeFileSync(path, '{"time":"2026-01-01T00:00:00.000Z","action":"st', { flag: "a" });
    noteEvent(layout, { record: { ...record, spec: { ...record.spec, service: { ...record.spec.service, labels: {} } } }, action: "die" });
    writeFileSync(path, "\0\0\0\n", { flag: "a" });
    noteEvent(layout, { record, action: "destroy" });
    assert.equal(
      eventsWritten(layout, "shop").map(({ action }) => action),
      ["create", "die", "destroy"],
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it.run();
