import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { connect, createServer, isIPv6, type OnReadOpts, type Server, type Socket as Stream } from "node:net";

/** Where what arrives at a port goes. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

export interface HeldPort {
  target: Target;
  close(): void;
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Streams at once through one port. The packet filter carries the rest: only what it cannot translate comes here. */
const MOST_STREAMS = 4096;
const MOST_FLOWS = 1024;
/** As long as the kernel remembers a flow that has gone both ways. */
const FLOW_MS = 120_000;

/**
 * Listens on a port of this machine so that nobody else takes it, and carries what comes to the target: this machine's own `::1`, IPv6 for a
 * container that has none, and everything while the packet filter's rules are gone. Throws node's error: EADDRINUSE, EADDRNOTAVAIL.
 */
export async function holdStreams(place: Place, target: Target): Promise<HeldPort> {
  const server = createServer({ allowHalfOpen: true });
  const open = new Set<Stream>();
  const held = {
    target,
    close: (): void => {
      server.close();
      for (const stream of open) stream.destroy();
    },
  };
  server.maxConnections = MOST_STREAMS;
  server.on("connection", (from) => {
    const to = connect({ host: held.target.address, port: held.target.port, allowHalfOpen: true, noDelay: true, onread: into(from) });
    from.setNoDelay(true);
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
    from.on("drain", () => to.resume());
    to.on("end", () => from.end());
    from.pipe(to);
  });
  await listening(server, place);
  return held;
}

/** Bytes that are taken from a target at once. */
const PIECE = 64 * 1024;

/**
 * What a target sends goes on by one piece of memory for each stream, again and again: the kernel has mostly taken all of it by the time `write`
 * comes back. Where it has not, the rest keeps its piece, and the stream reads into another. Streams cannot share one: each has its next piece
 * at hand before it knows what the others leave in it.
 */
function into(from: Stream): OnReadOpts {
  let piece = Buffer.allocUnsafeSlow(PIECE);
  return {
    buffer: () => piece,
    callback: (length, bytes) => {
      const goesOn = from.write(bytes.subarray(0, length));
      if (from.writableLength > 0) piece = Buffer.allocUnsafeSlow(PIECE);
      return goesOn;
    },
  };
}

function listening(server: Server, { host, port }: Place): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, ipv6Only: isIPv6(host) }, () => {
      server.off("error", reject);
      server.on("error", () => {}); // no descriptors left for one connection: the next one may have one
      resolve();
    });
  });
}

/**
 * As `holdStreams`, for datagrams: each client has a socket of its own towards the target, until it was silent for two minutes or the port leads
 * elsewhere.
 */
export async function holdDatagrams(place: Place, target: Target): Promise<HeldPort> {
  const six = isIPv6(place.host);
  const socket = createSocket({ type: six ? "udp6" : "udp4", ipv6Only: six });
  const flows = new Map<string, Flow>();
  const held = {
    target,
    close: (): void => {
      socket.close();
      for (const flow of flows.values()) flow.close();
    },
  };
  socket.on("message", (message, from) => {
    const key = `${from.address} ${from.port}`;
    let flow = flows.get(key);
    if (flow?.leadsTo(held.target) === false) {
      flow.close();
      flow = undefined;
    }
    if (flow === undefined) {
      if (flows.size >= MOST_FLOWS) return;
      flow = new Flow(held.target, { back: socket, from, gone: () => flows.delete(key) });
      flows.set(key, flow);
    }
    flow.send(message);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(place.port, place.host, () => {
      socket.off("error", reject);
      socket.on("error", () => {}); // of one datagram
      resolve();
    });
  });
  return held;
}

class Flow {
  readonly #socket: Socket;
  readonly #target: Target;
  readonly #clock: NodeJS.Timeout;
  readonly #gone: () => void;
  #open = true;

  constructor(target: Target, way: { readonly back: Socket; readonly from: RemoteInfo; readonly gone: () => void }) {
    this.#target = target;
    this.#gone = way.gone;
    this.#socket = createSocket(isIPv6(target.address) ? "udp6" : "udp4");
    this.#socket.on("error", () => this.close());
    this.#socket.on("message", (message) => {
      this.#clock.refresh();
      if (this.#open) way.back.send(message, way.from.port, way.from.address, () => {});
    });
    this.#clock = setTimeout(() => this.close(), FLOW_MS).unref();
  }

  leadsTo({ address, port }: Target): boolean {
    return this.#target.address === address && this.#target.port === port;
  }

  send(message: Buffer): void {
    this.#clock.refresh();
    if (this.#open) this.#socket.send(message, this.#target.port, this.#target.address, () => {});
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#clock);
    this.#socket.close();
    this.#gone();
  }
}
