/** What the `volume …` commands and `volumes` do. */
import { randomBytes } from "node:crypto";
import type { VolumeSummary } from "../engine/volumes.ts";
import { Failure } from "../model/diagnostic.ts";
import type { Json } from "../model/json.ts";
import { type Column, table } from "../ui/table.ts";
import { plural } from "../ui/text.ts";
import { bytes } from "../ui/units.ts";
import { formatted } from "./formatted.ts";
import { madeAgo } from "./image-words.ts";
import { inspectEach } from "./inspect-each.ts";
import { removeEach } from "./remove-each.ts";
import { containersOf } from "./selection.ts";
import type { Session } from "./session.ts";
import { pruneFilter, volumeFilter } from "./volume-filters.ts";

export interface VolumeListOptions {
  readonly filters: readonly string[];
  readonly quiet: boolean;
  readonly format: string;
}

/** Lists the volumes of all projects and of none. */
export async function listVolumes(session: Session, { filters, ...options }: VolumeListOptions): Promise<number> {
  const matches = volumeFilter(filters);
  show(session, (await summaries(session)).filter(matches), options);
  return 0;
}

/** Lists the volumes of the project, or those that containers of these services mount. */
export async function listProjectVolumes(
  session: Session,
  services: readonly string[],
  options: { readonly quiet: boolean; readonly format: string },
): Promise<number> {
  const { name } = await session.project();
  const containers = services.length === 0 ? null : await containersOf(session, services);
  const mounted = new Set(containers?.flatMap(({ volumes }) => volumes.map((volume) => volume.name)));
  const all = await summaries(session);
  show(
    session,
    all.filter((volume) => (containers === null ? volume.project === name : mounted.has(volume.name))),
    options,
  );
  return 0;
}

/** Shows everything about volumes, in the form of Docker. */
export async function inspectVolumes(session: Session, names: readonly string[]): Promise<number> {
  const documents = new Map((await summaries(session)).map((volume) => [volume.name, document(volume)]));
  return inspectEach(session, names, { find: (name) => documents.get(name) ?? null, absent });
}

/** Makes a volume that belongs to no project, and prints its name. */
export async function createVolume(
  session: Session,
  name: string | undefined,
  options: { readonly driver: string; readonly labels: readonly string[]; readonly driverOptions: readonly string[] },
): Promise<number> {
  const wanted = name ?? randomBytes(32).toString("hex");
  const volume = { name: wanted, anonymous: name === undefined, labels: pairs(options.labels), driverOptions: driverOptionsOf(options) };
  await (await session.engine()).volumes.create(volume, session.signal);
  session.out.line(wanted);
  return 0;
}

/** Deletes volumes by their names, and prints them. All that can go goes; what cannot is said. `force`: that one is not there is no error. */
export async function removeVolumes(session: Session, names: readonly string[], { force }: { readonly force: boolean }): Promise<number> {
  const { volumes } = await session.engine();
  const remove = (name: string, signal: AbortSignal): Promise<void> => volumes.remove(name, signal);
  return removeEach(session, names, { remove, unless: force ? "E_VOLUME_MISSING" : null });
}

export interface VolumePruneOptions {
  /** Those with a name too. */
  readonly all: boolean;
  readonly filters: readonly string[];
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** Deletes volumes that no container mounts, after a question that names each with its size. */
export async function pruneVolumes(session: Session, { all, filters, yes, dryRun }: VolumePruneOptions): Promise<number> {
  const { volumes } = await session.engine();
  const matches = pruneFilter(filters);
  const unused = (await summaries(session)).filter((volume) => volume.users.length === 0 && (all || volume.anonymous) && matches(volume));
  const sized = await Promise.all(unused.map(async ({ name }) => ({ name, size: await volumes.size(name, session.signal) })));
  const total = (of: typeof sized): number => of.reduce((sum, { size }) => sum + size, 0);
  if (dryRun) {
    for (const { name, size } of sized) session.out.line(`Would delete: ${name} (${bytes(size)})`);
    session.out.line(`Would reclaim: ${bytes(total(sized))}`);
    return 0;
  }
  if (sized.length > 0 && !yes) {
    const list = sized.map(({ name, size }) => `  ${name} (${bytes(size)})`).join("\n");
    const question = `${list}\nDelete ${plural(sized.length, "volume")} that no container mounts, with all data in it (${bytes(total(sized))})?`;
    if (!(await session.confirm(question, false))) return 1;
  }
  const gone: typeof sized = [];
  for (const volume of sized) {
    try {
      await volumes.remove(volume.name, session.signal);
    } catch (error) {
      if (error instanceof Failure && (error.has("E_VOLUME_IN_USE") || error.has("E_VOLUME_MISSING"))) continue; // others are at work too
      throw error;
    }
    gone.push(volume);
    session.out.line(`Deleted: ${volume.name}`);
  }
  session.out.line(`Total reclaimed space: ${bytes(total(gone))}`);
  return 0;
}

async function summaries(session: Session): Promise<readonly VolumeSummary[]> {
  return (await session.engine()).volumes.list(session.signal);
}

function show(session: Session, volumes: readonly VolumeSummary[], { quiet, format }: Omit<VolumeListOptions, "filters">): void {
  if (quiet) for (const { name } of volumes) session.out.line(name);
  else if (format === "json") for (const volume of volumes) session.out.line(JSON.stringify(line(volume)));
  else if (format !== "table") for (const text of formatted(format, volumes.map(line), VOLUME_FIELDS)) session.out.line(text);
  else {
    const columns: readonly Column[] = [
      { title: "DRIVER", drop: 3 },
      { title: "VOLUME NAME" },
      { title: "PROJECT", shrinkTo: 8, drop: 2 },
      { title: "CREATED", drop: 1 },
      { title: "USED BY", shrinkTo: 12 },
    ];
    const rows = volumes.map((volume) => [
      DRIVER,
      volume.name,
      volume.project ?? "",
      madeAgo(volume.createdAt, Date.now()),
      volume.users.join(", "),
    ]);
    for (const text of table(columns, rows, { width: session.out.columns })) session.out.line(text.trimEnd());
  }
}

/** The only one there is. */
const DRIVER = "local";

const VOLUME_FIELDS = "Name Driver Scope Mountpoint Labels CreatedAt Links".split(" ");

/** As Docker's listings have it. */
function line({ name, labels, path, createdAt, users }: VolumeSummary) {
  const text = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const links = String(users.length);
  return { Name: name, Driver: DRIVER, Scope: DRIVER, Mountpoint: path, Labels: text.join(","), CreatedAt: createdAt, Links: links };
}

function document({ name, labels, driverOptions, path, createdAt, users }: VolumeSummary): Json {
  return {
    CreatedAt: createdAt,
    Driver: DRIVER,
    Labels: labels,
    Mountpoint: path,
    Name: name,
    Options: Object.keys(driverOptions).length === 0 ? null : driverOptions,
    Scope: DRIVER,
    UsedBy: users,
  };
}

/** As the spec's `driver_opts`: what the local driver does not know is refused. */
function driverOptionsOf({ driver, driverOptions }: { readonly driver: string; readonly driverOptions: readonly string[] }) {
  const options = pairs(driverOptions);
  const hint = "the local driver mounts what the machine can: -o type=nfs -o o=addr=… -o device=:/path";
  if (driver !== DRIVER)
    throw new Failure({ code: "E_VOLUME_DRIVER", message: `there is no volume driver ${driver}: only ${DRIVER}`, hint });
  const odd = Object.keys(options).find((key) => !["type", "o", "device"].includes(key));
  if (odd !== undefined) throw new Failure({ code: "E_VOLUME_DRIVER", message: `the ${DRIVER} driver does not know ${odd}`, hint });
  if (driverOptions.length > 0 && options["device"] === undefined && options["type"] !== "tmpfs")
    throw new Failure({ code: "E_VOLUME_DRIVER", message: "there is no device, which says what is mounted", hint });
  return options;
}

/** `key=value` texts; a key alone has an empty value. */
function pairs(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf("=");
      return equals === -1 ? [text, ""] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

function absent(name: string) {
  return { code: "E_VOLUME_MISSING", message: `there is no volume ${name}`, hint: "wharf volume ls lists those there are" } as const;
}
