/** Ways back: what earlier runs made true, and going there again. */
import { stopwatch } from "../lib/clock.ts";
import { Failure } from "../model/diagnostic.ts";
import { attributesOf, compare } from "../plan/change.ts";
import { formatPlan } from "../plan/format.ts";
import { DEFAULTS } from "../plan/plan.ts";
import { isGone, refuseOthers } from "../reconcile/ownership.ts";
import { previewRollback, rollBack } from "../reconcile/reconcile.ts";
import { movedTo, type Revision, revisionsOf } from "../reconcile/revisions.ts";
import { colourPlan } from "../ui/plan.ts";
import { table } from "../ui/table.ts";
import { madeAgo } from "./image-words.ts";
import { conclude, outcomeOf } from "./outcome.ts";
import { withSecretsNow } from "./secrets.ts";
import type { Session } from "./session.ts";

/** Lists the revisions of the project, the newest first, each with what it changed. */
export async function showRevisions(
  session: Session,
  { format, quiet }: { readonly format: string; readonly quiet: boolean },
): Promise<number> {
  const { name } = await session.project();
  const revisions = await revisionsOf(session.revisionDirectory, name);
  const entries = revisions.map((revision, i) => ({
    Revision: revision.number,
    CreatedAt: revision.at,
    Of: revision.of,
    Changes: changesOf(revision, revisions[i + 1] ?? null),
    Services: revision.project.services.map((service) => ({
      Name: service.name,
      Image: service.image,
      ID: revision.images[service.name]?.id ?? "",
    })),
  }));
  if (quiet) for (const { Revision: number } of entries) session.out.line(String(number));
  else if (format === "json") for (const entry of entries) session.out.line(JSON.stringify(entry));
  else {
    const rows = entries.map(({ Revision: number, CreatedAt, Changes }) => [String(number), madeAgo(CreatedAt, Date.now()), Changes]);
    const columns = [{ title: "REVISION", align: "right" }, { title: "CREATED" }, { title: "CHANGES", shrinkTo: 20 }] as const;
    for (const line of table(columns, rows, { width: session.out.columns })) session.out.line(line);
  }
  return 0;
}

export interface RollbackOptions {
  /** `undefined`: the one before the newest. */
  readonly revision: number | undefined;
  /** Only show what would be done. */
  readonly dryRun: boolean;
  readonly assumeYes: boolean;
}

/** Makes true again what a revision says. The spec stays as it is: the next `up` follows it. */
export async function rollback(session: Session, { revision: wanted, dryRun, assumeYes }: RollbackOptions): Promise<number> {
  const began = stopwatch();
  const project = await session.project();
  const { name } = project;
  await refuseOthers(project, await session.containers(name));
  const chosen = choose(await revisionsOf(session.revisionDirectory, name), { wanted, project: name });
  const hasMoved = project.files.length > 0 && chosen.project.directory !== project.directory && (await isGone(chosen.project.directory));
  const before = hasMoved ? movedTo(chosen.project, project) : chosen.project;
  const revision = { ...chosen, project: await withSecretsNow(session, before) };
  const world = await session.world({ assumeYes });
  if (dryRun) {
    const plan = await previewRollback(world, revision, DEFAULTS);
    if (plan.problems.length > 0) throw new Failure(plan.problems);
    await session.endRun();
    session.out.write(colourPlan(formatPlan(plan, { directory: session.settings.cwd }), session.style));
    return 0;
  }
  const status = await conclude(session, outcomeOf(await rollBack(world, revision, DEFAULTS)), began);
  if (status === 0) session.say(`${name} is as revision ${revision.number} was; the next up follows the spec again`);
  return status;
}

function choose(
  revisions: readonly Revision[],
  { wanted, project }: { readonly wanted: number | undefined; readonly project: string },
): Revision {
  const found = wanted === undefined ? revisions[1] : revisions.find(({ number }) => number === wanted);
  if (found !== undefined) return found;
  const all = revisions.map(({ number }) => number).join(", ");
  throw new Failure({
    code: "E_REVISION",
    message: wanted === undefined ? `project ${project} has nothing to go back to` : `project ${project} has no revision ${wanted}`,
    hint:
      all === ""
        ? "every successful up of the whole project is one, but where `x-wharf` says `revisions: 0`"
        : `it has ${all} (wharf history)`,
  });
}

/** What a revision made different, service by service. */
function changesOf(revision: Revision, before: Revision | null): string {
  if (before === null) return `${revision.project.services.map(({ name }) => name).join(", ")}: first known`;
  const parts: string[] = [];
  for (const service of revision.project.services) {
    const old = before.project.services.find(({ name }) => name === service.name);
    if (old === undefined) {
      parts.push(`${service.name}: new`);
      continue;
    }
    const where = { project: revision.project, path: `services.${service.name}` };
    const paths = compare(attributesOf(old), attributesOf(service), where).map(({ path }) => path);
    if (revision.images[service.name]?.id !== before.images[service.name]?.id && !paths.includes("image")) paths.push("image content");
    if (old.scale !== service.scale) paths.push("scale");
    if (paths.length > 0) parts.push(`${service.name}: ${paths.join(", ")}`);
  }
  for (const { name } of before.project.services)
    if (!revision.project.services.some((service) => service.name === name)) parts.push(`${name}: gone`);
  const text = parts.length === 0 ? "nothing that a container has" : parts.join("; ");
  return revision.of === null ? text : `back to ${revision.of}; ${text}`;
}
