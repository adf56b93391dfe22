import type { ImageSummary } from "../engine/images.ts";
import { type Diagnostic, diagnosticsOf, Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { table } from "../ui/table.ts";
import { bytes } from "../ui/units.ts";
import { openInput } from "./image-archives.ts";
import { type ImportFlags, importOptions } from "./image-config.ts";
import { imageFilter, isNamed } from "./image-filters.ts";
import { madeAgo, NONE, namesOf, platformText, removedLines, shortId } from "./image-words.ts";
import { inspectEach } from "./inspect-each.ts";
import type { Session } from "./session.ts";

export interface ImageListOptions {
  readonly name: string | undefined;
  /** `key=value` each. */
  readonly filters: readonly string[];
  readonly quiet: boolean;
  readonly noTrunc: boolean;
  readonly digests: boolean;
  readonly format: string;
}

/** Lists the images of the store. */
export async function listImages(session: Session, options: ImageListOptions): Promise<number> {
  const { name, filters, quiet, noTrunc, digests, format } = options;
  const all = await (await session.engine()).images.list(session.signal);
  const now = Date.now();
  const passes = imageFilter(filters, all, now);
  const shown = all.filter((image) => passes(image) && (name === undefined || isNamed(image, name)));
  const id = (image: ImageSummary): string => (noTrunc ? image.id : shortId(image.id));
  if (quiet) for (const one of new Set(shown.map((image) => image.id))) session.out.line(one);
  else if (format === "json") for (const image of shown) session.out.line(JSON.stringify(entry(image)));
  else {
    const columns = [
      { title: "REPOSITORY", shrinkTo: 20 },
      { title: "TAG", shrinkTo: 8 },
      ...(digests ? [{ title: "DIGEST" }] : []),
      { title: "IMAGE ID" },
      { title: "CREATED", drop: 1 },
      { title: "SIZE", align: "right" as const },
    ];
    const rows = shown.map((image) => {
      const { repository, tag } = namesOf(image);
      return [repository, tag, ...(digests ? [image.digest ?? NONE] : []), id(image), madeAgo(image.created, now), bytes(image.size)];
    });
    for (const line of table(columns, rows, { width: session.out.columns })) session.out.line(line);
  }
  return 0;
}

/** Prints Docker's inspect documents of images as one JSON list. */
export async function inspectImages(session: Session, wanted: readonly string[]): Promise<number> {
  const images = (await session.engine()).images;
  return inspectEach(session, wanted, { find: (name) => images.inspect(name, session.signal), absent });
}

/** Makes an image from a root file system's tar (`-`: standard input) and prints its id. */
export async function importImage(session: Session, tar: string, flags: ImportFlags): Promise<number> {
  const options = importOptions(flags);
  const images = (await session.engine()).images;
  session.out.line(await images.import(await openInput(tar), options, session.signal));
  return 0;
}

/** Takes names off images and removes those that nobody needs. All that can be removed is; what cannot be is said. */
export async function removeImages(session: Session, wanted: readonly string[], options: { readonly force: boolean }): Promise<number> {
  const images = (await session.engine()).images;
  const problems: unknown[] = [];
  for (const name of wanted) {
    try {
      for (const line of removedLines(await images.remove(name, options, session.signal))) session.out.line(line);
    } catch (error) {
      problems.push(error);
    }
  }
  if (problems.length > 0)
    throw new Failure(
      problems.flatMap((problem) => [...diagnosticsOf(problem)]),
      { cause: problems[0] },
    );
  return 0;
}

/** After `down --rmi`: the images that the project named, but those that somebody else still needs. */
export async function removeProjectImages(session: Session, references: readonly string[]): Promise<number> {
  const images = (await session.engine()).images;
  for (const name of new Set(references)) {
    try {
      await images.remove(name, { force: false }, session.signal);
      session.say(`removed image ${name}`);
    } catch (error) {
      if (!(error instanceof Failure) || !(error.has("E_IMAGE_IN_USE") || error.has("E_IMAGE_ABSENT"))) throw error;
      session.say(`kept image ${name}: ${error.message}`);
    }
  }
  return 0;
}

function entry(image: ImageSummary): Json {
  const { repository, tag } = namesOf(image);
  return {
    ID: image.id,
    Repository: repository,
    Tag: tag,
    Digest: image.digest ?? "",
    CreatedAt: image.created ?? "",
    Size: image.size,
    Platform: platformText(image.platform),
    Labels: image.labels,
  };
}

/** No such image is in the store. */
export function absent(name: string): Diagnostic {
  return { code: "E_IMAGE_ABSENT", message: `there is no image ${name} in the store`, hint: `wharf image pull ${name} fetches it` };
}
