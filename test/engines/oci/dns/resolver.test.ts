/** The resolver by its sockets, asked by an independent client: node's own (c-ares), from different loopback addresses. */
import { createSocket } from "node:dgram";
import { Resolver as Client } from "node:dns/promises";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Listener, type Respond } from "../../../../src/engines/oci/supervisor/dns/listener.ts";
import { parseQuery, reply, SERVER_FAILURE, TYPE_A } from "../../../../src/engines/oci/supervisor/dns/message.ts";
import { Resolver } from "../../../../src/engines/oci/supervisor/dns/resolver.ts";
import { type AskerSettings, Zone } from "../../../../src/engines/oci/supervisor/dns/zone.ts";
import { queryBytes } from "./client.ts";

const it = suite("dns resolver");

it("names of containers are answered, each asker seeing its own networks", async () => {
  await serving({}, async ({ client }) => {
    assert.equal(await client("127.1.1.2").resolve4("DB"), ["127.1.1.3"]);
    assert.equal((await client("127.1.1.2").resolve4("many", { ttl: true })).map(({ ttl }) => ttl)[0], 2);
    assert.equal(await client("127.1.1.2").resolve4("db.front"), ["127.1.1.3"]);
    assert.equal(await client("127.1.1.2").reverse("127.1.1.3"), ["db-1.front"]);
    assert.equal(await client("127.1.1.3").resolve6("six"), ["fd00::6"]);
    assert.is(await codeOf(client("127.1.1.2").resolve6("db")), "ENODATA");
    assert.is(await codeOf(client("127.1.1.2").resolveMx("db")), "ENODATA");
    assert.is(await codeOf(client("127.2.2.9").resolve4("db")), "ESERVFAIL");
  });
});

it("an answer too large for a datagram comes whole by a stream", async () => {
  await serving({}, async ({ client }) => {
    assert.is((await client("127.1.1.2").resolve4("many")).length, 200);
  });
});

it("what is nobody's name here is passed on, and the answer comes back as it is", async () => {
  await serving({ upstreams: [answering("192.0.2.7")] }, async ({ client }) => {
    assert.equal(await client("127.1.1.2").resolve4("outside.example"), ["192.0.2.7"]);
    assert.equal(await client("127.1.1.2").resolve4("single"), ["192.0.2.7"]);
    assert.is(await codeOf(client("127.1.1.2").resolve4("nobody.front")), "ENOTFOUND");
  });
});

it("a server that is silent, refuses or says nothing of use is stood in for by the next", async () => {
  let asked = 0;
  const silent: Respond = () => {
    asked += 1;
    return null;
  };
  const failing = answering(null);
  await serving({ upstreams: [silent, failing, answering("192.0.2.8")] }, async ({ client }) => {
    assert.equal(await client("127.1.1.2").resolve4("outside.example"), ["192.0.2.8"]);
    assert.is(asked, 1);
    assert.equal(await client("127.1.1.2").resolve4("outside.example"), ["192.0.2.8"]);
    assert.is(asked, 1, "the silent one is asked first no more");
  });
  await serving({ upstreams: [failing] }, async ({ client }) => {
    assert.is(await codeOf(client("127.1.1.2").resolve4("outside.example")), "ESERVFAIL");
  });
});

it("an answer cut short is asked for again by a stream", async () => {
  const long: Respond = (message, { stream }) => {
    const query = parseQuery(message);
    if (query === null || typeof query === "number") return null;
    const list = Array.from({ length: 60 }, (_, index) => ({ type: TYPE_A, data: Buffer.of(192, 0, 2, index) }));
    return reply(query, { code: 0, ttl: 60, limit: stream ? 65_535 : 512, answers: list });
  };
  await serving({ upstreams: [long] }, async ({ client }) => {
    assert.is((await client("127.1.1.2").resolve4("large.example")).length, 60);
  });
});

it("from internal networks nothing is asked outside", async () => {
  await serving({ upstreams: [answering("192.0.2.7")], internal: true }, async ({ client }) => {
    assert.equal(await client("127.1.1.2").resolve4("db"), ["127.1.1.3"]);
    assert.is(await codeOf(client("127.1.1.2").resolve4("outside.example")), "ENOTFOUND");
  });
});

it("with a number of dots set, a name without one stays inside", async () => {
  const settings = { servers: [], ndots: true };
  await serving({ upstreams: [answering("192.0.2.7")], settings }, async ({ client }) => {
    assert.is(await codeOf(client("127.1.1.2").resolve4("single")), "ENOTFOUND");
    assert.equal(await client("127.1.1.2").resolve4("out.example"), ["192.0.2.7"]);
  });
});

it("it never asks itself", async () => {
  await serving({ upstreams: [answering("192.0.2.7")], own: ["127.3.3.1"] }, async ({ client }) => {
    assert.is(await codeOf(client("127.1.1.2").resolve4("outside.example")), "ESERVFAIL");
  });
});

it("a container that asks itself in a circle gets an end", async () => {
  let asked = 0;
  const port = { of: 0 };
  // As a forwarder in a container would: what it is asked it asks the resolver, from its own address.
  const circle: Respond = (message) => {
    asked += 1;
    return relay(message, { port: port.of, from: "127.1.1.2" });
  };
  await serving({ upstreams: [circle] }, async ({ client, port: own }) => {
    port.of = own;
    await codeOf(client("127.1.1.2").resolve4("circle.example"));
    assert.ok(asked < 200, `asked ${asked} times`);
  });
});

it("rubbish is answered or passed over, and the next query works", async () => {
  await serving({}, async ({ client, port }) => {
    const socket = createSocket("udp4").unref();
    for (let index = 0; index < 200; index++)
      socket.send(Buffer.from(Array.from({ length: index }, () => (index * 7919) % 256)), port, "127.0.0.1");
    const stream = connect({ host: "127.0.0.1", port });
    stream.on("error", () => {});
    stream.write(Buffer.concat([Buffer.of(0xff, 0xff), Buffer.alloc(70_000)]));
    await new Promise((resolve) => stream.once("close", resolve));
    assert.equal(await client("127.1.1.2").resolve4("db"), ["127.1.1.3"]);
    socket.close();
  });
});

it("a port that is free for datagrams and not for streams is passed over", async () => {
  // So many that the kernel comes upon some of them.
  const taken: Server[] = [];
  const listeners: Listener[] = [];
  try {
    for (let index = 0; index < 300; index++) {
      const server = createServer().unref();
      server.listen(0, "127.4.4.1");
      await once(server, "listening");
      taken.push(server);
    }
    for (let index = 0; index < 200; index++) listeners.push(await Listener.open({ address: "127.4.4.1", port: 0 }, () => null));
    const ports = new Set(taken.map((server) => (server.address() as AddressInfo).port));
    assert.ok(listeners.every(({ port }) => port > 0 && !ports.has(port)));
  } finally {
    for (const one of [...taken, ...listeners]) one.close();
  }
});

it("several queries of one stream are all answered", async () => {
  await serving({}, async ({ port }) => {
    const stream = connect({ host: "127.0.0.1", port });
    const query = queryBytes({ name: "nobody.front" });
    const framed = Buffer.concat([Buffer.of(0, query.length), query]);
    stream.write(Buffer.concat(Array.from({ length: 100 }, () => framed)));
    let length = 0;
    for await (const chunk of stream) {
      length += (chunk as Buffer).length;
      if (length >= 100 * framed.length) break;
    }
    assert.is(length, 100 * framed.length);
  });
});

it.run();

interface Served {
  readonly client: (from: string) => Client;
  readonly port: number;
}

interface Scene {
  readonly upstreams?: readonly Respond[];
  readonly internal?: boolean;
  readonly settings?: AskerSettings;
  readonly own?: readonly string[];
}

async function serving(scene: Scene, body: (served: Served) => Promise<void>): Promise<void> {
  const { upstreams = [], internal = false, settings = { servers: [], ndots: false }, own = [] } = scene;
  const place = (address: string, names: readonly string[], addresses = [address]) => ({
    id: address,
    name: names[0] ?? address,
    places: [{ network: "front", addresses, names }],
    settings,
  });
  const zone = new Zone(
    [
      { name: "front", internal, holds: (address) => address.startsWith("127.1.1.") },
      { name: "back", internal: false, holds: (address) => address.startsWith("127.2.2.") },
    ],
    [
      place("127.1.1.2", ["web-1", "web"]),
      place("127.1.1.3", ["db-1", "db"]),
      place("127.1.1.4", ["six"], ["127.1.1.4", "fd00::6"]),
      ...Array.from({ length: 200 }, (_, index) => place(`127.1.2.${index}`, [`m-${index}`, "many"])),
    ],
  );
  const servers: Listener[] = [];
  for (const [index, upstream] of upstreams.entries())
    servers.push(await Listener.open({ address: `127.3.3.${index + 1}`, port: 0 }, upstream));
  const resolver = new Resolver({
    zone: () => zone,
    fresh: () => zone,
    servers: () => servers.map(({ port }, index) => ({ address: `127.3.3.${index + 1}`, port })),
    isOwnAddress: (address) => own.includes(address),
  });
  const listener = await Listener.open({ address: "127.0.0.1", port: 0 }, (message, from) => resolver.respond(message, from));
  try {
    await body({
      port: listener.port,
      client: (from) => {
        const client = new Client({ timeout: 5000, tries: 1 });
        client.setServers([`127.0.0.1:${listener.port}`]);
        client.setLocalAddress(from);
        return client;
      },
    });
  } finally {
    resolver.close();
    for (const server of [listener, ...servers]) server.close();
  }
}

/** A server that gives everybody one address, or says that it failed. */
function answering(address: string | null): Respond {
  return (message) => {
    const query = parseQuery(message);
    if (query === null || typeof query === "number") return null;
    const answers = address === null ? [] : [{ type: TYPE_A, data: Buffer.from(address.split(".").map(Number)) }];
    return reply(query, { code: address === null ? SERVER_FAILURE : 0, ttl: 60, limit: 512, answers });
  };
}

function relay(message: Buffer, { port, from }: { readonly port: number; readonly from: string }): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4").unref(); // an answer may never come
    socket.bind(0, from, () => socket.send(message, port, "127.0.0.1"));
    socket.once("message", (answer) => {
      socket.close();
      resolve(answer);
    });
  });
}

async function codeOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => "answered",
    (error: NodeJS.ErrnoException) => error.code ?? String(error),
  );
}
