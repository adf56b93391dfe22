import { suite } from "uvu";
import { createMemoryEngine } from "../../../src/engines/memory/engine.ts";
import { engineConformance } from "../../engine-conformance.ts";
import { tinyShell } from "../../support/tiny-shell.ts";

const it = suite("the memory engine");

engineConformance(it, async () => {
  const engine = createMemoryEngine({ program: tinyShell });
  return { engine, rootfs: Buffer.from("a shell"), dispose: () => engine.close() };
});

it.run();
