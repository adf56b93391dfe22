import type { Engine } from "../engine/engine.ts";
import { type Execution, execute } from "../execute/execute.ts";
import { stopwatch } from "../lib/clock.ts";
import { type Contents, subject } from "../model/action.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Emit, EventStep, Outcome, Summary } from "../model/event.ts";
import type { Observed } from "../model/observed.ts";
import type { Plan, Step } from "../model/plan.ts";
import type { Project } from "../model/project.ts";
import { withSecrets } from "../plan/files.ts";
import { joined, shifted } from "../plan/join.ts";
import { type OneOff, planOneOff } from "../plan/one-off.ts";
import { planOperation } from "../plan/operation.ts";
import { type Operation, type PlanOptions, plan } from "../plan/plan.ts";
import { type Facts, factsOf, movedSince, type SavedPlan } from "../plan/saved.ts";
import { ownershipOf, refuseOthers, withWarnings } from "./ownership.ts";
import { type ProjectLockOptions, withProjectLock } from "./project-lock.ts";
import { projectOf, type Revision, recordRevision } from "./revisions.ts";
import { aheadOf, alone, besides, inTurn, type Turn } from "./turn.ts";

/** What a run needs of its surroundings. */
export interface World {
  readonly engine: Engine;
  readonly emit: Emit;
  /** The first Ctrl-C aborts it: the steps in hand end, no further one begins. */
  readonly signal: AbortSignal;
  /** Directory that holds the project locks. */
  readonly lockDirectory: string;
  /** Directory that holds what successful runs made true, by project. */
  readonly revisionDirectory: string;
  /** How long to wait for another command on the same project, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** Told of each plan before anything of it is done. */
  readonly announce?: (plan: Plan) => void;
  /** Answers a confirmation of a plan. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Ends waits for health and ends, as the executor's option of that name. */
  readonly patience?: () => AbortSignal | null;
  /** Plan, and do nothing: no step, no lock, no revision. */
  readonly rehearsal?: boolean;
}

export interface RunResult {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly summary: Summary;
  /** What went wrong, in the order it happened: the exit status comes from its codes. */
  readonly diagnostics: readonly Diagnostic[];
  /** Nothing of the plan was done, as was asked for. */
  readonly rehearsed?: true;
}

/** A result with the last look that was taken. */
type Carried = RunResult & { readonly observed: Observed };

/** Observes and plans; changes nothing and takes no lock. `facts`: what the plan stands on. */
export async function preview(
  world: World,
  project: Project,
  options: PlanOptions,
): Promise<{ readonly plan: Plan; readonly facts: Facts }> {
  const observed = await world.engine.observe(project, world.signal);
  const ownership = await ownershipOf(project, observed.containers);
  const made = withWarnings(plan(project, observed, forEngine(world, options)), project, ownership);
  const said = { problems: [...ownership.problems, ...made.problems], notices: [...ownership.notices, ...made.notices] };
  return { plan: { ...made, ...said }, facts: factsOf(observed) };
}

/** Carries out a saved plan, exactly; `secrets`: what its secrets hold. Throws `E_PLAN_STALE` when the world is not the one it was made for. */
export async function carryOutSaved(world: World, saved: SavedPlan & { readonly secrets: Contents }): Promise<RunResult> {
  const { project, plan: kept, facts, secrets } = saved;
  return taking(inTurn, world, { project, purpose: "up --plan" }, (turn) =>
    carryOut({ ...world, turn }, project, [
      (observed) => {
        const { plan: made, changed } = withSecrets(kept, { secrets, key: observed.secretKey });
        const moved = [...movedSince(facts, factsOf(observed)), ...changed.map((key) => `secret ${key} is not what it was`)];
        if (moved.length === 0) return made;
        throw new Failure({
          code: "E_PLAN_STALE",
          message: `the plan of ${saved.madeAt} no longer holds: ${moved.slice(0, MOVES_TOLD).join("; ")}${moved.length > MOVES_TOLD ? `; and ${moved.length - MOVES_TOLD} more` : ""}`,
          hint: "make it again with wharf plan -o, and look at it",
        });
      },
    ]),
  );
}

/** How many of the things that moved since a plan was made are named. */
const MOVES_TOLD = 5;

/** The whole way: lock, observe, plan, confirm, execute. Throws `Failure` when the plan has problems or the lock is held. */
export async function reconcile(world: World, project: Project, options: PlanOptions): Promise<RunResult> {
  const complete = forEngine(world, options);
  const purpose = project.files.length === 0 && project.services.length === 0 ? "down" : options.start ? "up" : "create";
  return taking(purpose === "down" ? aheadOf : inTurn, world, { project, purpose }, async (turn) => {
    const first = (observed: Observed) => plan(project, observed, complete);
    // What a pull brings is known when it is there: only then can be said who must be replaced for it.
    const second = (observed: Observed) =>
      plan(project, observed, { ...complete, recreate: settled(options.recreate), recreateDependencies: false, pull: "missing" });
    const result = await carryOut({ ...world, turn, whole: options.services === null }, project, [first, second]);
    if (options.services === null && options.start) await remember(world, project, { result, of: null });
    return result;
  });
}

/** The same way towards what a revision says, its images too; what came after it goes. Throws `E_REVISION_IMAGE`. */
export async function rollBack(world: World, revision: Revision, options: PlanOptions): Promise<RunResult> {
  return taking(inTurn, world, { project: revision.project, purpose: "rollback" }, async (turn) => {
    const { project, options: complete } = await wayBack(world, revision, options);
    const result = await carryOut({ ...world, turn }, project, [(observed) => plan(project, observed, complete)]);
    await remember(world, project, { result, of: revision.number });
    return result;
  });
}

/** What `rollBack` would do. */
export async function previewRollback(world: World, revision: Revision, options: PlanOptions): Promise<Plan> {
  const { project, options: complete } = await wayBack(world, revision, options);
  return plan(project, await world.engine.observe(project, world.signal), complete);
}

async function wayBack(
  world: World,
  revision: Revision,
  options: PlanOptions,
): Promise<{ readonly project: Project; readonly options: PlanOptions }> {
  const { images } = await world.engine.observe(revision.project, world.signal);
  const { namedAfter: _, ...whole } = projectOf(revision, images); // whose it is was asked before
  const project = { ...whole, sources: {} }; // the files say something else by now, or are gone
  return { project, options: forEngine(world, { ...options, removeOrphans: true, pull: "missing", back: true }) };
}

/** Notes what is true now as a revision, where all went well and there is something. */
async function remember(
  { engine, revisionDirectory, signal }: World,
  project: Project,
  { result, of }: { readonly result: Carried; readonly of: number | null },
): Promise<void> {
  if (result.outcome !== "converged" || project.services.length === 0 || result.rehearsed === true) return;
  const stale = result.plan.steps.some(({ action }) => action.kind === "image.pull");
  const observed = stale ? await engine.observe(project, signal) : result.observed;
  await recordRevision(revisionDirectory, { project, observed, of });
}

/** The same way for an operation on what exists (`start`, `stop`, `restart`, `kill`, `rm`). */
export async function operate(world: World, project: Project, operation: Operation, names: readonly string[] | null): Promise<RunResult> {
  const purpose = operation.kind === "remove" ? "rm" : operation.kind;
  const whole = names === null;
  return taking(wayOf(operation), world, { project, purpose }, (turn) =>
    carryOut({ ...world, turn, whole }, project, [
      (observed) => planOperation(project, observed, operation, { names, healthchecks: checksHealth(world) }),
    ]),
  );
}

/** The same way for the container of a `run`: it exists afterwards, called as `oneOffContainer` says, and the caller starts it. */
export async function prepareOneOff(world: World, project: Project, options: Omit<OneOff, "healthchecks">): Promise<RunResult> {
  const complete = { ...options, healthchecks: checksHealth(world) };
  return taking(inTurn, world, { project, purpose: "run" }, (turn) =>
    carryOut({ ...world, turn }, project, [(observed) => planOneOff(project, observed, complete)]),
  );
}

/** Does something to a project that no plan is made for, while no other command changes it. */
export function exclusively<T>(
  world: World,
  of: { readonly project: Project; readonly purpose: string },
  work: () => Promise<T>,
): Promise<T> {
  return world.rehearsal === true ? work() : withProjectLock(lockOptions(world, of), work);
}

/** Asks every question of a plan until one is answered with no. */
export async function approve({ confirmations }: Pick<Plan, "confirmations">, confirm: World["confirm"]): Promise<boolean> {
  for (const question of confirmations) if (!(await confirm(question))) return false;
  return true;
}

function checksHealth({ engine }: World): boolean {
  return engine.capabilities.healthchecks !== "none";
}

function forEngine(world: World, options: PlanOptions): PlanOptions {
  return { ...options, healthchecks: checksHealth(world) };
}

/** What is replaced by force is replaced once. */
function settled(recreate: PlanOptions["recreate"]): PlanOptions["recreate"] {
  return recreate === "always" ? "changed" : recreate;
}

type Way = <T>(options: ProjectLockOptions, work: (turn: Turn) => Promise<T>) => Promise<T>;

/** A signal waits for nobody: it may be meant to cut a stop short. What ends something need not wait for one that only waits. */
function wayOf({ kind }: Operation): Way {
  return kind === "kill" ? besides : kind === "stop" || kind === "remove" ? aheadOf : inTurn;
}

function taking<T>(
  way: Way,
  world: World,
  ...[of, work]: readonly [{ readonly project: Project; readonly purpose: string }, (turn: Turn) => Promise<T>]
): Promise<T> {
  return world.rehearsal === true ? work(alone) : way(lockOptions(world, of), work);
}

function lockOptions(
  { lockDirectory: directory, lockTimeoutMs: timeoutMs, signal, emit }: World,
  { project, purpose }: { readonly project: Project; readonly purpose: string },
): ProjectLockOptions {
  const warn = (diagnostic: Diagnostic) => emit({ type: "notice", diagnostic });
  return { directory, project: project.name, purpose, timeoutMs, signal, warn };
}

/** A world in the turn of a command. */
interface Stage extends World {
  readonly turn: Turn;
  /** The command is about all of the project. Absent: it is not. */
  readonly whole?: boolean;
}

/** Makes a plan and carries it out; a further one only when what was pulled may change what is to be done. */
async function carryOut(
  world: Stage,
  project: Project,
  [first, second]: readonly [(observed: Observed) => Plan, ((observed: Observed) => Plan)?],
): Promise<Carried> {
  const began = stopwatch();
  let observed = await world.engine.observe(project, world.signal);
  const ownership = await refuseOthers(project, observed.containers);
  for (const diagnostic of ownership.notices) world.emit({ type: "notice", diagnostic });
  const made = withWarnings(first(observed), project, ownership);
  let result = await round(world, made, observed);
  if (second !== undefined && result.outcome === "converged" && result.rehearsed !== true && made.steps.some(isRefresh)) {
    await world.turn.hold();
    observed = await world.engine.observe(project, world.signal);
    const further = shifted(second(observed), made.steps.length);
    if (further.problems.length > 0) result = both(result, halted(world, further));
    else if (further.steps.length > 0) result = both(result, await round(world, further, observed));
  }
  const { outcome, summary } = result;
  world.emit({ type: "run.finished", outcome, ms: Math.round(stopwatch() - began), summary });
  return { ...result, observed };
}

/** A pull of an image that may have been here already in another version. */
function isRefresh({ action }: Step): boolean {
  return action.kind === "image.pull" && action.policy === "always";
}

async function round(world: Stage, made: Plan, { containers }: Observed): Promise<RunResult> {
  const { emit, engine, signal, rehearsal, patience, turn } = world;
  if (made.problems.length > 0) throw new Failure(made.problems);
  const unchanged = new Set(made.changes.flatMap(({ kind, address }) => (kind === "unchanged" ? [address] : [])));
  const settled = containers.flatMap(({ name, state }) => (unchanged.has(`container/${name}`) ? [{ name, state }] : []));
  emit({ type: "plan.ready", project: made.project, steps: made.steps.map(eventStep), unchanged: unchanged.size, settled });
  for (const diagnostic of made.notices) emit({ type: "notice", diagnostic });
  if (rehearsal === true)
    return { plan: made, outcome: "converged", summary: { done: 0, failed: 0, skipped: 0 }, diagnostics: [], rehearsed: true };
  world.announce?.(made);
  const approved = await approve(made, world.confirm);
  if (approved) await turn.announce(made, world.whole === true);
  const execution: Execution = approved
    ? await execute(made.steps, engine, { emit, signal, turn, ...(patience !== undefined && { patience }) })
    : { outcome: "cancelled", summary: { done: 0, failed: 0, skipped: made.steps.length }, diagnostics: [] };
  return { plan: made, ...execution };
}

/** The end of a run that cannot go on from what was done so far: an end that is told as any other, not a plan that is refused. */
function halted({ emit }: World, made: Plan): RunResult {
  for (const diagnostic of made.problems) emit({ type: "notice", diagnostic });
  return { plan: made, outcome: "failed", summary: { done: 0, failed: 0, skipped: 0 }, diagnostics: made.problems };
}

function eventStep({ id, action, service, reason }: Step): EventStep {
  return {
    id,
    kind: action.kind,
    subject: subject(action),
    service,
    reason,
    ...(action.kind === "container.wait" && { until: action.until }),
  };
}

function both(first: RunResult, second: RunResult): RunResult {
  return {
    plan: joined(first.plan, second.plan),
    outcome: second.outcome,
    summary: {
      done: first.summary.done + second.summary.done,
      failed: first.summary.failed + second.summary.failed,
      skipped: first.summary.skipped + second.summary.skipped,
    },
    diagnostics: [...first.diagnostics, ...second.diagnostics],
  };
}
