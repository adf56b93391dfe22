import { stopwatch } from "../lib/clock.ts";
import { type Diagnostic, diagnosticsOf } from "../model/diagnostic.ts";
import type { EventStep } from "../model/event.ts";
import type { Reference } from "../model/reference.ts";
import { mountedImages, type Service } from "../model/service.ts";
import { withDependencies } from "../plan/order.ts";
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
  choice: PullChoice & { readonly dependencies: boolean },
): Promise<number> {
  const services = await servicesOf(session, names, choice.dependencies);
  const jobs = services
    .filter(({ pullPolicy }) => pullPolicy !== "never")
    .flatMap(({ image, mounts, platform, name }) =>
      [image, ...mountedImages(mounts)].map(
        (reference): Job => ({ kind: "image.pull", reference, service: name, platform, policy: choice.policy }),
      ),
    );
  return transfer(session, unique(jobs), choice);
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
  const { project } = await session.load();
  refuseUnknown(project, names);
  if (names.length === 0) return project.services;
  const wanted = dependencies ? withDependencies(project.services, names) : new Set(names);
  return project.services.filter(({ name }) => wanted.has(name));
}

function unique(jobs: readonly Job[]): readonly Job[] {
  return [...new Map(jobs.map((job) => [`${job.reference} ${job.kind === "image.pull" ? job.platform : ""}`, job])).values()];
}

/** Carries out transfers, all at once, and tells of them as a run does of its steps. */
async function transfer(
  session: Session,
  jobs: readonly Job[],
  options: { readonly quiet: boolean; readonly ignoreFailures: boolean },
): Promise<number> {
  const began = stopwatch();
  await session.world(options.quiet ? { renderer: "quiet" } : {});
  const steps = jobs.map(
    ({ kind, reference, service }, i): EventStep => ({ id: i + 1, kind, subject: reference, service, reason: "asked for" }),
  );
  session.emit({ type: "plan.ready", project: "", steps, unchanged: 0 });
  const problems = (await Promise.all(jobs.map((job, i) => transferOne(session, job, i + 1)))).filter((found) => found.length > 0);
  const failed = problems.length;
  const outcome = session.signal.aborted ? "cancelled" : failed > 0 ? "failed" : "converged";
  const summary = { done: jobs.length - failed, failed, skipped: 0 };
  session.emit({ type: "run.finished", outcome, ms: stopwatch() - began, summary });
  const text = `${jobs.length} ${jobs[0]?.kind === "image.push" ? "pushed" : "pulled"}`;
  const result: Outcome = { outcome, summary, diagnostics: problems.flat(), text: jobs.length === 0 ? "nothing to do" : text };
  const status = await conclude(session, result, began);
  return options.ignoreFailures && outcome === "failed" ? 0 : status;
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
      note(`${job.reference} is ${digest}`);
    }
    session.emit({ type: "step.done", step, ms: stopwatch() - began });
    return [];
  } catch (error) {
    const diagnostics = diagnosticsOf(error);
    session.emit({ type: "step.failed", step, ms: stopwatch() - began, diagnostics });
    return diagnostics;
  }
}
