import type { Draft } from "./draft.ts";
import { type Entry, entry, isNull, itemsOf, list, mapping, type Node, type Scalar, scalar, textOf, within } from "./node.ts";
import { type RuleTree, under } from "./path.ts";
import { mountTarget } from "./service/mounts.ts";
import { portKey } from "./service/ports.ts";

/**
 * How two values of one attribute become one. Without a rule mappings merge, lists append, everything else is replaced.
 * - `replace`: the later one stands.
 * - `pairs`: a list of `key=value` is a mapping, and mappings merge.
 * - `keys`: a list of names is a mapping with empty values, and mappings merge.
 * - `hosts`: a mapping of names to addresses is a list of `name=address`; lists append, each item once.
 * - `distinct`, `port`, `target`, `file`, `tmpfs`: lists append; of items with one identity the later one takes the earlier one's place.
 */
type Rule = "replace" | "pairs" | "keys" | ListRule;
type ListRule = "hosts" | "distinct" | "port" | "target" | "file" | "tmpfs";

const RULES: RuleTree<Rule> = {
  services: {
    "*": {
      annotations: "pairs",
      build: { args: "pairs", labels: "pairs", tags: "distinct" },
      cap_add: "distinct",
      cap_drop: "distinct",
      command: "replace",
      depends_on: "keys",
      deploy: { labels: "pairs" },
      devices: "target",
      entrypoint: "replace",
      env_file: "file",
      environment: "pairs",
      expose: "distinct",
      extra_hosts: "hosts",
      healthcheck: { test: "replace" },
      labels: "pairs",
      networks: "keys",
      ports: "port",
      profiles: "distinct",
      sysctls: "pairs",
      tmpfs: "tmpfs",
      volumes: "target",
    },
  },
  networks: { "*": { labels: "pairs" } },
  volumes: { "*": { labels: "pairs" } },
};

/** Lays later files over earlier ones, obeys `!reset` and `!override`, and leaves out attributes without a value. */
export function merge(draft: Draft): Draft {
  const tree = draft.layers.reduce((base, layer) => mergeNodes(base, layer, RULES), draft.tree);
  return { ...draft, tree: withoutNulls(tree) };
}

function mergeNodes(base: Node, over: Node, rules: RuleTree<Rule> | undefined): Node {
  if (over.directive === "override") return tidy(over, rules);
  if (isNull(over)) return base;
  const rule = typeof rules === "string" ? rules : null;
  if (rule === "replace") return over;
  const [first, second] = [canonical(base, rule), canonical(over, rule)];
  if (first.kind === "mapping" && second.kind === "mapping") return mergeMappings(first, second, rules);
  if (first.kind === "list" && second.kind === "list") return distinct(list([...first.items, ...second.items], over.place), rule);
  return tidy(over, rules);
}

function mergeMappings(base: Node & { kind: "mapping" }, over: Node & { kind: "mapping" }, rules: RuleTree<Rule> | undefined): Node {
  const entries = new Map<string, Entry>(base.entries);
  for (const [key, attribute] of over.entries) {
    const before = entries.get(key);
    const below = under(rules, key);
    if (attribute.value.directive === "reset") entries.delete(key);
    else if (before === undefined) entries.set(key, { ...attribute, value: tidy(attribute.value, below) });
    else entries.set(key, { ...attribute, value: mergeNodes(before.value, attribute.value, below) });
  }
  return mapping(entries, over.place);
}

/** A value that nothing is merged with, in the form that a merge would give it. */
function tidy(node: Node, rules: RuleTree<Rule> | undefined): Node {
  const rule = typeof rules === "string" ? rules : null;
  const value = canonical(node, rule);
  if (value.kind === "mapping") return mergeMappings({ ...value, entries: new Map() }, value, rules);
  return value.kind === "list" ? distinct(value, rule) : value;
}

/** One form for the several in which an attribute may be written, when all of it has the right shape. */
function canonical(node: Node, rule: Rule | null): Node {
  const one = rule === "file" || rule === "tmpfs"; // these may be a single text
  if (node.kind === "scalar") return one && !isNull(node) ? list([node], node.place) : node;
  if (rule === "hosts" && node.kind === "mapping") return hosts(node);
  if (node.kind !== "list" || !(rule === "pairs" || rule === "keys") || !node.items.every(isText)) return node;
  return rule === "pairs" ? pairs(node.items, node) : names(node.items, node);
}

function pairs(items: readonly Scalar[], node: Node): Node {
  const entries = new Map<string, Entry>();
  for (const item of items) {
    const equals = item.text.indexOf("=");
    const key = equals === -1 ? item.text : item.text.slice(0, equals);
    const value =
      equals === -1 ? scalar(null, item.place) : scalar(item.text.slice(equals + 1), within(item, equals + 1, item.text.length));
    entries.set(key, { spelled: key, place: item.place, value });
  }
  return mapping(entries, node.place);
}

function names(items: readonly Scalar[], node: Node): Node {
  const entries = items.map(
    (item) => [item.text, { spelled: item.text, place: item.place, value: mapping(new Map(), item.place) }] as const,
  );
  return mapping(new Map(entries), node.place);
}

function hosts(node: Node & { kind: "mapping" }): Node {
  const items = Array.from(node.entries, ([name, { value }]) =>
    itemsOf(value).map((address) => scalar(`${name}=${textOf(address) ?? ""}`, address.place)),
  );
  return list(items.flat(), node.place);
}

function distinct(node: Node & { kind: "list" }, rule: Rule | null): Node {
  if (rule === null || !isListRule(rule)) return node;
  const found = new Map<string | Node, Node>();
  for (const item of node.items) if (item.directive !== "reset") found.set(IDENTITY[rule](item) ?? item, item);
  return found.size === node.items.length ? node : list([...found.values()], node.place);
}

const IDENTITY = {
  hosts: textOf,
  distinct: textOf,
  file: (item) => textOf(entry(item, "path")?.value ?? item),
  port: portKey,
  target: mountTarget,
  tmpfs: (item) => textOf(item)?.split(":")[0] ?? null,
} as const satisfies Record<ListRule, (item: Node) => string | null>;

/** Attributes of the file and of its services that have a key and no value are as good as absent. */
function withoutNulls(tree: Node): Node {
  const services = entry(tree, "services");
  if (tree.kind !== "mapping" || services?.value.kind !== "mapping") return droppingNulls(tree);
  const kept = new Map<string, Entry>();
  for (const [name, service] of services.value.entries) kept.set(name, { ...service, value: droppingNulls(service.value) });
  const value = mapping(kept, services.value.place);
  return droppingNulls({ ...tree, entries: new Map(tree.entries).set("services", { ...services, value }) });
}

function droppingNulls(node: Node): Node {
  if (node.kind !== "mapping" || !Array.from(node.entries.values()).some(({ value }) => isNull(value))) return node;
  return { ...node, entries: new Map(Array.from(node.entries).filter(([, { value }]) => !isNull(value))) };
}

function isListRule(rule: Rule): rule is ListRule {
  return Object.hasOwn(IDENTITY, rule);
}

function isText(node: Node): node is Scalar {
  return node.kind === "scalar" && typeof node.value === "string";
}
