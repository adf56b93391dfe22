import * as assert from "uvu/assert";
import type { Json } from "../../../src/model/json.ts";
import { NO_RESTART, type Port } from "../../../src/model/service.ts";
import { type Case, FOREVER, type Given, refused, type Stage } from "./stage.ts";

const ALWAYS = { ...NO_RESTART, name: "always" } as const;

/** What a container gets while it is there. */
export function inPlaceCases(it: Case): void {
  it("a change in place is seen at once, and the program goes on", async (stage) => {
    const before = await stage.run(FOREVER);
    const after = await stage.update(FOREVER, {
      restart: ALWAYS,
      labels: { role: "front" },
      spec: { hash: "2:changed", attributes: { restart: "always" } },
    });
    assert.equal([after.id, after.pid, after.startedAt, after.state], [before.id, before.pid, before.startedAt, "running"]);
    assert.equal([after.hash, after.attributes, after.labels["role"]], ["2:changed", { restart: "always" }, "front"]);
    assert.equal(await policyOf(stage, after.id), { Name: "always", MaximumRetryCount: 0 });
  });

  it("what only a new container can have is left as it is", async (stage) => {
    const { id } = await stage.run(FOREVER);
    const after = await stage.update("exit 7", { user: "nobody", environment: { COLOR: "red" }, restart: ALWAYS });
    assert.equal(after.argv, ["sh", "-c", FOREVER]);
    const [document] = [await stage.engine.inspect(id, stage.signal)].map((found) => JSON.stringify(found));
    assert.not.match(document ?? "", /nobody|COLOR=red/);
  });

  it("one that does not run has it from its next start on", async (stage) => {
    const before = await stage.finish("exit 0");
    const after = await stage.update("exit 0", { labels: { role: "front" }, spec: { hash: "2:changed" } });
    assert.equal([after.id, after.state, after.exitCode, after.hash], [before.id, "exited", 0, "2:changed"]);
    await stage.start(after.name);
    assert.is((await stage.find(after.name)).labels["role"], "front");
  });

  it("ports are opened and closed while it runs, and those that stay are the same", async (stage) => {
    const network = await stage.network();
    const given = (...ports: readonly Port[]): Given => ({ ports, spec: { networks: [{ name: network, aliases: [] }] } });
    const before = await stage.run(FOREVER, given(anyPort(80)));
    const more = await stage.update(FOREVER, given(anyPort(80), anyPort(81)));
    assert.equal([more.ports.length, more.startedAt], [2, before.startedAt]);
    assert.equal(
      more.ports.find(({ target }) => target === 80),
      before.ports[0],
    );
    const less = await stage.update(FOREVER, given(anyPort(81)));
    assert.equal(
      less.ports,
      more.ports.filter(({ target }) => target === 81),
    );
  });

  it("a change whose port is taken changes nothing at all", async (stage) => {
    const network = await stage.network();
    const on = { networks: [{ name: network, aliases: [] }] };
    const other = await stage.run(FOREVER, { name: "other", ports: [anyPort(80)], spec: on });
    const before = await stage.run(FOREVER, { spec: { ...on, hash: "2:before" } });
    const taken = other.ports[0]?.published ?? 0;
    const ports = [{ ...anyPort(80), published: { from: taken, to: taken } }];
    await refused("E_PORT_TAKEN", stage.update(FOREVER, { ports, restart: ALWAYS, spec: { ...on, hash: "2:after" } }), String(taken));
    const after = await stage.find(before.name);
    assert.equal([after.hash, after.ports, after.state, after.attributes], ["2:before", [], "running", before.attributes]);
    assert.equal(await policyOf(stage, after.id), { Name: "no", MaximumRetryCount: 0 });
  });

  it("what is not there is not changed", async (stage) => {
    await refused("E_NO_SUCH_CONTAINER", stage.update(FOREVER, { container: "nobody-web-1" }), "nobody-web-1");
  });
}

const anyPort = (target: number): Port => ({ target, protocol: "tcp", host: "127.0.0.1", published: null });

async function policyOf(stage: Stage, id: string): Promise<Json> {
  const document = (await stage.engine.inspect(id, stage.signal)) as { readonly HostConfig: { readonly RestartPolicy: Json } };
  return document.HostConfig.RestartPolicy;
}
