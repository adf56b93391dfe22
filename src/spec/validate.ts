import type { Diagnostic } from "../model/diagnostic.ts";
import type { Context, Draft } from "./draft.ts";
import { type SchemaError, validateSpec } from "./generated/validate-spec.js";
import { type Entry, type Node, sourceOf, toJson } from "./node.ts";
import { step } from "./path.ts";
import { didYouMean, listing, quote } from "./words.ts";

/** Checks keys and types against the schema, and says what is wrong in words of the file. */
export function validate(draft: Draft, { report }: Context): Draft {
  if (!validateSpec(toJson(draft.tree)))
    for (const error of validateSpec.errors ?? []) {
      const found = find(draft.tree, error.instancePath);
      const diagnostic = found === null ? null : explain(error, found);
      if (found !== null && diagnostic !== null) report.add({ ...diagnostic, ...overridden(found) });
    }
  return draft;
}

interface Found {
  readonly path: string;
  readonly node: Node;
  /** The entry that holds the node, when a mapping does. */
  readonly holder: Entry | null;
}

/** What the value at fault took the place of: the mistake may be there, or the file that lays over it the wrong one. */
function overridden({ node }: Found): Pick<Diagnostic, "related"> {
  const { overrides } = node;
  return overrides === undefined ? {} : { related: [{ source: sourceOf(overrides.place), message: "it takes the place of this" }] };
}

function explain({ keyword, params, parentSchema }: SchemaError, { path, node, holder }: Found): Diagnostic | null {
  const where = path === "" ? "the file" : `\`${path}\``;
  const source = sourceOf(node.kind === "scalar" || holder === null ? node.place : holder.place);
  switch (keyword) {
    case "additionalProperties":
      return unknownKey(String(params["additionalProperty"]), { where, node, parentSchema });
    case "type":
      return {
        code: "E_TYPE",
        message: `${where} is ${describe(node)}: it must be ${typeWords(params["type"])}`,
        ...typeHint(node, params["type"]),
        source,
      };
    case "enum": {
      const allowed = texts(params["allowedValues"]);
      const hint = node.kind === "scalar" ? didYouMean(node.text, allowed) : null;
      return {
        code: "E_VALUE",
        message: `${where} is ${describe(node)}: it must be ${listing(allowed, "or")}`,
        ...(hint === null ? {} : { hint }),
        source,
      };
    }
    case "required": {
      const missing = String(params["missingProperty"]);
      return {
        code: "E_MISSING_KEY",
        message: `${where} has no ${quote(missing)}, which ${title(parentSchema)} needs`,
        hint: `add \`${missing}:\``,
        source,
      };
    }
    case "minimum":
    case "maximum":
      return { code: "E_VALUE", message: `${where} is ${describe(node)}: ${limitsOf(parentSchema)}`, source };
    case "pattern":
      return { code: "E_VALUE", message: `${where} is ${describe(node)}, which it cannot be`, ...descriptionOf(parentSchema), source };
    case "uniqueItems": {
      const item = node.kind === "list" ? node.items[Math.max(Number(params["i"]), Number(params["j"]))] : undefined;
      return {
        code: "E_VALUE",
        message: `${where} has ${item === undefined ? "an item" : describe(item)} twice`,
        hint: "take one of them out",
        source: item === undefined ? source : sourceOf(item.place),
      };
    }
    default: // `not` and its parts only serve editors: the loader has renamed short names before
      return null;
  }
}

function unknownKey(
  key: string,
  { where, node, parentSchema }: { readonly where: string; readonly node: Node; readonly parentSchema: SchemaError["parentSchema"] },
): Diagnostic {
  const attribute = node.kind === "mapping" ? node.entries.get(key) : undefined;
  const spelled = attribute?.spelled ?? key;
  const source = sourceOf(attribute?.place ?? node.place);
  const known = Object.keys(isObject(parentSchema["properties"]) ? parentSchema["properties"] : {});
  if (known.length === 0)
    return {
      code: "E_NAME",
      message: `${quote(spelled)} in ${where} cannot be ${title(parentSchema)}`,
      hint: "letters, digits, `.`, `_` and `-` can stand in it",
      source,
    };
  const hint = didYouMean(spelled, known) ?? (known.length > 12 ? null : `its keys are ${listing(known, "and")}`);
  return {
    code: "E_UNKNOWN_KEY",
    message: `${quote(spelled)} is not a key of ${title(parentSchema)}${where === "the file" ? "" : ` (in ${where})`}`,
    hint: hint ?? "keys that begin with `x-` may be anything",
    source,
  };
}

/** Walks a JSON pointer. `null` when the pointer leads nowhere. */
function find(root: Node, pointer: string): Found | null {
  let found: Found = { path: "", node: root, holder: null };
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const { node, path } = found;
    if (node.kind === "mapping") {
      const holder = node.entries.get(key);
      if (holder === undefined) return null;
      found = { path: step(path, holder.spelled), node: holder.value, holder };
    } else if (node.kind === "list") {
      const item = node.items[Number(key)];
      if (item === undefined) return null;
      found = { path: step(path, Number(key)), node: item, holder: null };
    } else return null;
  }
  return found;
}

/** What a value is, in words. */
export function describe(node: Node): string {
  if (node.kind !== "scalar") return node.kind === "list" ? "a list" : "a mapping";
  if (node.value === null) return "empty";
  return typeof node.value === "string" ? (node.text === "" ? "an empty text" : `the text ${quote(node.text)}`) : quote(node.text);
}

const TYPE_WORDS: ReadonlyMap<string, string> = new Map([
  ["string", "a text"],
  ["integer", "a whole number"],
  ["number", "a number"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "a mapping"],
  ["null", "empty"],
]);

/** Text goes with every type that a variable may come out as: naming it beside them would only confuse. */
function typeWords(type: unknown): string {
  const types = typeof type === "string" ? [type] : texts(type);
  const scalars = types.includes("integer") || types.includes("boolean");
  const named = types.filter((name) => name !== "null" && !(name === "string" && scalars && !types.includes("array")));
  const words = (named.length === 0 ? types : named).map((name) => TYPE_WORDS.get(name) ?? name);
  const last = words.pop() ?? "";
  return words.length === 0 ? last : `${words.join(", ")} or ${last}`;
}

function typeHint(node: Node, type: unknown): { readonly hint?: string } {
  const types = typeof type === "string" ? [type] : texts(type);
  if (node.kind === "scalar" && types.includes("array") && node.value !== null)
    return { hint: `write each item on a line of its own: \`- ${node.text.length > 40 ? "…" : node.text}\`` };
  if (node.kind === "scalar" && types.includes("string") && node.value !== null) return { hint: `put quotes around it: "${node.text}"` };
  if (node.kind === "mapping" && types.length === 1 && types[0] === "string" && node.entries.size === 1) {
    const [key] = node.entries.keys();
    return { hint: `a colon and a space make a mapping: quote the whole text, or write \`${key}=…\`` };
  }
  return {};
}

function limitsOf({ minimum, maximum }: SchemaError["parentSchema"]): string {
  if (typeof maximum !== "number") return `it must be ${minimum} or more`;
  return `it must be ${minimum} to ${maximum}`;
}

function descriptionOf({ description }: SchemaError["parentSchema"]): { readonly hint?: string } {
  return typeof description === "string" ? { hint: description } : {};
}

function title(schema: SchemaError["parentSchema"]): string {
  return typeof schema["title"] === "string" ? schema["title"] : "this mapping";
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
