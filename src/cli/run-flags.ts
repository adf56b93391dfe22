import { Flags, type Interfaces } from "@oclif/core";
import { BUILD_FLAGS, detachKeysFlag, refuseBuild, several } from "./flags.ts";
import type { RunChoice } from "./one-off.ts";

/** What `run` can be told, as Compose's users write it. */
export const RUN_FLAGS = {
  detach: Flags.boolean({ char: "d", summary: "Leave it running and print its name." }),
  rm: Flags.boolean({ summary: "Remove the container when it ended." }),
  env: several("Set a variable; without a value it is yours, if you have it.", { char: "e", helpValue: "NAME=VALUE" }),
  "env-from-file": several("Set the variables of a file.", { helpValue: "FILE" }),
  volume: several("Mount a directory or a volume.", { char: "v", helpValue: "SOURCE:TARGET", aliases: ["volumes"] }),
  publish: several("Publish a port.", { char: "p", helpValue: "HOST:CONTAINER" }),
  "service-ports": Flags.boolean({ char: "P", summary: "Publish the service's own ports." }),
  user: Flags.string({ char: "u", helpValue: "USER[:GROUP]", summary: "Who it runs as." }),
  workdir: Flags.string({ char: "w", helpValue: "DIR", summary: "Where it runs." }),
  entrypoint: Flags.string({ helpValue: "WORDS", summary: "Instead of the entrypoint." }),
  name: Flags.string({ helpValue: "NAME", summary: "The container's name." }),
  "cap-add": several("Give it a capability.", { helpValue: "NAME" }),
  "cap-drop": several("Take a capability away.", { helpValue: "NAME" }),
  "use-aliases": Flags.boolean({ summary: "Answer to the service's names in its networks, too." }),
  label: several("Give the container a label.", { char: "l", helpValue: "KEY=VALUE", aliases: ["labels"] }),
  "no-deps": Flags.boolean({ summary: "Leave the services alone that it depends on." }),
  "no-recreate": Flags.boolean({ summary: "Leave containers as they are that it depends on, though they are described otherwise now." }),
  "no-tty": Flags.boolean({ char: "T", aliases: ["no-TTY"], summary: "Give it no terminal (it gets one when you have one)." }),
  interactive: Flags.boolean({ char: "i", default: true, allowNo: true, summary: "Pass your standard input on." }),
  tty: Flags.boolean({ char: "t", hidden: true }),
  pull: Flags.string({ helpValue: "always|missing|never|policy", summary: "When to fetch images." }),
  quiet: Flags.boolean({ char: "q", summary: "Show no progress." }),
  "quiet-pull": Flags.boolean({ summary: "Do not show how far pulls are." }),
  "remove-orphans": Flags.boolean({ summary: "Remove containers of services that the spec does not have." }),
  "detach-keys": detachKeysFlag,
  ...BUILD_FLAGS,
} as const;

/** Throws for what is not supported yet. */
export function runChoice(flags: Interfaces.InferredFlags<typeof RUN_FLAGS>): Omit<RunChoice, "service" | "argv" | "forced"> {
  refuseBuild("run", flags);
  const { detach, rm: remove, workdir: workingDir, user, entrypoint, name, pull, interactive } = flags;
  return {
    ...{ detach, remove, workingDir, user, entrypoint, name, pull, interactive },
    terminal: !flags["no-tty"],
    env: flags.env ?? [],
    envFiles: flags["env-from-file"] ?? [],
    capAdd: flags["cap-add"] ?? [],
    capDrop: flags["cap-drop"] ?? [],
    volumes: flags.volume ?? [],
    publish: flags.publish ?? [],
    labels: flags.label ?? [],
    servicePorts: flags["service-ports"],
    useAliases: flags["use-aliases"],
    dependencies: !flags["no-deps"],
    recreate: flags["no-recreate"] ? "never" : "changed",
    removeOrphans: flags["remove-orphans"],
    quietPull: flags["quiet-pull"],
    detachKeys: flags["detach-keys"],
  };
}
