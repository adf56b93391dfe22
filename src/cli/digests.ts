/** Images of a printed project, pinned to what their names mean. */
import type { Images } from "../engine/images.ts";
import { together } from "../lib/together.ts";
import { isList, type Json } from "../model/json.ts";
import { familiar, parseReference, type Reference } from "../model/reference.ts";
import type { Session } from "./session.ts";

/** Names that registries are asked for at once. */
const AT_ONCE = 8;

type Members = { readonly [key: string]: Json };

/** The project with the digest of each image: that of the store, for this is what runs, else that of the registry. `only`: nothing else. */
export async function pinned(document: Json, how: "yes" | "only", session: Session): Promise<Json> {
  const services = Object.entries(objectOf(objectOf(document)["services"]));
  const wanted = services.flatMap(([, service]) => referenceOf(service) ?? []);
  const { images } = await session.engine();
  const known = await digestsOf([...new Set(wanted)], images, session.signal);
  const fixed = services.map(([name, service]) => {
    const reference = referenceOf(service);
    const image = reference === null ? objectOf(service)["image"] : `${reference}@${known.get(reference)}`;
    const own = how === "yes" ? objectOf(service) : {};
    return [name, image === undefined ? own : { ...own, image }] as const;
  });
  const all = Object.fromEntries(fixed);
  return how === "only" ? { services: all } : { ...objectOf(document), services: all };
}

/** The image that a service names by a tag; `null` where it names none, or has a digest already. */
function referenceOf(service: Json): Reference | null {
  const { image } = objectOf(service);
  const reference = typeof image === "string" ? parseReference(image) : null;
  return typeof reference === "string" && !reference.includes("@") ? reference : null;
}

async function digestsOf(wanted: readonly Reference[], images: Images, signal: AbortSignal): Promise<ReadonlyMap<Reference, string>> {
  const stored = new Map<string, string>();
  for (const { reference, digest } of await images.list(signal))
    if (reference !== null && digest !== null) stored.set(familiar(reference), digest);
  const found = new Map<Reference, string>();
  await together(wanted, { limit: AT_ONCE, signal }, async (reference, both) => {
    found.set(reference, stored.get(familiar(reference)) ?? (await images.resolve(reference, both)));
  });
  return found;
}

function objectOf(value: Json | undefined): Members {
  return value !== undefined && value !== null && typeof value === "object" && !isList(value) ? value : {};
}
