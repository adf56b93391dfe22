import type { ContainerSpec } from "./action.ts";
import type { Code } from "./codes.ts";
import type { HealthStatus } from "./health.ts";
import type { Json } from "./json.ts";
import type { Secret } from "./secret.ts";
import type { ExposedPort, Protocol } from "./service.ts";

/** A snapshot of what exists, as far as a project is concerned. Made by an engine, read by the planner. */
export interface Observed {
  /** Containers labelled for this project, one-offs too. */
  readonly containers: readonly ObservedContainer[];
  readonly networks: readonly ObservedNetwork[];
  /** Labelled for this project, and those that its spec names (`external` ones, or somebody's with the same name). */
  readonly volumes: readonly ObservedVolume[];
  /** Images that the project names and that are present, by canonical reference. */
  readonly images: Readonly<Record<string, ObservedImage>>;
  /** Names of containers and of nobody's leftovers that this project does not own. */
  readonly foreign: readonly ForeignName[];
  /** Containers of this project that are gone, and nobody asked wharf for that. Absent: none. */
  readonly missing?: readonly MissingContainer[];
  /** `true`: containers need somebody to look after them, and whoever did was killed. Absent: somebody does, or nobody need. */
  readonly unattended?: boolean;
  /** Host ports that something outside this project holds. */
  readonly takenPorts: readonly TakenPort[];
  /** What this machine cannot do for services of the project, or does otherwise than they ask. */
  readonly concerns: readonly Concern[];
  /** A key that only this engine has: digests of secrets are made with it. Absent where the project has no secrets. */
  readonly secretKey?: Secret;
}

/** Said when a container of the service is to be made or started: `E_…` keeps that from being done, `W_…` does not. */
export interface Concern {
  readonly service: string;
  /** Dotted path in the service of what asks for it. */
  readonly attribute: string;
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

export type ContainerState = "created" | "running" | "paused" | "restarting" | "exited" | "dead";

export interface ObservedContainer {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly project: string | null;
  readonly service: string | null;
  /** Replica number from 1; 0 for a one-off. */
  readonly number: number;
  readonly oneOff: boolean;
  /** The versioned hash it was made with (`2:…`), or `null` when it carries none. */
  readonly hash: string | null;
  /** What it has, by the spec's own names, so that a plan can name what changed; `null`: unknown, or a change of it in place broke off. */
  readonly attributes: Readonly<Record<string, Json>> | null;
  /** All that it is made of, for a change in place that may have to be taken back. Absent: unknown. */
  readonly spec?: ContainerSpec;
  readonly image: { readonly reference: string; readonly id: string };
  readonly state: ContainerState;
  /** Of the last end; `null` while it never ended. */
  readonly exitCode: number | null;
  /** How it ended, in words, where it was made to and nobody asked wharf for that. Absent: it runs, ended by itself, or somebody did. */
  readonly ended?: string;
  /** A command was killed before it could do this, the second half of what it was about: a restart, or a commit that had paused it. Absent: none. */
  readonly owed?: "start" | "unpause";
  /** Its last run was ended by a stop, not by itself; absent: it was not, or that is not known. */
  readonly stopped?: boolean;
  /** How often its restart policy started it since a user did; absent: never. */
  readonly restarts?: number;
  /** It is started again after the machine was off, where that is asked for (`wharf autostart`). */
  readonly afterReboot: boolean;
  /** `null`: nobody looks at it, or it does not run. */
  readonly health: HealthStatus | null;
  /** Process id of its first process in this machine's root namespace, or `null`. */
  readonly pid: number | null;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** The command that it runs, entrypoint included. */
  readonly argv: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly PublishedPort[];
  /** Ports that its image or its service says it listens on, published or not, while it runs. Absent: none, or unknown. */
  readonly exposed?: readonly ExposedPort[];
  /** It runs beside the one that it shall replace, or that replaced it: its `ports` are another's, nobody finds it by name. */
  readonly beside: boolean;
  /** `cutOff`: it runs, and its interface leads nowhere any more: the bridge that it was on is gone. Absent: it is not. */
  readonly networks: readonly { readonly name: string; readonly address: string | null; readonly cutOff?: true }[];
  /** Names of volumes (named and anonymous) that it mounts, with their targets. */
  readonly volumes: readonly { readonly name: string; readonly target: string; readonly anonymous: boolean }[];
  /** Other mounts, for listings: source path or `tmpfs`. */
  readonly mounts: readonly string[];
}

export interface PublishedPort {
  readonly target: number;
  readonly protocol: Protocol;
  readonly host: string;
  readonly published: number;
}

export interface ObservedNetwork {
  readonly name: string;
  readonly project: string | null;
  /** Key in the spec it was made for, or `null`. */
  readonly key: string | null;
  /** `false`: it is known but the kernel lost it (after a reboot, or removed behind wharf's back); starting a container mends it. */
  readonly present: boolean;
  /** `true`: somebody took away what the packet filter must know of it and of the ports of its containers. Absent: nobody did. */
  readonly unfiltered?: boolean;
  /** What it was made from, by the spec's own names; what is at its default is absent. `null`: unknown, or a change of it broke off. */
  readonly attributes: Readonly<Record<string, Json>> | null;
}

export interface ObservedVolume {
  readonly name: string;
  readonly project: string | null;
  readonly key: string | null;
  /** What it is mounted from; absent: a directory of its own. */
  readonly driverOptions?: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ObservedImage {
  /** Digest of the config: Docker's image id. */
  readonly id: string;
  /** Digest of the manifest or index that the reference resolved to, when it came from a registry. */
  readonly digest: string | null;
  /** Whether it has anything to run: Entrypoint and Cmd together. */
  readonly command: readonly string[];
  /** Container paths that the image declares as volumes. */
  readonly volumes: readonly string[];
}

export interface MissingContainer {
  readonly name: string;
  readonly service: string;
}

export interface ForeignName {
  readonly name: string;
  /** The project that has it, or `null`: nobody's. */
  readonly project: string | null;
}

export interface TakenPort {
  readonly protocol: Protocol;
  readonly host: string;
  readonly port: number;
  /** Who has it, in words: `container shop-web-1 of project shop`, `process 812 (nginx)`. */
  readonly by: string;
}
