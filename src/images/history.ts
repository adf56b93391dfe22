/** How an image came to be, as its configuration tells it. */
import type { HistoryStep } from "../engine/images.ts";
import { type Fields, fields, list, optional, parseJson, text, WrongShape } from "./shape.ts";
import { readBlob } from "./store/blobs.ts";
import type { Entry } from "./store/catalog.ts";
import type { Layout } from "./store/layout.ts";

/** The newest step first. Layers that no step speaks of have steps without words. */
export async function historyOf(layout: Layout, { image, layers }: Entry): Promise<readonly HistoryStep[]> {
  const sizes = layers.map(({ size }) => size);
  const told = (await written(layout, image.id)).map((step): HistoryStep => {
    const created = word(step, "created");
    return {
      id: null,
      created: created === "" || Number.isNaN(Date.parse(created)) ? null : created,
      createdBy: word(step, "created_by"),
      comment: word(step, "comment"),
      size: step["empty_layer"] === true ? 0 : (sizes.shift() ?? 0),
    };
  });
  const untold = sizes.map((size): HistoryStep => ({ id: null, created: null, createdBy: "", comment: "", size }));
  return [...told, ...untold].reverse().map((step, index) => (index === 0 ? { ...step, id: image.id } : step));
}

/** A history is for people: one of another shape is as good as none. */
async function written(layout: Layout, id: Entry["image"]["id"]): Promise<readonly Fields[]> {
  try {
    const document = fields(parseJson(await readBlob(layout, id), "its configuration"), "its configuration");
    return (optional(document["history"], "history", list) ?? []).map((step, index) => fields(step, `history[${index}]`));
  } catch (error) {
    if (error instanceof WrongShape) return [];
    throw error;
  }
}

function word(step: Fields, key: string): string {
  const value = step[key];
  return typeof value === "string" ? text(value, key) : "";
}
