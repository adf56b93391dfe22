/** How images are spoken of in listings. */
import type { ImageSummary, RemovedImage } from "../engine/images.ts";
import { familiar, partsOf } from "../model/reference.ts";
import { age } from "../ui/units.ts";

/** `<none>` where there is none, as Docker writes it. */
export function namesOf({ reference }: Pick<ImageSummary, "reference">): { readonly repository: string; readonly tag: string } {
  if (reference === null) return { repository: NONE, tag: NONE };
  const { tag } = partsOf(reference);
  const name = familiar(reference);
  if (tag === null) return { repository: name.slice(0, name.indexOf("@")), tag: NONE };
  return { repository: name.endsWith(`:${tag}`) ? name.slice(0, -tag.length - 1) : name, tag };
}

export function shortId(id: string): string {
  return id.replace("sha256:", "").slice(0, 12);
}

/** `3 weeks ago` */
export function madeAgo(created: string | null, now: number): string {
  return created === null ? "N/A" : `${age(Math.max(0, now - Date.parse(created)))} ago`;
}

/** `linux/arm64/v8` */
export function platformText({ os, architecture, variant }: ImageSummary["platform"]): string {
  return [os, architecture, ...(variant === null ? [] : [variant])].join("/");
}

/** As `image rm` and `image prune` say it. */
export function removedLines(removed: readonly RemovedImage[]): readonly string[] {
  return removed.map(({ kind, what }) => `${kind === "untagged" ? "Untagged" : "Deleted"}: ${what}`);
}

export const NONE = "<none>";
