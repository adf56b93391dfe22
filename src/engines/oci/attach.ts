import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AttachOptions } from "../../engine/engine.ts";
import { KeyWatch } from "../../lib/detach-keys.ts";
import {
  AF_UNIX,
  closeSocket,
  connectUnix,
  endSending,
  openSocket,
  receive,
  SOCK_SEQPACKET,
  send,
  shutdownSocket,
  writeRaw,
} from "./syscalls.ts";

/** The caller's side of an attached container: its own standard streams, or what a test puts there. */
export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export interface CopyOptions extends AttachOptions {
  readonly signal: AbortSignal;
  /** The program was there before the caller, and shows nothing new by itself. */
  readonly redraw: boolean;
}

/** How long the terminal has another size for that. */
const REDRAW_MS = 50;

/** conmon tells the streams apart by the first byte of a datagram; the rest, up to this many bytes, is output. */
const STDERR = 3;
const DATAGRAM = 8192 + 1;

/**
 * A connection to conmon's attach socket (SOCK_SEQPACKET, which Node cannot open). Connect before the container begins, so that nothing is lost.
 */
export class Attachment {
  readonly #socket: number;
  readonly #directory: string;
  #open = true;

  /** `directory`: where its monitor has its files. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#socket = openSocket(AF_UNIX, SOCK_SEQPACKET, 0);
    try {
      connectUnix(this.#socket, join(directory, "attach"));
    } catch (error) {
      closeSocket(this.#socket);
      throw error;
    }
  }

  /** Copies output until the container's side closes, and input when asked. Gives back the terminal as it was. */
  async copy(streams: Streams, options: CopyOptions): Promise<"ended" | "detached"> {
    const { stdin, stdout } = streams;
    const raw = options.tty && options.stdin && stdin.isTTY;
    const resize = (): void => this.#resize(stdout.rows, stdout.columns);
    let again: NodeJS.Timeout | undefined;
    const follow = (): void => {
      resize();
      clearTimeout(again);
      again = setTimeout(resize, REDRAW_MS); // of two sizes close together conmon may take the first only
    };
    const detach = (): void => shutdownSocket(this.#socket);
    const keys = options.tty ? new KeyWatch(options.detachKeys) : null;
    let typed = false;
    let sent = Promise.resolve();
    const input = (chunk: Buffer): void => {
      const { passed, detached } = keys?.take(chunk) ?? { passed: chunk, detached: false };
      typed ||= detached;
      stdin.pause(); // one datagram after the other, in order
      sent = this.#send(passed).then(
        () => (detached ? detach() : void stdin.resume()),
        () => void stdin.pause(), // the container is gone; the receiving side ends the copy
      );
    };
    // The end of a pipe is told of although the stream is paused, while the last of what came through it is still on its way.
    const end = (): void => void sent.then(() => (this.#open ? endSending(this.#socket) : undefined));
    options.signal.addEventListener("abort", detach, { once: true });
    if (options.tty && stdout.isTTY) {
      if (options.redraw) {
        this.#resize(stdout.rows + 1, stdout.columns + 1); // what draws on the whole screen draws anew when the size changes
        await sleep(REDRAW_MS); // conmon takes one size at a time
      }
      resize();
      stdout.on("resize", follow);
    }
    if (options.stdin) {
      if (raw) {
        stdin.setRawMode(true);
        writeRaw(0);
      }
      stdin.on("data", input);
      stdin.once("end", end);
      stdin.resume();
    }
    if (options.signal.aborted) detach(); // it told nobody: that was before
    try {
      await this.#receiveAll(streams);
    } finally {
      options.signal.removeEventListener("abort", detach);
      stdout.off("resize", follow);
      clearTimeout(again);
      stdin.off("data", input);
      stdin.off("end", end);
      if (raw) stdin.setRawMode(false);
      if (options.stdin) stdin.pause();
      this.close();
    }
    return typed ? "detached" : "ended";
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSocket(this.#socket);
  }

  async #receiveAll({ stdout, stderr }: Streams): Promise<void> {
    for (let isReset = false; ; ) {
      const buffer = Buffer.alloc(DATAGRAM);
      const length = await receive(this.#socket, buffer);
      if (length < 0 && !isReset) {
        // conmon closed before it had read what was typed: the kernel says so once (ECONNRESET), and then gives what was sent before.
        isReset = true;
        continue;
      }
      if (length <= 0) return;
      const target = buffer[0] === STDERR ? stderr : stdout;
      if (!target.write(buffer.subarray(1, length))) await new Promise((resolve) => target.once("drain", resolve));
    }
  }

  async #send(chunk: Buffer): Promise<void> {
    for (let from = 0; from < chunk.length; from += DATAGRAM - 1) {
      const sent = await send(this.#socket, chunk.subarray(from, from + DATAGRAM - 1));
      if (sent < 0) throw new Error("the container no longer reads");
    }
  }

  /** Tells conmon the size of the caller's terminal through its control pipe. */
  #resize(rows: number, columns: number): void {
    let control: number;
    try {
      control = openSync(join(this.#directory, "ctl"), constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT" || code === "ENXIO") return; // conmon has ended, and with it the terminal
      throw error;
    }
    try {
      writeSync(control, `1 ${rows} ${columns}\n`);
    } finally {
      closeSync(control);
    }
  }
}
