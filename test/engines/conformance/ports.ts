import { once } from "node:events";
import { createServer } from "node:net";
import * as assert from "uvu/assert";
import type { Port } from "../../../src/model/service.ts";
import { port, service } from "../../support/build.ts";
import { freePort } from "../../support/registry.ts";
import { type Case, FOREVER, refused } from "./stage.ts";

/** Host ports of containers. */
export function portCases(it: Case): void {
  it("a published port is seen while the container runs", async (stage) => {
    const number = await freePort();
    const { name, ports } = await stage.run(FOREVER, { ports: [port(`${number}:3000`)] });
    assert.equal(ports, [{ target: 3000, protocol: "tcp", host: "0.0.0.0", published: number }]);
    await stage.stop(name);
    assert.equal((await stage.find(name)).ports, []);
  });

  it("a port that the engine may choose is another one for each container", async (stage) => {
    const open: Port = { target: 3000, protocol: "tcp", host: "127.0.0.1", published: null };
    const { ports } = await stage.run(FOREVER, { ports: [open, { ...open, target: 4000 }] });
    const other = await stage.run(FOREVER, { name: "db", ports: [open] });
    const numbers = [...ports, ...other.ports].map(({ published }) => published);
    assert.is(new Set(numbers).size, 3, numbers.join(", "));
    assert.ok(
      numbers.every((number) => number >= 1024 && number <= 65_535),
      numbers.join(", "),
    );
  });

  it("of a range each container gets a port that is free", async (stage) => {
    const from = await freePair();
    const ranged: Port = { target: 3000, protocol: "tcp", host: "127.0.0.1", published: { from, to: from + 1 } };
    const first = await stage.run(FOREVER, { ports: [ranged] });
    const second = await stage.run(FOREVER, { name: "db", ports: [ranged] });
    const numbers = [...first.ports, ...second.ports].map(({ published }) => published);
    assert.equal(numbers, [from, from + 1]);
  });

  it("a port that a container has cannot be had by another one, which then does not start", async (stage) => {
    const ports = [port(`${await freePort()}:3000`)];
    const { name } = await stage.run(FOREVER, { ports });
    const other = await stage.create(FOREVER, { name: "db", ports });
    await refused("E_PORT_TAKEN", stage.start(other), name);
    assert.is((await stage.find(other)).state, "created");
  });

  it("a port is free again when its container has ended", async (stage) => {
    const ports = [port(`${await freePort()}:3000`)];
    const { name } = await stage.run(FOREVER, { ports });
    await stage.stop(name);
    assert.equal((await stage.run(FOREVER, { name: "db", ports })).ports.length, 1);
  });

  it("a project that wants a port sees who else has it", async (stage) => {
    const number = await freePort();
    const { name } = await stage.run(FOREVER, { ports: [port(`${number}:3000`)], spec: { project: stage.other.name } });
    const services = [service({ ports: [port(`${number}:3000`)] })];
    const { takenPorts } = await stage.observe({ ...stage.project, services });
    const [taken] = takenPorts.filter((held) => held.port === number);
    assert.ok(taken !== undefined, "it is not seen as taken");
    assert.is(taken.protocol, "tcp");
    assert.ok(taken.by.includes(name), taken.by);
  });
}

/** The first of two neighbouring ports that nobody listens on. */
async function freePair(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port < 65_535 && (await isFree(port + 1))) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = new Promise<boolean>((resolve) => {
    server.once("listening", () => resolve(true));
    server.once("error", () => resolve(false));
  });
  server.listen(port, "127.0.0.1");
  const free = await listening;
  if (free) {
    server.close();
    await once(server, "close");
  }
  return free;
}
