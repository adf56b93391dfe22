/** What keeps the store in order and tells of it: history, names, pruning, verifying, what it takes. */
import type { Damage, HistoryStep, ImageSummary } from "../engine/images.ts";
import { Failure } from "../model/diagnostic.ts";
import { imagesOfRevisions } from "../reconcile/revisions.ts";
import { type Column, table } from "../ui/table.ts";
import { plural } from "../ui/text.ts";
import { bytes } from "../ui/units.ts";
import { pruneFilter } from "./image-filters.ts";
import { madeAgo, namesOf, removedLines, shortId } from "./image-words.ts";
import { absent } from "./images.ts";
import { inOneStep } from "./one-step.ts";
import { referenceOf } from "./reference.ts";
import type { Session } from "./session.ts";

export interface HistoryOptions {
  readonly quiet: boolean;
  readonly noTrunc: boolean;
  readonly format: string;
}

/** Shows how an image came to be, the newest step first. */
export async function showHistory(session: Session, name: string, { quiet, noTrunc, format }: HistoryOptions): Promise<number> {
  const steps = await (await session.engine()).images.history(name, session.signal);
  if (steps === null) throw new Failure(absent(name));
  const id = (step: HistoryStep): string => (step.id === null ? "<missing>" : noTrunc ? step.id : shortId(step.id));
  if (quiet) for (const step of steps) session.out.line(id(step));
  else if (format === "json")
    for (const step of steps)
      session.out.line(
        JSON.stringify({
          ID: step.id ?? "<missing>",
          CreatedAt: step.created ?? "",
          CreatedBy: step.createdBy,
          Size: step.size,
          Comment: step.comment,
        }),
      );
  else {
    const columns: readonly Column[] = [
      { title: "IMAGE" },
      { title: "CREATED", drop: 1 },
      { title: "CREATED BY", shrinkTo: 20 },
      { title: "SIZE", align: "right" },
      { title: "COMMENT", drop: 2 },
    ];
    const rows = steps.map((step) => [
      id(step),
      madeAgo(step.created, Date.now()),
      shortened(step.createdBy, noTrunc),
      bytes(step.size),
      step.comment,
    ]);
    for (const line of table(columns, rows, { width: noTrunc ? null : session.out.columns })) session.out.line(line.trimEnd());
  }
  return 0;
}

/** Gives an image a further name. */
export async function tagImage(session: Session, source: string, target: string): Promise<number> {
  if (target.includes("@"))
    throw new Failure({ code: "E_USAGE", message: `${target} names content by its digest: a tag cannot`, hint: "give name:tag" });
  await (await session.engine()).images.tag(source, referenceOf(target), session.signal);
  return 0;
}

export interface PruneFlags {
  readonly all: boolean;
  readonly filters: readonly string[];
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** Removes images that nobody uses, after a question that says which and how much. */
export async function pruneImages(session: Session, { all, filters, yes, dryRun }: PruneFlags): Promise<number> {
  const { images } = await session.engine();
  const chosen = pruneFilter(filters, Date.now());
  const kept = await imagesOfRevisions(session.revisionDirectory);
  const matches = (image: ImageSummary): boolean => !kept.has(image.id) && chosen(image);
  if (dryRun || !yes) {
    const { removed, freed } = await images.prune({ all, matches, dryRun: true }, session.signal);
    const count = removed.filter(({ kind }) => kind === "deleted").length;
    if (dryRun) for (const line of removedLines(removed)) session.out.line(line);
    if (dryRun) session.out.line(`Would reclaim: ${bytes(freed)}`);
    if (dryRun) return 0;
    if (count === 0) {
      session.out.line("Total reclaimed space: 0B");
      return 0;
    }
    const which = all ? "no container uses" : "have no tag";
    if (!(await session.confirm(`Remove ${plural(count, "image")} that ${which} (${bytes(freed)})?`, yes))) return 1;
  }
  const { removed, freed } = await images.prune({ all, matches, dryRun: false }, session.signal);
  for (const line of removedLines(removed)) session.out.line(line);
  session.out.line(`Total reclaimed space: ${bytes(freed)}`);
  return 0;
}

export interface VerifyFlags {
  readonly repair: boolean;
  readonly format: string;
}

/** Holds images against their digests. Fails when something is damaged and was not mended. */
export async function verifyImages(session: Session, names: readonly string[], { repair, format }: VerifyFlags): Promise<number> {
  const { images } = await session.engine();
  const subject = names.length === 0 ? "all images" : names.join(", ");
  const damages = await inOneStep(session, { kind: "image.verify", subject }, (progress) =>
    images.verify(names, { repair, progress }, session.signal),
  );
  const left = damages.filter(({ repaired }) => !repaired);
  if (format === "json")
    for (const { image, part, problem, repaired, why } of damages)
      session.out.line(JSON.stringify({ Image: image, Part: part, Problem: problem, Repaired: repaired, Why: why ?? "" }));
  else {
    for (const damage of damages) session.out.line(damageLine(damage));
    if (damages.length === 0) session.out.line("everything is as it should be");
    else if (left.length > 0 && !repair) session.say("wharf image verify --repair mends what it can");
  }
  return left.length > 0 ? 1 : 0;
}

function damageLine({ image, part, problem, repaired, why }: Damage): string {
  const outcome = repaired ? ": repaired" : why === null ? "" : `: not repaired: ${why}`;
  return `${image}: ${part} ${problem}${outcome}`;
}

/** Shows what each image takes, and all of them together. */
export async function showUsage(session: Session, { format }: { readonly format: string }): Promise<number> {
  const { images, layers, content, reclaimable } = await (await session.engine()).images.usage(session.signal);
  if (format === "json") {
    for (const image of images) {
      const { repository, tag } = namesOf(image);
      const { id, created, size, shared, containers } = image;
      const sizes = { Size: size, SharedSize: shared, UniqueSize: size - shared, Containers: containers };
      session.out.line(JSON.stringify({ Repository: repository, Tag: tag, ID: id, CreatedAt: created ?? "", ...sizes }));
    }
    return 0;
  }
  const columns: readonly Column[] = [
    { title: "REPOSITORY", shrinkTo: 20 },
    { title: "TAG", shrinkTo: 8 },
    { title: "IMAGE ID" },
    { title: "CREATED", drop: 1 },
    { title: "SIZE", align: "right" },
    { title: "SHARED SIZE", align: "right" },
    { title: "UNIQUE SIZE", align: "right" },
    { title: "CONTAINERS", align: "right" },
  ];
  const rows = images.map((image) => {
    const { repository, tag } = namesOf(image);
    const { id, created, size, shared, containers } = image;
    const sizes = [size, shared, size - shared].map(bytes);
    return [repository, tag, shortId(id), madeAgo(created, Date.now()), ...sizes, String(containers)];
  });
  for (const line of table(columns, rows, { width: session.out.columns })) session.out.line(line);
  const count = new Set(images.map(({ id }) => id)).size;
  const share = layers === 0 ? 0 : Math.round((reclaimable / layers) * 100);
  session.out.line("");
  session.out.line(`${plural(count, "image")}: ${bytes(layers)} unpacked, ${bytes(reclaimable)} (${share}%) of that used by no container`);
  session.out.line(`${bytes(content)} compressed, for pushing, saving and repairs`);
  return 0;
}

/** As many characters as Docker shows. */
function shortened(text: string, whole: boolean): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return whole || line.length <= 45 ? line : `${line.slice(0, 44)}…`;
}
