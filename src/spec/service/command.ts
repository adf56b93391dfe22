import { splitWords } from "../../lib/shell-words.ts";
import { itemsOf, type Node, sourceOf, textOf } from "../node.ts";
import { quote } from "../words.ts";
import { refuse, type Scope } from "./scope.ts";

/** Words of `command` or `entrypoint`: a list as it is, a text split as a shell would. `null` when it is not given. */
export function readCommand(node: Node | undefined, path: string, scope: Scope): readonly string[] | null {
  if (node === undefined || node.kind === "mapping") return null;
  if (node.kind === "list") return itemsOf(node).map((item) => textOf(item) ?? "");
  if (node.value === null) return null;
  const words = splitWords(node.text);
  if (words === null)
    return refuse(scope, {
      place: node.place,
      message: `\`${path}\` is ${quote(node.text)}: a quote is not closed, or it ends with a backslash`,
      hint: "close the quote, or give the command as a list of words",
    });
  const operator = /["']/.test(node.text) ? undefined : words.find((word) => SHELL_OPERATORS.has(word));
  if (operator !== undefined)
    scope.report.add({
      code: "W_NO_SHELL",
      message: `\`${path}\` has ${quote(operator)}, which no shell reads: it is an argument like any other`,
      hint: "for a shell write: sh -c '…'",
      source: sourceOf(node.place),
    });
  return words;
}

const SHELL_OPERATORS: ReadonlySet<string> = new Set(["|", "||", "&", "&&", ";", "<", ">", ">>", "2>&1"]);
