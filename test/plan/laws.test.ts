/** What must hold for every project and every world. A failure prints the seed; WHARF_SEED=… and WHARF_RUNS=… repeat and widen a run. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { subject } from "../../src/model/action.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import type { Observed, ObservedContainer } from "../../src/model/observed.ts";
import type { Plan, Step } from "../../src/model/plan.ts";
import { nothing, type Project } from "../../src/model/project.ts";
import type { Service } from "../../src/model/service.ts";
import { end, simulate } from "../../src/model/simulate.ts";
import { DEFAULTS, type PlanOptions, plan } from "../../src/plan/plan.ts";
import { servingOf } from "../../src/plan/planning.ts";
import { container, image, observed } from "../support/build.ts";
import { inPlace, NAMES, NOTHING, projects, withInPlace } from "./projects.ts";

const seed = Number(process.env["WHARF_SEED"] ?? Date.now() % 2 ** 31);
/** Each run has scenes of its own: a developer's many short ones see as much as one long one. CI takes the time. */
const numRuns = Number(process.env["WHARF_RUNS"] ?? (process.env["CI"] === "true" ? 400 : 80));

/** Other people's things, which no plan may touch. */
const neighbour = container({
  name: "other-web-1",
  project: "other",
  id: "f".repeat(64),
  networks: [{ name: "other_default", address: null }],
});
const beginning = observed({
  containers: [neighbour],
  networks: [{ name: "other_default", project: "other", key: "default", present: true, attributes: {} }],
  volumes: [{ name: "other_data", project: "other", key: "data", labels: {} }],
});

const MISHAPS = [
  "stopped",
  "failed",
  "vanished",
  "dead",
  "new image",
  "removed",
  "no bridge",
  "no rules",
  "unattended",
  "no network",
  "no volume",
] as const;

const mishaps = fc.array(fc.record({ kind: fc.constantFrom(...MISHAPS), which: fc.nat() }), { maxLength: 3 });

/** What an earlier project left behind, perhaps broken off in the middle, and what befell it since. */
const scenes = fc
  .record({ before: projects, after: projects, broken: fc.option(fc.nat({ max: 40 })), mishaps, order: fc.infiniteStream(fc.nat()) })
  .map((scene) => {
    const first = planFor(scene.before, beginning);
    const left = run(first.steps.slice(0, scene.broken ?? first.steps.length), beginning);
    return { ...scene, world: scene.mishaps.reduce(befall, left) };
  });

const options = fc.record({
  removeOrphans: fc.boolean(),
  healthchecks: fc.boolean(),
  services: fc.option(fc.subarray([...NAMES])),
  dependencies: fc.boolean(),
});

const it = suite("laws of the planner");

it("a plan carried out leaves nothing to do", () => {
  check(scenes, options, ({ after, world }, chosen) => {
    const opts = fit(after, chosen);
    const made = planFor(after, world, opts);
    const then = run(made.steps, world);
    assert.equal(describe(planFor(after, then, opts)), []);
  });
});

it("any order that the edges allow works", () => {
  check(scenes, options, ({ after, world, order }, chosen) => {
    const opts = fit(after, chosen);
    const made = planFor(after, world, opts);
    const then = run(shuffled(made.steps, order), world);
    assert.equal(describe(planFor(after, then, opts)), []);
  });
});

it("dependencies are up, or done, before a dependent starts", () => {
  check(scenes, options, ({ after, world, order }, chosen) => {
    const opts = { ...fit(after, chosen), dependencies: true };
    let now = world;
    for (const step of shuffled(planFor(after, world, opts).steps, order)) {
      if (step.action.kind === "container.start") {
        const wanted = after.services.find(({ name }) => name === step.service);
        for (const { service: name, condition } of wanted?.dependsOn ?? []) {
          const scale = after.services.find((other) => other.name === name)?.scale ?? 0;
          const members = now.containers.filter(
            (member) => member.project === "shop" && member.service === name && !member.name.endsWith(".next"),
          );
          const fine = members.filter((member) => (condition !== "completed" && member.state === "running") || member.exitCode === 0);
          assert.ok(fine.length >= scale, `${subject(step.action)} starts while ${name} is not ${condition}`);
        }
      }
      now = simulate(now, step.action);
    }
  });
});

it("what ended well by itself and is to run once is neither started nor made again while its spec stays", () => {
  check(scenes, fc.nat(), ({ after, world, order }, which) => {
    const once = { ...after, services: after.services.map((of): Service => ({ ...of, run: "once" })) };
    const up = run(planFor(once, world).steps, world);
    const ended = up.containers.filter(
      (member) => member.project === "shop" && member.state === "running" && (which + member.number) % 2 === 0,
    );
    const then = ended.reduce((now, { name }) => end(now, { name, exitCode: 0, now: "2026-01-01T00:00:09Z" }), up);
    const begun = shuffled(planFor(once, then).steps, order).map(({ action }) => subject(action));
    for (const { name } of ended) assert.not.ok(begun.includes(name), `${name} had done its work`);
  });
});

it("where nothing differs but what changes in place, those containers are changed, and nothing else is done", () => {
  check(scenes, fc.array(inPlace, { minLength: 4, maxLength: 4 }), ({ after, world, order }, others) => {
    const settled = run(planFor(after, world).steps, world);
    const other = { ...after, services: after.services.map((one, index) => withInPlace(one, others[index] ?? others[0] ?? NOTHING)) };
    const changed = other.services.filter((one, index) => JSON.stringify(one) !== JSON.stringify(after.services[index]));
    const { steps } = planFor(other, settled);
    const kept = settled.containers.filter((member) => changed.some(({ name }) => name === member.service) && !isForeign(member));
    assert.equal(
      steps.map(({ action }) => action.kind),
      kept.map(() => "container.update"),
    );
    assert.equal(steps.map(({ action }) => subject(action)).sort(), kept.map(({ name }) => name).sort());
    const then = run(shuffled(steps, order), settled);
    const lives = (of: Observed) => of.containers.map(({ id, name, state, startedAt, ports }) => ({ id, name, state, startedAt, ports }));
    assert.equal(lives(then), lives(settled));
    assert.equal(describe(planFor(other, then)), []);
  });
});

it("nothing of another project is touched", () => {
  check(scenes, options, ({ after, world }, chosen) => {
    for (const target of [after, nothing("shop", "/srv/shop")]) {
      const then = run(
        planFor(target, world, { ...fit(after, chosen), services: null, removeVolumes: true, removeOrphans: true }).steps,
        world,
      );
      assert.equal(then.containers.filter(isForeign), world.containers.filter(isForeign));
      assert.equal(then.networks.filter(isForeign), world.networks.filter(isForeign));
      assert.equal(then.volumes.filter(isForeign), world.volumes.filter(isForeign));
    }
  });
});

it("volumes go only when that is asked for", () => {
  check(scenes, options, ({ after, world }, chosen) => {
    for (const target of [after, nothing("shop", "/srv/shop")]) {
      const then = run(planFor(target, world, { ...fit(after, chosen), services: null }).steps, world);
      for (const { name } of world.volumes)
        assert.ok(
          then.volumes.some((volume) => volume.name === name),
          `${name} is gone`,
        );
    }
  });
});

it("towards nothing, nothing is left but volumes, and with them nothing at all", () => {
  check(scenes, fc.boolean(), ({ world, order }, removeVolumes) => {
    const target = nothing("shop", "/srv/shop");
    const made = planFor(target, world, { removeVolumes });
    const then = run(shuffled(made.steps, order), world);
    const rest = [...then.containers, ...then.networks, ...(removeVolumes ? then.volumes : [])].filter((thing) => !isForeign(thing));
    assert.equal(rest, []);
    assert.equal(describe(planFor(target, then, { removeVolumes })), []);
  });
});

it("broken off anywhere and begun again it gets to the same end, and makes nothing twice but what had yet to prove itself beside another", () => {
  check(scenes, fc.nat({ max: 40 }), ({ after, world, order }, cut) => {
    const made = planFor(after, world);
    const steps = shuffled(made.steps, order);
    const half = run(steps.slice(0, cut), world);
    const again = planFor(after, half);
    const then = run(again.steps, half);
    assert.equal(describe(planFor(after, then)), []);
    const creations = (of: readonly Step[]) => of.filter(({ action }) => action.kind === "container.create").length;
    const fresh = half.containers.filter(({ id, name }) => !world.containers.some((old) => old.id === id && old.name === name));
    const unproven = fresh.filter((one) => {
      const others = half.containers.filter((other) => other !== one && other.service === one.service && other.number === one.number);
      return servingOf(others.filter(({ project: of }) => of === one.project)) !== null;
    });
    assert.is(creations(steps.slice(0, cut)) + creations(again.steps), creations(made.steps) + unproven.length);
    assert.ok(then.containers.every(({ name }) => !name.endsWith(".next")));
  });
});

it("a replacement keeps its anonymous volumes", () => {
  check(scenes, fc.constant(null), ({ after, world }) => {
    const then = run(planFor(after, world).steps, world);
    for (const before of world.containers)
      for (const volume of before.volumes.filter(({ anonymous }) => anonymous)) {
        const wanted = after.services.find(
          ({ name, mounts }) => name === before.service && mounts.some(({ target }) => target === volume.target),
        );
        const successor = then.containers.find(({ name, service: of }) => name === before.name && of === wanted?.name);
        if (successor !== undefined) assert.ok(successor.volumes.some(({ name }) => name === volume.name));
      }
  });
});

it("an attempt that fails at any of its steps is undone to what was there: the same containers, running as they ran", () => {
  check(scenes, fc.nat({ max: 40 }), ({ after, world, order }, which) => {
    const steps = shuffled(planFor(after, world).steps, order);
    const members = steps.filter(({ attempt }) => attempt !== undefined);
    const failing = members[which % Math.max(1, members.length)];
    if (failing === undefined) return;
    const { name } = failing.attempt ?? { name: "" };
    const before = steps.slice(0, steps.indexOf(failing));
    const back = before.flatMap(({ attempt }) => (attempt?.name === name && attempt.undo !== null ? [attempt.undo] : [])).reverse();
    const slot = (of: Observed) =>
      of.containers
        .filter((member) => member.project === "shop" && (member.name === name || member.name === `${name}.next`))
        .map(({ name: called, id, state, hash }) => [called, id, state === "paused" ? "running" : state, hash]);
    let then = run(before, world);
    for (const action of back) {
      try {
        then = simulate(then, action);
      } catch (error) {
        // A port or a name that went to another service meanwhile cannot come back.
        fc.pre(!(error instanceof Failure && (error.has("E_PORT_TAKEN") || error.has("E_NAME_TAKEN"))));
        throw error;
      }
    }
    assert.equal(
      slot(then),
      slot(world).filter(([called]) => !String(called).endsWith(".next")),
    );
  });
});

it("where a new container takes over from an old one, one of the two is there for everybody at any moment", () => {
  check(scenes, fc.constant(null), ({ after, world, order }) => {
    const steps = shuffled(planFor(after, world).steps, order);
    // One whose end is waited for is away when it is done.
    const isAwaited = (of: string | null) =>
      after.services.some(({ dependsOn }) => dependsOn.some(({ service: on, condition }) => on === of && condition === "completed"));
    const pairs = steps.flatMap(({ action, service: of }) =>
      action.kind === "container.takeover" && action.from !== null && !isAwaited(of) ? [action] : [],
    );
    let now = world;
    for (const { action } of steps) {
      now = simulate(now, action);
      for (const { container: name, from } of pairs) {
        const serves = now.containers.some(
          (member) => (member.name === name || member.name === from) && member.state === "running" && !member.beside,
        );
        const isRenamed = !now.containers.some((member) => member.name === name); // it goes by its final name, and serves under that
        assert.ok(serves || isRenamed, `${name} and ${from} are both away after ${action.kind} ${subject(action)}`);
      }
    }
  });
});

it("equal input gives an equal plan", () => {
  check(scenes, options, ({ after, world }, chosen) => {
    assert.equal(plan(after, world, { ...DEFAULTS, ...fit(after, chosen) }), plan(after, world, { ...DEFAULTS, ...fit(after, chosen) }));
  });
});

it.run();

function check<A, B>(a: fc.Arbitrary<A>, b: fc.Arbitrary<B>, law: (a: A, b: B) => void): void {
  fc.assert(fc.property(a, b, law), { seed, numRuns, includeErrorInReport: true });
}

/** The plan; scenes whose conflicts no plan can solve do not count. */
function planFor(target: Project, world: Observed, given: Partial<PlanOptions> = {}): Plan {
  const made = plan(target, seen(world), { ...DEFAULTS, ...given });
  if (made.problems.length > 0) fc.pre(made.problems.some(({ code }) => code !== "E_NAME_TAKEN" && code !== "E_PORT_TAKEN"));
  assert.equal(made.problems, []);
  return made;
}

/** What an engine shows to the project of the world. */
function seen(world: Observed): Observed {
  return {
    ...world,
    containers: world.containers.filter((member) => !isForeign(member)),
    foreign: [{ name: neighbour.name, project: "other" }],
  };
}

function run(steps: readonly Step[], world: Observed): Observed {
  return steps.reduce((now, step) => simulate(now, step.action), world);
}

function fit(target: Project, chosen: Partial<PlanOptions>): Partial<PlanOptions> {
  const names = target.services.map(({ name }) => name);
  return { ...chosen, services: chosen.services?.filter((name) => names.includes(name)) ?? null };
}

/** Another order that the edges allow. */
function shuffled(steps: readonly Step[], order: Iterator<number>): readonly Step[] {
  const open = [...steps];
  const done = new Set<number>();
  const result: Step[] = [];
  while (open.length > 0) {
    const able = open.filter((step) => [...step.after, ...(step.afterAnyway ?? [])].every((id) => done.has(id)));
    const next = able[(order.next().value ?? 0) % able.length];
    if (next === undefined) throw new Error("the steps wait for each other");
    open.splice(open.indexOf(next), 1);
    done.add(next.id);
    result.push(next);
  }
  return result;
}

function befall(world: Observed, { kind, which }: { readonly kind: string; readonly which: number }): Observed {
  const own = world.containers.filter((member) => !isForeign(member));
  const target = own[which % Math.max(1, own.length)];
  if (kind === "new image")
    return { ...world, images: { ...world.images, "docker.io/library/one:latest": image("one", { id: "sha256:newer" }) } };
  const change = (given: Partial<ObservedContainer>) => ({
    ...world,
    containers: world.containers.map((member) => (member === target ? { ...member, ...given } : member)),
  });
  const others = world.containers.filter((member) => member !== target);
  if (kind === "removed" && target?.service != null)
    return { ...world, containers: others, missing: [...(world.missing ?? []), { name: target.name, service: target.service }] };
  if (kind === "no bridge") return withoutBridge(world);
  if (kind === "no rules")
    return { ...world, networks: world.networks.map((network) => (isForeign(network) ? network : { ...network, unfiltered: true })) };
  if (kind === "unattended") return { ...world, unattended: true };
  if (kind === "no network") return withoutNetwork(world);
  if (kind === "no volume") return { ...world, volumes: world.volumes.filter(({ name }) => name !== "shop_data") };
  if (kind === "vanished") return { ...world, containers: others };
  if (kind === "dead") return change({ state: "dead", exitCode: 137 });
  return change({ state: "exited", exitCode: kind === "failed" ? 1 : 0 });
}

/** Who is on it is cut off, and stays so when a start has made the bridge again. */
function withoutBridge(world: Observed): Observed {
  const there = new Set(world.networks.map(({ name }) => name));
  return {
    ...world,
    networks: world.networks.map((network) => (isForeign(network) ? network : { ...network, present: false })),
    containers: world.containers.map((member) => {
      if (isForeign(member) || member.state !== "running") return member;
      return { ...member, networks: member.networks.map((joined) => (there.has(joined.name) ? { ...joined, cutOff: true } : joined)) };
    }),
  };
}

/** Nobody has an address in a network that is not there: whether one is cut off from it cannot be said. */
function withoutNetwork(world: Observed): Observed {
  return {
    ...world,
    networks: world.networks.filter(isForeign),
    containers: world.containers.map((member) =>
      isForeign(member) ? member : { ...member, networks: member.networks.map(({ cutOff: _, ...joined }) => joined) },
    ),
  };
}

function isForeign({ project: owner }: { readonly project: string | null }): boolean {
  return owner !== "shop";
}

function describe({ steps }: Plan): readonly string[] {
  return steps.map(({ action, reason }) => `${action.kind} ${subject(action)}: ${reason}`);
}
