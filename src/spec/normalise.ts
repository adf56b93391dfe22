import { cleaned } from "../lib/path.ts";
import { scopedName } from "../model/names.ts";
import type { Context, Draft } from "./draft.ts";
import {
  change,
  child,
  type Entry,
  each,
  entriesOf,
  implied,
  isNull,
  itemsOf,
  type Mapping,
  mapping,
  type Node,
  type Place,
  put,
  record,
  scalar,
  textOf,
} from "./node.ts";

/** Says what Compose takes for granted: the default network, dependencies that follow from other attributes, names of resources. */
export function normalise(draft: Draft, { options }: Context): Draft {
  if (options.normalise === false || draft.tree.kind !== "mapping") return draft;
  let tree: Mapping = draft.tree;
  tree = withServices(tree, (service) => dependencies(settled(networked(service), draft)));
  if (usesDefault(tree)) tree = withDefaultNetwork(tree);
  for (const section of ["networks", "volumes", "configs", "secrets"])
    tree = asMapping(change(tree, section, (resources) => each(resources, (resource, key) => named(resource, key, draft.name))));
  return { ...draft, tree };
}

function withServices(tree: Mapping, by: (service: Mapping) => Node): Mapping {
  return asMapping(
    change(tree, "services", (services) => each(services, (service) => (service.kind === "mapping" ? by(service) : service))),
  );
}

function asMapping(node: Node): Mapping {
  return node.kind === "mapping" ? node : mapping(new Map(), node.place);
}

/** A service that says nothing of networks is on the default one. */
function networked(service: Mapping): Mapping {
  if (service.entries.has("provider") || service.entries.has("network_mode")) return service;
  const networks = child(service, "networks");
  if (networks?.kind === "mapping" && networks.entries.size > 0) return service;
  return put(service, "networks", { ...record({ default: implied(null, service.place) }, service.place), implied: true });
}

function usesDefault(tree: Mapping): boolean {
  for (const [, { value }] of entriesOf(child(tree, "services")))
    if (
      !("entries" in value && (value.entries.has("provider") || value.entries.has("network_mode"))) &&
      child(child(value, "networks"), "default")
    )
      return true;
  return false;
}

function withDefaultNetwork(tree: Mapping): Mapping {
  const networks = child(tree, "networks");
  if (child(networks, "default") !== undefined) return tree;
  const section = networks?.kind === "mapping" ? networks : mapping(new Map(), tree.place);
  return put(tree, "networks", put(section, "default", implied(null, tree.place)));
}

function named(resource: Node, key: string, project: string): Node {
  const given = resource.kind === "mapping" ? resource : isNull(resource) ? mapping(new Map(), resource.place) : null;
  if (given === null || textOf(child(given, "name")) !== null) return resource;
  const external = child(given, "external");
  const own = external?.kind === "scalar" && (external.value === true || external.text === "true");
  return put(given, "name", implied(own ? key : scopedName(project, key), given.place));
}

/** What a build is made of when nothing is said, clean targets, one word for one policy. */
function settled(service: Mapping, draft: Draft): Mapping {
  const policy = change(service, "pull_policy", (value) =>
    textOf(value) === "if_not_present" ? { ...value, ...scalar("missing", value.place) } : value,
  );
  const built = change(policy, "build", (build) => (build.kind === "mapping" ? completeBuild(build, draft) : build));
  return asMapping(
    change(built, "volumes", (volumes) =>
      each(volumes, (mount) =>
        change(mount, "target", (target) => {
          const text = textOf(target);
          return text === null || cleaned(text) === text ? target : scalar(cleaned(text), target.place);
        }),
      ),
    ),
  );
}

function completeBuild(build: Mapping, { variables }: Draft): Mapping {
  let result = build;
  if (!result.entries.has("dockerfile") && !result.entries.has("dockerfile_inline"))
    result = put(result, "dockerfile", implied("Dockerfile", build.place));
  return asMapping(change(result, "args", (args) => (args.kind === "mapping" ? passedOn(args, variables) : args)));
}

/** Arguments without a value are the caller's; those that the caller does not have are none. */
function passedOn(args: Mapping, variables: ReadonlyMap<string, string>): Mapping {
  const entries = new Map<string, Entry>();
  for (const [name, entry] of args.entries) {
    const given = variables.get(name);
    if (!isNull(entry.value)) entries.set(name, entry);
    else if (given !== undefined) entries.set(name, { ...entry, value: scalar(given, entry.value.place) });
  }
  return { ...args, entries };
}

/** Attributes that name a service whose namespace is shared. */
const SHARED = ["network_mode", "ipc", "pid", "uts", "cgroup"] as const;

/** Those and the others by which a service depends on another one. */
const IMPLYING = [...SHARED, "links", "volumes_from"] as const;

function dependencies(service: Mapping): Mapping {
  if (!IMPLYING.some((key) => service.entries.has(key))) return service;
  const implied = new Map<string, { readonly place: Place; readonly restart: boolean }>();
  const imply = (name: string, place: Place, restart: boolean) => {
    if (!implied.has(name)) implied.set(name, { place, restart });
  };
  for (const link of itemsOf(child(service, "links"))) imply((textOf(link) ?? "").split(":")[0] ?? "", link.place, true);
  for (const key of SHARED) {
    const value = child(service, key);
    const text = textOf(value) ?? "";
    if (value !== undefined && text.startsWith("service:")) imply(text.slice("service:".length), value.place, true);
  }
  for (const item of itemsOf(child(service, "volumes_from"))) {
    const text = textOf(item) ?? "";
    if (!text.startsWith("container:")) imply(text.split(":")[0] ?? "", item.place, false);
  }
  const given = child(service, "depends_on");
  let all = given?.kind === "mapping" ? given : mapping(new Map(), service.place);
  const before = all;
  for (const [name, { place, restart }] of implied)
    if (!all.entries.has(name))
      all = put(
        all,
        name,
        record(
          {
            condition: scalar("service_started", place),
            restart: restart ? scalar(true, place) : undefined,
            required: scalar(true, place),
          },
          place,
        ),
        place,
      );
  return all === before ? service : put(service, "depends_on", all);
}
