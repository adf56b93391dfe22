import { parseReference } from "../model/reference.ts";
import { table } from "../ui/table.ts";
import { bytes } from "../ui/units.ts";
import { madeAgo, namesOf, platformText, shortId } from "./image-words.ts";
import { containersOf } from "./selection.ts";
import type { Session } from "./session.ts";

/** Lists the images that the containers of services were made from, as Compose does. */
export async function showProjectImages(
  session: Session,
  services: readonly string[],
  { quiet, format }: { readonly quiet: boolean; readonly format: string },
): Promise<number> {
  const containers = await containersOf(session, services);
  const known = new Map((await (await session.engine()).images.list(session.signal)).map((image) => [image.id, image]));
  const rows = containers.map(({ name, image }) => {
    const reference = parseReference(image.reference);
    const { repository, tag } = namesOf({ reference: typeof reference === "string" ? reference : null });
    return { container: name, id: image.id, repository, tag, image: known.get(image.id) ?? null };
  });
  if (quiet) for (const id of new Set(rows.map((row) => row.id.replace("sha256:", "")))) session.out.line(id);
  else if (format === "json")
    session.out.line(
      JSON.stringify(
        rows.map(({ container, id, repository, tag, image }) => ({
          ID: id,
          ContainerName: container,
          Repository: repository,
          Tag: tag,
          Platform: image === null ? "" : platformText(image.platform),
          Size: image?.size ?? 0,
          Created: image?.created ?? "",
        })),
      ),
    );
  else {
    const columns = [
      { title: "CONTAINER", shrinkTo: 12 },
      { title: "REPOSITORY", shrinkTo: 12 },
      { title: "TAG", shrinkTo: 8 },
      { title: "PLATFORM", drop: 2 },
      { title: "IMAGE ID" },
      { title: "SIZE", align: "right" as const },
      { title: "CREATED", drop: 1 },
    ];
    const cells = rows.map(({ container, id, repository, tag, image }) => {
      const platform = image === null ? "" : platformText(image.platform);
      const created = madeAgo(image?.created ?? null, Date.now());
      return [container, repository, tag, platform, shortId(id), image === null ? "" : bytes(image.size), created];
    });
    for (const line of table(columns, cells, { width: session.out.columns })) session.out.line(line);
  }
  return 0;
}
