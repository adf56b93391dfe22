/** One life of a small project: a spec by chance, a few things done to it by chance, and its end. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { READER } from "../../src/cli/reader.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Action } from "../../src/model/action.ts";
import { Failure } from "../../src/model/diagnostic.ts";
import type { Json } from "../../src/model/json.ts";
import type { ObservedContainer } from "../../src/model/observed.ts";
import { nothing, type Project } from "../../src/model/project.ts";
import { oneOffContainer } from "../../src/plan/one-off.ts";
import { DEFAULTS, type Operation } from "../../src/plan/plan.ts";
import { operate, prepareOneOff, type RunResult, reconcile, type World } from "../../src/reconcile/reconcile.ts";
import { load } from "../../src/spec/load.ts";
import type { Random } from "./random.ts";

export interface Surroundings {
  /** Of the project. */
  readonly name: string;
  /** Holds the world; the spec is in a directory of its own in it. */
  readonly directory: string;
  /** Called after everything that may have made something. */
  readonly seen: () => void;
  /** An engine of its own, as every command has one. */
  readonly open: () => Promise<Engine>;
}

/** Programs: ones that go on and answer, that go on and do not, that end by themselves, well or not. */
const LASTING: readonly (readonly string[])[] = [
  ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"],
  ["sleep", "1000"],
  ["sh", "-c", "sleep 1000 & sleep 1000"],
];
const PROGRAMS: readonly (readonly string[])[] = [...LASTING, ["true"], ["sh", "-c", "echo enough; exit 3"]];

/** What chance may ask for where it makes no sense just then, and replacements that do not make it. */
const EXPECTED = ["E_NO_SUCH_CONTAINER", "E_NOT_PAUSED", "E_NOT_RUNNING", "E_NOT_STEADY", "E_PAUSED", "E_STILL_RUNNING"] as const;

/** For all that is done to it, and for its end. */
const LIMIT_MS = 60_000;

export class Life {
  readonly #random: Random;
  readonly #around: Surroundings;
  readonly #spec: Json;
  readonly #story: string[] = [];

  constructor(random: Random, around: Surroundings) {
    this.#random = random;
    this.#around = around;
    this.#spec = specBy(random, around.name);
  }

  /** The spec and what was done, in order. */
  story(): string {
    return [JSON.stringify(this.#spec), ...this.#story].map((line) => `  ${line}`).join("\n");
  }

  /** From nothing to nothing. Throws what goes wrong on the way; the project is gone then, too, if that can be. */
  async live(): Promise<void> {
    const cwd = join(this.#around.directory, this.#around.name);
    mkdirSync(cwd, { recursive: true });
    writeFileSync(join(cwd, "wharf.yaml"), JSON.stringify(this.#spec));
    const { project } = await load(
      {
        files: null,
        stdin: null,
        cwd,
        projectName: null,
        projectDirectory: null,
        envFiles: null,
        profiles: [],
        env: { TOKEN: "a secret" },
      },
      READER,
    );
    const engine = await this.#around.open();
    const world: World = {
      engine,
      emit: () => {},
      signal: AbortSignal.timeout(LIMIT_MS),
      lockDirectory: join(this.#around.directory, "run", "locks", "projects"),
      revisionDirectory: join(this.#around.directory, "root", "revisions"),
      lockTimeoutMs: 60_000,
      confirm: async () => true,
    };
    try {
      await this.#up(world, project);
      for (let deeds = this.#random.between(1, 2); deeds > 0; deeds--) {
        try {
          await this.#deed(world, project);
        } catch (error) {
          if (!(error instanceof Failure && EXPECTED.some((code) => error.has(code)))) throw error;
        } finally {
          this.#around.seen();
        }
      }
    } finally {
      this.#story.push("down -v");
      const options = { ...DEFAULTS, removeOrphans: true, removeVolumes: true, stopGraceMs: 0 };
      done(await reconcile({ ...world, signal: AbortSignal.timeout(LIMIT_MS) }, nothing(project.name, project.directory), options));
      await engine.close();
    }
  }

  async #up(world: World, project: Project): Promise<void> {
    const start = this.#random.chance(0.9);
    this.#story.push(start ? "up" : "create");
    try {
      done(await reconcile(world, project, { ...DEFAULTS, start, stopGraceMs: 0 }));
    } finally {
      this.#around.seen();
    }
  }

  async #deed(world: World, project: Project): Promise<void> {
    const service = this.#random.pick(project.services);
    const containers = (await world.engine.containers(world.signal)).filter((container) => container.project === project.name);
    switch (this.#random.pick(DEEDS)) {
      case "scale": {
        const count = this.#random.between(0, 2);
        this.#story.push(`scale ${service.name}=${count}`);
        done(await reconcile(world, project, { ...DEFAULTS, scale: { [service.name]: count }, stopGraceMs: 0 }));
        return;
      }
      case "recreate":
        this.#story.push("up --force-recreate");
        done(await reconcile(world, project, { ...DEFAULTS, recreate: "always", stopGraceMs: 0 }));
        return;
      case "run":
        return this.#runOnce(world, project);
      case "exec":
        return this.#exec(world, containers);
      case "operate": {
        const operation = this.#operation();
        const names = this.#random.chance(0.5) ? [service.name] : null;
        this.#story.push(`${JSON.stringify(operation)} ${names?.join() ?? "all"}`);
        done(await operate(world, project, operation, names));
      }
    }
  }

  #operation(): Operation {
    return this.#random.pick<Operation>([
      { kind: "start" },
      { kind: "stop", graceMs: 0 },
      { kind: "kill", signal: this.#random.pick(["SIGKILL", "SIGTERM", "SIGHUP"]) },
      { kind: "restart", graceMs: 0 },
      { kind: "pause" },
      { kind: "pause" },
      { kind: "unpause" },
      { kind: "remove", force: this.#random.chance(0.5), stop: this.#random.chance(0.5), volumes: this.#random.chance(0.5) },
    ]);
  }

  /** `run --rm`. */
  async #runOnce(world: World, project: Project): Promise<void> {
    const command = this.#random.pick([["true"], ["sh", "-c", "exit 4"], ["test", "-e", "/proc"]]);
    const service = { ...this.#random.pick(project.services), command, tty: false, stdinOpen: false };
    const oneOff = {
      service,
      slug: String(this.#random.between(1e9, 1e10)),
      name: null,
      dependencies: this.#random.chance(0.7),
      ports: this.#random.chance(0.3),
      useAliases: this.#random.chance(0.3),
      autoRemove: true,
      recreate: "changed" as const,
      removeOrphans: false,
      ignoreOrphans: false,
      pull: null,
    };
    this.#story.push(`run --rm ${service.name} ${command.join(" ")}`);
    done(await prepareOneOff(world, project, oneOff));
    const container = oneOffContainer(project, oneOff);
    const made = (await world.engine.containers(world.signal)).find(({ name }) => name === container);
    if (made === undefined) throw new Error(`${container} was not made`);
    await world.engine.runAttached(made.id, { tty: false, stdin: false, detachKeys: [] }, world.signal);
    this.#around.seen();
    await apply(world, { kind: "container.remove", container, volumes: true, force: true });
  }

  async #exec({ engine, signal }: World, containers: readonly ObservedContainer[]): Promise<void> {
    const running = containers.filter(({ state }) => state === "running");
    if (running.length === 0) return;
    const { id, name } = this.#random.pick(running);
    const detach = this.#random.chance(0.5);
    this.#story.push(`exec ${detach ? "-d " : ""}${name}`);
    const argv = detach ? ["sleep", "1000"] : ["true"];
    await engine.exec(id, { argv, tty: false, stdin: false, detach, env: {}, user: null, workingDir: null, privileged: false }, signal);
  }
}

const DEEDS = ["operate", "operate", "operate", "scale", "run", "exec", "recreate"] as const;

function specBy(random: Random, name: string): Json {
  const service = (): Record<string, Json> => ({
    image: "tools",
    // A hook in a container that ends at once may fail.
    ...(random.chance(0.2) ? { command: random.pick(LASTING), post_start: [{ command: ["true"] }] } : { command: random.pick(PROGRAMS) }),
    stop_grace_period: random.pick(["0s", "50ms"]),
    ...maybe(random, 0.4, { init: true }),
    ...maybe(random, 0.3, { ports: random.pick([["127.0.0.1::80"], ["80", "53/udp"]]) }),
    ...maybe(random, 0.4, { volumes: random.pick([["data:/data"], ["/anonymous"], ["data:/data", "/anonymous", "./:/here:ro"]]) }),
    ...maybe(random, 0.3, { tmpfs: ["/scratch"] }),
    ...maybe(
      random,
      0.4,
      random.pick<Record<string, Json>>([
        { networks: ["front"] },
        { networks: { front: null, back: { aliases: ["also"] } } },
        { network_mode: "none" },
      ]),
    ),
    ...maybe(random, 0.3, { secrets: ["token"], configs: ["page"] }),
    ...maybe(random, 0.3, {
      healthcheck: { test: random.pick(["true", "false", "sleep 1000"]), interval: "200ms", timeout: "200ms", retries: 1 },
    }),
    ...maybe(random, 0.3, { restart: random.pick(["always", "on-failure:2", "unless-stopped"]) }),
  });
  const services: Record<string, Json> = { web: service() };
  if (random.chance(0.2)) services["db"] = { ...service(), ...maybe(random, 0.5, { depends_on: ["web"] }) };
  for (const value of Object.values(services))
    if (typeof value === "object" && value !== null && "network_mode" in value && "ports" in value) Reflect.deleteProperty(value, "ports");
  return {
    name,
    services,
    volumes: { data: null },
    networks: { front: null, back: { internal: true } },
    secrets: { token: { environment: "TOKEN" } },
    configs: { page: { content: "hello" } },
  };
}

function maybe(random: Random, share: number, part: Record<string, Json>): Record<string, Json> {
  return random.chance(share) ? part : {};
}

function apply({ engine, signal }: World, action: Action): Promise<void> {
  return engine.apply(action, { signal, progress: () => {}, note: () => {} });
}

/** Throws what went wrong. */
function done({ outcome, diagnostics }: RunResult): void {
  if (outcome !== "converged" && diagnostics.length > 0) throw new Failure(diagnostics);
  if (outcome !== "converged") throw new Error(`it ended as ${outcome}`);
}
