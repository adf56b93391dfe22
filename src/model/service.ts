import type { Devices } from "./devices.ts";
import type { Healthcheck } from "./health.ts";
import type { Isolation } from "./isolation.ts";
import type { Logging } from "./logging.ts";
import type { Attachment, Link, NetworkMode } from "./network.ts";
import type { Reference } from "./reference.ts";
import type { Resources } from "./resources.ts";
import type { UpdatePolicy } from "./update.ts";

/**
 * A service as every room after `spec/` sees it: no short syntax, no missing default, every unit a number, every path absolute.
 * `null` means "as the image says" where the image has a word on it, and "none" elsewhere.
 */
export interface Service {
  readonly name: string;
  readonly image: Reference;
  /** The content that `image` shall stand for, `repository@digest`, where a revision or a lock says so; `null`: whatever the name leads to. */
  readonly pin: Reference | null;
  /** The one fixed container name (`container_name`, or wharf's `name`). */
  readonly containerName: string | null;
  /** `null`: the image's Cmd; `[]`: none at all. */
  readonly command: readonly string[] | null;
  /** `null`: the image's Entrypoint; `[]`: none at all (the image's Cmd is ignored then, as Docker does). */
  readonly entrypoint: readonly string[] | null;
  /** `env_file` and `environment` together, resolved. `null` removes the image's variable. */
  readonly environment: Readonly<Record<string, string | null>>;
  readonly ports: readonly Port[];
  readonly expose: readonly ExposedPort[];
  readonly workingDir: string | null;
  /** `user[:group]`, each a name or a number, looked up inside the image. */
  readonly user: string | null;
  readonly hostname: string | null;
  readonly domainname: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly dependsOn: readonly Dependency[];
  readonly restart: RestartPolicy;
  readonly healthcheck: Healthcheck | null;
  /** Whether one that ended with 0 is started again by the next `up`; absent: it is, and that is told of. */
  readonly run?: "once" | "always";
  /** `up` leaves its logs out, unless it is told otherwise; absent: it shows them. */
  readonly attach?: false;
  readonly init: boolean;
  readonly tty: boolean;
  /** `null`: everything is kept. */
  readonly logging: Logging | null;
  readonly stdinOpen: boolean;
  readonly readOnly: boolean;
  /** `volumes` and `tmpfs` together, in the order of the file. */
  readonly mounts: readonly Mount[];
  /** Whose mounts the container takes over as well. Absent: nobody's. */
  readonly volumesFrom?: readonly VolumesFrom[];
  /** Files with content of the project that the container is given. */
  readonly configs: readonly FileGrant[];
  readonly secrets: readonly FileGrant[];
  readonly extraHosts: readonly ExtraHost[];
  /** Addresses of the servers that are asked for names outside; empty: this machine's. */
  readonly dns: readonly string[];
  /** Domains that names are looked up in; empty: this machine's, `.` alone: none. */
  readonly dnsSearch: readonly string[];
  /** As resolv.conf has them: `ndots:2`. */
  readonly dnsOptions: readonly string[];
  /** In the order in which they are joined; none where `networkMode` says another way. */
  readonly networks: readonly Attachment[];
  readonly networkMode: NetworkMode | null;
  /** Hardware address on the first network that names none, lower case with colons. */
  readonly macAddress: string | null;
  readonly links: readonly Link[];
  /** Names without `CAP_`, upper case, sorted; `ALL` stands for all. */
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly resources: Resources;
  readonly isolation: Isolation;
  readonly devices: Devices;
  /** Containers that run to their end before the service's own starts. */
  readonly preStart: readonly PreStart[];
  readonly postStart: readonly Hook[];
  readonly preStop: readonly Hook[];
  /** A name with `SIG` (`SIGTERM`, `SIGRTMIN+3`), or `null`: the image's, else SIGTERM. */
  readonly stopSignal: string | null;
  readonly stopGraceMs: number;
  readonly scale: number;
  readonly update: UpdatePolicy;
  /** How its containers go back to what they were; `null`: as they are updated. */
  readonly rollback: UpdatePolicy | null;
  readonly pullPolicy: PullPolicy;
  /** `os/architecture[/variant]`, or `null`: this machine's. */
  readonly platform: string | null;
  readonly profiles: readonly string[];
}

/** The reference under which a service's image is looked for, pulled and found. */
export function contentOf({ image, pin }: Pick<Service, "image" | "pin">): Reference {
  return pin ?? image;
}

/** How long a program may take to end where nothing is said, in milliseconds. */
export const USUAL_GRACE_MS = 10_000;

/** A program that is run in a container at a point of its life. */
export interface Hook {
  /** Never empty. */
  readonly command: readonly string[];
  /** `null`: as the container's own program. */
  readonly user: string | null;
  readonly privileged: boolean;
  readonly workingDir: string | null;
  /** Besides the container's own. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface PreStart {
  /** `null`: the service's. */
  readonly image: Reference | null;
  /** The service as the step's container has it; without hooks. */
  readonly service: Omit<Service, "image">;
  /** Once for each container of the service, not once for all of them. */
  readonly perReplica: boolean;
}

export type Protocol = "tcp" | "udp" | "sctp";

/** One container port reachable from the host. Ranges in the spec become one `Port` each where both sides have the same length. */
export interface Port {
  readonly target: number;
  readonly protocol: Protocol;
  /** Address on the host to listen on; `0.0.0.0` or `::` for all of its family, empty for all of both. */
  readonly host: string;
  /** First to last host port to choose from (equal for a fixed one); `null`: the engine picks any free one. */
  readonly published: { readonly from: number; readonly to: number } | null;
}

export interface ExposedPort {
  readonly port: number;
  readonly protocol: Protocol;
}

export interface Dependency {
  readonly service: string;
  readonly condition: "started" | "healthy" | "completed";
  /** Restart this service when the dependency is replaced. */
  readonly restart: boolean;
  /** `false`: only a warning when the dependency is missing or fails. */
  readonly required: boolean;
}

export interface RestartPolicy {
  readonly name: "no" | "always" | "on-failure" | "unless-stopped";
  /** Most restarts; 0 is without limit. */
  readonly limit: number;
  /** Milliseconds before each restart; `null`: 100 at first, then twice as many each time, 60,000 at most. */
  readonly delayMs: number | null;
  /** Milliseconds after which a restart counts as done, and the counting for `limit` begins anew; `null`: never. */
  readonly windowMs: number | null;
}

/** Never, as where nothing is said. */
export const NO_RESTART: RestartPolicy = { name: "no", limit: 0, delayMs: null, windowMs: null };

export type Mount =
  | {
      readonly type: "bind";
      /** Absolute path on the host. */
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
      /** Make the source as a directory when it is missing (the short form does, as Docker). */
      readonly createHostPath: boolean;
      readonly propagation: "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave";
      /** What lies mounted below the source: left out, there and writable, or there and as read-only as the rest. Absent: there. */
      readonly recursive?: "disabled" | "writable" | "readonly";
    }
  | {
      readonly type: "volume";
      /** A key of the project's volumes, or `null` for an anonymous one. */
      readonly source: string | null;
      readonly target: string;
      readonly readOnly: boolean;
      /** Do not fill an empty volume with what the image has at the target. */
      readonly noCopy: boolean;
      /** Directory inside the volume, relative, or `null` for all of it. */
      readonly subpath: string | null;
      /** Of an anonymous volume that is made for it. Absent: none. */
      readonly labels?: Readonly<Record<string, string>>;
    }
  | {
      readonly type: "image";
      /** What it shows is the image's, and stays so. */
      readonly source: Reference;
      readonly target: string;
      readonly readOnly: true;
      /** Path inside the image, or `null` for all of it. */
      readonly subpath: string | null;
    }
  | {
      readonly type: "tmpfs";
      readonly target: string;
      readonly readOnly: boolean;
      /** Bytes, or `null` for the kernel's default. */
      readonly size: number | null;
      /** Permission bits, or `null` for 1777. */
      readonly mode: number | null;
      /** Further mount options as written in the short form (`noexec`, `uid=1000`). */
      readonly options: readonly string[];
    };

/** All images that a service's containers need, and those that make it ready: their own first. */
export function imagesOf(service: Service): readonly Reference[] {
  const steps = service.preStart.flatMap(({ image, service: { mounts } }) => [
    ...(image === null ? [] : [image]),
    ...mountedImages(mounts),
  ]);
  return [...new Set([contentOf(service), ...mountedImages(service.mounts), ...steps])];
}

/** The images that mounts show. */
export function mountedImages(mounts: readonly Mount[]): readonly Reference[] {
  return mounts.flatMap((mount) => (mount.type === "image" ? [mount.source] : []));
}

/** A service of the project, or a container by its name. */
export interface VolumesFrom {
  readonly from: "service" | "container";
  readonly name: string;
  readonly readOnly: boolean;
}

/** A config or a secret as a container sees it. */
export interface FileGrant {
  /** A key of the project's configs or secrets. */
  readonly source: string;
  /** Absolute path in the container. */
  readonly target: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
  /** Tells one content from another and nothing else of it; filled in by the planner. */
  readonly digest?: string;
}

export interface ExtraHost {
  readonly name: string;
  /** An address, or the word `host-gateway`. */
  readonly address: string;
}

export type PullPolicy = "always" | "missing" | "never";
