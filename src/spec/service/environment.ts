import { entriesOf, type Node, type Place, textOf } from "../node.ts";

/** A variable's value with the place where it was given; `null` takes the image's variable away. */
export interface Variable {
  readonly value: string | null;
  readonly place: Place;
}

/** The variables of a service, files and all read. */
export function readVariables(node: Node | undefined): ReadonlyMap<string, Variable> {
  return new Map(
    Array.from(entriesOf(node), ([name, { place, value }]) => {
      const given = textOf(value);
      return [name, { value: given, place: given === null ? place : value.place }];
    }),
  );
}

/** `key=value` attributes such as `labels`: a key without a value is empty. */
export function readPairs(node: Node | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from(entriesOf(node), ([key, { value }]) => [key, textOf(value) ?? ""]));
}
