import type { Context, Draft } from "./draft.ts";
import { distinctItems } from "./merge.ts";
import {
  change,
  child,
  type Entry,
  each,
  entriesOf,
  isNull,
  list,
  mapping,
  type Node,
  put,
  record,
  scalar,
  sourceOf,
  textOf,
  within,
} from "./node.ts";
import { step } from "./path.ts";
import { longMount } from "./service/mount-form.ts";
import { longPorts } from "./service/ports.ts";
import { refuse } from "./service/scope.ts";
import { quote } from "./words.ts";

/** What the long forms are made with. */
export interface Forms {
  readonly report: Context["report"];
  /** Variables were left as they are: what cannot be read stays as it is written. */
  readonly lenient: boolean;
  /** How many more ports may be written out: ranges are short to write. */
  readonly left: { ports: number };
}

/** Ports of one file at most: more than a machine has, for a few addresses. */
const MOST_PORTS = 100_000;

export function formsOf({ options, report }: Pick<Context, "options" | "report">): Forms {
  return { report, lenient: options.interpolate === false, left: { ports: MOST_PORTS } };
}

/** Writes out every short form, so that each attribute has one shape from here on. */
export function canonical(draft: Draft, context: Context): Draft {
  const forms = formsOf(context);
  const tree = each(draft.tree, (section, key) => {
    if (key === "services") return each(section, (service, name) => canonicalService(service, `services.${name}`, forms));
    return EXTERNALS.has(key) ? each(section, (resource, name) => withExternal(resource, `${key}.${name}`, forms)) : section;
  });
  return { ...draft, tree };
}

const EXTERNALS: ReadonlySet<string> = new Set(["volumes", "networks", "secrets", "configs"]);

/** One service in long forms. */
export function canonicalService(service: Node, path: string, forms: Forms): Node {
  return each(service, (value, key) => {
    const form = SERVICE.get(key);
    return form === undefined ? value : form(value, step(path, key), forms);
  });
}

type Form = (node: Node, path: string, forms: Forms) => Node;

const build: Form = (node, path, forms) => {
  const given = node.kind === "scalar" && !isNull(node) ? record({ context: node }, node.place) : node;
  const placed = given.kind === "mapping" && !given.entries.has("context") ? put(given, "context", scalar(".", given.place)) : given;
  return each(placed, (value, key) => {
    if (key === "secrets") return items(value, (item) => reference(item, null));
    if (key === "additional_contexts") checkContexts(value, `${path}.${key}`, forms);
    if (key !== "ssh") return value;
    const keys = sshKeys(value);
    checkKeys(keys, `${path}.${key}`, forms);
    return keys;
  });
};

const SERVICE: ReadonlyMap<string, Form> = new Map<string, Form>([
  ["build", build],
  ["configs", (node) => items(node, (item) => reference(item, null))],
  ["depends_on", (node) => each(node, (value) => withDefaults(value, { required: true }))],
  [
    "devices",
    (node, path, forms) =>
      distinctItems(
        items(node, (item, index) => device(item, step(path, index), forms)),
        "device",
      ),
  ],
  ["deploy", reservedDevices],
  ["dns", filled],
  ["env_file", (node) => items(asList(node), (item) => (item.kind === "scalar" ? record({ path: item }, item.place) : item))],
  [
    "gpus",
    (node) => items(node.kind === "scalar" && !isNull(node) ? list([record({ count: node }, node.place)], node.place) : node, allGpus),
  ],
  ["label_file", (node) => asList(node)],
  ["ports", (node, path, forms) => distinctItems(ports(node, path, forms), "port")],
  ["pre_start", (node, path, forms) => items(node, (item, index) => canonicalService(item, step(path, index), forms))],
  ["secrets", (node) => items(node, (item) => reference(item, "/run/secrets/"))],
  [
    "volumes",
    (node, path, forms) =>
      distinctItems(
        items(node, (item, index) => longMount(item, step(path, index), forms)),
        "target",
      ),
  ],
]);

function items(node: Node, by: (item: Node, index: number) => Node): Node {
  return node.kind === "list" ? each(node, (item, key) => by(item, Number(key))) : node;
}

function asList(node: Node): Node {
  return node.kind === "scalar" && !isNull(node) ? list([node], node.place) : node;
}

/** A mapping with values where it has none. */
function withDefaults(node: Node, values: Readonly<Record<string, string | boolean>>): Node {
  if (node.kind !== "mapping") return node;
  let entries: Map<string, Entry> | null = null;
  for (const key in values) {
    if (node.entries.has(key)) continue;
    entries ??= new Map(node.entries);
    entries.set(key, { spelled: key, place: node.place, value: scalar(values[key] ?? null, node.place) });
  }
  return entries === null ? node : { ...node, entries };
}

/** A secret or config of a service. `directory` is where it goes when nothing is said of that. */
function reference(item: Node, directory: string | null): Node {
  const long = item.kind === "scalar" && !isNull(item) ? record({ source: item }, item.place) : item;
  const source = textOf(child(long, "source"));
  return directory === null || source === null ? long : withDefaults(long, { target: `${directory}${source}` });
}

/** A resource limit's devices, likewise. */
function reservedDevices(deploy: Node): Node {
  return change(deploy, "resources", (resources) =>
    change(resources, "reservations", (reservations) => change(reservations, "devices", (devices) => items(devices, allGpus))),
  );
}

/** Without texts that are empty, as a variable that is not set leaves them. */
function filled(node: Node): Node {
  if (node.kind === "scalar") return node.value === "" ? list([], node.place) : node;
  return node.kind === "list" && node.items.some((item) => textOf(item) === "")
    ? list(
        node.items.filter((item) => textOf(item) !== ""),
        node.place,
      )
    : node;
}

/** Devices by number, or all of them where nothing is said. */
function allGpus(item: Node): Node {
  return child(item, "count") === undefined && child(item, "device_ids") === undefined ? withDefaults(item, { count: "all" }) : item;
}

function ports(node: Node, path: string, forms: Forms): Node {
  if (node.kind !== "list") return node;
  return list(
    node.items.flatMap((item, index) => longPorts(item, step(path, index), forms)),
    node.place,
  );
}

function device(item: Node, path: string, forms: Forms): Node {
  const text = textOf(item);
  if (item.kind === "mapping" && !item.entries.has("target") && item.entries.has("source"))
    refuse(forms, {
      code: "E_MISSING_KEY",
      place: item.place,
      message: `\`${path}\` has no \`target\``,
      hint: "say under which path the container has the device; the short form takes the same path for both",
    });
  if (item.kind !== "scalar" || text === null) return item;
  const [source = "", target = source, permissions = "rwm", ...more] = text.split(":");
  if (more.length > 0) {
    if (!forms.lenient)
      refuse(forms, {
        place: item.place,
        message: `\`${path}\` is ${quote(text)}: it has more than three parts`,
        hint: "the form is source[:target[:permissions]]; with a colon in a part write `source:`, `target:` and `permissions:`",
      });
    return item;
  }
  const at = within(item, 0, source.length);
  return record(
    {
      source: scalar(source, at),
      target: scalar(target === "" ? source : target, item.place),
      permissions: scalar(permissions, item.place),
    },
    item.place,
  );
}

/** Contexts need a place, which a list's item without an equals sign has not. */
function checkContexts(contexts: Node, path: string, forms: Forms): void {
  if (forms.lenient) return;
  for (const [name, { value, place }] of entriesOf(contexts))
    if (isNull(value)) refuse(forms, { place, message: `\`${path}\` has ${quote(name)} without a place: it must be name=path` });
}

/** Of the keys only the agent's may stand without a path. */
function checkKeys(keys: Node, path: string, forms: Forms): void {
  if (keys.kind !== "list" || forms.lenient) return;
  for (const [index, item] of keys.items.entries()) {
    const text = textOf(item);
    if (text === null || text === "default" || text.includes("=")) continue;
    refuse(forms, { place: item.place, message: `\`${step(path, index)}\` is ${quote(text)}: it must be name=path, or \`default\`` });
  }
}

/** Keys of `ssh` as `id=path` or `id` alone. */
function sshKeys(node: Node): Node {
  if (node.kind !== "mapping") return asList(node);
  const keys = Array.from(node.entries, ([id, { value, place }]) => scalar(isNull(value) ? id : `${id}=${textOf(value) ?? ""}`, place));
  return list(keys, node.place);
}

/** `external: {name: …}` is the old way to say `external: true` with a name. */
function withExternal(resource: Node, path: string, { report }: Forms): Node {
  const external = child(resource, "external");
  if (resource.kind !== "mapping" || external?.kind !== "mapping") return resource;
  const entries = new Map<string, Entry>(resource.entries);
  const at = entries.get("external");
  const own = entries.get("name");
  const named = [...entriesOf(external)].find(([key]) => key === "name")?.[1];
  if (own !== undefined && named !== undefined && textOf(own.value) !== textOf(named.value))
    refuse(
      { report },
      {
        place: named.value.place,
        message: `\`${path}\` has both \`name\` and \`external.name\``,
        hint: "keep `name`, and say `external: true`",
      },
    );
  if (named !== undefined)
    report.add({
      code: "W_OBSOLETE",
      message: `\`${path}.external.name\` is obsolete`,
      hint: "write `external: true`, and `name:` beside it",
      source: sourceOf(named.place),
    });
  if (at !== undefined) entries.set("external", { ...at, value: scalar(true, external.place) });
  if (named !== undefined && own === undefined) entries.set("name", named);
  return { ...mapping(entries, resource.place), directive: resource.directive };
}
