import * as assert from "uvu/assert";
import type { Joined } from "../../../src/model/action.ts";
import type { Json } from "../../../src/model/json.ts";
import { type Case, FOREVER, refused, type Stage } from "./stage.ts";

/** Networks: what they are made from, and how containers are on them. */
export function networkCases(it: Case): void {
  it("a network is seen with what it was made from, and with what it is changed to", async (stage) => {
    const network = await stage.network("back", stage.project, { internal: true });
    assert.equal(await attributesOf(stage), { internal: true });
    await stage.apply({ kind: "network.update", ...stage.networkOf(stage.project, "back", { mtu: 1400 }) });
    assert.equal(await attributesOf(stage), { mtu: 1400 });
    await refused(
      "E_NO_SUCH_NETWORK",
      stage.apply({ kind: "network.update", ...stage.networkOf(stage.project, "other", {}) }),
      network.replace("back", "other"),
    );
  });

  it("a network is changed under containers that run, which go on", async (stage) => {
    const name = await stage.network();
    const before = await stage.run(FOREVER, { spec: { networks: [{ name, aliases: [] }] } });
    await stage.apply({ kind: "network.update", ...stage.networkOf(stage.project, "default", { internal: true }) });
    const after = await stage.find(before.name);
    assert.equal([after.state, after.startedAt], ["running", before.startedAt]);
  });

  it("a network is connected under containers that run, which go on with their addresses, and stays what it was made from", async (stage) => {
    const name = await stage.network("back", stage.project, { internal: true });
    const before = await stage.run(FOREVER, { spec: { networks: [{ name, aliases: [] }] } });
    await stage.apply({ kind: "network.connect", network: name });
    const after = await stage.find(before.name);
    assert.equal([after.state, after.startedAt, after.networks], ["running", before.startedAt, before.networks]);
    assert.equal(await attributesOf(stage), { internal: true });
    await refused("E_NO_SUCH_NETWORK", stage.apply({ kind: "network.connect", network: "nowhere" }), "nowhere");
  });

  it("a fixed address is had by one container that runs, and by another one when that has ended", async (stage) => {
    const network = await stage.network("fixed", stage.project, SUBNET);
    const networks: readonly Joined[] = [{ name: network, aliases: [], ipv4Address: "10.212.3.9" }];
    const { name, networks: seen } = await stage.run(FOREVER, { spec: { networks } });
    assert.equal(seen, [{ name: network, address: "10.212.3.9" }]);
    await refused("E_ADDRESS_TAKEN", stage.run(FOREVER, { name: "db", spec: { networks } }), "10.212.3.9");
    await stage.remove(name, { force: true });
    const other = await stage.run(FOREVER, { name: "cache", spec: { networks } });
    assert.is(other.networks[0]?.address, "10.212.3.9");
  });

  it("a replacement is made while its predecessor has the address, and starts with it when that has ended", async (stage) => {
    const network = await stage.network("fixed", stage.project, SUBNET);
    const spec = { networks: [{ name: network, aliases: [], ipv4Address: "10.212.3.10" }] };
    const { name } = await stage.run(FOREVER, { spec });
    const next = await stage.create(FOREVER, { spec, container: `${name}.next` });
    await stage.stop(name);
    await stage.start(next);
    assert.is((await stage.find(next)).networks[0]?.address, "10.212.3.10");
  });

  it("who shares the network of another starts only while that one runs", async (stage) => {
    const web = await stage.create(FOREVER);
    const side = await stage.create(FOREVER, { name: "side", networkMode: { type: "service", of: "web" } });
    await refused("E_NETWORK_SHARED", stage.start(side), "web");
    await stage.start(web);
    await stage.start(side);
    assert.is((await stage.find(side)).state, "running");
  });

  it("a container's document says how it is on its networks", async (stage) => {
    const name = await stage.network("back", stage.project, SUBNET);
    const spec = { networks: [{ name, aliases: ["store"], ipv4Address: "10.212.3.11" }] };
    const { id } = await stage.run(FOREVER, { spec });
    const document = await stage.engine.inspect(id, stage.signal);
    const found = at(document, "NetworkSettings", "Networks", name);
    assert.equal([at(found, "Aliases"), at(found, "IPAddress")], [["store"], "10.212.3.11"]);
    const none = await stage.run(FOREVER, { name: "none", networkMode: { type: "none" } });
    assert.is(at(await stage.engine.inspect(none.id, stage.signal), "HostConfig", "NetworkMode"), "none");
  });
}

const SUBNET = { subnets: [{ subnet: "10.212.3.0/24", gateway: null, range: null, reserved: [] }] };

async function attributesOf(stage: Stage): Promise<Json | undefined> {
  return (await stage.observe()).networks[0]?.attributes;
}

function at(value: Json, ...keys: readonly string[]): Json {
  return keys.reduce<Json>((within, key) => {
    if (within === null || typeof within !== "object" || !Object.hasOwn(within, key)) throw new Error(`no ${key}`);
    return (within as Readonly<Record<string, Json>>)[key] ?? null;
  }, value);
}
