/**
 * A process of its own that works on an image store, for tests of several at once and of those that are killed:
 *
 *   store-process.ts DIRECTORY pull NAME | import TAR NAME | load TAR | remove NAME | prune
 *
 * Says `ready`, waits for a line on standard input, does it, and says what came of it as JSON.
 */
import { createReadStream } from "node:fs";
import { openStore } from "../../src/images/images.ts";
import { reference } from "./build.ts";
import { NO_USERS, SIGNAL } from "./image-store.ts";

const [directory = "", verb, first = "", second = ""] = process.argv.slice(2);
const store = openStore({ directory, env: { HOME: directory }, insecureRegistries: [] });
await Promise.all([import("../../src/images/pull.ts"), import("../../src/images/import.ts"), import("../../src/images/registries.ts")]);

process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
process.stdin.destroy();
try {
  process.stdout.write(`${JSON.stringify({ made: await work() })}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ failed: error instanceof Error ? (error.stack ?? error.message) : String(error) })}\n`);
}
await store.close();

async function work(): Promise<unknown> {
  switch (verb) {
    case "pull": {
      const options = { platform: null, policy: "always", progress: () => {}, note: () => {}, signal: SIGNAL } as const;
      return (await store.pull(reference(first), options)).id;
    }
    case "import":
      return store.import(createReadStream(first), { reference: reference(second), platform: null, config: {} }, SIGNAL);
    case "load":
      return store.load(createReadStream(first), () => {}, SIGNAL);
    case "remove":
      return store.remove(first, { force: false, users: NO_USERS });
    case "prune":
      return store.prune({ all: true, matches: () => true, dryRun: false, users: NO_USERS });
    default:
      throw new Error(`${verb}?`);
  }
}
