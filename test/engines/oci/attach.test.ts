import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Attachment, type Streams } from "../../../src/engines/oci/attach.ts";
import { AF_UNIX, closeSocket, openSocket, SOCK_SEQPACKET, sendNow } from "../../../src/engines/oci/syscalls.ts";
import { lazyLibc } from "../../../src/lib/libc.ts";
import { until } from "../../support/until.ts";

const it = suite("attaching");

/** What a monitor does with its socket, by the C library. */
const monitorCalls = lazyLibc(({ func }) => ({
  bind: func("int bind(int, const uint8_t *, uint32_t)") as unknown as (socket: number, address: Uint8Array, length: number) => number,
  listen: func("int listen(int, int)") as unknown as (socket: number, waiting: number) => number,
  accept: func("int accept(int, void *, void *)") as unknown as (socket: number, address: null, length: null) => number,
  recv: func("long recv(int, uint8_t *, size_t, int)") as unknown as (
    socket: number,
    to: Uint8Array,
    size: number,
    flags: number,
  ) => number,
}));
/** MSG_PEEK and MSG_DONTWAIT of linux/socket.h. */
const LOOK = 0x42;
const STDOUT = 2;

it("what a program said before it ended is heard, also where it never read what was typed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "wharf-attach-"));
  const { bind, listen, accept, recv } = monitorCalls();
  const listener = openSocket(AF_UNIX, SOCK_SEQPACKET, 0);
  try {
    const address = Buffer.alloc(110);
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(join(directory, "attach"), 2);
    assert.is(bind(listener, address, address.length), 0);
    assert.is(listen(listener, 1), 0);
    const attachment = new Attachment(directory);
    const monitor = accept(listener, null, null);
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    const streams = { stdin, stdout, stderr: new PassThrough() } as unknown as Streams;
    const options = { tty: false, stdin: true, detachKeys: [], redraw: false, signal: new AbortController().signal };
    const copied = attachment.copy(streams, options);
    stdin.write("typed");
    await until("what was typed has come", async () => recv(monitor, Buffer.alloc(16), 16, LOOK) > 0);
    for (const word of ["one ", "two ", "three"]) sendNow(monitor, Buffer.concat([Buffer.of(STDOUT), Buffer.from(word)]));
    closeSocket(monitor);
    assert.is(await copied, "ended");
    assert.is(String(stdout.read()), "one two three");
  } finally {
    closeSocket(listener);
    await rm(directory, { recursive: true });
  }
});

it.run();
