import { createSocket, type Socket } from "node:dgram";
import { createServer, isIPv6, type Server, type Socket as Stream } from "node:net";

/** What came, from where. The answer may come at once or later; `null`: none is due. */
export type Respond = (message: Buffer, from: Origin) => Buffer | null | Promise<Buffer | null>;

export interface Origin {
  readonly address: string;
  readonly port: number;
  readonly stream: boolean;
}

/** Streams at once in all, and of one client. */
const MOST_STREAMS = 256;
const MOST_STREAMS_OF_ONE = 32;
const IDLE_MS = 10_000;
/** A query is a name and a few bytes more. */
const LONGEST_QUERY = 4096;
/** Queries of one stream that wait for their answers. */
const MOST_WAITING = 16;

const PORTS_TRIED = 20;

/** Serves one address by datagrams and by streams. */
export class Listener {
  readonly #socket: Socket;
  readonly #server: Server;
  readonly #streams = new Set<Stream>();

  private constructor(socket: Socket, server: Server) {
    this.#socket = socket;
    this.#server = server;
  }

  /**
   * Begins to listen; at port 0, at any that is free for both kinds. Throws node's error: EADDRINUSE when somebody else does, EADDRNOTAVAIL while
   * this machine has no such address.
   */
  static async open(at: { readonly address: string; readonly port: number }, respond: Respond): Promise<Listener> {
    // The kernel gives a port that is free for datagrams; whether it is for streams shows only then.
    for (let tries = at.port === 0 ? PORTS_TRIED : 1; ; tries -= 1) {
      try {
        return await Listener.#openAt(at, respond);
      } catch (error) {
        if (tries === 1 || !(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
      }
    }
  }

  static async #openAt(at: { readonly address: string; readonly port: number }, respond: Respond): Promise<Listener> {
    const socket = createSocket({ type: isIPv6(at.address) ? "udp6" : "udp4" });
    const server = createServer();
    const listener = new Listener(socket, server);
    socket.on("message", (message, from) => {
      const origin = { address: from.address, port: from.port, stream: false };
      const send = (answer: Buffer | null): void => {
        if (answer !== null) socket.send(answer, from.port, from.address, () => {}); // it may have gone meanwhile
      };
      const answer = respond(message, origin);
      if (answer instanceof Promise) void answer.then(send);
      else send(answer);
    });
    server.on("connection", (stream) => listener.#serve(stream, respond));
    try {
      await opened(socket, () => socket.bind(at.port, at.address));
      await opened(server, () => server.listen(socket.address().port, at.address));
    } catch (error) {
      listener.close();
      throw error;
    }
    socket.on("error", () => {}); // of one datagram that could not be sent
    server.on("error", () => {});
    return listener;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  close(): void {
    for (const stream of this.#streams) stream.destroy();
    closeQuietly(() => this.#socket.close());
    closeQuietly(() => this.#server.close());
  }

  #serve(stream: Stream, respond: Respond): void {
    const { remoteAddress: address = "", remotePort: port = 0 } = stream;
    const ofOne = [...this.#streams].filter((other) => other.remoteAddress === address).length;
    if (this.#streams.size >= MOST_STREAMS || ofOne >= MOST_STREAMS_OF_ONE) {
      stream.destroy();
      return;
    }
    this.#streams.add(stream);
    stream.setTimeout(IDLE_MS, () => stream.destroy());
    stream.on("error", () => stream.destroy());
    stream.on("close", () => this.#streams.delete(stream));
    let pending: Buffer = Buffer.alloc(0);
    let waiting = 0;
    const take = (): void => {
      while (waiting < MOST_WAITING && pending.length >= 2) {
        const length = pending.readUInt16BE(0);
        if (length > LONGEST_QUERY) {
          stream.destroy();
          return;
        }
        if (pending.length < 2 + length) break;
        const message = Buffer.from(pending.subarray(2, 2 + length));
        pending = pending.subarray(2 + length);
        waiting += 1;
        void Promise.resolve(respond(message, { address, port, stream: true })).then((answer) => {
          waiting -= 1;
          if (stream.destroyed) return;
          if (answer !== null) stream.write(Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 0xff), answer]));
          take();
        });
      }
      // Who does not read its answers, or sends faster than they can come, waits.
      if (waiting >= MOST_WAITING || stream.writableNeedDrain) stream.pause();
      else stream.resume();
    };
    stream.on("drain", take);
    stream.on("data", (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      take();
    });
  }
}

/** Waits until something listens, or throws why it does not. */
function opened(what: Socket | Server, begin: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error): void => {
      what.off("error", done);
      what.off("listening", done);
      if (error === undefined) resolve();
      else reject(error);
    };
    what.on("error", done);
    what.on("listening", done);
    begin();
  });
}

/** One of the two may never have been opened. */
function closeQuietly(close: () => void): void {
  try {
    close();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ERR_SOCKET_DGRAM_NOT_RUNNING" && code !== "ERR_SERVER_NOT_RUNNING") throw error;
  }
}
