/** Jobs: what a spec has that runs when it is asked to, and is no service. */
import { Failure } from "../model/diagnostic.ts";
import type { Project } from "../model/project.ts";
import { withDependencies } from "../plan/order.ts";

/** Throws where a name is a job's: only `run` makes something of one. */
export function refuseJobs({ jobs = [] }: Project, names: readonly string[]): void {
  const job = jobs.find(({ name }) => names.includes(name));
  if (job === undefined) return;
  const message = `job "${job.name}" can only be triggered with "docker compose run": it is no service`;
  throw new Failure({ code: "E_JOB", message, hint: `wharf run --rm ${job.name}` });
}

/** Throws where jobs are to run at times of their own, which nobody would see to. */
export function refuseSchedules({ jobs = [] }: Project): void {
  const scheduled = jobs.filter(({ isScheduled }) => isScheduled).map(({ name }) => name);
  if (scheduled.length === 0) return;
  throw new Failure({
    code: "E_JOB",
    message: `scheduled jobs are not supported in this version: ${scheduled.join(", ")}`,
    hint: `let cron or a systemd timer call \`wharf run --rm ${scheduled[0]}\`, and take its \`schedule\` away`,
  });
}

/** Throws where a job that `run` would begin, for its own sake or another one's, is not to be begun by hand. */
export function refuseUnmanual({ jobs = [], services }: Project, name: string): void {
  const needed = withDependencies(services, [name]);
  const job = jobs.find((one) => !one.isManual && needed.has(one.name));
  if (job === undefined) return;
  const how = job.name === name ? "and cannot be triggered by hand" : "it cannot be triggered even as a dependency";
  throw new Failure({
    code: "E_JOB",
    message: `job "${job.name}" is declared with manual: false, ${how}`,
    hint: "take `manual: false` away where it may be",
  });
}
