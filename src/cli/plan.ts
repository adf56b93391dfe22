import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { writeAtomic } from "../lib/atomic-file.ts";
import { stopwatch } from "../lib/clock.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Plan } from "../model/plan.ts";
import { formatPlan, planDocument } from "../plan/format.ts";
import { markdownPlan } from "../plan/markdown.ts";
import { parseSavedPlan, savedPlanText } from "../plan/saved.ts";
import { carryOutSaved, preview } from "../reconcile/reconcile.ts";
import { colourPlan } from "../ui/plan.ts";
import { type AttachChoice, attach } from "./attach.ts";
import { conclude, outcomeOf } from "./outcome.ts";
import { secretsNow } from "./secrets.ts";
import type { Session } from "./session.ts";
import { planOptions, type Selection, wanted } from "./up.ts";

export interface PlanChoice extends Selection {
  /** `table`, `json` or `markdown`. */
  readonly format: string;
  /** End with 2 when there is something to do. */
  readonly detailed: boolean;
  /** Also what stays as it is. */
  readonly full: boolean;
  /** Keep the plan in this file, too. */
  readonly output: string | undefined;
}

/** Prints what `up` would do. Gives 2 with `detailed` when that is something. */
export async function plan(session: Session, choice: PlanChoice): Promise<number> {
  const { project, variables } = await wanted(session, choice);
  const world = await session.world();
  const { plan: made, facts } = await preview(world, project, planOptions(session, choice, variables));
  if (made.problems.length > 0) throw new Failure(made.problems);
  for (const diagnostic of made.notices) session.emit({ type: "notice", diagnostic });
  await session.endRun();
  session.out.write(textOf(session, made, { engine: world.engine.name, choice }));
  if (choice.output !== undefined) {
    const saved = { engine: world.engine.name, madeAt: new Date().toISOString(), project, plan: made, facts };
    // Only its owner may read it: what containers are made with holds passwords often enough.
    await writeAtomic(resolve(session.settings.cwd, choice.output), savedPlanText(saved), { mode: 0o600 });
    session.say(`written to ${choice.output}: wharf up --plan ${choice.output} does exactly this`);
  }
  return choice.detailed && made.steps.length > 0 ? 2 : 0;
}

function textOf(session: Session, made: Plan, { engine, choice }: { readonly engine: string; readonly choice: PlanChoice }): string {
  const options = { directory: session.settings.cwd, full: choice.full };
  switch (choice.format) {
    case "json":
      return `${JSON.stringify(planDocument(made, engine))}\n`;
    case "markdown":
      return markdownPlan(made, options);
    default:
      return colourPlan(formatPlan(made, options), session.style);
  }
}

/** `up --plan FILE`: exactly the steps of the file, in the world that they were made for, or nothing. */
export async function upSaved(
  session: Session,
  file: string,
  options: {
    readonly services: readonly string[];
    readonly assumeYes: boolean;
    readonly quietPull: boolean;
    readonly attach: AttachChoice | null;
  },
): Promise<number> {
  if (options.services.length > 0)
    throw new Failure({ code: "E_USAGE", message: "the plan says which services it is about: name none with --plan" });
  const began = stopwatch();
  const since = Date.now();
  const saved = parseSavedPlan(await readPlanFile(session, file), file);
  const world = await session.world({ assumeYes: options.assumeYes, quietTransfers: options.quietPull });
  if (saved.engine !== world.engine.name)
    throw new Failure({
      code: "E_PLAN_FILE",
      message: `${file} was made for the ${saved.engine} engine, and this is ${world.engine.name}`,
      hint: `add --engine ${saved.engine}`,
    });
  const status = await conclude(
    session,
    outcomeOf(await carryOutSaved(world, { ...saved, secrets: await secretsNow(session, saved.project) })),
    began,
  );
  if (status !== 0 || options.attach === null) return status;
  return attach(session, saved.project, { ...options.attach, since, names: null });
}

async function readPlanFile(session: Session, file: string): Promise<string> {
  try {
    return await readFile(resolve(session.settings.cwd, file), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EISDIR" && code !== "EACCES") throw error;
    const why = { ENOENT: "does not exist", EISDIR: "is a directory", EACCES: "may not be read" }[code];
    throw new Failure({ code: "E_PLAN_FILE", message: `${file} ${why}`, hint: "`wharf plan -o FILE` writes one" });
  }
}
