/** What changes in place, what takes a new container, and what an upgrade of wharf leaves alone. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { adjusted } from "../../src/model/adjust.ts";
import type { Observed } from "../../src/model/observed.ts";
import type { Change, Plan } from "../../src/model/plan.ts";
import type { Project } from "../../src/model/project.ts";
import { NO_RESTART, type Service } from "../../src/model/service.ts";
import { simulate } from "../../src/model/simulate.ts";
import { USUAL_UPDATE } from "../../src/model/update.ts";
import { attributesOf, changeableKeys, fixedOf } from "../../src/plan/change.ts";
import { firstHash } from "../../src/plan/hash.ts";
import { patternOf } from "../../src/plan/making.ts";
import { DEFAULTS, type PlanOptions, plan } from "../../src/plan/plan.ts";
import { containerOf, exited, image, port, project, ready, service } from "../support/build.ts";
import { everything } from "./everything.ts";

const it = suite("changes in place");

const ALWAYS = { ...NO_RESTART, name: "always" } as const;

it("hashes are what they were, of the first version and of this one: other ones would recreate everybody's containers", () => {
  const { hash, attributes } = patternOf(project(), everything);
  assert.is(Object.keys(attributes).length, 48);
  assert.is(firstHash(attributes), "1:236001c39049fe3d2dd6a912e4c76e7783752b9a92c43ca8f19014aea02c2e99");
  assert.is(hash, "2:912edff5dc702df4f70334cf7aeb13316ea88081620200144380b8866e002da1");
  const plain = patternOf(project(), service());
  assert.is(firstHash(plain.attributes), "1:13e37b9ac5f82de077aa2a3f38137839c02a3e3f0ebcbede85a279d55c4516e4");
  assert.is(plain.hash, "2:13e37b9ac5f82de077aa2a3f38137839c02a3e3f0ebcbede85a279d55c4516e4");
});

it("a container with a hash of the first version is left alone where nothing changed, also where what it has is not known", () => {
  const hash = firstHash(patternOf(project(), service()).attributes);
  assert.equal(stepsFor(service(), service(), { hash }), []);
  assert.equal(stepsFor(service(), service(), { hash, attributes: null }), []);
});

it("one with a hash of the first version changes in place, and is replaced, as one of this version", () => {
  const hash = firstHash(patternOf(project(), service()).attributes);
  assert.equal(stepsFor(service(), service({ restart: ALWAYS }), { hash }), ["container.update"]);
  assert.ok(stepsFor(service(), service({ user: "app" }), { hash }).includes("container.create"));
  assert.ok(stepsFor(service(), service({ restart: ALWAYS }), { hash, attributes: null }).includes("container.create"));
});

it("what changes in place is in no hash, and a container gets exactly that", () => {
  const made = { ...specOf(everything), attributes: attributesOf(everything) };
  const plain = service({ ...everything, ...plainOf(everything) });
  const changed = adjusted(made, { ...specOf(plain), attributes: attributesOf(plain) }).service;
  assert.equal(attributesOf(changed), attributesOf(plain));
  assert.equal(fixedOf(attributesOf(plain)), fixedOf(attributesOf(everything)));
  const differing = changeableKeys().filter(
    (key) => JSON.stringify(attributesOf(plain)[key]) !== JSON.stringify(attributesOf(everything)[key]),
  );
  assert.equal(differing, [
    "ports",
    "expose",
    "labels",
    "restart",
    "healthcheck",
    "logging",
    "extra_hosts",
    "networks",
    "links",
    ...LIMITS,
  ]);
});

it("a change in place names each attribute with its values, and says of none that it takes a new container", () => {
  const { changes } = planFor(service(), service({ restart: ALWAYS, labels: { a: "b" } }));
  const [change] = ofContainers(changes);
  assert.equal([change?.kind, change?.reason], ["update", "changed in place: labels, restart"]);
  assert.equal(
    change?.attributes.map(({ path, before, after, fixedBecause }) => [path, before, after, fixedBecause]),
    [
      ["labels", null, { a: "b" }, null],
      ["restart", null, "always", null],
    ],
  );
});

it("a replacement says of each attribute why it takes a new container, and of others that they come along", () => {
  const { changes } = planFor(service(), service({ restart: ALWAYS, environment: { A: "b" } }));
  const [change] = ofContainers(changes);
  assert.equal([change?.kind, change?.reason], ["replace", "config changed: environment"]);
  assert.equal(
    change?.attributes.map(({ path, fixedBecause }) => [path, fixedBecause]),
    [
      ["environment", "a program gets it when it begins"],
      ["restart", null],
    ],
  );
});

it("of networks the aliases change in place, of logging how much is kept", () => {
  const back = everything.networks[0];
  const on = (aliases: readonly string[], ipv4Address: string | null) =>
    service({ networks: back === undefined ? [] : [{ ...back, network: "default", aliases, ipv4Address }] });
  assert.equal(stepsFor(on(["a"], null), on(["a", "b"], null)), ["container.update"]);
  assert.equal(stepsFor(service(), on(["a"], null)), ["container.update"]);
  assert.ok(stepsFor(on(["a"], null), on(["a"], "192.0.2.9")).includes("container.create"));
  const logs = (driver: "local" | "none", maxSize: number | null) => service({ logging: { driver, maxSize, maxFile: 1 } });
  assert.equal(stepsFor(service(), logs("local", 1000)), ["container.update"]);
  assert.equal(stepsFor(logs("local", null), logs("local", 1000)), ["container.update"]);
  assert.ok(stepsFor(logs("local", null), logs("none", null)).includes("container.create"));
});

it("one that does not run is changed before it is started, one that is to be restarted before that", () => {
  assert.equal(stepsFor(service(), service({ restart: ALWAYS }), exited), ["container.update", "container.start"]);
  assert.equal(stepsFor(service(), service({ restart: ALWAYS }), exited, { start: false }), ["container.update"]);
});

it("what is only looked up when a container begins or ends is recorded, in place", () => {
  const hook = { command: ["bye"], user: null, privileged: false, workingDir: null, environment: {} };
  assert.equal(stepsFor(service(), service({ stopGraceMs: 30_000 })), ["container.update"]);
  const { changes } = planFor(service({ stopGraceMs: 1500 }), service({ preStop: [hook] }));
  assert.equal(
    ofContainers(changes)[0]?.attributes.map(({ path, before, after }) => [path, before, after]),
    [
      ["pre_stop", null, [{ command: ["bye"] }]],
      ["stop_grace_period", "1.5s", null],
    ],
  );
});

it("a change in place that broke off is done again", () => {
  const steps = stepsFor(service(), service(), { attributes: null });
  assert.equal(steps, ["container.update"]);
});

it("--no-recreate keeps what would be replaced as it is, and changes in place what would not", () => {
  assert.equal(stepsFor(service(), service({ restart: ALWAYS }), {}, { recreate: "never" }), ["container.update"]);
  assert.equal(stepsFor(service(), service({ restart: ALWAYS, user: "app" }), {}, { recreate: "never" }), []);
});

it("ports are opened and let go of in place; one that another container of the project has changes hands by stops and starts", () => {
  assert.equal(stepsFor(service({ ports: [port("8080:80")] }), service({ ports: [port("8081:80")] })), ["container.update"]);
  const [web, api] = [service({ ports: [port("8080:80")] }), service({ name: "api", ports: [port("8081:80")] })];
  const before = project({ services: [web, api] });
  const world = ready(before, { containers: [containerOf(before, web), containerOf(before, api)] });
  const swapped = project({
    services: [
      { ...web, ports: api.ports },
      { ...api, ports: web.ports },
    ],
  });
  const made = plan(swapped, world, DEFAULTS);
  assert.equal(made.problems, []);
  assert.equal(carriedOut(made, swapped, world), []);
  const [change] = ofContainers(made.changes);
  assert.equal(change?.attributes[0]?.fixedBecause, "shop-api-1 has a port of it until that one is stopped");
});

it("a host port that others have on another address is in nobody's way; one on all addresses is in that of all", () => {
  const at = (host: string) => ({ ...port("8080:80"), host });
  const [web, api] = [service({ ports: [at("127.0.0.1")] }), service({ name: "api", ports: [at("127.0.0.2")] })];
  const before = project({ services: [web, api] });
  const world = ready(before, { containers: [containerOf(before, web), containerOf(before, api)] });
  const changed = (host: string, more: Partial<Service> = {}) => {
    const after = project({ services: [{ ...web, ...more, ports: [at(host)] }, api] });
    const made = plan(after, world, DEFAULTS);
    return made.problems.length > 0 ? made.problems.map(({ code }) => code) : carriedOut(made, after, world);
  };
  const kinds = (host: string, more: Partial<Service> = {}) => {
    const after = project({ services: [{ ...web, ...more, ports: [at(host)] }, api] });
    return plan(after, world, DEFAULTS).steps.map(({ action }) => action.kind);
  };
  assert.equal(kinds("127.0.0.3"), ["container.update"]);
  assert.equal(kinds("::1"), ["container.update"]);
  assert.equal(kinds("::"), ["container.update"]);
  for (const host of ["127.0.0.2", "0.0.0.0", ""]) assert.equal(changed(host), ["E_PORT_TAKEN"], host);
  const startFirst = { environment: { COLOR: "blue" }, update: { ...USUAL_UPDATE, order: "start-first" } } as const;
  assert.ok(kinds("127.0.0.1", startFirst).includes("container.takeover"), "nobody else wants a port of it");
  const taken = { ...world, takenPorts: [{ protocol: "tcp", host: "127.0.0.2", port: 8081, by: "process 1" }] } as const;
  const moved = project({
    services: [
      { ...web, ports: [{ ...port("8081:80"), host: "127.0.0.2" }] },
      { ...api, ports: [port("8082:80")] },
    ],
  });
  assert.equal(
    plan(moved, taken, DEFAULTS).problems.map(({ code }) => code),
    ["E_PORT_TAKEN"],
  );
});

it("a port that is let go of in place is taken by another container after that", () => {
  const web = service({ ports: [port("8080:80")] });
  const before = project({ services: [web] });
  const world = ready(before, { containers: [containerOf(before, web)], images: { [web.image]: image("web") } });
  const after = project({ services: [service({ name: "api", ports: web.ports }), { ...web, ports: [] }] });
  const made = plan(after, world, DEFAULTS);
  const at = (kind: string) => made.steps.find(({ action }) => action.kind === kind);
  assert.equal(made.problems, []);
  assert.ok(at("container.start")?.after.includes(at("container.update")?.id ?? 0));
  assert.equal(carriedOut(made, after, world), []);
});

it("a port that nobody lets go of is named with its address, where the spec gives one", () => {
  const [web, api] = [service({ ports: [port("8080:80")] }), service({ name: "api" })];
  const before = project({ services: [web, api] });
  const world = ready(before, { containers: [containerOf(before, web), containerOf(before, api)] });
  const problem = (host: string): string | undefined => {
    const after = { ...project({ services: [{ ...api, ports: [{ ...port("8080:80"), host }] }] }), disabled: ["web"] };
    return plan(after, world, DEFAULTS).problems[0]?.message;
  };
  const rest = "which shop-api-1 publishes, is taken by container shop-web-1 of this project";
  assert.is(problem(""), `port 8080/tcp, ${rest}`);
  assert.is(problem("127.0.0.1"), `port 8080/tcp on 127.0.0.1, ${rest}`);
});

it("where replacements of a service stand or fall together a change in place does with them, and is taken back", () => {
  const together = (given: Partial<Service>) =>
    ({ ...service(), scale: 2, update: { ...USUAL_UPDATE, failureAction: "rollback" }, ...given }) as const;
  const before = project({ services: [together({})] });
  const first = simulated(plan(before, ready(before), DEFAULTS), ready(before));
  const after = project({ services: [together({ restart: ALWAYS })] });
  const { steps } = plan(after, first, DEFAULTS);
  assert.equal(
    steps.map(({ attempt }) => [attempt?.name, attempt?.undo?.kind]),
    [
      ["shop-web-1", "container.update"],
      ["shop-web-2", "container.update"],
    ],
  );
  const undone = steps.reduceRight(
    (world, { attempt }) => (attempt?.undo == null ? world : simulate(world, attempt.undo)),
    simulated({ steps }, first),
  );
  assert.equal(undone, first);
});

it.run();

const LIMITS = [
  "cpus",
  "cpu_shares",
  "cpuset",
  "mem_limit",
  "mem_reservation",
  "memswap_limit",
  "mem_swappiness",
  "oom_kill_disable",
  "pids_limit",
  "stop_signal",
];

/** The same service with all that changes in place at its default. */
function plainOf({ networks, resources }: Service): Partial<Omit<Service, "image">> & { readonly image?: string } {
  const nothing = service().resources;
  const { cpuRtRuntime, cpuRtPeriod, oomScoreAdj, blkio, ulimits, shmSize } = resources;
  return {
    image: "web:1.27",
    ports: [],
    expose: [],
    labels: {},
    restart: NO_RESTART,
    healthcheck: null,
    logging: null,
    extraHosts: [],
    links: [],
    stopSignal: null,
    networks: networks.map((attachment) => ({ ...attachment, aliases: [] })),
    resources: { ...nothing, cpuRtRuntime, cpuRtPeriod, oomScoreAdj, blkio, ulimits, shmSize },
  };
}

function specOf(of: Service) {
  const { hash, attributes } = patternOf(project(), of);
  const labels = { ...of.labels };
  return {
    project: "shop",
    directory: "/srv/shop",
    service: of,
    number: 1,
    oneOff: false,
    hash,
    attributes,
    labels,
    networks: [],
    mounts: [],
  };
}

function planFor(
  before: Service,
  after: Service,
  given: Partial<Parameters<typeof containerOf>[2]> = {},
  options: Partial<PlanOptions> = {},
): Plan {
  const was = project({ services: [before] });
  const wanted = project({ services: [after] });
  return plan(wanted, ready(was, { containers: [containerOf(was, before, given)] }), { ...DEFAULTS, ...options });
}

function stepsFor(...given: Parameters<typeof planFor>): readonly string[] {
  return planFor(...given).steps.map(({ action }) => action.kind);
}

function ofContainers(changes: readonly Change[]): readonly Change[] {
  return changes.filter(({ address }) => address.startsWith("container/"));
}

function simulated({ steps }: Pick<Plan, "steps">, world: Observed): Observed {
  return steps.reduce((now, { action }) => simulate(now, action), world);
}

/** What is left to do once a plan was carried out. */
function carriedOut(made: Plan, target: Project, world: Observed): readonly string[] {
  return plan(target, simulated(made, world), DEFAULTS).steps.map(({ action }) => action.kind);
}
