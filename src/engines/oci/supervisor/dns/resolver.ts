import { isIPv4 } from "node:net";
import { addressBytes } from "../../../../lib/address.ts";
import type { Origin } from "./listener.ts";
import {
  type Answer,
  CLASS_IN,
  encodeName,
  NO_ERROR,
  NO_SUCH_NAME,
  parseQuery,
  type Query,
  REFUSED,
  refusal,
  reply,
  SERVER_FAILURE,
  TYPE_A,
  TYPE_AAAA,
  TYPE_PTR,
} from "./message.ts";
import { DNS_PORT, Forwarder, type Upstream } from "./upstream.ts";
import { type Asker, addressOfPointer, clientAddress, type Zone } from "./zone.ts";

/** Seconds that an answer may be kept: an update is seen at once by those who ask again, and soon by those who keep what they heard. */
const TTL = 2;
const LONGEST_STREAM_ANSWER = 65_535;
/** Questions under way to servers outside: in all, of one container, and the same one of one container (it may be that it asks itself). */
const MOST_OUTSIDE = 1024;
const MOST_OUTSIDE_OF_ONE = 256;
const MOST_ALIKE = 8;

/** What a resolver stands on; each is asked whenever it matters. */
export interface ResolverSources {
  readonly zone: () => Zone;
  /** As `zone`, looked at anew unless that was just done: for a name that may have come a moment ago. */
  readonly fresh: () => Zone;
  /** Servers of this machine. */
  readonly servers: () => readonly Upstream[];
  /** Addresses that this resolver itself answers at. */
  readonly isOwnAddress: (address: string) => boolean;
}

/** Answers what is asked about containers, and passes on the rest. */
export class Resolver {
  readonly #sources: ResolverSources;
  readonly #forwarder = new Forwarder();
  readonly #underWay = new Map<string, number>();

  constructor(sources: ResolverSources) {
    this.#sources = sources;
  }

  /** Never throws and never rejects, whatever comes in. */
  respond(message: Buffer, from: Origin): Buffer | null | Promise<Buffer | null> {
    const query = parseQuery(message);
    if (query === null) return null;
    if (typeof query === "number") return refusal(message, query);
    const limit = from.stream ? LONGEST_STREAM_ANSWER : query.datagram;
    const { asker, own } = this.#look(query, clientAddress(from.address));
    if (own !== null) return reply(query, { ...own, ttl: TTL, limit });
    if (!this.#mayGoOutside(query, asker)) return reply(query, { code: NO_SUCH_NAME, answers: [], ttl: TTL, limit });
    return this.#forward(message, { query, asker, from, limit });
  }

  close(): void {
    this.#forwarder.close();
  }

  /** Who asks, and what this world knows itself. What is not in the last look at it may have come a moment ago. */
  #look(query: Query, address: string): { readonly asker: Asker; readonly own: Own | null } {
    const zone = this.#sources.zone();
    const asker = zone.askerAt(address);
    const own = ownAnswer(zone, query, asker);
    const isCertain =
      (zone.knows(address) || this.#sources.isOwnAddress(address)) && (own === null ? query.name?.includes(".") : own.code === NO_ERROR);
    if (isCertain) return { asker, own };
    const fresh = this.#sources.fresh();
    const again = fresh.askerAt(address);
    return { asker: again, own: fresh === zone ? own : ownAnswer(fresh, query, again) };
  }

  #mayGoOutside({ name, type }: Query, asker: Asker): boolean {
    if (!asker.outside) return false;
    const isAddress = type === TYPE_A || type === TYPE_AAAA;
    return !(asker.ndots && isAddress && name !== null && !name.includes(".")); // its C library asks again, with a domain behind the name
  }

  async #forward(
    message: Buffer,
    request: { readonly query: Query; readonly asker: Asker; readonly from: Origin; readonly limit: number },
  ): Promise<Buffer> {
    const { query, asker, from, limit } = request;
    const failed = (code: number): Buffer => reply(query, { code, answers: [], ttl: TTL, limit });
    const keys: readonly (readonly [string, number])[] = [
      ["", MOST_OUTSIDE],
      [asker.key, MOST_OUTSIDE_OF_ONE],
      [`${asker.key} ${query.question.toString("latin1")}`, MOST_ALIKE],
    ];
    if (keys.some(([key, most]) => (this.#underWay.get(key) ?? 0) >= most)) return failed(REFUSED);
    const servers = this.#serversOf(asker, from);
    if (servers.length === 0) return failed(SERVER_FAILURE);
    for (const [key] of keys) this.#underWay.set(key, (this.#underWay.get(key) ?? 0) + 1);
    try {
      const answer = await this.#forwarder.ask(message, { query, servers, stream: from.stream });
      return answer ?? failed(SERVER_FAILURE);
    } finally {
      for (const [key] of keys) {
        const left = (this.#underWay.get(key) ?? 1) - 1;
        if (left === 0) this.#underWay.delete(key);
        else this.#underWay.set(key, left);
      }
    }
  }

  /** A container's own servers, or this machine's; never this resolver itself. What a container calls its loopback is the container. */
  #serversOf(asker: Asker, from: Origin): readonly Upstream[] {
    const named = asker.servers.map((server) => (isIPv4(server) && server.startsWith("127.") ? from.address : server));
    return (named.length > 0 ? named.map((address) => ({ address, port: DNS_PORT })) : this.#sources.servers()).filter(
      ({ address }) => !this.#sources.isOwnAddress(clientAddress(address)),
    );
  }
}

interface Own {
  readonly code: number;
  readonly answers: readonly Answer[];
}

/** `null`: it is a name of the world outside, as far as this one knows. */
function ownAnswer(zone: Zone, { name, type, class: kind }: Query, asker: Asker): Own | null {
  if (name === null || kind !== CLASS_IN) return null;
  const pointed = addressOfPointer(name);
  if (pointed === null) {
    const found = zone.find(name, asker);
    if (found !== null) return { code: NO_ERROR, answers: addressesOf(found, type) };
  } else {
    const found = zone.nameOf(pointed, asker);
    const data = found === null ? null : encodeName(found);
    if (data !== null) return { code: NO_ERROR, answers: type === TYPE_PTR ? [{ type, data }] : [] };
  }
  return zone.isOwn(name, asker) ? { code: NO_SUCH_NAME, answers: [] } : null;
}

function addressesOf(found: { readonly ipv4: readonly string[]; readonly ipv6: readonly string[] }, type: number): readonly Answer[] {
  if (type === TYPE_A) return found.ipv4.map((address) => ({ type, data: addressBytes(address) }));
  if (type === TYPE_AAAA) return found.ipv6.map((address) => ({ type, data: addressBytes(address) }));
  return [];
}
