/** The oci engine, in this process and with real containers, owes what every engine owes. */
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/engines/oci/engine.ts";
import { engineConformance } from "../engine-conformance.ts";
import type { Subject } from "../engines/conformance/stage.ts";
import { beginTraces, endTraces, note, type Traces } from "../support/leftovers.ts";
import { busyboxRootfs } from "../support/rootfs.ts";
import { containerSuite } from "../support/world.ts";

const it = containerSuite("the oci engine");

engineConformance(it, openSubject);

it.run();

async function openSubject(): Promise<Subject> {
  const traces = await beginTraces("/tmp/wharf-engine-");
  const { directory, root, run } = traces;
  const env = { PATH: process.env["PATH"], HOME: directory };
  const engine = await createEngine({ root, run, env, insecureRegistries: [] });
  return {
    engine: noting(engine, traces),
    rootfs: busyboxRootfs(),
    dispose: async () => {
      await engine.close();
      const left = await endTraces(traces);
      if (left.length > 0) throw new Error(`left behind:\n${left.map((what) => `  ${what}`).join("\n")}`);
    },
  };
}

/** Remembers what an engine makes, so that what it leaves of it in the kernel is found. */
function noting(engine: Engine, traces: Traces): Engine {
  return {
    ...engine,
    apply: async (action, context) => {
      try {
        await engine.apply(action, context);
      } finally {
        note(traces);
      }
    },
  };
}
