/** What the obligations of an engine are tested on: an engine with an image in it, and for each test a project that is gone afterwards. */
import * as assert from "uvu/assert";
import type { Engine, LogLine, LogOptions } from "../../../src/engine/engine.ts";
import type { ImageConfig } from "../../../src/engine/images.ts";
import type { Action, ContainerSpec } from "../../../src/model/action.ts";
import type { Code } from "../../../src/model/codes.ts";
import { Failure } from "../../../src/model/diagnostic.ts";
import { LABEL } from "../../../src/model/labels.ts";
import { type NetworkConfig, PLAIN_NETWORK } from "../../../src/model/network.ts";
import type { Observed, ObservedContainer } from "../../../src/model/observed.ts";
import type { Project } from "../../../src/model/project.ts";
import type { Reference } from "../../../src/model/reference.ts";
import type { Service } from "../../../src/model/service.ts";
import { networkAttributes } from "../../../src/plan/change.ts";
import { project, reference, service } from "../../support/build.ts";

/** An engine to be tested, in a world of its own. */
export interface Subject {
  readonly engine: Engine;
  /** A tar with a shell in it, for images. */
  readonly rootfs: Uint8Array;
  /** Closes the engine and takes its world away. Throws when something is left of it. */
  dispose(): Promise<void>;
}

export type Suite = (title: string, body: () => Promise<void>) => void;

/** Registers a test that has a stage to itself. */
export type Case = (title: string, body: (stage: Stage) => Promise<void>) => void;

const LOOP = "while :; do sleep 0.05; done";

/** A program of a container: goes on until it is told to end, and ends with 0. */
export const FOREVER = `trap 'exit 0' TERM; ${LOOP}`;

/** What to say to `runListening` for a program that does not mind being told to end. */
export const STUBBORN = "trap '' TERM";

export const ALL_LINES: LogOptions = { follow: false, tail: null, since: null, until: null };

/** Has a shell, the variable COLOR, and nothing to run. */
const IMAGE = reference("conformance/shell:1");
const CONFIG: ImageConfig = { Env: ["PATH=/usr/bin:/bin", "COLOR=green"], Labels: { "of.image": "yes" } };

const DEADLINE_MS = 20_000;

/** What a container can be made with besides its service. */
export interface Given extends Partial<Omit<Service, "image">> {
  readonly image?: string;
  /** The first container of its service unless given. */
  readonly container?: string;
  readonly spec?: Partial<ContainerSpec>;
}

export class Stage {
  readonly engine: Engine;
  /** Of no network: what needs one says so. */
  readonly project: Project;
  /** Another one beside it. */
  readonly other: Project;
  readonly #rootfs: Uint8Array;
  readonly #imported: Reference[] = [];

  constructor({ engine, rootfs }: Pick<Subject, "engine" | "rootfs">, name: string) {
    this.engine = engine;
    this.#rootfs = rootfs;
    this.project = project({ name, networks: [] });
    this.other = project({ name: `${name}-other`, networks: [] });
  }

  get signal(): AbortSignal {
    return AbortSignal.timeout(DEADLINE_MS);
  }

  apply(action: Action, signal: AbortSignal = this.signal): Promise<void> {
    return this.engine.apply(action, { signal, progress: () => {}, note: () => {} });
  }

  /** Makes a container that runs this as a shell's script; gives its name. */
  async create(script: string, given: Given = {}): Promise<string> {
    const { container, spec } = this.#container(script, given);
    await this.apply({ kind: "container.create", container, spec });
    return container;
  }

  /** Gives a container that was made from `given` before what is another now and can change in place. */
  async update(script: string, given: Given): Promise<ObservedContainer> {
    const { container, spec } = this.#container(script, given);
    await this.apply({ kind: "container.update", container, spec });
    return this.find(container);
  }

  /** As `create`, and starts it; gives what is seen of it then. */
  async run(script: string, given: Given = {}): Promise<ObservedContainer> {
    const name = await this.create(script, given);
    await this.start(name);
    return this.find(name);
  }

  /** Runs a program that goes on and answers signals as these traps say. A signal that came before the program had them would be lost. */
  async runListening(traps: string, given: Given = {}): Promise<ObservedContainer> {
    const container = await this.run(`${traps}; echo listening; ${LOOP}`, given);
    await this.firstLine(container.id);
    return container;
  }

  /** As `run`, and waits for its end. */
  async finish(script: string, given: Given = {}): Promise<ObservedContainer> {
    const { id, name } = await this.run(script, given);
    await this.engine.wait(id, this.signal);
    return this.find(name);
  }

  start(container: string): Promise<void> {
    return this.apply({ kind: "container.start", container });
  }

  stop(container: string, graceMs: number | null = null): Promise<void> {
    return this.apply({ kind: "container.stop", container, graceMs });
  }

  remove(container: string, options: { readonly volumes?: boolean; readonly force?: boolean } = {}): Promise<void> {
    return this.apply({ kind: "container.remove", container, volumes: options.volumes ?? false, force: options.force ?? false });
  }

  /** Makes a network of a project; gives its name. */
  async network(key = "default", owner: Project = this.project, config: Partial<NetworkConfig> = {}): Promise<string> {
    const network = `${owner.name}_${key}`;
    await this.apply({ kind: "network.create", ...this.networkOf(owner, key, config) });
    return network;
  }

  /** What an action on a network of a project says of it. */
  networkOf(owner: Project, key: string, config: Partial<NetworkConfig>): Omit<Extract<Action, { kind: "network.update" }>, "kind"> {
    const made = { ...PLAIN_NETWORK, ...config };
    return {
      network: `${owner.name}_${key}`,
      key,
      labels: { [LABEL.project]: owner.name, [LABEL.network]: key },
      config: made,
      attributes: networkAttributes({ labels: {}, config: made }),
    };
  }

  /** Makes a volume of a project; gives its name. */
  async volume(key = "data", owner: Project = this.project): Promise<string> {
    const volume = `${owner.name}_${key}`;
    await this.apply({ kind: "volume.create", volume, key, labels: { [LABEL.project]: owner.name, [LABEL.volume]: key } });
    return volume;
  }

  /** Makes an image that goes with the stage; gives its id. */
  async image(name: string, config: ImageConfig = {}): Promise<string> {
    this.#imported.push(reference(name));
    return this.engine.images.import(chunks(this.#rootfs), { reference: reference(name), platform: null, config }, this.signal);
  }

  observe(of: Project = this.project): Promise<Observed> {
    return this.engine.observe(of, this.signal);
  }

  async find(name: string): Promise<ObservedContainer> {
    const found = (await this.engine.containers(this.signal)).find((container) => container.name === name);
    if (found === undefined) throw new Error(`there is no container ${name}`);
    return found;
  }

  async logs(ids: readonly string[], options: Partial<LogOptions> = {}, signal: AbortSignal = this.signal): Promise<readonly LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of this.engine.logs(ids, { ...ALL_LINES, ...options }, signal)) lines.push(line);
    return lines;
  }

  /** Waits until a container has printed something. */
  async firstLine(id: string): Promise<void> {
    for await (const _ of this.engine.logs([id], { ...ALL_LINES, follow: true }, this.signal)) return;
  }

  /** Takes away what the test made. */
  async clear(): Promise<void> {
    for (const of of [this.project, this.other]) {
      for (const { name } of (await this.observe(of)).containers) await this.remove(name, { volumes: true, force: true });
      const { networks, volumes } = await this.observe(of);
      for (const { name } of networks) await this.apply({ kind: "network.remove", network: name });
      for (const { name } of volumes) await this.apply({ kind: "volume.remove", volume: name });
    }
    for (const name of this.#imported) if ((await this.engine.images.inspect(name, this.signal)) !== null) await this.#untag(name);
  }

  #container(script: string, given: Given): { readonly container: string; readonly spec: ContainerSpec } {
    const { container, spec, image = IMAGE, ...rest } = given;
    const wanted = service({ command: ["sh", "-c", script], image, stopGraceMs: 1_000, ...rest });
    const owner = spec?.project ?? this.project.name;
    return { container: container ?? `${owner}-${wanted.name}-1`, spec: this.#spec(wanted, { project: owner, ...spec }) };
  }

  #spec(wanted: Service, given: Partial<ContainerSpec> & Pick<ContainerSpec, "project">): ContainerSpec {
    return {
      directory: this.project.directory,
      service: wanted,
      number: 1,
      oneOff: false,
      hash: "1:conformance",
      attributes: { image: wanted.image },
      labels: { ...wanted.labels, [LABEL.project]: given.project, [LABEL.service]: wanted.name },
      networks: [],
      mounts: wanted.mounts,
      ...given,
    };
  }

  async #untag(name: Reference): Promise<void> {
    await this.engine.images.remove(name, { force: true }, this.signal);
  }
}

/** Registers tests of a theme on a subject that the first of them opens. */
export function casesOn(it: Suite, subject: () => Promise<Subject>): Case {
  return (title, body) =>
    it(title, async () => {
      const stage = new Stage(await subject(), nextName());
      try {
        await body(stage);
      } finally {
        await stage.clear();
      }
    });
}

/** Puts the image of all tests into an engine. */
export async function furnish({ engine, rootfs }: Subject): Promise<void> {
  await engine.images.import(chunks(rootfs), { reference: IMAGE, platform: null, config: CONFIG }, AbortSignal.timeout(DEADLINE_MS));
}

/** Asserts that something is refused with a code, and that the message names what matters. */
export async function refused(code: Code, work: Promise<unknown>, ...words: readonly string[]): Promise<void> {
  const problem = await work.then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(problem instanceof Failure, problem === null ? `it was not refused (${code})` : `not a Failure but ${problem}`);
  assert.equal([...new Set(problem.diagnostics.map((diagnostic) => diagnostic.code))], [code], problem.message);
  for (const word of words) assert.ok(problem.message.includes(word), `"${problem.message}" does not name ${word}`);
}

/** Asserts that something settles, well or not, within five seconds. */
export async function soon(what: string, work: Promise<unknown>): Promise<void> {
  const late = { late: true };
  let clock: NodeJS.Timeout | undefined;
  const deadline = new Promise((resolve) => {
    clock = setTimeout(resolve, 5_000, late);
  });
  const settled = await Promise.race([work.catch(() => null), deadline]);
  clearTimeout(clock);
  assert.is.not(settled, late, `${what}: not within five seconds`);
}

let count = 0;

function nextName(): string {
  count += 1;
  return `c${count}`;
}

async function* chunks(data: Uint8Array): AsyncIterable<Uint8Array> {
  yield data;
}
