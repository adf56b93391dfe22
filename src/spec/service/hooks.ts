import { parseReference, type Reference } from "../../model/reference.ts";
import type { Hook, PreStart } from "../../model/service.ts";
import { booleanOf, child, itemsOf, type Node, textOf } from "../node.ts";
import { quote } from "../words.ts";
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

/** What runs to its end, in a container of its own, before the service's containers start. */
export function readPreStart(node: Node | undefined, scope: Scope): readonly PreStart[] {
  return itemsOf(node).map((item, index) => {
    const path = `${scope.path}.pre_start.${index}`;
    return {
      ...readCommon(item),
      image: readStepImage(child(item, "image"), `${path}.image`, scope),
      command: readCommand(child(item, "command"), `${path}.command`, scope),
      perReplica: booleanOf(child(item, "per_replica")) ?? false,
    };
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

function readStepImage(node: Node | undefined, path: string, scope: Scope): Reference | null {
  const text = textOf(node);
  if (node === undefined || text === null || text === "") return null;
  const reference = parseReference(text);
  if (typeof reference === "string") return reference;
  return refuse(scope, { place: node.place, message: `\`${path}\` is ${quote(text)}: ${reference.problem}` });
}
