import type { Dependency } from "../../model/service.ts";
import { booleanOf, child, entriesOf, type Node, type Place, sourceOf, textOf } from "../node.ts";
import { quote } from "../words.ts";
import type { Scope } from "./scope.ts";

export interface ReadDependency extends Dependency {
  /** Where the dependency's name is. */
  readonly place: Place;
}

const CONDITIONS: ReadonlyMap<string, Dependency["condition"]> = new Map([
  ["service_started", "started"],
  ["service_healthy", "healthy"],
  ["service_completed_successfully", "completed"],
]);

/** `depends_on`, whose list form the merge has made a mapping. */
export function readDependsOn(node: Node | undefined, scope: Scope): readonly ReadDependency[] {
  return Array.from(entriesOf(node), ([service, { place, value }]) => {
    const at = child(value, "condition");
    const condition = CONDITIONS.get(textOf(at) ?? "service_started") ?? "started";
    if (condition === "healthy" && at !== undefined)
      scope.report.add({
        code: "W_UNSUPPORTED",
        message: `\`${scope.path}.depends_on.${service}\` waits for ${quote(service)} to be healthy: health is not checked yet, so it waits only until it has started`,
        hint: "`wharf explain W_UNSUPPORTED` says more",
        source: sourceOf(at.place),
      });
    return {
      service,
      condition,
      restart: booleanOf(child(value, "restart")) ?? false,
      required: booleanOf(child(value, "required")) ?? true,
      place,
    };
  });
}
