import { Flags } from "@oclif/core";
import { Failure } from "../model/diagnostic.ts";
import type { AttachChoice } from "./attach.ts";
import type { Selection } from "./up.ts";

/** A flag that may be given several times, one value each. */
export const several = (summary: string, options: { readonly char?: "e" | "v" | "p" | "l" | "o"; readonly helpValue?: string } = {}) =>
  Flags.string({ summary, multiple: true, multipleNonGreedy: true, ...options });

export const timeoutFlag = Flags.integer({
  char: "t",
  helpValue: "SECONDS",
  summary: "Seconds to wait for a container to stop before it is killed.",
});

export const detachKeysFlag = Flags.string({
  helpValue: "KEYS",
  summary: "Keys that leave it alone, at a terminal (ctrl-p,ctrl-q).",
});

export const formatFlag = Flags.string({
  options: ["table", "json"],
  default: "table",
  helpValue: "table|json",
  summary: "How the result is printed.",
});

/** What `up`, `create` and `plan` have in common. */
export const SELECTION_FLAGS = {
  "force-recreate": Flags.boolean({ summary: "Replace containers even if nothing changed." }),
  "no-recreate": Flags.boolean({ summary: "Leave containers that exist as they are.", exclusive: ["force-recreate"] }),
  "no-deps": Flags.boolean({ summary: "Leave the services alone that those named depend on." }),
  "no-start": Flags.boolean({ summary: "Create, and start nothing." }),
  "remove-orphans": Flags.boolean({ summary: "Remove containers of services that the spec does not have." }),
  "renew-anon-volumes": Flags.boolean({ char: "V", summary: "Give replaced containers new anonymous volumes." }),
  scale: several("How many containers a service gets, instead of the spec's number.", { helpValue: "SERVICE=COUNT" }),
  locked: Flags.boolean({ summary: "Run exactly the images that wharf.lock pins, and refuse what is not pinned." }),
  "no-rollback": Flags.boolean({ summary: "Leave a replacement that fails as it is, instead of putting the old container back." }),
  pull: Flags.string({ helpValue: "always|missing|never|policy", summary: "When to fetch images, instead of each service's policy." }),
  timeout: timeoutFlag,
} as const;

/** What is in the file was decided when it was written. */
export const savedPlanFlag = Flags.string({
  helpValue: "FILE",
  summary: "Do exactly what `plan -o FILE` wrote down, or nothing when the world has moved since.",
  exclusive: ["watch", ...Object.keys(SELECTION_FLAGS)],
});

export interface SelectionFlags {
  readonly "force-recreate": boolean;
  readonly "no-recreate": boolean;
  readonly "no-deps": boolean;
  readonly "no-start": boolean;
  readonly "remove-orphans": boolean;
  readonly "renew-anon-volumes": boolean;
  readonly scale: readonly string[] | undefined;
  readonly locked: boolean;
  readonly "no-rollback": boolean;
  readonly pull: string | undefined;
  readonly timeout: number | undefined;
}

export function selection(flags: SelectionFlags, services: readonly string[] | undefined): Selection {
  return {
    services: services ?? [],
    recreate: flags["force-recreate"] ? "always" : flags["no-recreate"] ? "never" : "changed",
    dependencies: !flags["no-deps"],
    start: !flags["no-start"],
    removeOrphans: flags["remove-orphans"],
    renewAnonymousVolumes: flags["renew-anon-volumes"],
    pull: flags.pull,
    locked: flags.locked,
    rollback: !flags["no-rollback"],
    scale: flags.scale ?? [],
    timeout: flags.timeout,
  };
}

/** How `up` stays with its containers. */
export const ATTACH_FLAGS = {
  detach: Flags.boolean({ char: "d", summary: "Leave the containers running and return." }),
  "abort-on-container-exit": Flags.boolean({ summary: "Stop everything when one container ends.", exclusive: ["detach"] }),
  "exit-code-from": Flags.string({
    helpValue: "SERVICE",
    summary: "End with this service's exit status; stop everything when a container ends.",
    exclusive: ["detach"],
  }),
  attach: several("Show only this service's logs.", { helpValue: "SERVICE" }),
  "no-attach": several("Leave this service's logs out.", { helpValue: "SERVICE" }),
  "no-log-prefix": Flags.boolean({ summary: "Print log lines without the container's name." }),
  "no-color": Flags.boolean({ summary: "Print logs without colour." }),
  timestamps: Flags.boolean({ summary: "Print the time of each log line." }),
} as const;

export interface AttachFlags {
  readonly detach: boolean;
  readonly "abort-on-container-exit": boolean;
  readonly "exit-code-from": string | undefined;
  readonly attach: readonly string[] | undefined;
  readonly "no-attach": readonly string[] | undefined;
  readonly "no-log-prefix": boolean;
  readonly "no-color": boolean;
  readonly timestamps: boolean;
}

/** `null`: not at all. */
export function attachChoice(flags: AttachFlags): AttachChoice | null {
  if (flags.detach) return null;
  return {
    only: flags.attach ?? [],
    except: flags["no-attach"] ?? [],
    prefix: !flags["no-log-prefix"],
    timestamps: flags.timestamps,
    colour: !flags["no-color"],
    abortOnExit: flags["abort-on-container-exit"],
    exitCodeFrom: flags["exit-code-from"] ?? null,
  };
}

/** How this machine is made to start containers. */
export const AUTOSTART_FLAGS = {
  with: Flags.string({
    options: ["systemd", "cron"],
    helpValue: "systemd|cron",
    summary: "By what, instead of systemd where it runs and else cron.",
  }),
  directory: Flags.string({ helpValue: "DIRECTORY", summary: "Where the file is, instead of the usual place; nobody is told of it." }),
} as const;

/** Waiting until what was started is there to be used. */
export const WAIT_FLAGS = {
  wait: Flags.boolean({ summary: "Return when the services are healthy, or running where they have no health check." }),
  "wait-timeout": Flags.integer({ helpValue: "SECONDS", summary: "Seconds to wait for that at most.", dependsOn: ["wait"] }),
} as const;

/** The target of a command that passes words on, and those words. */
export function targetOf(words: readonly string[], usage: string): { readonly target: string; readonly argv: readonly string[] } {
  const [target, ...argv] = words;
  if (target === undefined) throw new Failure({ code: "E_USAGE", message: "which service?", hint: usage });
  return { target, argv };
}
