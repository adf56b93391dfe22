import { Failure, type Source } from "../model/diagnostic.ts";
import { suggestion } from "../model/suggest.ts";
import { shortValue } from "./listing.ts";
import type { Loaded } from "./load.ts";
import { child, type Entry, entry, type Node, type Place, type Scalar, sourceOf, textOf, toJson, type Via } from "./node.ts";
import { SHORT_NAMES } from "./spelling.ts";
import { templateVariables } from "./template.ts";
import { quote } from "./words.ts";

/** One thing to know of where a value comes from. */
export interface Told {
  /** `file:line:column`. */
  readonly place: string | null;
  readonly text: string;
}

/** Where the value at a path comes from: what set it, through what, and what it took the place of. Throws when there is none. */
export function explainPath(loaded: Loaded, path: string): readonly Told[] {
  const steps = stepsOf(path);
  let node: Node = loaded.tree;
  let held: Entry | null = null;
  const vias: Via[] = [];
  for (const [index, step] of steps.entries()) {
    const found = below(node, index === 2 && steps[0] === "services" ? (SHORT_NAMES.get(step) ?? step) : step);
    if (found === null) throw nothingAt(node, steps.slice(0, index + 1), path);
    node = found.value;
    held = found.entry;
    for (let via = held?.via; via !== undefined; via = via.before) vias.push(via);
  }
  const place = node.kind === "scalar" || held === null ? node.place : held.place;
  const value = shortValue(toJson(node));
  return [
    node.implied === true
      ? { place: null, text: `${path} is ${value}: it goes without saying, no file has it` }
      : { place: shown(place), text: `${path} is ${value}` },
    ...(node.kind === "scalar" ? variables(node) : []),
    ...vias.map((via) => ({
      place: shown(via.place),
      text: via.how === "extends" ? `by \`extends\` from ${via.what}` : `by \`include\` of ${via.what}`,
    })),
    ...overridden(node),
  ];
}

function variables(node: Scalar): readonly Told[] {
  const { template } = node;
  if (template === undefined) return [];
  const names = new Set(templateVariables(template.text).map(({ name }) => name));
  const told = Array.from(names, (name): Told => {
    const origin = template.origins.get(name);
    const value = template.variables.get(name);
    if (value === undefined) return { place: null, text: `the variable ${name} is not set` };
    if (origin !== undefined) return { place: shown(origin), text: `sets the variable ${name}` };
    return { place: null, text: `the variable ${name} comes from the environment` };
  });
  return [{ place: shown(node.place), text: `is written as ${template.text}` }, ...told];
}

function overridden(node: Node): readonly Told[] {
  const told: Told[] = [];
  for (let before = node.overrides; before !== undefined; before = before.overrides)
    told.push({ place: shown(before.place), text: `is overridden: ${shortValue(toJson(before))}` });
  return told;
}

interface Found {
  readonly value: Node;
  readonly entry: Entry | null;
}

function below(node: Node, step: string): Found | null {
  if (node.kind === "mapping") {
    const found = entry(node, step);
    return found === undefined ? null : { value: found.value, entry: found };
  }
  if (node.kind === "scalar") return null;
  const item = /^[0-9]+$/.test(step) ? node.items[Number(step)] : node.items.find((one) => textOf(child(one, "target")) === step);
  return item === undefined ? null : { value: item, entry: null };
}

/** Parts between dots and brackets; names with dots are put in brackets: `services.web.labels[com.example.a]`. */
function stepsOf(path: string): readonly string[] {
  return [...path.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, inBrackets, plain]) => inBrackets ?? plain ?? "");
}

function nothingAt(node: Node, steps: readonly string[], path: string): Failure {
  const last = steps.at(-1) ?? "";
  const known = node.kind === "mapping" ? [...node.entries.keys()] : [];
  return new Failure({
    code: "E_USAGE",
    message: `there is nothing at ${quote(path)}: ${quote(steps.slice(0, -1).join(".") || "the spec")} has no ${quote(last)}`,
    ...suggestion(last, known, known.length === 0 ? undefined : `it has ${known.slice(0, 12).map(quote).join(", ")}`),
  });
}

function shown(place: Place): string {
  const { file, line, column }: Source = sourceOf(place);
  return `${file}:${line}:${column}`;
}
