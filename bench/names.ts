/** How quickly a project's name server answers, from outside of its process: by datagrams to the gateway of its network. */
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeName } from "../src/engines/oci/supervisor/dns/message.ts";
import { median, time } from "./lib/measure.ts";
import type { Row } from "./lib/report.ts";
import { makeProject, type Side } from "./lib/scenario.ts";

const ANSWERS = 10_000;
/** What is promised is 5,000 a second. */
const PROMISED_MS = 2000;
/** Questions under way at once: each as soon as another was answered. */
const AT_ONCE = 32;
/** A question that is not answered within so many milliseconds was lost: that would be no figure at all. */
const PATIENCE_MS = 5000;

export async function names(place: string, wharf: Side, rounds: number): Promise<readonly Row[]> {
  const directory = makeProject(place, { name: "names", services: 3, port: 18_190 });
  await time(wharf.program(directory, ["up", "-d"]));
  try {
    const { root } = worldOf(wharf, directory);
    const network: { gateway?: string; ipv4?: { gateway: string } } = JSON.parse(
      readFileSync(join(root, "networks", "names_default.json"), "utf8"),
    );
    const address = network.gateway ?? network.ipv4?.gateway ?? "";
    const times: number[] = [];
    for (let round = 0; round < rounds + 1; round++) {
      const ms = await ask(address);
      if (round > 0) times.push(ms);
    }
    return [
      {
        what: `${ANSWERS} answers for a name`,
        wharf: median(times),
        yardstick: { name: "promised", ms: PROMISED_MS },
        target: 1,
      },
    ];
  } finally {
    await time(wharf.program(directory, ["down", "-t", "0"]));
  }
}

function worldOf(wharf: Side, directory: string): { readonly root: string } {
  return { root: wharf.program(directory, []).env["WHARF_ROOT"] ?? "" };
}

/** Milliseconds until all answers are there. */
function ask(address: string): Promise<number> {
  const question = Buffer.concat([
    Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    encodeName("s2") ?? Buffer.of(0),
    Buffer.from([0, 1, 0, 1]),
  ]);
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    const began = performance.now();
    const clock = setTimeout(() => finish(new Error(`a question was lost after ${answered} answers`)), PATIENCE_MS + PROMISED_MS);
    let answered = 0;
    const send = (): void => {
      socket.send(question, 53, address);
    };
    const finish = (error: Error | null): void => {
      clearTimeout(clock);
      socket.close();
      if (error === null) resolve(performance.now() - began);
      else reject(error);
    };
    socket.on("message", (answer) => {
      if (answer.readUInt16BE(6) !== 1) return finish(new Error("an answer without an address"));
      answered += 1;
      if (answered === ANSWERS) finish(null);
      else if (answered <= ANSWERS - AT_ONCE) send();
    });
    for (let i = 0; i < AT_ONCE; i++) send();
  });
}
