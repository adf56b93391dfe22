/** A plan for people to read, and for programs. Text carries no colour: each line's sign says what the colour would. */
import type { Source } from "../model/diagnostic.ts";
import { isList, type Json } from "../model/json.ts";
import type { AttributeChange, Change, ChangeKind, Plan } from "../model/plan.ts";

export type Counts = Readonly<Record<ChangeKind, number>>;

/** What `plan --format json` prints. */
export interface PlanDocument {
  readonly formatVersion: string;
  readonly project: string;
  readonly engine: string;
  readonly changes: readonly {
    readonly action: ChangeKind;
    readonly address: string;
    readonly reason: string;
    readonly attributes: readonly AttributeChange[];
    readonly drift: boolean;
  }[];
  readonly summary: Counts;
}

export interface TextOptions {
  /** Directory that places in files are given relative to. */
  readonly directory: string;
  /** Also lines for what does not change. */
  readonly full?: boolean;
}

export function shownChanges({ changes }: Plan, { full = false }: TextOptions): readonly Change[] {
  return changes.filter(({ kind }) => full || kind !== "unchanged");
}

/** How many changes of each kind. */
export function countChanges(changes: readonly Change[]): Counts {
  const counts = { create: 0, replace: 0, update: 0, start: 0, stop: 0, remove: 0, pull: 0, unchanged: 0 };
  for (const { kind } of changes) counts[kind]++;
  return counts;
}

/** `1 to create, 2 unchanged`. */
export function summaryText(changes: readonly Change[]): string {
  const counts = countChanges(changes);
  const said = KINDS.flatMap((kind) => (counts[kind] === 0 ? [] : [`${counts[kind]} ${kind === "unchanged" ? kind : `to ${kind}`}`]));
  const drifted = changes.filter(({ drift }) => drift).length;
  const text = said.length === 0 ? "nothing there, nothing to do" : said.join(", ");
  return drifted === 0 ? text : `${text} (${drifted} drifted)`;
}

/** One line a change with its sign, its attributes below; what stays as it is is only counted. Ends with a line break. */
export function formatPlan(plan: Plan, options: TextOptions): string {
  const shown = shownChanges(plan, options);
  const width = Math.max(0, ...shown.map(({ address }) => address.length));
  const lines = shown.flatMap((change) => changeLines(change, { width, directory: options.directory }));
  const gap = lines.length > 0 ? [""] : [];
  return `${[...lines, ...gap, `${plan.project}: ${summaryText(plan.changes)}`].join("\n")}\n`;
}

/** What happens to what is there, and why, a line each; nothing of what only comes or goes, but where that is to put right what nobody asked for. */
export function replacements(plan: Plan, { directory }: TextOptions): readonly string[] {
  const shown = plan.changes.filter(({ kind, drift }) => kind === "replace" || kind === "update" || (kind === "start" && drift));
  const width = Math.max(0, ...shown.map(({ address }) => address.length));
  return shown.flatMap((change) => changeLines(change, { width, directory }));
}

export function planDocument(plan: Plan, engine: string): PlanDocument {
  return {
    formatVersion: "1.1",
    project: plan.project,
    engine,
    changes: plan.changes.map(({ kind, address, reason, attributes, drift }) => ({ action: kind, address, reason, attributes, drift })),
    summary: countChanges(plan.changes),
  };
}

const KINDS: readonly ChangeKind[] = ["create", "replace", "update", "start", "stop", "remove", "pull", "unchanged"];

const SIGN = {
  create: "+",
  replace: "-/+",
  update: "~",
  start: "~",
  stop: "~",
  remove: "-",
  pull: "+",
  unchanged: "=",
} as const satisfies Record<ChangeKind, string>;

/** Longer values are cut: the whole is in the JSON form. */
const VALUE_LIMIT = 60;

function changeLines(change: Change, { width, directory }: { readonly width: number; readonly directory: string }): readonly string[] {
  const { kind, address, reason, attributes } = change;
  const head = `  ${SIGN[kind].padEnd(3)} ${kind.padEnd(9)} ${address.padEnd(width)}  ${reason}`;
  return [head, ...attributes.map((attribute) => attributeLine(attribute, directory))];
}

/** With the place of the new value, and with why it takes a new container. */
function attributeLine({ path, before, after, source, fixedBecause }: AttributeChange, directory: string): string {
  const place = source === null ? "" : `  (${placeText(source, directory)})`;
  return `        ${path}: ${valueText(before)} -> ${valueText(after)}${place}${fixedBecause === null ? "" : `  ${fixedBecause}`}`;
}

/** `compose.yaml:12`, from the directory. */
export function placeText({ file, line }: Source, directory: string): string {
  const inside = directory.endsWith("/") ? directory : `${directory}/`;
  return `${file.startsWith(inside) ? file.slice(inside.length) : file}:${line}`;
}

/** A value on one line. */
export function valueText(value: Json): string {
  if (value === null) return "not set";
  const text = isList(value) && value.length === 0 ? "none" : JSON.stringify(value);
  return text.length > VALUE_LIMIT ? `${text.slice(0, VALUE_LIMIT - 1)}…` : text;
}
