import type { Json } from "../model/json.ts";
import type { Loaded } from "./load.ts";
import { child, entriesOf, itemsOf, type Node, textOf } from "./node.ts";
import { profilesOf } from "./profiles.ts";
import { type TemplateVariable, templateVariables } from "./template.ts";

export type Listing = "services" | "images" | "volumes" | "networks" | "models" | "profiles";

/** Names of one kind, as `config` prints them. */
export function listNames({ tree, whole, project }: Loaded, kind: Listing, wanted: readonly string[]): readonly string[] {
  const all = [...entriesOf(child(tree, "services"))];
  const services = wanted.length === 0 ? all : all.filter(([name]) => wanted.includes(name));
  switch (kind) {
    case "services":
      return services.map(([name]) => name).sort();
    case "images": {
      const images = services.flatMap(([name, { value }]) => {
        if (child(value, "provider") !== undefined) return [];
        return textOf(child(value, "image")) ?? `${project.name}-${name}`;
      });
      return [...new Set(images)];
    }
    case "models": // by what they are called where they come from
      return Array.from(entriesOf(child(tree, kind)), ([, { value }]) => textOf(child(value, "model")) ?? "").filter((name) => name !== "");
    case "profiles":
      return profilesOf(whole);
    default:
      return Array.from(entriesOf(child(tree, kind)), ([key]) => key);
  }
}

/** Variables that the texts of a tree ask for, by name; one that is asked for several times has what is said of it first. */
export function variablesOf(tree: Node): readonly TemplateVariable[] {
  const found = new Map<string, TemplateVariable>();
  const open: Node[] = [tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === "scalar") {
      if (typeof node.value !== "string" || !node.text.includes("$")) continue;
      for (const variable of templateVariables(node.text)) {
        const before = found.get(variable.name);
        found.set(variable.name, before === undefined ? variable : joined(before, variable));
      }
    } else if (node.kind === "list") open.push(...[...itemsOf(node)].reverse());
    else open.push(...Array.from(node.entries.values(), ({ value }) => value).reverse());
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function joined(a: TemplateVariable, b: TemplateVariable): TemplateVariable {
  return {
    name: a.name,
    required: a.required || b.required,
    fallback: a.fallback === "" ? b.fallback : a.fallback,
    alternate: a.alternate === "" ? b.alternate : a.alternate,
  };
}

/** A value of a tree as JSON shows it, short. */
export function shortValue(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
