import type { Action } from "../model/action.ts";
import type { Json } from "../model/json.ts";
import type { Observed, ObservedContainer } from "../model/observed.ts";
import type { Project } from "../model/project.ts";
import type { Reference } from "../model/reference.ts";
import type { ContainerEvent, EventOptions } from "./events.ts";
import type { Files } from "./files.ts";
import type { ImageConfig, Images } from "./images.ts";
import type { Networks } from "./networks.ts";
import type { Volumes } from "./volumes.ts";

/**
 * What carries actions out. One small interface that speaks only our model; every engine passes the same conformance suite.
 * All methods may throw `Failure`. A method that waits takes a signal and ends soon after it aborts, leaving the world consistent.
 */
export interface Engine {
  /** `oci`, `memory`, … */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** A snapshot for this project. A project that was never made is empty, not an error. */
  observe(project: Project, signal: AbortSignal): Promise<Observed>;
  /** Carries out one action. Idempotent where the world already is as asked (a stopped container is stopped again). */
  apply(action: Action, context: ApplyContext): Promise<void>;
  /** Every container of the engine, of every project and of none: `ls`, `ps` of others, name look-ups. */
  containers(signal: AbortSignal): Promise<readonly ObservedContainer[]>;
  /** Log lines of containers by id, merged by time. With `follow` it goes on until all of them ended or the signal aborts. */
  logs(ids: readonly string[], options: LogOptions, signal: AbortSignal): AsyncIterable<LogLine>;
  /** What happened to a project's containers and happens to them, oldest first. */
  events(project: string, options: EventOptions, signal: AbortSignal): AsyncIterable<ContainerEvent>;
  /**
   * Runs a process inside a running container with the caller's standard streams; gives its exit status, or `null` when the caller typed the keys
   * that detach, and it runs on.
   */
  exec(id: string, options: ExecOptions, signal: AbortSignal): Promise<number | null>;
  /**
   * Connects the caller's standard streams to a container that exists and is not started, starts it, and gives its exit status; `null` when the
   * caller typed the keys that detach, and it runs on.
   */
  runAttached(id: string, options: AttachOptions, signal: AbortSignal): Promise<number | null>;
  /** As `runAttached`, to one that runs. Throws E_NOT_RUNNING. */
  attach(id: string, options: AttachOptions, signal: AbortSignal): Promise<number | null>;
  /** Waits until the container is not running; gives its exit status. */
  wait(id: string, signal: AbortSignal): Promise<number>;
  /** The processes of a container, by their numbers on this machine, oldest number first. Throws E_NOT_RUNNING. */
  processes(id: string, signal: AbortSignal): Promise<readonly ProcessInfo[]>;
  /** What a container has used up so far and holds now. Throws E_NOT_RUNNING. */
  usage(id: string, signal: AbortSignal): Promise<ResourceUsage>;
  /** A container's own files as a tar stream, without what is mounted in it. One that does not run must not be started meanwhile. */
  exportFiles(id: string, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** The files of a container as it sees them, whether it runs or not. To be closed. */
  files(id: string, signal: AbortSignal): Promise<Files>;
  /** Makes an image of a container: its own with what the container changed in its files as one more layer. Gives the new image's id. */
  commit(id: string, options: CommitOptions, signal: AbortSignal): Promise<string>;
  /** Docker's inspect document for one container. */
  inspect(id: string, signal: AbortSignal): Promise<Json>;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  close(): Promise<void>;
}

/** What the planner must know of an engine, as data. */
export interface Capabilities {
  /** Who keeps replicas alive. */
  readonly scheduling: "client" | "cluster";
  readonly healthchecks: "none" | "client" | "engine";
  readonly builds: boolean;
}

export interface ApplyContext {
  readonly signal: AbortSignal;
  /** `item` names what moves (a layer's short digest), `phase` what is done with it (`download`, `unpack`); bytes. */
  progress(item: string, phase: string, done: number, total: number | null): void;
  /** One line worth keeping: where a digest came from, which free port was chosen. */
  note(message: string): void;
}

export interface CommitOptions {
  /** Its name; `null`: none. */
  readonly reference: Reference | null;
  readonly author: string;
  readonly message: string;
  /** Hold the container still meanwhile, where it runs. */
  readonly pause: boolean;
  /** Over what the container was made with: variables, ports, volumes and labels are added, the rest is replaced. */
  readonly config: ImageConfig;
}

export interface LogOptions {
  readonly follow: boolean;
  /** Last lines per container, or `null` for all. */
  readonly tail: number | null;
  /** Only lines at or after, before this time: milliseconds since 1970, or `null`. */
  readonly since: number | null;
  readonly until: number | null;
}

export interface LogLine {
  /** Container id. */
  readonly container: string;
  readonly stream: "stdout" | "stderr";
  /** RFC 3339 UTC with as many digits of a second as the engine keeps. */
  readonly time: string;
  /** Without its newline. */
  readonly text: string;
  /** `false` where the program wrote no newline (the last line of a stream). */
  readonly complete: boolean;
}

export interface ExecOptions {
  readonly argv: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly detach: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string | null;
  readonly workingDir: string | null;
  readonly privileged: boolean;
  /** Bytes that leave it to itself when they are typed at its terminal; absent: there are none. */
  readonly detachKeys?: readonly number[];
}

/** One process of a container. */
export interface ProcessInfo {
  /** By the container's own list of users, else the number. */
  readonly user: string;
  readonly pid: number;
  readonly parent: number;
  /** RFC 3339 UTC. */
  readonly startedAt: string;
  /** `pts/0`, or `null`: none. */
  readonly tty: string | null;
  /** Processor time that it took so far, in milliseconds. */
  readonly cpuMs: number;
  /** Its command line; the program's name in brackets where it has none. */
  readonly command: string;
}

/** Sizes in bytes. What the kernel does not count is 0. */
export interface ResourceUsage {
  /** When it was looked at, and the processor time until then, both in milliseconds; the first by a clock that never jumps. */
  readonly at: number;
  readonly cpuMs: number;
  /** Without what the kernel would drop at once from its cache of files. */
  readonly memory: number;
  /** The container's own limit, else the machine's memory. */
  readonly memoryLimit: number;
  readonly processes: number;
  readonly received: number;
  readonly sent: number;
  readonly blockRead: number;
  readonly blockWritten: number;
}

export interface AttachOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  /** Bytes that end the connection when they are typed at a terminal. */
  readonly detachKeys: readonly number[];
}

export type { Reference };
