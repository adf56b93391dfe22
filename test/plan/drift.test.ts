/** What was changed behind wharf's back: seen, called so, and put right. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { subject } from "../../src/model/action.ts";
import { LABEL } from "../../src/model/labels.ts";
import type { Observed, ObservedContainer } from "../../src/model/observed.ts";
import { nothing } from "../../src/model/project.ts";
import { Secret } from "../../src/model/secret.ts";
import { simulate } from "../../src/model/simulate.ts";
import { formatPlan } from "../../src/plan/format.ts";
import { planOperation } from "../../src/plan/operation.ts";
import { DEFAULTS, plan } from "../../src/plan/plan.ts";
import { containerOf, dependency, exited, project, ready, service } from "../support/build.ts";

const it = suite("drift");

const web = service({
  mounts: [{ type: "volume", source: "data", target: "/data", readOnly: false, noCopy: false, subpath: null }],
});
const shop = project({ services: [web], volumes: [{ key: "data", name: "shop_data", external: false, labels: {} }] });
const volumes = [{ name: "shop_data", target: "/data", anonymous: false }];

it("a container that was killed is started again, and that is drift; one that ended or was stopped is not", () => {
  const killed = told(world({ ...exited, exitCode: 137, ended: "it was killed by signal 9" }));
  assert.equal(killed, ["start container/shop-web-1 drift drift: it was killed by signal 9 (exited with 137)"]);
  assert.equal(told(world({ ...exited, exitCode: 137 })), ["start container/shop-web-1 exited with 137"]);
});

it("a container that was removed is made again under its number, and that is drift; one that never was is not", () => {
  const gone = { ...world({}), containers: [], missing: [{ name: "shop-web-1", service: "web" }] };
  assert.equal(told(gone), ["create container/shop-web-1 drift drift: it was removed"]);
  assert.equal(told({ ...world({}), containers: [] }), ["create container/shop-web-1 not there yet"]);
  const two = { ...shop, services: [{ ...web, scale: 2 }] };
  const first = { ...world({ name: "shop-web-2", number: 2 }), missing: [{ name: "shop-web-1", service: "web" }] };
  assert.equal(told(first, two), ["create container/shop-web-1 drift drift: it was removed"]);
});

it("what a killed command owes a container is done by whichever command begins something next, and by none that ends something", () => {
  const stopped = world({ ...exited, exitCode: 0, stopped: true, owed: "start" });
  assert.equal(told(stopped), ["start container/shop-web-1 drift drift: a restart of it was broken off"]);
  const paused = world({ state: "paused", owed: "unpause" });
  assert.equal(told(paused), ["update container/shop-web-1 drift drift: a commit that had paused it was broken off"]);
  assert.equal(told(world({ state: "paused" })), []);
  const db = service({ name: "db" });
  const both = { ...shop, services: [web, db] };
  const kinds = (kind: "restart" | "stop"): readonly string[] => {
    const of = { ...stopped, containers: [...stopped.containers, containerOf(both, db)] };
    return planOperation(both, of, { kind, graceMs: null }, { names: ["db"], healthchecks: false }).steps.map(({ action }) => action.kind);
  };
  assert.equal(kinds("restart"), ["container.restart", "container.start"]);
  assert.equal(kinds("stop"), ["container.stop"]);
});

it("who pauses something has what a killed commit had paused stay so, and lets nothing else go on or begin", () => {
  const db = service({ name: "db" });
  const both = { ...shop, services: [web, db] };
  const paused = world({ state: "paused", owed: "unpause" });
  const of = { ...paused, containers: [...paused.containers, containerOf(both, db)] };
  const stopped = { ...of, containers: [...world({ ...exited, owed: "start" }).containers, containerOf(both, db)] };
  const asked = (around: Observed, names: readonly string[] | null): readonly string[] =>
    planOperation(both, around, { kind: "pause" }, { names, healthchecks: false }).steps.map(
      ({ action }) => `${action.kind} ${subject(action)}`,
    );
  assert.equal(asked(of, null), ["container.pause shop-web-1", "container.pause shop-db-1"]);
  assert.equal(asked(of, ["web"]), ["container.pause shop-web-1"]);
  assert.equal(asked(of, ["db"]), ["container.pause shop-db-1"]);
  assert.equal(asked(stopped, ["db"]), ["container.pause shop-db-1"]);
  const held = simulate(of, { kind: "container.pause", container: "shop-web-1" });
  assert.equal(told(held), []);
});

it("a restart that was broken off is finished as a start: with its secrets, behind what it waits for, and with what it runs after that", () => {
  const db = service({ name: "db" });
  const hook = { command: ["warm-up"], user: null, privileged: false, workingDir: null, environment: {} };
  const grant = { source: "key", target: "/run/secrets/key", uid: 0, gid: 0, mode: 0o400 };
  const needy = service({ dependsOn: [dependency("db", { condition: "healthy" })], secrets: [grant], postStart: [hook] });
  const key = { key: "key", content: new Secret("x"), origin: { from: "content" }, problem: null } as const;
  const both = project({ services: [needy, db], secrets: [key] });
  const around = ready(both, { containers: [containerOf(both, needy, { ...exited, owed: "start" }), containerOf(both, db)] });
  const { steps } = planOperation(both, around, { kind: "restart", graceMs: null }, { names: ["db"], healthchecks: true });
  const [, wait, start, after] = steps;
  assert.equal(
    steps.map(({ action }) => `${action.kind} ${subject(action)}`),
    ["container.restart shop-db-1", "container.wait shop-db-1", "container.start shop-web-1", "container.hook shop-web-1"],
  );
  assert.equal(start?.after, [wait?.id]);
  assert.equal(after?.after, [start?.id]);
  assert.ok(start?.action.kind === "container.start" && Object.hasOwn(start.action.contents ?? {}, "secret/key"));
});

it("one that is gone and that nobody asks for any more is forgotten", () => {
  const gone = { ...world({}), missing: [{ name: "shop-web-2", service: "web" }] };
  assert.equal(told(gone), ["remove container/shop-web-2 drift drift: it was removed, and nobody asks for it any more"]);
  assert.ok(
    told(gone, nothing("shop", "/srv/shop")).includes(
      "remove container/shop-web-2 drift drift: it was removed, and nobody asks for it any more",
    ),
  );
});

it("a network that was removed is made again and what is on it restarted; one without its bridge gets that back, and all goes on", () => {
  const removed = { ...world({}), networks: [] };
  assert.equal(told(removed), [
    "create network/shop_default drift drift: it was removed",
    "update container/shop-web-1 drift drift: network shop_default was removed; restarted",
  ]);
  const bridgeless = { ...world({}), networks: world({}).networks.map((network) => ({ ...network, present: false })) };
  assert.equal(told(bridgeless), ["update network/shop_default drift drift: its bridge is gone"]);
  assert.equal(told({ ...bridgeless, containers: [] }), ["create container/shop-web-1 not there yet"]);
});

it("who was on a bridge that is gone is connected again, also where somebody has made it anew since, and its network stays whose it is", () => {
  const cutOff = world({ networks: [{ name: "shop_default", address: "10.0.0.2", cutOff: true }] });
  assert.equal(told(cutOff), ["update network/shop_default drift drift: shop-web-1 is not connected to it any more"]);
  const external = { ...shop, networks: shop.networks.map((network) => ({ ...network, external: true })) };
  const theirs = { ...cutOff, networks: cutOff.networks.map((network) => ({ ...network, project: "other" })) };
  assert.equal(told(theirs, external), ["update network/shop_default drift drift: shop-web-1 is not connected to it any more"]);
  assert.equal(
    plan(external, theirs, DEFAULTS).steps.map(({ action }) => action),
    [{ kind: "network.connect", network: "shop_default" }],
  );
});

it("rules of the packet filter and a supervisor that are gone come back where a container needs them", () => {
  const unfiltered = { ...world({}), networks: world({}).networks.map((network) => ({ ...network, unfiltered: true })) };
  assert.equal(told(unfiltered), ["update network/shop_default drift drift: its rules in the packet filter are gone"]);
  assert.equal(told({ ...unfiltered, containers: [] }), ["create container/shop-web-1 not there yet"]);
  assert.equal(told({ ...world({}), unattended: true }), [
    "start supervisor/shop drift drift: it was killed, and nobody looks after the containers",
  ]);
});

it("a volume that was removed is made again and what mounts it restarted", () => {
  assert.equal(told({ ...world({}), volumes: [] }), [
    "create volume/shop_data drift drift: it was removed, with what was in it",
    "update container/shop-web-1 drift drift: volume shop_data was removed; restarted",
  ]);
});

it("a change of the file is no drift, and both are told apart in one plan", () => {
  const changed = { ...shop, services: [{ ...web, user: "app" }] };
  assert.equal(told({ ...world({}), volumes: [] }, changed), [
    "create volume/shop_data drift drift: it was removed, with what was in it",
    "replace container/shop-web-1 config changed: user",
  ]);
  const text = formatPlan(plan(changed, { ...world({}), volumes: [] }, DEFAULTS), { directory: "/srv/shop" });
  assert.match(text, "shop: 1 to create, 1 to replace, 1 unchanged (1 drifted)");
});

it.run();

function world(given: Partial<ObservedContainer>): Observed {
  return ready(shop, {
    containers: [containerOf(shop, web, { volumes, ...given })],
    volumes: [{ name: "shop_data", project: "shop", key: "data", labels: { [LABEL.project]: "shop", [LABEL.volume]: "data" } }],
  });
}

/** What is to be done, a line a resource; and that nothing is left once it was done. */
function told(of: Observed, target = shop): readonly string[] {
  const { changes, steps, problems } = plan(target, of, DEFAULTS);
  assert.equal(problems, []);
  const then = steps.reduce((now, { action }) => simulate(now, action), of);
  assert.equal(plan(target, then, DEFAULTS).steps, []);
  return changes
    .filter(({ kind }) => kind !== "unchanged")
    .map(({ kind, address, reason, drift }) => `${kind} ${address}${drift ? " drift" : ""} ${reason}`);
}
