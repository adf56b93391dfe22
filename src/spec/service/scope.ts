import type { Code } from "../../model/codes.ts";
import type { Report } from "../../model/diagnostic.ts";
import type { Draft } from "../draft.ts";
import { type Place, sourceOf } from "../node.ts";

/** What the readers of a service's attributes share. */
export interface Scope {
  readonly report: Report;
  /** `services.web` */
  readonly path: string;
  readonly directory: string;
  readonly variables: ReadonlyMap<string, string>;
  readonly seccomp: Draft["seccomp"];
}

export interface Refusal {
  readonly place: Place;
  /** The sentence: names the thing and its value, then the rule. */
  readonly message: string;
  readonly hint?: string;
  readonly code?: Code;
}

/** Adds a problem with a value to the report. Gives `null`, for readers that give nothing then. */
export function refuse({ report }: Pick<Scope, "report">, { place, message, hint, code = "E_VALUE" }: Refusal): null {
  report.add({ code, message, ...(hint === undefined ? {} : { hint }), source: sourceOf(place) });
  return null;
}
