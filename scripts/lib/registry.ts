/** A registry of one's own on this machine, for as long as it is needed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface LocalRegistry {
  stop(): Promise<void>;
}

/** Starts Debian's docker-registry at `host:port`, with storage of its own that goes when it stops. Throws when it does not come up. */
export async function startLocalRegistry(address: string): Promise<LocalRegistry> {
  const directory = await mkdtemp(join(tmpdir(), "wharf-quickstart-"));
  const config = join(directory, "config.yml");
  await writeFile(
    config,
    `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: "${directory}/data" } }\nhttp: { addr: "${address}" }\n`,
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)));
  const ended = Promise.race([once(child, "exit"), once(child, "error")]);
  let running = true;
  ended.then(
    () => (running = false),
    () => (running = false),
  );
  const stop = async (): Promise<void> => {
    if (running) child.kill("SIGTERM");
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  for (let tries = 0; running && tries < 250; tries++) {
    if (await answers(`http://${address}/v2/`)) return { stop };
    await sleep(40);
  }
  await stop();
  throw new Error(`docker-registry did not start on ${address}: ${said.trim() || "it says nothing"}`);
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    return response.status === 200;
  } catch (error) {
    if (error instanceof TypeError) return false; // nothing listens yet
    throw error;
  }
}
