import type { Dependency } from "../../model/service.ts";
import { booleanOf, child, entriesOf, type Node, type Place, textOf } from "../node.ts";

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
export function readDependsOn(node: Node | undefined): readonly ReadDependency[] {
  return Array.from(entriesOf(node), ([service, { place, value }]) => {
    const condition = CONDITIONS.get(textOf(child(value, "condition")) ?? "service_started") ?? "started";
    return {
      service,
      condition,
      restart: booleanOf(child(value, "restart")) ?? false,
      required: booleanOf(child(value, "required")) ?? true,
      place,
    };
  });
}
