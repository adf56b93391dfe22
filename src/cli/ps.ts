import { Failure } from "../model/diagnostic.ts";
import { LABEL } from "../model/labels.ts";
import type { ContainerState, ObservedContainer, PublishedPort } from "../model/observed.ts";
import type { ExposedPort } from "../model/service.ts";
import { type Column, table } from "../ui/table.ts";
import { clip } from "../ui/text.ts";
import { age } from "../ui/units.ts";
import { formatted } from "./formatted.ts";
import { containersOf, sorted } from "./selection.ts";
import type { Session } from "./session.ts";

export interface PsOptions {
  readonly names: readonly string[];
  readonly all: boolean;
  readonly quiet: boolean;
  readonly services: boolean;
  readonly orphans: boolean;
  readonly noTrunc: boolean;
  readonly format: string;
  readonly statuses: readonly string[];
  /** `key=value` each. */
  readonly filters: readonly string[];
}

/** Lists a project's containers: those that run, or all. */
export async function ps(session: Session, options: PsOptions): Promise<number> {
  const statuses = [...options.statuses, ...options.filters.map(statusOfFilter)].map((text) => text.toLowerCase());
  const project = await session.project();
  const named = options.names.length > 0 ? await containersOf(session, options.names) : sorted(await session.containers(project.name));
  const known = new Set([...project.services.map(({ name }) => name), ...project.disabled]);
  const shown = named.filter((container) => {
    if (statuses.length > 0) return statuses.includes(container.state);
    if (!options.orphans && container.service !== null && !known.has(container.service)) return false;
    return options.all || (isUp(container.state) && !container.oneOff);
  });
  if (options.quiet) for (const { id } of shown) session.out.line(id);
  else if (options.services) for (const name of new Set(shown.flatMap(({ service }) => service ?? []))) session.out.line(name);
  else if (options.format === "json")
    for (const container of shown) session.out.line(JSON.stringify(psEntry(container, { now: Date.now(), whole: options.noTrunc })));
  else if (options.format !== "table") {
    const entries = shown.map((container) => psEntry(container, { now: Date.now(), whole: options.noTrunc }));
    for (const line of formatted(options.format, entries, PS_FIELDS)) session.out.line(line);
  } else {
    const rows = shown.map((container) => psRow(container, Date.now(), options.noTrunc));
    for (const line of table(COLUMNS, rows, { width: options.noTrunc ? null : session.out.columns })) session.out.line(line);
  }
  return 0;
}

/** One container as `ps --format json` prints it; the keys are Compose's. `now` in milliseconds since 1970; `whole`: nothing is cut off. */
export function psEntry(container: ObservedContainer, { now, whole }: { readonly now: number; readonly whole: boolean }) {
  return {
    ID: whole ? container.id : container.id.slice(0, 12),
    Name: container.name,
    Names: container.name,
    Image: familiarName(container),
    Command: `"${container.argv.join(" ")}"`,
    Project: container.project ?? "",
    Service: container.service ?? "",
    State: container.state,
    Status: statusText(container, now),
    RunningFor: `${age(Math.max(0, now - Date.parse(container.createdAt)))} ago`,
    Health: container.health ?? "",
    ExitCode: isUp(container.state) ? 0 : (container.exitCode ?? 0),
    Publishers: [
      ...unpublished(container).map(({ port, protocol }) => ({ URL: "", TargetPort: port, PublishedPort: 0, Protocol: protocol })),
      ...container.ports.map((port) => ({
        URL: port.host,
        TargetPort: port.target,
        PublishedPort: port.published,
        Protocol: port.protocol,
      })),
    ],
    Ports: allPortsText(container),
    CreatedAt: container.createdAt,
    Labels: Object.entries(container.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Mounts: [...container.volumes.map(({ name }) => name), ...container.mounts].join(","),
    LocalVolumes: String(container.volumes.length),
    Networks: container.networks.map(({ name }) => name).join(","),
  };
}

/** The fields that templates may name. */
const PS_FIELDS =
  "Name ID Names Image Command Project Service State Status RunningFor Health ExitCode Publishers Ports CreatedAt Labels Mounts LocalVolumes Networks".split(
    " ",
  );

/** A state in words: `Up 5 seconds`, `Exited (0) 2 minutes ago`. */
export function statusText(container: ObservedContainer, now: number): string {
  const since = (time: string | null): string => age(Math.max(0, now - Date.parse(time ?? container.createdAt)));
  switch (container.state) {
    case "created":
      return "Created";
    case "running":
      return `Up ${since(container.startedAt)}${healthText(container)}`;
    case "paused":
      return `Up ${since(container.startedAt)} (Paused)`;
    case "restarting":
      return `Restarting (${container.exitCode ?? 0}) ${since(container.finishedAt)} ago`;
    case "exited":
      return `Exited (${container.exitCode ?? 0}) ${since(container.finishedAt)} ago`;
    case "dead":
      return "Dead";
  }
}

/** As Docker has it: ` (healthy)`, ` (health: starting)`. */
function healthText({ health }: ObservedContainer): string {
  if (health === null) return "";
  return health === "starting" ? " (health: starting)" : ` (${health})`;
}

/** Ports that it listens on, as far as anybody said, and that nothing leads to from outside. */
function unpublished({ ports, exposed = [] }: ObservedContainer): readonly ExposedPort[] {
  return exposed
    .filter(({ port, protocol }) => !ports.some((published) => published.target === port && published.protocol === protocol))
    .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}

/** As Docker lists them: `443/tcp, 0.0.0.0:8080->80/tcp`. */
function allPortsText(container: ObservedContainer): string {
  const closed = unpublished(container).map(({ port, protocol }) => `${port}/${protocol}`);
  return [...closed, ...(container.ports.length === 0 ? [] : [portsText(container.ports)])].join(", ");
}

/** Published ports in words, those of one range of neighbours together: `0.0.0.0:8080->80/tcp`. */
export function portsText(ports: readonly PublishedPort[]): string {
  const isSix = (port: PublishedPort): number => (port.host.includes(":") ? 1 : 0);
  const byKey = [...ports].sort((a, b) => isSix(a) - isSix(b) || a.target - b.target || a.published - b.published);
  const ranges: { readonly first: PublishedPort; readonly last: PublishedPort }[] = [];
  for (const port of byKey) {
    const range = ranges.at(-1);
    if (range !== undefined && follows(range.last, port)) ranges[ranges.length - 1] = { first: range.first, last: port };
    else ranges.push({ first: port, last: port });
  }
  const span = (from: number, to: number): string => (from === to ? String(from) : `${from}-${to}`);
  return ranges
    .map(
      ({ first, last }) =>
        `${isSix(first) === 1 ? `[${first.host}]` : first.host}:${span(first.published, last.published)}->${span(first.target, last.target)}/${first.protocol}`,
    )
    .join(", ");
}

const COLUMNS: readonly Column[] = [
  { title: "NAME" },
  { title: "IMAGE", shrinkTo: 16, drop: 3 },
  { title: "COMMAND", shrinkTo: 12, drop: 5 },
  { title: "SERVICE", drop: 1 },
  { title: "CREATED", drop: 4 },
  { title: "STATUS" },
  { title: "PORTS", shrinkTo: 20, drop: 2 },
];

function psRow(container: ObservedContainer, now: number, whole: boolean): readonly string[] {
  const command = container.argv.join(" ");
  return [
    container.name,
    familiarName(container),
    `"${whole ? command : clip(command, 20)}"`,
    container.service ?? "",
    `${age(Math.max(0, now - Date.parse(container.createdAt)))} ago`,
    statusText(container, now),
    allPortsText(container),
  ];
}

/** The image as the spec named it, else as the engine knows it. */
function familiarName({ image, labels }: ObservedContainer): string {
  return (image.reference === "" ? (labels[LABEL.image] ?? image.id) : image.reference).replace(/^docker\.io\/(library\/)?/, "");
}

function isUp(state: ContainerState): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}

function follows(before: PublishedPort, port: PublishedPort): boolean {
  return (
    port.host === before.host &&
    port.protocol === before.protocol &&
    port.target === before.target + 1 &&
    port.published === before.published + 1
  );
}

function statusOfFilter(filter: string): string {
  const [key, value = ""] = filter.split("=");
  if (key === "status" && value !== "") return value;
  throw new Failure({ code: "E_USAGE", message: `--filter ${filter}: only status=STATE is known`, hint: "such as status=exited" });
}
