import type { Report } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import type { Project } from "../model/project.ts";
import type { LoadOptions, Reader } from "./load.ts";
import type { Node, SourceFile } from "./node.ts";
import type { ReadService } from "./service/service.ts";

/** A project on its way through the loader: each phase fills in what the next ones need. */
export interface Draft {
  /** Spec files in merge order. */
  readonly files: readonly SourceFile[];
  /** Absolute paths of everything that was read. */
  readonly inputs: readonly string[];
  /** Absolute directory that relative paths start from. */
  readonly directory: string;
  /** What `${…}` sees: the caller's environment over that of `.env` files. */
  readonly variables: ReadonlyMap<string, string>;
  readonly name: string;
  /** One mapping a YAML document, in merge order. */
  readonly layers: readonly Node[];
  /** The layers as one. */
  readonly tree: Node;
  /** Services that the active profiles leave in. */
  readonly services: readonly ReadService[];
  readonly project: Project;
  /** Compose's canonical form. */
  readonly config: Json;
}

export interface Context {
  readonly options: LoadOptions;
  readonly reader: Reader;
  readonly report: Report;
}

/** A step of loading. The list of phases is the loader's table of contents. */
export interface Phase {
  readonly name: string;
  readonly purpose: string;
  /** Adds problems to the context's report; throws only when nothing after it would make sense. */
  readonly run: (draft: Draft, context: Context) => Draft | Promise<Draft>;
}
