/** Paths into a spec as messages write them: `services.web.ports[1]`. */

export function step(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** A path that is only put into words when someone asks. */
export interface Trail {
  readonly up: Trail | null;
  readonly key: string | number;
}

export function spell(trail: Trail | null): string {
  return trail === null ? "" : step(spell(trail.up), trail.key);
}

/** Rules by place: a tree of keys, where `*` is any key or index. */
export type RuleTree<Rule extends string> = Rule | { readonly [key: string]: RuleTree<Rule> };

/** The rules for what lies under a key. */
export function under<Rule extends string>(rules: RuleTree<Rule> | undefined, key: string): RuleTree<Rule> | undefined {
  if (rules === undefined || typeof rules === "string") return undefined;
  return Object.hasOwn(rules, key) ? rules[key] : rules["*"];
}

/** The rule for a value itself: of a tree, the one under the empty key. */
export function ownRule<Rule extends string>(rules: RuleTree<Rule> | undefined): Rule | null {
  if (rules === undefined || typeof rules === "string") return rules ?? null;
  const own = Object.hasOwn(rules, "") ? rules[""] : undefined;
  return typeof own === "string" ? own : null;
}
