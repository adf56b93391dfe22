import { readFileSync, statSync } from "node:fs";
import { stopwatch } from "../../../../lib/clock.ts";
import { parseResolvConf } from "../../network/resolv-conf.ts";
import { DNS_PORT, type Upstream } from "./upstream.ts";

const PATH = "/etc/resolv.conf";
/** A change of the file is seen after so many milliseconds. */
const LOOK_MS = 1000;

/** The servers that this machine asks, as its resolver configuration names them now: it changes with the network that the machine is in. */
export class HostServers {
  readonly #path: string;
  #stamp = "";
  #looked = Number.NEGATIVE_INFINITY;
  #servers: readonly Upstream[] = [];

  constructor(path = PATH) {
    this.#path = path;
  }

  servers(): readonly Upstream[] {
    const now = stopwatch();
    if (now - this.#looked < LOOK_MS) return this.#servers;
    this.#looked = now;
    const file = statSync(this.#path, { throwIfNoEntry: false });
    const stamp = file === undefined ? "none" : `${file.ino} ${file.mtimeMs} ${file.size}`;
    if (stamp === this.#stamp) return this.#servers;
    this.#stamp = stamp;
    this.#servers = parseResolvConf(file === undefined ? "" : readOrNothing(this.#path)).servers.map((address) => ({
      address,
      port: DNS_PORT,
    }));
    return this.#servers;
  }
}

/** Programs replace the file: between two looks there may be none. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
