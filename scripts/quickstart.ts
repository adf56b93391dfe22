/**
 * From nothing to two running containers: makes the example's image, pushes it to a local registry, and runs `wharf up -d`, which pulls it
 * from there. Says each command before it runs it. Can be run again.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startLocalRegistry } from "./lib/registry.ts";

const root = join(import.meta.dirname, "..");
const example = join(root, "examples", "colors");
const registry = process.env["REGISTRY"] ?? "127.0.0.1:5000";
const image = `${registry}/colors:1`;
/** What to put before a command so that it names the same image. */
const prefix = process.env["REGISTRY"] === undefined ? "" : `REGISTRY=${registry} `;

try {
  await quickstart();
} catch (error) {
  console.error(`\nquickstart: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function quickstart(): Promise<void> {
  await assertFree(registry);
  wharf(["down"]); // what an earlier quick start left
  console.log(`\n# a registry on ${registry}, while the image moves`);
  const server = await startLocalRegistry(registry);
  try {
    const made = spawnSync("./rootfs", { cwd: example, maxBuffer: 64 * 1024 * 1024, stdio: ["ignore", "pipe", "inherit"] });
    if (made.status !== 0) throw new Error("examples/colors/rootfs failed");
    wharf(["image", "import", "-", image, "--cmd", "/usr/bin/colors", "--env", "COLOR=green", "--expose", "3000"], {
      pipedFrom: "./rootfs",
      input: made.stdout,
    });
    wharf(["push", "green"]);
    wharf(["image", "rm", image]);
    wharf(["up", "-d"]);
  } finally {
    await server.stop();
  }
  console.log();
  for (const port of [8080, 8081]) console.log(`http://localhost:${port} shows ${await colour(port)}`);
  console.log(`
What next, in examples/colors (wharf is bin/wharf.cjs of this directory; \`npm link\` puts it on your PATH):
  ${prefix}wharf ps             what runs
  ${prefix}wharf exec blue sh   a shell inside
  ${prefix}wharf plan           nothing to do: change a colour in wharf.yaml and ask again
  ${prefix}wharf watch          keep what runs equal to the file while you edit it
  ${prefix}wharf down           remove it all`);
}

/** Runs the built command in the example's directory, and says so. */
function wharf(args: readonly string[], options: { readonly pipedFrom?: string; readonly input?: Buffer } = {}): void {
  const { pipedFrom, input } = options;
  console.log(`\n$ ${pipedFrom === undefined ? "" : `${pipedFrom} | `}${prefix}wharf ${args.join(" ")}`);
  const { status } = spawnSync(process.execPath, [join(root, "bin", "wharf.cjs"), ...args], {
    cwd: example,
    ...(input === undefined ? {} : { input }),
    stdio: [input === undefined ? "ignore" : "pipe", "inherit", "inherit"],
  });
  if (status !== 0) throw new Error(`wharf ${args[0]} ended with ${status}`);
}

/** Fails with a way out when something listens on the registry's address. */
async function assertFree(address: string): Promise<void> {
  const at = address.lastIndexOf(":");
  const server = createServer();
  server.listen(Number(address.slice(at + 1)), address.slice(0, at));
  try {
    await once(server, "listening");
  } catch (error) {
    throw new Error(
      `something listens on ${address} already: choose another address for the registry, REGISTRY=127.0.0.1:5050 npm run quickstart`,
      {
        cause: error,
      },
    );
  }
  server.close();
  await once(server, "close");
}

/** The colour that a page shows. */
async function colour(port: number): Promise<string> {
  for (let tries = 0; tries < 50; tries++) {
    try {
      const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
      return /<h1>(.*)<\/h1>/.exec(page)?.[1] ?? "something else";
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the server inside is not up yet
      await sleep(100);
    }
  }
  throw new Error(`nothing answers on port ${port}`);
}
