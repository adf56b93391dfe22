import { Report } from "../model/diagnostic.ts";
import { scopedName } from "../model/names.ts";
import type { Project, Volume } from "../model/project.ts";
import { parseReference } from "../model/reference.ts";
import type { Service } from "../model/service.ts";
import { checkAttachments, withNamedNetworks } from "./attachments.ts";
import type { Context, Draft } from "./draft.ts";
import { jobsOf } from "./jobs.ts";
import { readNetworks } from "./networks.ts";
import { booleanOf, child, entriesOf, numberOf, textOf } from "./node.ts";
import { checkPorts } from "./port-conflicts.ts";
import { readPairs } from "./service/environment.ts";
import { refuse } from "./service/scope.ts";
import { type ReadService, readService } from "./service/service.ts";
import { checkSharing } from "./sharing-conflicts.ts";
import { sourcesOf } from "./sources.ts";
import { readDriver } from "./volumes.ts";
import { quote } from "./words.ts";

/** Makes the project of the tree: services with nothing left to default, and the volumes and networks that they use. */
export function model(draft: Draft, context: Context): Draft {
  if (context.options.interpolate === false) return draft; // nothing can be run of what is not filled in
  const own = new Report();
  const reading = { draft, context: { ...context, report: own }, active: namesOf(draft) };
  const declared = readNetworks(draft, reading.context);
  const read = Array.from(entriesOf(child(draft.tree, "services")), ([name, entry]) => readService(name, entry, reading));
  const { services, networks } = withNamedNetworks(read, declared);
  checkAttachments(services, networks, own);
  checkPorts(services, own);
  checkSharing(services, own);
  const all = context.options.allResources === true;
  let sources: Project["sources"] | null = null;
  const project: Project = {
    name: draft.name,
    ...(draft.isNamed ? {} : { namedAfter: "directory" }),
    directory: draft.directory,
    files: draft.files.map(({ path }) => path),
    inputs: draft.inputs,
    ...(context.options.compatibility === true && { separator: "_" }),
    ...readRevisions(draft, own),
    services: services.flatMap(complete),
    disabled: draft.disabled,
    ...withJobs(draft),
    networks: networks.filter(({ key }) => all || services.some((service) => isOn(service, key))),
    volumes: readVolumes(draft, reading.context).filter(({ key }) => all || services.some((service) => uses(service, key))),
    configs: draft.configs,
    secrets: draft.secrets,
    get sources() {
      sources ??= sourcesOf(draft.tree, services); // few commands ask for them, and there are many
      return sources;
    },
  };
  for (const item of own.items) if (!item.code.startsWith("E_")) context.report.add(item);
  return { ...draft, services, project, refusals: own.items.filter(({ code }) => code.startsWith("E_")) };
}

function withJobs({ tree }: Draft): Pick<Project, "jobs"> {
  const jobs = jobsOf(tree);
  return jobs.length === 0 ? {} : { jobs };
}

/** `x-wharf.revisions` of the project. */
function readRevisions({ tree }: Draft, report: Report): Pick<Project, "revisions"> {
  const given = child(child(tree, "x-wharf"), "revisions");
  const revisions = numberOf(given);
  if (given === undefined || revisions === null) return {};
  if (revisions >= 0 && revisions <= MOST_REVISIONS) return { revisions };
  const message = `\`x-wharf.revisions\` is ${revisions}: it must be from 0 to ${MOST_REVISIONS}`;
  refuse({ report }, { place: given.place, message });
  return {};
}

const MOST_REVISIONS = 1000;

function namesOf({ tree }: Draft): ReadonlySet<string> {
  return new Set(Array.from(entriesOf(child(tree, "services")), ([name]) => name));
}

/** The services that could run if there were an image: one that names none has the name that a build of it gets. */
export function withImages({ services, name: project }: Draft): readonly Service[] {
  return services.flatMap(({ name, rest, image }) => {
    const built = image ?? parseReference(`${project}-${name}`);
    return typeof built === "string" ? [{ ...rest, image: built }] : [];
  });
}

function complete({ rest, image }: ReadService): readonly Service[] {
  return image === null ? [] : [{ ...rest, image }];
}

function isOn({ rest }: ReadService, network: string): boolean {
  return withSteps(rest).some(({ networks }) => networks.some((attachment) => attachment.network === network));
}

function uses({ rest }: ReadService, volume: string): boolean {
  return withSteps(rest).some(({ mounts }) => mounts.some((mount) => mount.type === "volume" && mount.source === volume));
}

function withSteps(rest: ReadService["rest"]): readonly ReadService["rest"][] {
  return [rest, ...rest.preStart.map(({ service }) => service)];
}

function readVolumes({ tree, name }: Draft, { report }: Context): readonly Volume[] {
  return Array.from(entriesOf(child(tree, "volumes")), ([key, { value }]) => {
    const external = child(value, "external");
    const isExternal = booleanOf(external) ?? external?.kind === "mapping";
    const given = textOf(child(value, "name")) ?? textOf(child(external, "name"));
    const driverOptions = readDriver(value, { path: `volumes.${key}`, report });
    if (given !== null && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(given))
      refuse(
        { report },
        { place: (child(value, "name") ?? value).place, message: `\`volumes.${key}.name\` is ${quote(given)}: it cannot name a volume` },
      );
    return {
      key,
      name: given ?? (isExternal ? key : scopedName(name, key)),
      external: isExternal,
      labels: readPairs(child(value, "labels")),
      ...(driverOptions === null ? {} : { driverOptions }),
    };
  });
}
