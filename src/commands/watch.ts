import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { EVERYTHING } from "../cli/up.ts";
import { watch } from "../cli/watch.ts";

export default class Watch extends BaseCommand {
  static override readonly summary = "Keep what runs equal to the spec, each time that a file of it changes.";
  static override readonly description =
    "It watches the spec's files, .env and env files, those that are not there yet too. While the spec is wrong, what runs is left as it is and " +
    "the problems are shown; with the spec mended it goes on. So it does when a run fails: the next change tries again. It ends at once, with " +
    "status 3, only where no spec was named and none is found. Ctrl-C ends it and leaves the containers running; wharf up --watch shows their " +
    "logs meanwhile, and stops them.";
  static override readonly usage = "watch [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> watch", "<%= config.bin %> watch --no-up"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    "no-up": Flags.boolean({ summary: "Wait for the first change before anything is done." }),
    "remove-orphans": Flags.boolean({ summary: "Remove containers of services that the spec does not have (any more)." }),
    quiet: Flags.boolean({ summary: "Show no progress." }),
    yes: Flags.boolean({ char: "y", summary: "Say yes to every question." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Watch);
    const settings = flags.quiet ? { ...flags, progress: "quiet" } : flags;
    const selection = { ...EVERYTHING, services: args.service ?? [], removeOrphans: flags["remove-orphans"] };
    await this.work(settings, (session) =>
      watch(session, { selection, up: !flags["no-up"], assumeYes: flags.yes, quietPull: false, attach: null }),
    );
  }
}
