import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { copy } from "../cli/copy.ts";

export default class Cp extends BaseCommand {
  static override readonly summary = "Copy files between containers and this machine.";
  static override readonly description =
    "One end is SERVICE:PATH (or a container's name), the other a path here or - for a tar stream. A directory goes into one that is there, and becomes a new one where nothing is; DIR/. stands for what is in it.";
  static override readonly usage = "cp [FLAGS] SERVICE:PATH PATH|-\ncp [FLAGS] PATH|- SERVICE:PATH";
  static override readonly examples = [
    "<%= config.bin %> cp web:/var/log/app.log .",
    "<%= config.bin %> cp ./site/. web:/srv",
    "<%= config.bin %> cp db:/var/lib/data - | tar -t",
  ];
  static override readonly args = { source: ARG.required("What is copied."), target: ARG.required("Where it goes.") };
  static override readonly flags = {
    archive: Flags.boolean({ char: "a", summary: "Keep owners." }),
    "follow-link": Flags.boolean({ char: "L", summary: "Copy what a link at the source leads to." }),
    index: Flags.integer({ min: 1, summary: "Number of the service's container; all of them are copied to without it." }),
    all: Flags.boolean({ summary: "Copy into the service's containers of `run`, too." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Cp);
    const { archive, all, index, "follow-link": follow } = flags;
    const choice = { from: args.source, to: args.target, archive, follow, all, index: index ?? null };
    await this.work(flags, (session) => copy(session, choice));
  }
}
