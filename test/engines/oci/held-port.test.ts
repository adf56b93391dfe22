import { createHash } from "node:crypto";
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type HeldPort, holdDatagrams, holdStreams } from "../../../src/engines/oci/supervisor/ports/held-port.ts";
import { freePort } from "../../support/registry.ts";

const it = suite("ports that are held");

const STREAMS = 6;
const SIZE = 4 * 1024 * 1024;
const TIMES = 4;

it("streams that share the way keep their bytes apart, both ways, also where some are read slowly", async () => {
  await behindPort(echo, async (port) => {
    const heard = await Promise.all(Array.from({ length: STREAMS }, (_, i) => said(port, { letter: i, pauseMs: i % 2 === 0 ? 0 : 1 })));
    assert.equal(
      heard,
      heard.map((_, i) => hash(text(i))),
    );
  });
});

it("what waits for a slow reader is not written over by what others get", async () => {
  const sends = (socket: Socket): void => {
    socket.once("data", (letter) => {
      // More than the kernel keeps for one who does not read.
      for (let i = 0; i < TIMES; i++) socket.write(text(letter[0] ?? 0));
      socket.end();
    });
  };
  await behindPort(sends, async (port) => {
    const heard = await Promise.all(Array.from({ length: STREAMS }, (_, i) => got(port, { letter: i, pauseMs: i % 2 })));
    assert.equal(
      heard,
      heard.map((_, i) => hash(Buffer.concat(Array.from({ length: TIMES }, () => text(i))))),
    );
  });
});

it("a side that has said all still hears the other one", async () => {
  const late = (socket: Socket): void => {
    socket.on("end", () => setTimeout(() => socket.end("late"), 20)).resume();
  };
  await behindPort(late, async (port) => {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    socket.end("question");
    let answer = "";
    for await (const piece of socket) answer += piece;
    assert.is(answer, "late");
  });
});

it("what a target breaks off is broken off here", async () => {
  await behindPort(
    (socket) => socket.destroy(),
    async (port) => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("error", () => {}).resume();
      await once(socket, "close");
    },
  );
});

it("datagrams of one who goes on sending come to what the port leads to now", async () => {
  const echoes = await Promise.all(["first", "second"].map(answering));
  const [first, second] = echoes.map((socket) => ({ address: "127.0.0.1", port: socket.address().port }));
  if (first === undefined || second === undefined) throw new Error("there are two");
  const place = { host: "127.0.0.1", port: await freePort() };
  const held = await holdDatagrams(place, first);
  const client = createSocket("udp4");
  const ask = async (): Promise<string> => {
    client.send("who", place.port, place.host);
    const [answer] = (await once(client, "message", { signal: AbortSignal.timeout(10_000) })) as [Buffer];
    return answer.toString();
  };
  try {
    assert.equal([await ask(), await ask()], ["first", "first"]);
    held.target = second;
    assert.equal([await ask(), await ask()], ["second", "second"]);
  } finally {
    held.close();
    for (const socket of [client, ...echoes]) socket.close();
  }
});

it.run();

const text = (letter: number): Buffer => Buffer.alloc(SIZE, `${letter} of ${STREAMS} and more, ${"x".repeat(letter)};`);
const hash = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

async function answering(word: string): Promise<DatagramSocket> {
  const socket = createSocket("udp4");
  socket.on("message", (_, { port, address }) => socket.send(word, port, address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** Sends a text and gives the hash of what comes back. */
async function said(port: number, { letter, pauseMs }: { readonly letter: number; readonly pauseMs: number }): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  socket.end(text(letter));
  return hashOf(socket, pauseMs);
}

/** Asks for a text by its letter and gives the hash of what comes. */
async function got(port: number, { letter, pauseMs }: { readonly letter: number; readonly pauseMs: number }): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  socket.write(Uint8Array.of(letter));
  const heard = await hashOf(socket, pauseMs);
  socket.end();
  return heard;
}

async function hashOf(socket: Socket, pauseMs: number): Promise<string> {
  const heard = createHash("sha256");
  for await (const piece of socket) {
    heard.update(piece);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return heard.digest("hex");
}

async function behindPort(serve: (socket: Socket) => void, body: (port: number) => Promise<void>): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket.on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const target = (server.address() as AddressInfo).port;
  const port = await freePort();
  let held: HeldPort | null = null;
  try {
    held = await holdStreams({ host: "127.0.0.1", port }, { address: "127.0.0.1", port: target });
    await body(port);
  } finally {
    held?.close();
    server.close();
  }
}
