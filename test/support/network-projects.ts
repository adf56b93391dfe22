/** Projects on networks: what they are made of, and what is seen from inside their containers and from this machine. */
import { connect } from "node:net";
import { BUSYBOX_CONFIG, busyboxRootfs } from "./rootfs.ts";
import { until } from "./until.ts";
import type { World } from "./world.ts";

/** Worlds that have the image. */
const furnished = new WeakSet<World>();

export interface Described {
  readonly name?: string;
  /** Attributes beside the image and the command, by service. */
  readonly services: Readonly<Record<string, string>>;
  /** The members of `networks`. */
  readonly networks?: string;
}

/** Writes a project of services that go on until they are told to end; gives its directory. */
export async function project(world: World, { name = "shop", services, networks }: Described): Promise<string> {
  if (!furnished.has(world)) {
    const env = BUSYBOX_CONFIG.Env?.flatMap((entry) => ["--env", entry]) ?? [];
    await world.ok(["image", "import", "-", "tools:1", ...env], { input: busyboxRootfs() });
    furnished.add(world);
  }
  const each = Object.entries(services).map(
    ([service, text]) =>
      `  ${service}:\n    image: "tools:1"\n    command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]\n    ${text}\n`,
  );
  const section = networks === undefined ? "" : `networks: { ${networks} }\n`;
  return world.project(name, { "wharf.yaml": `name: ${name}\nservices:\n${each.join("")}${section}` });
}

/** What a shell in a service's container prints. */
export function inside(world: World, cwd: string, ...[service, script]: readonly [service: string, script: string]): Promise<string> {
  return world.ok(["exec", "-T", service, "sh", "-c", `${script}; true`], { cwd });
}

/** What a server says to a client of this machine's. */
export async function hears(host: string, port: number): Promise<string> {
  let heard = "";
  await until(`${host} answers on ${port}`, async () => {
    heard = await new Promise<string>((resolve) => {
      const socket = connect({ host, port, timeout: 2000 });
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString()));
      for (const event of ["error", "timeout", "close"] as const)
        socket.on(event, () => {
          socket.destroy();
          resolve(text);
        });
    });
    return heard !== "";
  });
  return heard;
}
