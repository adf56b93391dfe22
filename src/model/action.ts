import type { Json } from "./json.ts";
import type { Attachment, NetworkConfig } from "./network.ts";
import type { FileOrigin } from "./project.ts";
import type { Reference } from "./reference.ts";
import type { Content } from "./secret.ts";
import type { FileGrant, Hook, Mount, Service } from "./service.ts";

/** Everything that an engine can be asked to do to the world, one effect each. The map ties a payload to its kind. */
interface Payloads {
  /** `always`: ask the registry whether the tag moved; `missing`: only when it is not in the store. */
  readonly "image.pull": { readonly reference: Reference; readonly platform: string | null; readonly policy: "always" | "missing" };
  readonly "network.create": NetworkPayload;
  /** Makes a network that exists anew with what is connected to it: its containers that run get new addresses and go on. */
  readonly "network.update": NetworkPayload;
  /** Makes the bridge of a network where it is gone, and connects who runs and is not on it, with the addresses that they have. */
  readonly "network.connect": { readonly network: string };
  readonly "network.remove": { readonly network: string };
  readonly "volume.create": {
    readonly volume: string;
    readonly key: string | null;
    readonly labels: Readonly<Record<string, string>>;
    /** Absent: none. */
    readonly driverOptions?: Readonly<Record<string, string>>;
  };
  /** Gives a volume other labels; what is in it stays. */
  readonly "volume.update": { readonly volume: string; readonly labels: Readonly<Record<string, string>> };
  readonly "volume.remove": { readonly volume: string };
  readonly "container.create": { readonly container: string; readonly spec: ContainerSpec; readonly contents?: Contents };
  /**
   * Gives a container what can change while it is there (`adjusted`), at once where it runs; the rest of `spec` does not count. All of it or, when
   * it fails, nothing.
   */
  readonly "container.update": { readonly container: string; readonly spec: ContainerSpec };
  /** `contents`: its secrets, for when they were lost with the machine's memory. */
  /** `beside`: without its host ports and names, which another container still has: `container.takeover` gives it those. */
  readonly "container.start": { readonly container: string; readonly contents?: Contents; readonly beside?: boolean };
  /** New connections and look-ups go to this one instead of `from` from now on, at one instant; `from` keeps the connections it has. */
  readonly "container.takeover": { readonly container: string; readonly from: string | null };
  /** Waits until nobody is connected to its published ports, `graceMs` (or the container's own grace period) at most. */
  readonly "container.drain": { readonly container: string; readonly graceMs: number | null };
  /** Ends it: `signal` (or the container's own), after `graceMs` SIGKILL. Nothing when it is not running. */
  readonly "container.stop": { readonly container: string; readonly graceMs: number | null };
  readonly "container.kill": { readonly container: string; readonly signal: string };
  /** Runs a program in it to its end. One that stops has nothing to say any more in a container that ended: nothing then. */
  readonly "container.hook": { readonly container: string; readonly when: "post_start" | "pre_stop"; readonly hook: Hook };
  /** Holds every process of it still. Nothing when that is so already. */
  readonly "container.pause": { readonly container: string };
  /** Lets it go on. Nothing when it is not paused. */
  readonly "container.unpause": { readonly container: string };
  readonly "container.restart": { readonly container: string; readonly graceMs: number | null; readonly contents?: Contents };
  readonly "container.remove": { readonly container: string; readonly volumes: boolean; readonly force: boolean };
  /** The new one takes the name of the one it replaces once that is gone. */
  readonly "container.rename": { readonly container: string; readonly to: string };
  /**
   * Whether a container that was just started is fit to take over: it gets healthy where its health is checked, and stays so until `monitorMs`
   * from its start; elsewhere it runs on for so long (`null`: a second), or ends with 0 before. After that `delayMs` more. Throws `E_NOT_STEADY`.
   */
  readonly "container.prove": { readonly container: string; readonly monitorMs: number | null; readonly delayMs: number };
  readonly "container.wait": { readonly container: string; readonly until: "healthy" | "completed"; readonly required: boolean };
  /** Sees to it that the project has who looks after its containers. Nothing where it has. */
  readonly "supervisor.start": { readonly project: string };
}

interface NetworkPayload {
  readonly network: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly config: NetworkConfig;
  /** What it is made from, for the record that later plans compare with. */
  readonly attributes: Readonly<Record<string, Json>>;
}

/** How a container is on a network. What is absent is at its default. */
export interface Joined extends Partial<Omit<Attachment, "network" | "aliases" | "priority">> {
  /** The network's name in the engine. */
  readonly name: string;
  readonly aliases: readonly string[];
  /** Addresses that other services ask for, which are not to be given to it by chance. */
  readonly avoid?: readonly string[];
}

export type ActionKind = keyof Payloads;

/** What a container is made of: the service it stands for, with everything that the planner decided. */
export interface ContainerSpec {
  readonly project: string;
  readonly directory: string;
  readonly service: Service;
  /** From 1; 0 for a one-off. */
  readonly number: number;
  readonly oneOff: boolean;
  /** It goes, with its anonymous volumes, when it has ended. Absent: it stays. */
  readonly autoRemove?: true;
  readonly hash: string;
  readonly attributes: Readonly<Record<string, Json>>;
  /** The service's labels and wharf's own. */
  readonly labels: Readonly<Record<string, string>>;
  /** The networks to join, in this order. None where the service's `networkMode` says another way. */
  readonly networks: readonly Joined[];
  /** The service's mounts with volumes by their engine name; `null` stays for a new anonymous one. */
  readonly mounts: readonly Mount[];
  /** Absent: none. */
  readonly files?: readonly GivenFile[];
}

/** What the files of a container hold, by `config/KEY` and `secret/KEY`. */
export type Contents = Readonly<Record<string, Content>>;

/** A config or secret that a container is given. What it holds comes with the action that makes it. */
export interface GivenFile extends FileGrant {
  readonly kind: "config" | "secret";
  readonly origin: FileOrigin;
}

export type Action = { [K in ActionKind]: { readonly kind: K } & Payloads[K] }[ActionKind];

/** The thing an action is about, as a user names it. */
export function subject(action: Action): string {
  switch (action.kind) {
    case "image.pull":
      return action.reference;
    case "network.create":
    case "network.update":
    case "network.connect":
    case "network.remove":
      return action.network;
    case "volume.create":
    case "volume.update":
    case "volume.remove":
      return action.volume;
    case "container.create":
    case "container.update":
    case "container.start":
    case "container.stop":
    case "container.kill":
    case "container.hook":
    case "container.pause":
    case "container.unpause":
    case "container.restart":
    case "container.remove":
    case "container.rename":
    case "container.takeover":
    case "container.drain":
    case "container.prove":
    case "container.wait":
      return action.container;
    case "supervisor.start":
      return action.project;
  } // no default: a new kind breaks the build here, which is the point
}
