import { addMember, type Node, type Place, textOf } from "../node.ts";

/** A variable's value with the place where it was given; `null` takes the image's variable away. */
export interface Variable {
  readonly value: string | null;
  readonly place: Place;
}

/** The variables of a service, files and all read. */
export function readVariables(node: Node | undefined): ReadonlyMap<string, Variable> {
  const variables = new Map<string, Variable>();
  if (node?.kind === "mapping")
    node.entries.forEach(({ place, value }, name) => {
      const given = textOf(value);
      variables.set(name, { value: given, place: given === null ? place : value.place });
    });
  return variables;
}

/** The variables without their places. */
export function valuesOf(variables: ReadonlyMap<string, Variable>): Readonly<Record<string, string | null>> {
  const values: Record<string, string | null> = {};
  variables.forEach(({ value }, name) => {
    addMember(values, name, value);
  });
  return values;
}

/** `key=value` attributes such as `labels`: a key without a value is empty. */
export function readPairs(node: Node | undefined): Readonly<Record<string, string>> {
  const pairs: Record<string, string> = {};
  if (node?.kind === "mapping")
    node.entries.forEach(({ value }, key) => {
      addMember(pairs, key, textOf(value) ?? "");
    });
  return pairs;
}
