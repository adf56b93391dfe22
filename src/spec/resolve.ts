import { relativeFrom } from "../lib/path.ts";
import type { Context, Draft } from "./draft.ts";
import { type PathBase, rebase } from "./paths.ts";

/** How paths that start in a directory are seen from the project: absolute, or relative where they are to stay as they are written. */
export function baseOf(directory: string, { root, variables }: Draft, { options }: Context): PathBase {
  if (options.resolvePaths !== false) return { directory, home: variables.get("HOME") };
  return { directory: relativeFrom(directory, root), home: undefined };
}

/** Makes the paths of the project absolute. */
export function resolvePaths(draft: Draft, context: Context): Draft {
  if (context.options.resolvePaths === false && draft.directory === draft.root) return draft;
  return { ...draft, tree: rebase(draft.tree, baseOf(draft.directory, draft, context)) };
}
