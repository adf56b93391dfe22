import { isIPv6 } from "node:net";
import type { PublishedPort } from "../../../../model/observed.ts";
import { publishedAt } from "../../network/sync.ts";
import { isBeside } from "../../records.ts";
import type { Duty, DutyTools, View } from "../duty.ts";
import { type HeldPort, holdDatagrams, holdStreams, type Target } from "./held-port.ts";

/** More sockets than that are left to the packet filter alone: whoever publishes so many has said so in a range. */
const MOST_HELD = 2048;

/** Keeps the host ports of the project's containers, so that others see that they are taken, and carries what the packet filter cannot. */
export function portsDuty(tools: Pick<DutyTools, "log">): Duty {
  return new PortsDuty(tools.log);
}

class PortsDuty implements Duty {
  readonly name = "ports";
  readonly #log: (line: string) => void;
  readonly #held = new Map<string, HeldPort>();
  /** Why a port is not held, as it was last said. */
  readonly #troubles = new Map<string, string>();

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  async look(view: View): Promise<void> {
    const wanted = new Map(wantedPorts(view).slice(0, MOST_HELD));
    for (const [key, held] of this.#held)
      if (!wanted.has(key)) {
        held.close();
        this.#held.delete(key);
      }
    for (const key of this.#troubles.keys()) if (!wanted.has(key)) this.#troubles.delete(key);
    await Promise.all(
      Array.from(wanted, async ([key, { port, target }]) => {
        const held = this.#held.get(key);
        if (held === undefined) await this.#hold(key, port, target);
        else held.target = target;
      }),
    );
  }

  async close(): Promise<void> {
    for (const held of this.#held.values()) held.close();
  }

  async #hold(key: string, { protocol, host, published }: PublishedPort, target: Target): Promise<void> {
    try {
      const hold = protocol === "udp" ? holdDatagrams : holdStreams;
      this.#held.set(key, await hold({ host, port: published }, target));
      this.#troubles.delete(key);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      if (this.#troubles.get(key) !== code) this.#log(`ports: ${key} cannot be held: ${code}`);
      this.#troubles.set(key, code);
    }
  }
}

interface Wanted {
  readonly port: PublishedPort;
  readonly target: Target;
}

/** Nothing listens for SCTP here: node has no sockets for it. */
function wantedPorts({ layout, containers, networks }: View): readonly (readonly [key: string, wanted: Wanted])[] {
  return containers.flatMap(({ record, status }) => {
    if (status.state !== "running" || (status.run.beside === true && isBeside(layout, record.id))) return [];
    const { address: four, address6: six } = publishedAt(record, networks);
    return status.run.ports.flatMap((port) => {
      const address = isIPv6(port.host) ? (six ?? four) : (four ?? six);
      if (port.protocol === "sctp" || address === null) return [];
      const host = isIPv6(port.host) ? `[${port.host}]` : port.host;
      return [[`${host}:${port.published}/${port.protocol}`, { port, target: { address, port: port.target } }] as const];
    });
  });
}
