import { suite } from "uvu";
import * as assert from "uvu/assert";
import { DEFAULTS, plan } from "../../src/plan/plan.ts";
import { containerOf, project, ready, service } from "../support/build.ts";

const it = suite("plans for replicas that share a range of ports");

const RANGE = { target: 80, protocol: "tcp", host: "0.0.0.0", published: { from: 8080, to: 8082 } } as const;
const FIRST_PORT = 8080;

for (const order of ["start-first", "stop-first"] as const)
  for (const parallelism of [0, 1, 2])
    it(`${order}, ${parallelism === 0 ? "all" : parallelism} at a time: each takes the port of the one it replaces, and waits for no other`, () => {
      const update = { order, parallelism, failureAction: "pause", monitorMs: 0, delayMs: 0 } as const;
      const before = service({ name: "web", image: "web", scale: 3, ports: [RANGE], update });
      const after = { ...before, environment: { COLOUR: "blue" } };
      const old = project({ services: [before] });
      const containers = [1, 2, 3].map((number) =>
        containerOf(old, before, { number, ports: [{ target: 80, protocol: "tcp", host: "0.0.0.0", published: FIRST_PORT + number - 1 }] }),
      );
      const shop = project({ services: [after] });
      const { steps, problems } = plan(shop, ready(shop, { containers }), DEFAULTS);
      assert.equal(problems, []);
      const opens = order === "start-first" ? "container.takeover" : "container.start";
      for (const { id, action, after: earlier } of steps) {
        if (action.kind !== opens || !("container" in action)) continue;
        const stops = steps.filter((step) => step.action.kind === "container.stop" && earlier.includes(step.id));
        const own = action.container.replace(".next", "");
        assert.equal(
          stops.map((step) => ("container" in step.action ? step.action.container : "")),
          order === "start-first" ? [] : [own],
          `step ${id}`,
        );
      }
      assert.is(steps.filter(({ action }) => action.kind === opens).length, 3);
    });

it.run();
