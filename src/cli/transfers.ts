import { stopwatch } from "../lib/clock.ts";
import { type Diagnostic, diagnosticsOf, Failure } from "../model/diagnostic.ts";
import type { EventStep } from "../model/event.ts";
import type { Project } from "../model/project.ts";
import { partsOf, type Reference } from "../model/reference.ts";
import { imagesOf, type Service } from "../model/service.ts";
import { withDependencies } from "../plan/order.ts";
import type { Loaded } from "../spec/load.ts";
import { child, textOf } from "../spec/node.ts";
import { conclude, type Outcome } from "./outcome.ts";
import { referenceOf } from "./reference.ts";
import type { Session } from "./session.ts";
import { refuseUnknown } from "./up.ts";

export interface PullChoice {
  readonly quiet: boolean;
  readonly ignoreFailures: boolean;
  readonly policy: "always" | "missing";
}

/** Fetches images by name. */
export async function pullImages(
  session: Session,
  names: readonly string[],
  options: { readonly platform: string | null; readonly quiet: boolean },
): Promise<number> {
  const { platform, quiet } = options;
  return transfer(
    session,
    names.map((name) => ({ kind: "image.pull", reference: referenceOf(name), service: null, platform, policy: "always" })),
    { quiet, ignoreFailures: false },
  );
}

/** Fetches the images of services, with those of their dependencies when asked to. */
export async function pullServices(
  session: Session,
  names: readonly string[],
  choice: PullChoice & { readonly dependencies: boolean; readonly ignoreBuildable: boolean },
): Promise<number> {
  session.naming(names);
  const loaded = await session.read();
  const refusals = loaded.refusals.filter(({ code }) => code !== "E_NO_IMAGE");
  if (refusals.length > 0) throw new Failure(refusals);
  const services = chosen({ ...loaded.project, services: loaded.services }, names, choice.dependencies);
  const jobs = services
    .filter(({ pullPolicy }) => pullPolicy !== "never")
    .flatMap((service) =>
      imagesOf({ ...service, pin: null }).map(
        (reference): Job => ({
          kind: "image.pull",
          reference,
          service: service.name,
          platform: service.platform,
          policy: choice.policy,
        }),
      ),
    );
  const whys = await Promise.all(
    unique(jobs).map((job) => notNeeded(session, job, { ...loaded, ignoreBuildable: choice.ignoreBuildable })),
  );
  return transfer(session, unique(jobs), { ...choice, whys });
}

/** Why an image is not pulled though it was asked for, as Compose says it; `null`: it is. */
async function notNeeded(
  session: Session,
  { reference, service }: Job,
  { project, services, tree, ignoreBuildable }: Pick<Loaded, "project" | "services" | "tree"> & { readonly ignoreBuildable: boolean },
): Promise<string | null> {
  const own = services.find(({ name }) => name === service);
  const isOwn = own?.image === reference;
  if (isOwn && !project.services.some(({ name }) => name === service)) return "No image to be pulled"; // it can only be built
  const written = child(child(tree, "services"), service ?? "");
  if (isOwn && ignoreBuildable && child(written, "build") !== undefined) return "Image can be built";
  const given = textOf(child(written, "pull_policy"));
  const { tag, digest } = partsOf(reference);
  // A tag that moves is asked for all the same.
  if (!isOwn || given !== "missing" || (digest === null && tag === "latest")) return null;
  const found = await (await session.engine()).images.inspect(reference, session.signal);
  return found === null ? null : "Image is already present locally";
}

/** Uploads images by name. */
export async function pushImages(session: Session, names: readonly string[], options: { readonly quiet: boolean }): Promise<number> {
  return transfer(
    session,
    names.map((name) => ({ kind: "image.push", reference: referenceOf(name), service: null })),
    { ...options, ignoreFailures: false },
  );
}

/** Uploads the images of services. */
export async function pushServices(
  session: Session,
  names: readonly string[],
  options: { readonly quiet: boolean; readonly ignoreFailures: boolean; readonly dependencies: boolean },
): Promise<number> {
  const services = await servicesOf(session, names, options.dependencies);
  return transfer(
    session,
    unique(services.map(({ image, name }): Job => ({ kind: "image.push", reference: image, service: name }))),
    options,
  );
}

type Job = { readonly reference: Reference; readonly service: string | null } & (
  | { readonly kind: "image.push" }
  | { readonly kind: "image.pull"; readonly platform: string | null; readonly policy: "always" | "missing" }
);

async function servicesOf(session: Session, names: readonly string[], dependencies: boolean): Promise<readonly Service[]> {
  session.naming(names);
  return chosen((await session.load()).project, names, dependencies);
}

function chosen(project: Project, names: readonly string[], dependencies: boolean): readonly Service[] {
  refuseUnknown(project, names);
  if (names.length === 0) return project.services;
  const wanted = dependencies ? withDependencies(project.services, names) : new Set(names);
  return project.services.filter(({ name }) => wanted.has(name));
}

function unique(jobs: readonly Job[]): readonly Job[] {
  return [...new Map(jobs.map((job) => [`${job.reference} ${job.kind === "image.pull" ? job.platform : ""}`, job])).values()];
}

/** Carries out transfers, all at once, and tells of them as a run does of its steps. `whys`: why one of them is left out. */
async function transfer(
  session: Session,
  jobs: readonly Job[],
  {
    quiet,
    ignoreFailures,
    whys = [],
  }: { readonly quiet: boolean; readonly ignoreFailures: boolean; readonly whys?: readonly (string | null)[] },
): Promise<number> {
  const began = stopwatch();
  await session.world(quiet ? { renderer: "quiet" } : {});
  const steps = jobs.map(
    ({ kind, reference, service }, i): EventStep => ({ id: i + 1, kind, subject: reference, service, reason: "asked for" }),
  );
  session.emit({ type: "plan.ready", project: "", steps, unchanged: 0 });
  whys.forEach((why, i) => {
    if (why !== null) session.emit({ type: "step.skipped", step: i + 1, because: null, why });
  });
  const needed = jobs.map((job, i) => ({ job, step: i + 1 })).filter((_, i) => (whys[i] ?? null) === null);
  const problems = (await Promise.all(needed.map(({ job, step }) => transferOne(session, job, step)))).filter((found) => found.length > 0);
  const failed = problems.length;
  const outcome = session.signal.aborted ? "cancelled" : failed > 0 ? "failed" : "converged";
  const summary = { done: needed.length - failed, failed, skipped: jobs.length - needed.length };
  session.emit({ type: "run.finished", outcome, ms: stopwatch() - began, summary });
  const text = `${needed.length} ${jobs[0]?.kind === "image.push" ? "pushed" : "pulled"}`;
  const result: Outcome = { outcome, summary, diagnostics: problems.flat(), text: needed.length === 0 ? "nothing to do" : text };
  const status = await conclude(session, result, began);
  return ignoreFailures && outcome === "failed" ? 0 : status;
}

/** Gives what went wrong. */
async function transferOne(session: Session, job: Job, step: number): Promise<readonly Diagnostic[]> {
  const began = stopwatch();
  const engine = await session.engine();
  const progress = (item: string, phase: string, done: number, total: number | null): void =>
    session.emit({ type: "step.progress", step, item, phase, done, total });
  const note = (message: string): void => session.emit({ type: "step.note", step, message });
  session.emit({ type: "step.started", step });
  try {
    if (job.kind === "image.pull") {
      const { kind, reference, platform, policy } = job;
      await engine.apply({ kind, reference, platform, policy }, { signal: session.signal, progress, note });
    } else {
      const { digest } = await engine.images.push(job.reference, progress, session.signal);
      note(`digest: ${digest}`);
    }
    session.emit({ type: "step.done", step, ms: stopwatch() - began });
    return [];
  } catch (error) {
    const diagnostics = diagnosticsOf(error);
    session.emit({ type: "step.failed", step, ms: stopwatch() - began, diagnostics });
    return diagnostics;
  }
}
