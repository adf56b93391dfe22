import { join } from "node:path";
import type { Engine } from "../engine/engine.ts";
import { EXIT, exitStatus } from "../model/codes.ts";
import { type Diagnostic, Failure } from "../model/diagnostic.ts";
import type { Event } from "../model/event.ts";
import type { ObservedContainer } from "../model/observed.ts";
import type { Project } from "../model/project.ts";
import { replacements } from "../plan/format.ts";
import { ownershipOf } from "../reconcile/ownership.ts";
import { isProjectHeld } from "../reconcile/project-lock.ts";
import type { World } from "../reconcile/reconcile.ts";
import { stamping } from "../reconcile/stamp.ts";
import { type Loaded, type LoadOptions, load } from "../spec/load.ts";
import { renderDiagnostic } from "../ui/diagnostics.ts";
import { colourPlan } from "../ui/plan.ts";
import { openRenderer, type Renderer, type RendererKind } from "../ui/renderer.ts";
import { type Style, styleOf } from "../ui/style.ts";
import { openEngine } from "./engines.ts";
import { observedProject } from "./observed-project.ts";
import { Output } from "./output.ts";
import { READER, recording } from "./reader.ts";
import { diagnosticStyle, problemText } from "./report.ts";
import type { Settings } from "./settings.ts";
import { Interrupts } from "./signals.ts";
import type { Patience } from "./wait-well.ts";

/** How long a command waits for another one on the same project. */
const LOCK_TIMEOUT_MS = 60_000;

export interface WorldOptions {
  /** Yes to every question. */
  readonly assumeYes?: boolean;
  /** Instead of the session's own, for what must go on after an interruption. */
  readonly signal?: AbortSignal;
  /** Instead of the one in the settings. */
  readonly renderer?: RendererKind;
  /** Leave out how far transfers are. */
  readonly quietTransfers?: boolean;
  /** How long others are waited for. */
  readonly patience?: Patience | undefined;
}

export interface ShowOptions {
  /** Instead of the one in the settings. */
  readonly renderer?: RendererKind | undefined;
  /** Keep nothing of the steps on the screen. */
  readonly brief?: boolean;
}

/** One command at work: its settings, its streams, its signal, and, each opened when first asked for, the spec, the engine, the renderer. */
export class Session {
  readonly settings: Settings;
  readonly interrupts = new Interrupts(process);
  readonly out = new Output(1);
  readonly err = new Output(2);
  /** How standard output is coloured. */
  readonly style: Style;
  #loaded: Promise<Loaded> | null = null;
  #named: readonly string[] = [];
  #isWhoseSaid = false;
  #isSpecPassedOver = false;
  #engine: Promise<Engine> | null = null;
  #renderer: Renderer | null = null;
  /** Whether a live picture stands below what is written. */
  #drawing = false;
  #stdin: Promise<Uint8Array> | null = null;
  readonly #emit = stamping((event) => this.#renderer?.event(event));

  constructor(settings: Settings) {
    this.settings = settings;
    this.signal.addEventListener("abort", () => {
      if (this.#renderer !== null) this.say("finishing the steps in hand … (Ctrl-C again to end at once)");
    });
    this.style = styleOf(settings.colour.stdout);
  }

  /** Where revisions are kept, by project. */
  get revisionDirectory(): string {
    return join(this.settings.root, "revisions");
  }

  get signal(): AbortSignal {
    return this.interrupts.signal;
  }

  /** Says which services are meant by name, before the spec is loaded: they are there whatever profiles are on. */
  naming(services: readonly string[]): void {
    this.#named = services;
  }

  /** The spec, loaded once, to be run; its warnings are shown. Throws what keeps it from being run. */
  load(): Promise<Loaded> {
    this.#loaded ??= this.read().then((loaded) => {
      if (loaded.refusals.length > 0) throw new Failure(loaded.refusals);
      return loaded;
    });
    return this.#loaded;
  }

  /** The spec, to be looked at; its warnings are shown. */
  async read(options: Partial<LoadOptions> = {}, shown: (warning: Diagnostic) => boolean = () => true): Promise<Loaded> {
    const loaded = await load({ ...this.#loadOptions(), ...options }, READER);
    await this.notice(loaded.warnings.filter(shown));
    return loaded;
  }

  /** Shows diagnostics that end nothing. */
  async notice(diagnostics: readonly Diagnostic[]): Promise<void> {
    if (diagnostics.length === 0) return;
    await this.show();
    for (const diagnostic of diagnostics) this.emit({ type: "notice", diagnostic });
  }

  /** The spec as it is now, and every path that this depended on, there or not. Shows nothing. */
  async reload(): Promise<{ readonly loaded: Loaded | Failure; readonly paths: readonly string[] }> {
    const { reader, paths } = recording(READER);
    try {
      const loaded = await load(this.#loadOptions(), reader);
      if (loaded.refusals.length > 0) return { loaded: new Failure(loaded.refusals), paths: [...paths] };
      this.#loaded = Promise.resolve(loaded);
      return { loaded, paths: [...paths] };
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return { loaded: error, paths: [...paths] };
    }
  }

  /** The project of the spec; where a project's name was given and no spec, and none serves that was found, what can be known from its containers. */
  async project(): Promise<Project> {
    try {
      return (await this.load()).project;
    } catch (error) {
      const { projectName, files } = this.settings;
      if (
        projectName === null ||
        files !== null ||
        !(error instanceof Failure) ||
        exitStatus(error.diagnostics.map(({ code }) => code)) !== EXIT.spec
      )
        throw error;
      if (!this.lacksSpec(error) && !this.#isSpecPassedOver) await this.notice([passedOver(error, projectName)]);
      this.#isSpecPassedOver = true;
      return observedProject(projectName, await this.containers(projectName), this.settings.cwd);
    }
  }

  /** Whether an error says that no spec was named and none was found. */
  lacksSpec(error: unknown): boolean {
    return this.settings.files === null && error instanceof Failure && error.has("E_NO_SPEC");
  }

  engine(): Promise<Engine> {
    const { engine, root, run, env, insecureRegistries, registryMirrors } = this.settings;
    this.#engine ??= openEngine(engine, { root, run, env, insecureRegistries, registryMirrors });
    return this.#engine;
  }

  /** The containers of a project, one-offs too; `null`: of all projects and of none. */
  async containers(project: string | null): Promise<Awaited<ReturnType<Engine["containers"]>>> {
    const all = await (await this.engine()).containers(this.signal);
    if (project === null) return all;
    const own = all.filter((container) => container.project === project);
    await this.#sayWhose(project, own);
    return own;
  }

  /** Says once that what is looked at is another directory's. Who changes it is refused elsewhere. */
  async #sayWhose(project: string, containers: readonly ObservedContainer[]): Promise<void> {
    const loaded = this.#isWhoseSaid ? null : await this.#loaded?.catch(() => null);
    if (loaded === null || loaded === undefined || loaded.project.name !== project) return;
    this.#isWhoseSaid = true;
    const { problems } = await ownershipOf(loaded.project, containers);
    await this.notice(problems.map((problem) => ({ ...problem, code: "W_OTHER_DIRECTORY" })));
  }

  /** The surroundings for a run, its events shown as the settings say. `endRun` ends the show. */
  async world(options: WorldOptions = {}): Promise<World> {
    const [engine] = await Promise.all([this.engine(), this.show({ renderer: options.renderer })]);
    return {
      engine,
      emit: (event) => {
        if (options.quietTransfers !== true || event.type !== "step.progress") this.emit(event);
      },
      signal: options.signal ?? this.signal,
      lockDirectory: this.#lockDirectory(),
      revisionDirectory: this.revisionDirectory,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      announce: (plan) => {
        const lines = replacements(plan, { directory: this.settings.cwd });
        if (lines.length > 0) this.say(colourPlan(lines.join("\n"), styleOf(this.settings.colour.stderr)));
      },
      confirm: (question) => this.confirm(question, options.assumeYes === true),
      rehearsal: this.settings.dryRun,
      ...(options.patience !== undefined && { patience: options.patience.signal }),
    };
  }

  /** Begins a show of what happens, where there is none yet. */
  async show({ renderer: kind = this.settings.progress, brief = false }: ShowOptions = {}): Promise<void> {
    if (this.#renderer !== null) return;
    const look = diagnosticStyle(this.settings);
    this.#drawing = kind === "tty";
    this.#renderer = await openRenderer(kind, this.err, { style: look.style, diagnostic: (d) => renderDiagnostic(d, look), brief });
  }

  /** Tells of problems that do not end the command. */
  async tell(diagnostics: readonly Diagnostic[]): Promise<void> {
    if (this.settings.progress === "json") {
      await this.show();
      for (const diagnostic of diagnostics) this.emit({ type: "notice", diagnostic });
    } else {
      await this.endRun();
      this.err.write(problemText(diagnostics, this.settings));
    }
  }

  /** Shows an event. */
  emit(event: Event): void {
    this.#emit(event);
  }

  /** One line for a person, on standard error; nothing where events are read by a program, or nothing is wanted. */
  say(line: string): void {
    if (this.settings.progress === "json" || this.settings.progress === "quiet") return;
    if (this.#drawing) this.#renderer?.say(line);
    else this.err.line(line);
  }

  /** Asks on the terminal. Throws where there is none. */
  async confirm(question: string, assumeYes: boolean): Promise<boolean> {
    if (assumeYes) return true;
    if (process.stdin.isTTY !== true || !this.err.terminal) {
      throw new Failure({ code: "E_NEEDS_ANSWER", message: question, hint: "standard input is no terminal: give -y to say yes" });
    }
    const { askYesNo } = await import("../ui/prompt.ts");
    return askYesNo(question, { input: process.stdin, output: process.stderr, signal: this.signal });
  }

  /** Ends the show of a run. */
  async endRun(): Promise<void> {
    const renderer = this.#renderer;
    this.#renderer = null;
    this.#drawing = false;
    await renderer?.end();
  }

  /** Ends everything that was opened; what was written has left the process when it is done. */
  async close(): Promise<void> {
    try {
      await this.endRun();
      await (await this.#engine?.catch(() => null))?.close(); // one that could not be opened has told so already
    } finally {
      this.interrupts.dispose();
      await Promise.all([this.out.flush(), this.err.flush()]);
    }
  }

  /** The spec with another one, given as text, laid over it. What is wrong with that one is said of `name`. */
  async loadWith(overlay: { readonly name: string; readonly text: string }): Promise<Project> {
    const { project } = await this.load();
    const path = join(this.settings.cwd, overlay.name);
    const files = [...(this.settings.files ?? project.files), path];
    const read = (file: string): Promise<Uint8Array> => (file === path ? Promise.resolve(Buffer.from(overlay.text)) : READER.read(file));
    const options = { ...this.#loadOptions(), files, projectName: project.name, projectDirectory: project.directory };
    const loaded = await load(options, { ...READER, read });
    if (loaded.refusals.length > 0) throw new Failure(loaded.refusals);
    return { ...loaded.project, ...(project.namedAfter !== undefined && { namedAfter: project.namedAfter }) };
  }

  /** Whether a command is changing a project now. */
  async isHeld(project: string): Promise<boolean> {
    return isProjectHeld({ directory: this.#lockDirectory(), project });
  }

  /** Apart from the engine's own locks, which have names that a project could have. */
  #lockDirectory(): string {
    return join(this.settings.run, "locks", "projects");
  }

  #loadOptions(): LoadOptions {
    const { files, cwd, projectName, projectDirectory, envFiles, profiles, env, allResources, compatibility } = this.settings;
    const as = { allResources, compatibility };
    return {
      ...as,
      files,
      cwd,
      projectName,
      projectDirectory,
      envFiles,
      profiles,
      env,
      enabled: this.#named,
      stdin: () => this.#readStdin(),
    };
  }

  /** Standard input to its end; it can be read once only. */
  #readStdin(): Promise<Uint8Array> {
    this.#stdin ??= readAll(process.stdin);
    return this.#stdin;
  }
}

async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}

/** As Compose, which reads no spec then, goes on. */
function passedOver({ diagnostics }: Failure, projectName: string): Diagnostic {
  const [first] = diagnostics;
  const message = `the spec cannot be used, so ${projectName} is what its containers tell: ${first?.message ?? ""}`;
  return {
    code: "W_SPEC_PASSED_OVER",
    message,
    hint: "`wharf config` says all that is wrong with it",
    ...(first?.source && { source: first.source }),
  };
}
