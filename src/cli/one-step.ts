import type { ImageProgress } from "../engine/images.ts";
import { stopwatch } from "../lib/clock.ts";
import { diagnosticsOf } from "../model/diagnostic.ts";
import type { EventStep } from "../model/event.ts";
import type { Session } from "./session.ts";

/** Carries out something that a run tells of as of its only step; what it gives is the caller's to print. */
export async function inOneStep<T>(
  session: Session,
  { kind, subject, quiet = false }: Pick<EventStep, "kind" | "subject"> & { readonly quiet?: boolean },
  work: (progress: ImageProgress) => Promise<T>,
): Promise<T> {
  const began = stopwatch();
  const ms = (): number => stopwatch() - began;
  const end = (outcome: "converged" | "failed" | "cancelled"): Promise<void> => {
    const summary = { done: outcome === "converged" ? 1 : 0, failed: outcome === "converged" ? 0 : 1, skipped: 0 };
    session.emit({ type: "run.finished", outcome, ms: ms(), summary });
    return session.endRun();
  };
  await session.world(quiet ? { renderer: "quiet" } : {});
  session.emit({ type: "plan.ready", project: "", steps: [{ id: 1, kind, subject, service: null, reason: "asked for" }], unchanged: 0 });
  session.emit({ type: "step.started", step: 1 });
  try {
    const made = await work((item, phase, done, total) => session.emit({ type: "step.progress", step: 1, item, phase, done, total }));
    session.emit({ type: "step.done", step: 1, ms: ms() });
    await end("converged");
    return made;
  } catch (error) {
    session.emit({ type: "step.failed", step: 1, ms: ms(), diagnostics: diagnosticsOf(error) });
    await end(session.signal.aborted ? "cancelled" : "failed");
    throw error;
  }
}
