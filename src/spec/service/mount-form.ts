import type { Forms } from "../canonical.ts";
import { type Node, record, type Scalar, scalar, sourceOf, textOf, within } from "../node.ts";
import { isWindowsPath } from "../paths.ts";
import { quote } from "../words.ts";
import { refuse } from "./scope.ts";

export const PROPAGATIONS = ["rprivate", "private", "rshared", "shared", "rslave", "slave"] as const;
export type Propagation = (typeof PROPAGATIONS)[number];

export function propagationOf(word: string): Propagation | null {
  return PROPAGATIONS.find((name) => name === word) ?? null;
}

/** A part of a short form with where it begins in the text. */
interface Field {
  readonly text: string;
  readonly at: number;
}

/** An entry of `volumes` in its long form. What cannot be read is refused and stays as it is. */
export function longMount(item: Node, path: string, forms: Forms): Node {
  const text = textOf(item);
  if (item.kind !== "scalar" || text === null || (forms.lenient && text.includes("$"))) return item;
  const fields = fieldsOf(text);
  const [first, second, third] = fields;
  const [source, target] = second === undefined ? [undefined, first] : [first, second];
  const problem = fields.length > 3 ? "it has more than three parts" : (emptyPart(source, target) ?? null);
  if (problem !== null || target === undefined) {
    const hint = "the form is [source:]target[:options], such as ./data:/data:ro";
    refuse(forms, { code: "E_MOUNT", place: item.place, message: `\`${path}\` is ${quote(text)}: ${problem}`, hint });
    return item;
  }
  const words = third?.text.split(",").filter((word) => word !== "") ?? [];
  for (const word of words) if (!isOption(word)) warn(word, { item, path, forms });
  return long(item, { source, target, words });
}

interface Parts {
  readonly source: Field | undefined;
  readonly target: Field;
  readonly words: readonly string[];
}

function long(item: Scalar, { source, target, words }: Parts): Node {
  const at = ({ text, at: start }: Field): Node => scalar(text, within(item, start, start + text.length));
  const flag = (value: boolean): Node | undefined => (value ? scalar(true, item.place) : undefined);
  const text = (value: string | null | undefined): Node | undefined => (value ? scalar(value, item.place) : undefined);
  const bound = source !== undefined && isHostPath(source.text);
  const details = {
    selinux: text(words.find((word) => word === "z" || word === "Z")),
    propagation: text(words.map(propagationOf).find((word) => word !== null)),
    create_host_path: flag(bound),
  };
  const hasDetails = Object.values(details).some((detail) => detail !== undefined);
  return record(
    {
      type: scalar(bound ? "bind" : "volume", item.place),
      source: source === undefined ? undefined : at(source),
      target: at(target),
      read_only: flag(words.includes("ro")),
      bind: hasDetails ? record(details, item.place) : undefined,
      volume:
        (bound && !words.includes("nocopy")) || item.text.length < 3
          ? undefined
          : record({ nocopy: flag(words.includes("nocopy")) }, item.place),
    },
    item.place,
  );
}

/** Parts between colons; the colon of a drive (`c:\data`) parts nothing. */
function fieldsOf(text: string): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  for (let index = 0; index <= text.length; index++) {
    const drive = index - at === 1 && text[index + 1] === "\\" && /[a-zA-Z]/.test(text[at] ?? "");
    if (index < text.length && (text[index] !== ":" || drive)) continue;
    fields.push({ text: text.slice(at, index), at });
    at = index + 1;
  }
  return fields;
}

function emptyPart(source: Field | undefined, target: Field | undefined): string | undefined {
  if (source !== undefined && source.text === "") return "its source is empty";
  return target === undefined || target.text === "" ? "its target is empty" : undefined;
}

function isHostPath(source: string): boolean {
  return /^[./~]/.test(source) || isWindowsPath(source);
}

const OPTIONS: ReadonlySet<string> = new Set(["ro", "rw", "nocopy", "z", "Z", "cached", "delegated", "consistent"]);

function isOption(word: string): boolean {
  return OPTIONS.has(word) || propagationOf(word) !== null;
}

/** Compose passes over options that it does not know; so does wharf, and says so. */
function warn(word: string, { item, path, forms }: { readonly item: Scalar; readonly path: string; readonly forms: Forms }): void {
  const start = item.text.lastIndexOf(word);
  forms.report.add({
    code: "W_MOUNT_OPTION",
    message: `\`${path}\` has ${quote(word)}, which is no option of a mount: it has no effect`,
    hint: "options are ro, rw, nocopy, z, Z and a propagation such as rshared",
    source: sourceOf(within(item, start, start + word.length)),
  });
}
