/**
 * A file of tests for those on the runner: one that makes a world with all that a world can have, and never ends. Once all is there it writes the
 * world's directory and the name of a network namespace, a line each, into the file that WHARF_TEST_TOLD names.
 */
import { writeFileSync } from "node:fs";
import { suite } from "uvu";
import { withOutside } from "./outside.ts";
import { busyboxRootfs } from "./rootfs.ts";
import { inWorld } from "./world.ts";

const SPEC = `name: endless
services:
  a: { image: tools, command: [sleep, "100000"], restart: always, ports: ["127.0.0.1::80"], volumes: ["data:/data"], secrets: [word] }
volumes: { data: {} }
secrets: { word: { environment: PATH } }
`;

const it = suite("a test without an end");

it(
  "it runs for ever",
  inWorld(async (world) => {
    await world.ok(["image", "import", "-", "tools"], { input: busyboxRootfs() });
    await world.ok(["up", "-d"], { cwd: await world.project("endless", { "wharf.yaml": SPEC }) });
    await withOutside(async ({ prefix }) => {
      writeFileSync(process.env["WHARF_TEST_TOLD"] ?? "", `${world.root.replace(/\/root$/, "")}\n${prefix.at(-1)}\n`);
      await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
    });
  }),
);

it.run();
