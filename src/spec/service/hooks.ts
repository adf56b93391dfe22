import type { Hook } from "../../model/service.ts";
import { booleanOf, child, itemsOf, type Node, textOf } from "../node.ts";
import { readCommand } from "./command.ts";
import { readVariables } from "./environment.ts";
import { refuse, type Scope } from "./scope.ts";

/** What is run in the service's containers at a point of their life. */
export function readHooks(node: Node | undefined, key: "post_start" | "pre_stop", scope: Scope): readonly Hook[] {
  return itemsOf(node).flatMap((item, index) => {
    const path = `${scope.path}.${key}.${index}.command`;
    const command = readCommand(child(item, "command"), path, scope);
    if (command !== null && command.length > 0) return [{ ...readCommon(item), command }];
    refuse(scope, { place: item.place, message: `\`${path}\` says nothing to run`, hint: "give the program and its arguments" });
    return [];
  });
}

function readCommon(item: Node): Omit<Hook, "command"> {
  const variables = readVariables(child(item, "environment"));
  return {
    user: textOf(child(item, "user")) || null,
    privileged: booleanOf(child(item, "privileged")) ?? false,
    workingDir: textOf(child(item, "working_dir")) || null,
    environment: Object.fromEntries(Array.from(variables).flatMap(([name, { value }]) => (value === null ? [] : [[name, value]]))),
  };
}
