/** Projects of services that do nothing, on an image of busybox. */
import { BUSYBOX_CONFIG, busyboxRootfs } from "./rootfs.ts";
import type { World } from "./world.ts";

/** Attributes of a service that waits to be stopped and ends at once then. */
export const IDLE = `image: "tools:1", command: [sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]`;

/** Gives the world the image `tools:1`. */
export async function importTools(world: World): Promise<void> {
  const env = BUSYBOX_CONFIG.Env?.flatMap((variable) => ["--env", variable]) ?? [];
  await world.ok(["image", "import", "-", "tools:1", ...env], { input: busyboxRootfs() });
}

/** A project's directory with a spec of these lines below `services:`, its image at hand. */
export async function idleProject(world: World, name: string, lines: readonly string[]): Promise<string> {
  await importTools(world);
  return world.project(name, { "wharf.yaml": `name: ${name}\nservices:\n${lines.map((line) => `  ${line}\n`).join("")}` });
}
