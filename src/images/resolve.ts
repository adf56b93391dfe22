import { partsOf, type Reference } from "../model/reference.ts";
import type { Registries } from "./registries.ts";
import { fetchManifest, resolveTag } from "./registry/pull-api.ts";

/** The digest that a name has in its registry now. With one request, where the registry says it without sending the manifest. */
export async function resolveDigest(
  registries: Registries,
  reference: Reference,
  { signal, note }: { readonly signal: AbortSignal; readonly note: (message: string) => void },
): Promise<string> {
  const { tag, digest } = partsOf(reference);
  if (tag === null && digest !== null) return digest;
  const repository = registries.repository(reference, note);
  const named = tag ?? "latest";
  const options = { what: reference, signal };
  return (await resolveTag(repository, named, options)) ?? (await fetchManifest(repository, named, options)).digest;
}
