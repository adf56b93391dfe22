/** A project of one service `web` that does nothing, with the attributes that a test is about. */
import { BUSYBOX_CONFIG, busyboxRootfs } from "./rootfs.ts";
import type { World } from "./world.ts";

/** `attributes`: YAML lines, indented by nothing. `more`: further lines under `services`, indented by two. */
export function boxSpec(attributes: string, more = ""): string {
  const own = attributes.trim().replace(/^/gm, "    ");
  return `services:\n  web:\n${own}\n    image: test/box:1\n    cmd: ${IDLE}\n${more}`;
}

/** As `command`: goes on until it is told to end. */
export const IDLE = `[sh, -c, "trap 'exit 0' TERM; while :; do sleep 0.1; done"]`;

/** Makes the project and its image; gives its directory. */
export async function box(world: World, attributes: string, more = ""): Promise<string> {
  const [env = ""] = BUSYBOX_CONFIG.Env ?? [];
  await world.ok(["image", "import", "-", "test/box:1", "--env", env], { input: busyboxRootfs() });
  return world.project("shop", { "wharf.yaml": boxSpec(attributes, more) });
}
