import { Flags } from "@oclif/core";
import { Failure } from "../model/diagnostic.ts";
import type { AttachChoice } from "./attach.ts";
import type { Selection } from "./up.ts";

/** A flag that may be given several times, one value each. */
export const several = (
  summary: string,
  options: { readonly char?: "c" | "e" | "v" | "p" | "l" | "o"; readonly helpValue?: string; readonly aliases?: string[] } = {},
) => Flags.string({ summary, multiple: true, multipleNonGreedy: true, ...options });

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

/** Of listings whose rows can be printed one by one. */
export const templateFlag = Flags.string({
  default: "table",
  helpValue: "table|json|TEMPLATE",
  summary: "How the result is printed: '{{.Name}}' or 'table {{.Name}}\\t{{.ID}}' are templates as Docker takes them.",
});

/** Compose's flags about building: that nothing is built can be promised already, and that something is is refused. */
export const BUILD_FLAGS = {
  build: Flags.boolean({ hidden: true }),
  "no-build": Flags.boolean({ hidden: true, exclusive: ["build"] }),
  "quiet-build": Flags.boolean({ hidden: true }),
} as const;

/** Throws for `--build`. */
export function refuseBuild(command: string, flags: { readonly build: boolean }): void {
  if (!flags.build) return;
  throw new Failure({
    code: "E_UNSUPPORTED",
    message: `${command} --build: wharf does not build images yet`,
    hint: "build the image with another tool and name it with `image:`",
  });
}

/** What `up`, `create` and `plan` have in common. */
export const SELECTION_FLAGS = {
  "force-recreate": Flags.boolean({ summary: "Replace containers even if nothing changed." }),
  "no-recreate": Flags.boolean({ summary: "Leave containers that exist as they are.", exclusive: ["force-recreate"] }),
  "no-deps": Flags.boolean({ summary: "Leave the services alone that those named depend on." }),
  "no-start": Flags.boolean({ summary: "Create, and start nothing." }),
  "remove-orphans": Flags.boolean({ summary: "Remove containers of services that the spec does not have." }),
  "renew-anon-volumes": Flags.boolean({ char: "V", summary: "Give replaced containers new anonymous volumes." }),
  "always-recreate-deps": Flags.boolean({ summary: "Replace the services that those named depend on, too.", exclusive: ["no-recreate"] }),
  ...BUILD_FLAGS,
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
  readonly "always-recreate-deps": boolean;
  readonly build: boolean;
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
  refuseBuild("up", flags);
  return {
    services: services ?? [],
    recreateDependencies: flags["always-recreate-deps"],
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
  "abort-on-container-failure": Flags.boolean({
    summary: "Stop everything when one container ends badly, and end with its exit status.",
    exclusive: ["detach", "abort-on-container-exit"],
  }),
  "exit-code-from": Flags.string({
    helpValue: "SERVICE",
    summary: "End with this service's exit status; stop everything when a container ends.",
    exclusive: ["detach"],
  }),
  attach: several("Show only this service's logs.", { helpValue: "SERVICE" }),
  "attach-dependencies": Flags.boolean({ summary: "Show the logs of the services too that those named depend on." }),
  "no-attach": several("Leave this service's logs out.", { helpValue: "SERVICE" }),
  "no-log-prefix": Flags.boolean({ summary: "Print log lines without the container's name." }),
  "no-color": Flags.boolean({ summary: "Print logs without colour." }),
  timestamps: Flags.boolean({ summary: "Print the time of each log line." }),
} as const;

export interface AttachFlags {
  readonly detach: boolean;
  readonly "abort-on-container-exit": boolean;
  readonly "abort-on-container-failure": boolean;
  readonly "attach-dependencies": boolean;
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
    abortOn: flags["abort-on-container-failure"] ? "failure" : flags["abort-on-container-exit"] ? "exit" : null,
    dependencies: flags["attach-dependencies"],
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
  wait: Flags.boolean({ summary: "Return when the services are healthy, run where they have no health check, or have ended with 0." }),
  "wait-timeout": Flags.integer({ helpValue: "SECONDS", summary: "Seconds to wait at most for what others depend on, and for --wait." }),
} as const;

/** The target of a command that passes words on, and those words. */
export function targetOf(words: readonly string[], usage: string): { readonly target: string; readonly argv: readonly string[] } {
  const [target, ...argv] = words;
  if (target === undefined) throw new Failure({ code: "E_USAGE", message: "which service?", hint: usage });
  return { target, argv };
}
