import type { Context, Draft } from "./draft.ts";
import { child, entriesOf, type Node, type Scalar, sourceOf } from "./node.ts";
import { spell, type Trail } from "./path.ts";
import { quote } from "./words.ts";

/** Attributes of a service in which the words have one meaning however they are read. */
const CLEAR: ReadonlySet<string> = new Set(["restart"]);

/** Warns of values without quotes that older YAML reads otherwise: `yes` as a truth value, `22:22` as a number of base 60. */
export function warnOfAmbiguous(draft: Draft, { report }: Context): Draft {
  if (!isAmbiguous(child(draft.tree, "services"))) return draft; // most are not, and need no paths
  const told = new Set<Node>();
  const walk = (node: Node, path: Trail) => {
    if (node.kind === "list") for (const [key, item] of node.items.entries()) walk(item, { up: path, key });
    else if (node.kind === "mapping") for (const [key, { value }] of node.entries) walk(value, { up: path, key });
    else if (node.plain !== undefined && !told.has(node)) {
      told.add(node);
      report.add({
        code: "W_AMBIGUOUS",
        message: messageFor(node, node.plain, spell(path)),
        hint: `say which is meant: "${node.plain}"`,
        source: sourceOf(node.place),
      });
    }
  };
  for (const [name, { value }] of entriesOf(child(draft.tree, "services")))
    for (const [key, attribute] of entriesOf(value))
      if (!CLEAR.has(key)) walk(attribute.value, { up: { up: null, key: `services.${name}` }, key });
  return draft;
}

function isAmbiguous(node: Node | undefined): boolean {
  if (node === undefined) return false;
  if (node.kind === "scalar") return node.plain !== undefined;
  if (node.kind === "list") return node.items.some(isAmbiguous);
  for (const { value } of node.entries.values()) if (isAmbiguous(value)) return true;
  return false;
}

function messageFor(node: Scalar, plain: string, path: string): string {
  const number = /^[0-9]/.test(plain);
  return `\`${path}\` is ${quote(plain)} without quotes: ${number ? "a number of base 60" : "a truth value"} in older YAML, ${typeof node.value === "boolean" ? "and so it is here" : "a text here"}`;
}
