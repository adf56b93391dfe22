import { posix } from "node:path";
import type { ImageConfig } from "../../engine/images.ts";
import { signalName } from "../../lib/signal.ts";
import { Failure } from "../../model/diagnostic.ts";
import type { ExposedPort, Service } from "../../model/service.ts";

/** What a container runs and how: the image's metadata with the service's word over it. Kept in the container's record. */
export interface ProcessConfig {
  /** `entrypoint` and `command` together; never empty. */
  readonly argv: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** The whole environment of the process, `K=V`. */
  readonly env: readonly string[];
  /** The part of it that the image and the service wrote, as listings show it. */
  readonly declaredEnv: readonly string[];
  /** Absolute and without `.` or `..`. */
  readonly cwd: string;
  /** `user[:group]`, or `null`: root. */
  readonly user: string | null;
  /** A name with `SIG`. */
  readonly stopSignal: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Sorted by port, then protocol. */
  readonly exposedPorts: readonly ExposedPort[];
  /** Paths that the image declares as volumes and that no mount of the service takes: each needs an anonymous one. */
  readonly volumes: readonly string[];
}

export interface ProcessFacts {
  readonly hostname: string;
  readonly tty: boolean;
}

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Copies an image's metadata into a container, the service's own words over it. Throws E_NOTHING_TO_RUN. */
export function mergeConfig(image: ImageConfig, service: Service, facts: ProcessFacts): ProcessConfig {
  const { entrypoint, command } = mergeCommand(image, service);
  const argv = [...entrypoint, ...command];
  if (argv.length === 0) throw nothingToRun(service);
  const defaults = new Map([["PATH", DEFAULT_PATH], ["HOSTNAME", facts.hostname], ...(facts.tty ? [["TERM", "xterm"] as const] : [])]);
  return {
    argv,
    entrypoint,
    command,
    env: mergeEnvironment(defaults, image, service),
    declaredEnv: mergeEnvironment(new Map(), image, service),
    cwd: posix.resolve("/", service.workingDir ?? image.WorkingDir ?? ""),
    user: service.user ?? (image.User || null),
    stopSignal: service.stopSignal ?? signalName(image.StopSignal ?? "") ?? "SIGTERM",
    labels: { ...image.Labels, ...service.labels },
    exposedPorts: mergeExposed(image, service),
    volumes: uncoveredVolumes(image, service),
  };
}

/** An entrypoint of the service shuts out the image's Cmd, which was written for the image's own. `[""]` is how Docker's users write "none". */
function mergeCommand(image: ImageConfig, service: Service): Pick<ProcessConfig, "entrypoint" | "command"> {
  const given = service.entrypoint;
  if (given === null) return { entrypoint: image.Entrypoint ?? [], command: service.command ?? image.Cmd ?? [] };
  return { entrypoint: given.length === 1 && given[0] === "" ? [] : given, command: service.command ?? [] };
}

function nothingToRun(service: Service): Failure {
  return new Failure({
    code: "E_NOTHING_TO_RUN",
    message: `service ${service.name} has nothing to run: image ${service.image} has neither Cmd nor Entrypoint`,
    hint: `give it a command (cmd: sleep infinity), or open a shell in it: wharf run -it ${service.name} sh`,
  });
}

/** Later words win and keep the place of the first. An image's entry without `=` says nothing. */
function mergeEnvironment(defaults: ReadonlyMap<string, string>, image: ImageConfig, service: Service): readonly string[] {
  const merged = new Map(defaults);
  for (const entry of image.Env ?? []) {
    const split = entry.indexOf("=");
    if (split > 0) merged.set(entry.slice(0, split), entry.slice(split + 1));
  }
  for (const [key, value] of Object.entries(service.environment)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return [...merged].map(([key, value]) => `${key}=${value}`);
}

const EXPOSED = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/;

function mergeExposed(image: ImageConfig, service: Service): readonly ExposedPort[] {
  const ports = new Map<string, ExposedPort>();
  const expose = (port: number, protocol: ExposedPort["protocol"]): void => void ports.set(`${port}/${protocol}`, { port, protocol });
  for (const text of Object.keys(image.ExposedPorts ?? {})) {
    const [, port, protocol] = EXPOSED.exec(text) ?? [];
    if (port !== undefined) expose(Number(port), protocol === "udp" || protocol === "sctp" ? protocol : "tcp");
  }
  for (const { port, protocol } of service.expose) expose(port, protocol);
  for (const { target, protocol } of service.ports) expose(target, protocol);
  return [...ports.values()].sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}

function uncoveredVolumes(image: ImageConfig, service: Service): readonly string[] {
  const taken = new Set(["/", ...service.mounts.map((mount) => posix.resolve("/", mount.target))]);
  const declared = Object.keys(image.Volumes ?? {}).map((path) => posix.resolve("/", path));
  return [...new Set(declared)].filter((path) => !taken.has(path)).sort();
}
