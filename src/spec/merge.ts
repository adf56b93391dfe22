import type { Context, Draft } from "./draft.ts";
import {
  child,
  type Entry,
  each,
  entry,
  isNull,
  itemsOf,
  type List,
  list,
  type Mapping,
  mapping,
  type Node,
  record,
  type Scalar,
  scalar,
  sourceOf,
  textOf,
  within,
} from "./node.ts";
import { ownRule, type RuleTree, spell, type Trail, under } from "./path.ts";
import { mountTarget } from "./service/mounts.ts";
import { portKey } from "./service/ports.ts";

/**
 * How two values of one attribute become one. Without a rule mappings merge, lists append, everything else is replaced.
 * - `replace`: the later one stands.
 * - `pairs`: a list of `key=value` is a mapping, and mappings merge.
 * - `keys`: a list of names is a mapping with empty values, and mappings merge; `dependencies` likewise, with Compose's default condition.
 * - `hosts`: a mapping of names to addresses is a list of `name=address`; lists append, each item once.
 * - `driver`: options of one driver merge, those of another one are replaced with it.
 * - `subnets`: what is said of one subnet merges.
 * - `distinct`, `port`, `target`, …: lists append; of items with one identity the later one takes the earlier one's place.
 * - `texts`: a single text is a list of one; lists append. `several`, `file` and `tmpfs` likewise, and items differ.
 * - `context`: a single text is the `context` of a mapping.
 */
type Rule = "hosts" | "context" | "replace" | "pairs" | "keys" | "dependencies" | "driver" | "subnets" | "texts" | ListRule;
type ListRule = "distinct" | "several" | "port" | "target" | "device" | "secret" | "config" | "file" | "tmpfs";

/** The rule under the empty key is of the attribute itself, beside those of its parts. */
const SERVICE_RULES: RuleTree<Rule> = {
  annotations: "pairs",
  build: {
    "": "context",
    additional_contexts: "pairs",
    args: "pairs",
    extra_hosts: "hosts",
    labels: "pairs",
    secrets: "secret",
    ssh: "pairs",
    tags: "distinct",
  },
  cap_add: "distinct",
  cap_drop: "distinct",
  command: "replace",
  configs: "config",
  depends_on: "dependencies",
  deploy: { labels: "pairs" },
  devices: "device",
  dns: "several",
  dns_opt: "several",
  dns_search: "several",
  entrypoint: "replace",
  env_file: "file",
  environment: "pairs",
  expose: "distinct",
  extra_hosts: "hosts",
  healthcheck: { test: "replace" },
  label_file: "texts",
  labels: "pairs",
  links: "distinct",
  logging: "driver",
  models: "keys",
  networks: { "": "keys", "*": { aliases: "distinct", link_local_ips: "distinct" } },
  ports: "port",
  profiles: "distinct",
  secrets: "secret",
  sysctls: "pairs",
  tmpfs: "tmpfs",
  ulimits: { "*": "replace" },
  volumes: "target",
};

const RULES: RuleTree<Rule> = {
  services: { "*": SERVICE_RULES },
  networks: { "*": { external: "replace", labels: "pairs", ipam: { config: "subnets" } } },
  volumes: { "*": { external: "replace", labels: "pairs" } },
  secrets: { "*": { external: "replace", labels: "pairs" } },
  configs: { "*": { external: "replace", labels: "pairs" } },
};

/** Lays later files over earlier ones, and obeys `!reset` and `!override`. */
export function merge(draft: Draft, { report }: Context): Draft {
  const at: At = { rules: RULES, report, trail: null };
  return { ...draft, tree: draft.layers.reduce((base, layer) => mergeNodes(base, layer, at), draft.tree) };
}

/** One service laid over another, as an extending one over the one that it extends. */
export function mergeService(
  base: Node,
  over: Node,
  { name, report }: { readonly name: string; readonly report: Context["report"] },
): Node {
  const trail = { up: { up: null, key: "services" }, key: name };
  return mergeNodes(base, over, { rules: SERVICE_RULES, report, trail });
}

/** Where values meet. */
interface At {
  readonly rules: RuleTree<Rule> | undefined;
  readonly report: Context["report"];
  readonly trail: Trail | null;
}

function below({ rules, report, trail }: At, key: string): At {
  return { rules: under(rules, key), report, trail: { up: trail, key } };
}

function mergeNodes(base: Node, over: Node, at: At): Node {
  const { rules } = at;
  if (over.directive === "override") return { ...tidy(over, rules), overrides: base };
  const rule = ownRule(rules);
  if (isNull(over) && rule !== "replace") return base;
  if (rule === "replace") return { ...over, overrides: base };
  const [first, second] = [canonical(base, rules), canonical(over, rules)];
  if (first.kind === "mapping" && second.kind === "mapping") {
    if (rule === "driver" && !sameDriver(first, second)) return { ...tidy(second, undefined), overrides: base };
    return mergeMappings(first, second, at);
  }
  if (first.kind === "list" && second.kind === "list") return joined(first, second, at);
  if (first.kind === "scalar") return { ...tidy(over, rules), overrides: base };
  refuseMix(first, second, at);
  return base;
}

/** What has parts cannot be laid over by what has none, or others: which of the two was meant is not said. */
function refuseMix(first: List | Mapping, second: Node, { report, trail }: At): void {
  const named = { list: "a list", mapping: "a mapping", scalar: "a single value" } as const;
  report.add({
    code: "E_TYPE",
    message: `\`${spell(trail)}\` is ${named[second.kind]}, and is to be laid over ${named[first.kind]}`,
    hint: "write both in one form, or put `!override` before the value to replace the other",
    source: sourceOf(second.place),
    related: [{ source: sourceOf(first.place), message: `${named[first.kind]} here` }],
  });
}

function mergeMappings(base: Mapping, over: Mapping, at: At): Mapping {
  const { rules } = at;
  const entries = new Map<string, Entry>(base.entries);
  const isPairs = ownRule(rules) === "pairs";
  over.entries.forEach((attribute, key) => {
    // Elsewhere it says nothing: a variable without a value is one that comes from outside, no command is the image's own.
    const nullCounts = isPairs || ownRule(under(rules, key)) === "replace";
    const before = entries.get(key);
    const { value } = attribute;
    if (value.directive === "reset") entries.delete(key);
    else if (before === undefined) {
      const after = tidy(value, under(rules, key));
      entries.set(key, after === value ? attribute : { ...attribute, value: after });
    } else if (isNull(value) && value.directive === null && !nullCounts) entries.set(key, before);
    else if (isPairs && isNull(value)) entries.set(key, { ...attribute, value: { ...value, overrides: before.value } });
    else entries.set(key, { ...attribute, value: mergeNodes(wayed(before), value, below(at, key)) });
  });
  return mapping(entries, over.place);
}

/** A value whose parts know by which way they came, now that it is laid over by one that came by another. */
function wayed({ value, via }: Entry): Node {
  if (via === undefined || value.kind !== "mapping") return value;
  const entries = new Map<string, Entry>();
  for (const [key, part] of value.entries) entries.set(key, { ...part, via: part.via === undefined ? via : { ...via, before: part.via } });
  return { ...value, entries };
}

function joined(first: List, second: List, at: At): Node {
  const rule = ownRule(at.rules);
  if (rule === "subnets") return subnets(first, second, at);
  if (rule === "hosts") {
    const known = new Set(first.items.map(textOf));
    return list([...first.items, ...second.items.filter((item) => !known.has(textOf(item)))], second.place);
  }
  return distinct(list([...first.items, ...second.items], second.place), rule);
}

/** A value that nothing is merged with, in the form that a merge would give it. */
function tidy(node: Node, rules: RuleTree<Rule> | undefined): Node {
  const value = node.kind === "scalar" ? node : canonical(node, rules);
  if (value.kind === "mapping") return tidyMapping(value, rules);
  return value.kind === "list" ? distinct(value, ownRule(rules)) : value;
}

/** The mapping itself where all of it is in order. */
function tidyMapping(node: Mapping, rules: RuleTree<Rule> | undefined): Mapping {
  let changed: Map<string, Entry> | undefined;
  node.entries.forEach((attribute, key) => {
    const { value } = attribute;
    const below = under(rules, key);
    if (value.directive === null && value.kind === "scalar" && below === undefined) return;
    const after = value.directive === "reset" ? null : tidy(value, below);
    if (after === value) return;
    changed ??= new Map(node.entries);
    if (after === null) changed.delete(key);
    else changed.set(key, { ...attribute, value: after });
  });
  return changed === undefined ? node : mapping(changed, node.place);
}

/** One form for the several in which an attribute may be written, when all of it has the right shape. */
function canonical(node: Node, rules: RuleTree<Rule> | undefined): Node {
  const rule = ownRule(rules);
  if (rule === null) return node;
  if (node.kind === "scalar") {
    if (isNull(node)) return node;
    return SINGLE.has(rule) ? list([node], node.place) : rule === "context" ? record({ context: node }, node.place) : node;
  }
  if (node.kind === "mapping") return rule === "hosts" ? hosts(node) : rule === "pairs" ? each(node, asText) : node;
  if (rule === "pairs") return pairs(node);
  if (rule === "keys") return keys(node);
  return rule === "dependencies" ? keys(node, (place) => record(startedBy(place), place)) : node;
}

/** Rules whose lists may be a single text. */
const SINGLE: ReadonlySet<Rule> = new Set<Rule>(["file", "tmpfs", "texts", "several"]);

function startedBy(place: Node["place"]): Readonly<Record<string, Node>> {
  return { condition: scalar("service_started", place), required: scalar(true, place) };
}

function pairs(node: List): Node {
  if (!node.items.every(isText)) return node;
  const entries = new Map<string, Entry>();
  for (const item of node.items.filter(isText)) {
    const equals = item.text.indexOf("=");
    const key = equals === -1 ? item.text : item.text.slice(0, equals);
    const value = equals === -1 ? scalar(null, item.place) : { ...item, ...textAt(item, equals + 1) };
    entries.set(key, { spelled: key, place: item.place, value });
  }
  return mapping(entries, node.place);
}

/** A number or truth value as the text that it is in a pair. */
function asText(node: Node): Node {
  return node.kind === "scalar" && node.value !== null && typeof node.value !== "string" ? { ...node, value: node.text } : node;
}

function textAt(item: Scalar, start: number): Pick<Scalar, "value" | "text" | "place"> {
  const text = item.text.slice(start);
  return { value: text, text, place: within(item, start, item.text.length) };
}

function keys(node: Node, value: (place: Node["place"]) => Node = (place) => scalar(null, place)): Node {
  if (node.kind !== "list" || !node.items.every(isText)) return node;
  const entries = new Map<string, Entry>();
  for (const { text, place } of node.items.filter(isText)) entries.set(text, { spelled: text, place, value: value(place) });
  return mapping(entries, node.place);
}

function hosts(node: Mapping): Node {
  const items = Array.from(node.entries, ([name, { value }]) =>
    itemsOf(value).map((address) => scalar(`${name}=${textOf(address) ?? ""}`, address.place)),
  );
  return list(
    items.flat().sort(({ text: a }, { text: b }) => (a < b ? -1 : a > b ? 1 : 0)),
    node.place,
  );
}

function sameDriver(first: Mapping, second: Mapping): boolean {
  const [before, after] = [textOf(child(first, "driver")), textOf(child(second, "driver"))];
  return before === null || after === null || before === after;
}

function subnets(first: List, second: List, { report, trail }: At): Node {
  const items = [...first.items];
  for (const item of second.items) {
    const subnet = textOf(child(item, "subnet"));
    const index = items.findIndex((other) => textOf(child(other, "subnet")) === subnet);
    const before = items[index];
    if (before === undefined) items.push(item);
    else items[index] = mergeNodes(before, item, { rules: undefined, report, trail: { up: trail, key: index } });
  }
  return list(items, second.place);
}

function distinct(node: List, rule: Rule | null): Node {
  if (rule === null || !isListRule(rule)) return node;
  const first = node.items[0];
  if (first === undefined || (node.items.length === 1 && first.directive !== "reset")) return node;
  const found = new Map<string | Node, Node>();
  for (const item of node.items) if (item.directive !== "reset") found.set(IDENTITY[rule](item) ?? item, item);
  return found.size === node.items.length ? node : list([...found.values()], node.place);
}

/** Lists of the tree whose items must differ, once short forms and ranges are written out. */
export function distinctItems(node: Node, rule: "port" | "target" | "device"): Node {
  return node.kind === "list" ? distinct(node, rule) : node;
}

const IDENTITY = {
  config: (item) => (item.kind === "mapping" ? (textOf(child(item, "target")) ?? textOf(child(item, "source"))) : textOf(item)),
  device: (item) => (item.kind === "mapping" ? textOf(child(item, "target")) : deviceTarget(textOf(item))),
  distinct: (item) => textOf(item)?.split("=")[0] ?? null, // links may have an alias after an equals sign
  file: (item) => textOf(entry(item, "path")?.value ?? item),
  port: portKey,
  secret: (item) =>
    item.kind === "mapping" ? (textOf(child(item, "target")) ?? secretPath(textOf(child(item, "source")))) : secretPath(textOf(item)),
  target: mountTarget,
  several: textOf,
  tmpfs: (item) => textOf(item)?.split(":")[0] ?? null,
} as const satisfies Record<ListRule, (item: Node) => string | null>;

function secretPath(name: string | null): string | null {
  return name === null ? null : `/run/secrets/${name}`;
}

function deviceTarget(text: string | null): string | null {
  const [source, target] = text?.split(":") ?? [];
  return target ?? source ?? null;
}

function isListRule(rule: Rule): rule is ListRule {
  return Object.hasOwn(IDENTITY, rule);
}

function isText(node: Node): node is Scalar {
  return node.kind === "scalar" && typeof node.value === "string";
}
