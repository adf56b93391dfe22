import { isList, type Json } from "../model/json.ts";
import { scopedName } from "../model/names.ts";
import type { Project, Volume } from "../model/project.ts";
import type { Service } from "../model/service.ts";
import type { Context, Draft } from "./draft.ts";
import { booleanOf, child, type Entry, entriesOf, itemsOf, type Node, textOf, toJson } from "./node.ts";
import { readPairs } from "./service/environment.ts";
import { refuse } from "./service/scope.ts";
import { type ReadService, readService } from "./service/service.ts";
import { sourcesOf } from "./sources.ts";
import { unsupported } from "./support.ts";
import { quote } from "./words.ts";

/** Makes the project of the merged tree: services with nothing left to default, and the volumes and networks that they use. */
export async function normalise(draft: Draft, context: Context): Promise<Draft> {
  const profiles = activeProfiles(draft, context);
  const all = [...entriesOf(child(draft.tree, "services"))];
  const chosen = all.filter(([, { value }]) => isActive(value, profiles));
  const active = new Set(chosen.map(([name]) => name));
  const services = await Promise.all(chosen.map(([name, entry]) => readService(name, entry, { draft, context, active })));
  warnOfNetworks(draft, services, context);
  const volumes = readVolumes(draft, context).filter(({ key }) => services.some((service) => uses(service, key)));
  const inputs = [...new Set([...draft.inputs, ...services.flatMap(({ files }) => files)])];
  const network = {
    key: "default",
    name: textOf(child(child(child(draft.tree, "networks"), "default"), "name")) ?? scopedName(draft.name, "default"),
  };
  const project: Project = {
    name: draft.name,
    directory: draft.directory,
    files: draft.files.map(({ path }) => path),
    inputs,
    services: services.flatMap(complete),
    disabled: all.map(([name]) => name).filter((name) => !active.has(name)),
    networks: services.length === 0 ? [] : [network],
    volumes,
    sources: sourcesOf(draft.tree, services),
  };
  return { ...draft, services, project, config: withoutVariables(configOf(project, { services, tree: draft.tree })) };
}

/** Given on the command line, else what the variables say. */
function activeProfiles({ variables }: Draft, { options }: Context): ReadonlySet<string> {
  const named = (variables.get("COMPOSE_PROFILES") ?? "").split(",").map((name) => name.trim());
  return new Set(options.profiles.length > 0 ? options.profiles : named.filter((name) => name !== ""));
}

function isActive(service: Node, profiles: ReadonlySet<string>): boolean {
  const own = itemsOf(child(service, "profiles")).map((item) => textOf(item) ?? "");
  return own.length === 0 || profiles.has("*") || own.some((profile) => profiles.has(profile));
}

function complete({ rest, image }: ReadService): readonly Service[] {
  return image === null ? [] : [{ ...rest, image }];
}

function uses({ rest }: ReadService, volume: string): boolean {
  return rest.mounts.some((mount) => mount.type === "volume" && mount.source === volume);
}

function readVolumes({ tree, name }: Draft, { report }: Context): readonly Volume[] {
  return Array.from(entriesOf(child(tree, "volumes")), ([key, { value }]) => {
    const external = child(value, "external");
    const isExternal = booleanOf(external) ?? external?.kind === "mapping";
    const given = textOf(child(value, "name")) ?? textOf(child(external, "name"));
    const driver = child(value, "driver");
    if (driver !== undefined && textOf(driver) !== "local") unsupported(`volumes.${key}.driver: ${textOf(driver)}`, driver, { report });
    if (given !== null && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(given))
      refuse(
        { report },
        { place: (child(value, "name") ?? value).place, message: `\`volumes.${key}.name\` is ${quote(given)}: it cannot name a volume` },
      );
    refuseExternalWith(["driver", "driver_opts", "labels"], { key, value, isExternal, report });
    return {
      key,
      name: given ?? (isExternal ? key : scopedName(name, key)),
      external: isExternal,
      labels: readPairs(child(value, "labels")),
    };
  });
}

/** An external volume exists already: what would shape it cannot be said. */
function refuseExternalWith(
  keys: readonly string[],
  {
    key,
    value,
    isExternal,
    report,
  }: { readonly key: string; readonly value: Node; readonly isExternal: boolean; readonly report: Context["report"] },
): void {
  for (const [name, entry] of entriesOf(value))
    if (isExternal && keys.includes(name))
      refuse(
        { report },
        {
          place: entry.place,
          message: `\`volumes.${key}\` is external and has ${quote(name)}, which only a volume of the project can have`,
          hint: "take one of the two out",
        },
      );
}

/** Only the project's default network is there yet. */
function warnOfNetworks({ tree }: Draft, services: readonly ReadService[], context: Context): void {
  const others = (node: Node | undefined): readonly [string, Entry][] => [...entriesOf(node)].filter(([key]) => key !== "default");
  for (const [key, entry] of others(child(tree, "networks"))) unsupported(`networks.${key}`, entry, context);
  for (const { name, entry } of services) {
    for (const [key, network] of others(child(entry.value, "networks"))) unsupported(`services.${name}.networks.${key}`, network, context);
  }
}

function configOf(project: Project, { services, tree }: { readonly services: readonly ReadService[]; readonly tree: Node }): Json {
  const extensions = Array.from(entriesOf(tree)).filter(([key]) => key.startsWith("x-"));
  const sorted = services.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const volumes = project.volumes.map(({ key, name, external, labels }) => [
    key,
    { name, ...(external ? { external } : {}), ...(Object.keys(labels).length === 0 ? {} : { labels }) },
  ]);
  return {
    name: project.name,
    ...(project.networks.length === 0
      ? {}
      : { networks: Object.fromEntries(project.networks.map(({ key, name }) => [key, { name, ipam: {} }])) }),
    services: Object.fromEntries(sorted.map(({ name, config }) => [name, config])),
    ...(volumes.length === 0 ? {} : { volumes: Object.fromEntries(volumes) }),
    ...Object.fromEntries(extensions.map(([key, { value }]) => [key, toJson(value)])),
  };
}

/** Every `$` doubled, as Compose prints it: what comes out can be loaded again and means the same. */
function withoutVariables(value: Json): Json {
  if (typeof value === "string") return value.replaceAll("$", "$$$$");
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map(withoutVariables);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.replaceAll("$", "$$$$"), withoutVariables(member)]));
}
