/** Addresses that are asked for at once, in files of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { openLayout } from "../../../../src/engines/oci/layout.ts";
import { createNetwork, type Lessee, lease, readNetwork, release } from "../../../../src/engines/oci/network/networks.ts";
import { Failure } from "../../../../src/model/diagnostic.ts";
import { PLAIN_NETWORK } from "../../../../src/model/network.ts";

const it = suite("leases");

it("containers that are made at once get an address each, and the one whose wish cannot be met fails alone", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wharf-leases-"));
  try {
    const layout = openLayout(join(directory, "root"), join(directory, "run"));
    const config = { ...PLAIN_NETWORK, subnets: [{ subnet: "10.213.9.0/24", gateway: null, range: null, reserved: [] }] };
    await createNetwork(layout, { name: "net", project: "shop", key: "net", labels: {}, config, attributes: {} });
    const lessee = (id: string, ipv4Address?: string): Lessee => ({
      id,
      joined: { name: "net", aliases: [], ...(ipv4Address === undefined ? {} : { ipv4Address }) },
      exists: () => true,
      runs: () => true,
    });
    await lease(layout, lessee("first", "10.213.9.3"));
    const ids = Array.from({ length: 12 }, (_, index) => `c${index}`);
    const asked = ids.map((id) => lease(layout, lessee(id, id === "c5" ? "10.213.9.3" : undefined)));
    const absent = lease(layout, { ...lessee("lost"), joined: { name: "nowhere", aliases: [] } });
    const ends = await Promise.allSettled([...asked, absent]);
    const refused = ends.flatMap((end, index) => (end.status === "rejected" ? [`${ids[index] ?? "lost"} ${codeOf(end.reason)}`] : []));
    assert.equal(refused, ["c5 E_ADDRESS_TAKEN", "lost E_NO_SUCH_NETWORK"]);
    const leases = readNetwork(layout, "net")?.ipv4?.leases ?? {};
    assert.equal(Object.keys(leases).sort(), ["first", ...ids.filter((id) => id !== "c5")].sort());
    assert.is(new Set(Object.values(leases)).size, 12);

    await Promise.all([...ids.slice(0, 6).map((id) => release(layout, "net", id)), lease(layout, lessee("late"))]);
    assert.equal(Object.keys(readNetwork(layout, "net")?.ipv4?.leases ?? {}).sort(), ["first", "late", ...ids.slice(6)].sort());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it.run();

const codeOf = (error: unknown): string => (error instanceof Failure ? (error.diagnostics[0]?.code ?? "") : String(error));
