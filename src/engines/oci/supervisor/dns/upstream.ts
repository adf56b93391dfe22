import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { stopwatch } from "../../../../lib/clock.ts";
import { answers, codeOf, FORMAT_ERROR, NO_ERROR, NO_SUCH_NAME, type Query } from "./message.ts";

/** A server that answers for the world outside. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
}

export const DNS_PORT = 53;

/** After so many milliseconds without an answer the next server is asked beside the first. */
const PATIENCE_MS = 1000;
/** Servers that say nothing are asked this often, in turn. */
const ROUNDS = 2;
/** When this is over whoever asked has given up: C libraries wait five seconds, and then once more. */
const LIMIT_MS = 8000;
/** A server that kept us waiting comes last for so long. */
const PENALTY_MS = 10_000;

interface Asked {
  readonly query: Query;
  readonly servers: readonly Upstream[];
  readonly stream: boolean;
}

/** Passes queries on, as bytes, to the first server that has an answer. */
export class Forwarder {
  readonly #slowUntil = new Map<string, number>();
  readonly #races = new Set<Race>();

  /**
   * The answer of a server to a query, with the query's own id; `null` when none came. `message` is what the client sent. A server that says that
   * it cannot tell is believed only when no other can.
   */
  async ask(message: Buffer, asked: Asked): Promise<Buffer | null> {
    const race = new Race(message, { ...asked, servers: this.#ordered(asked.servers) }, (server) => this.#slow(server));
    this.#races.add(race);
    const answer = await race.run();
    this.#races.delete(race);
    return answer;
  }

  /** Ends what is under way, without an answer. */
  close(): void {
    for (const race of this.#races) race.end(null);
  }

  #slow(server: Upstream): void {
    this.#slowUntil.set(keyOf(server), stopwatch() + PENALTY_MS);
  }

  #ordered(servers: readonly Upstream[]): readonly Upstream[] {
    const now = stopwatch();
    for (const [key, until] of this.#slowUntil) if (until <= now) this.#slowUntil.delete(key);
    const slow = (server: Upstream): boolean => this.#slowUntil.has(keyOf(server));
    return [...servers.filter((server) => !slow(server)), ...servers.filter(slow)];
  }
}

/** One question on its way to several servers: the next one is asked when one fails, and beside one that takes its time. */
class Race {
  readonly #message: Buffer;
  readonly #asked: Asked;
  readonly #isSlow: (server: Upstream) => void;
  readonly #turns: Upstream[];
  readonly #open = new Map<Upstream, () => void>();
  /** Those that have said something, or cannot be reached. */
  readonly #done = new Set<Upstream>();
  /** What a server said that could not tell. */
  #second: Buffer | null = null;
  #patience: NodeJS.Timeout | undefined;
  #limit: NodeJS.Timeout | undefined;
  #finish: (answer: Buffer | null) => void = () => {};

  constructor(message: Buffer, asked: Asked, isSlow: (server: Upstream) => void) {
    this.#message = message;
    this.#asked = asked;
    this.#isSlow = isSlow;
    this.#turns = Array.from({ length: ROUNDS }, () => asked.servers).flat();
  }

  run(): Promise<Buffer | null> {
    return new Promise((resolve) => {
      this.#finish = resolve;
      this.#limit = setTimeout(() => this.end(this.#second), LIMIT_MS);
      this.#next();
    });
  }

  end(answer: Buffer | null): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#limit);
    for (const close of this.#open.values()) close();
    this.#finish(answer);
  }

  #next(): void {
    clearTimeout(this.#patience);
    let server = this.#turns.shift();
    while (server !== undefined && this.#done.has(server)) server = this.#turns.shift();
    if (server === undefined) {
      if (this.#open.size === 0) this.end(this.#second);
      return;
    }
    const asked = server;
    this.#patience = setTimeout(() => {
      this.#isSlow(asked);
      this.#next();
    }, PATIENCE_MS);
    this.#open.get(asked)?.(); // it was asked before; perhaps that got lost
    const { query, stream } = this.#asked;
    this.#open.set(
      asked,
      exchange(this.#message, { query, server: asked, stream }, (answer) => this.#take(asked, answer)),
    );
  }

  #take(server: Upstream, answer: Buffer | null): void {
    this.#open.delete(server);
    this.#done.add(server);
    const own = answer === null ? null : restored(answer, this.#asked.query.id);
    this.#second ??= own;
    if (own !== null && isFinal(own)) this.end(own);
    else this.#next();
  }
}

interface Exchange {
  readonly query: Query;
  readonly server: Upstream;
  readonly stream: boolean;
}

type Take = (answer: Buffer | null) => void;

/** One question to one server under an id of our own; `take` is called once, with `null` where it cannot be reached. Gives how to give up. */
function exchange(message: Buffer, options: Exchange, take: Take): () => void {
  const id = randomInt(0x10000);
  const bytes = Buffer.from(message);
  bytes.writeUInt16BE(id, 0);
  let open = true;
  const close = (options.stream ? byStream : byDatagram)(bytes, options.server, (answer) => {
    if (!open || (answer !== null && !answers(answer, { id, question: options.query.question }))) return;
    giveUp();
    take(answer);
  });
  const giveUp = (): void => {
    if (open) close();
    open = false;
  };
  return giveUp;
}

/** A socket for each question: its port is as hard to guess as its id. */
function byDatagram(bytes: Buffer, server: Upstream, take: Take): () => void {
  const socket = createSocket(isIPv6(server.address) ? "udp6" : "udp4");
  socket.on("error", () => take(null)); // nobody listens there, or no way leads there
  socket.on("message", take);
  let open = true;
  try {
    socket.connect(server.port, server.address, () => {
      if (open) socket.send(bytes);
    });
  } catch {
    queueMicrotask(() => take(null)); // an address that is none
  }
  return () => {
    open = false;
    socket.close();
  };
}

function byStream(bytes: Buffer, server: Upstream, take: Take): () => void {
  const socket = connect({ host: server.address, port: server.port });
  let received: Buffer = Buffer.alloc(0);
  socket.on("error", () => take(null));
  socket.on("close", () => take(null));
  socket.on("connect", () => {
    socket.write(Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]));
  });
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    const whole = received.length < 2 ? Number.POSITIVE_INFINITY : received.readUInt16BE(0) + 2;
    if (received.length < whole) return;
    take(received.subarray(2, whole));
    socket.destroy(); // were it the answer to something else, that is all there is
  });
  return () => {
    socket.destroy();
  };
}

/** Whether another server would say the same: it knows the name, or knows that there is none. */
function isFinal(answer: Buffer): boolean {
  return [NO_ERROR, NO_SUCH_NAME, FORMAT_ERROR].includes(codeOf(answer));
}

function restored(answer: Buffer, id: number): Buffer {
  const copy = Buffer.from(answer);
  copy.writeUInt16BE(id, 0);
  return copy;
}

const keyOf = ({ address, port }: Upstream): string => `${address} ${port}`;
