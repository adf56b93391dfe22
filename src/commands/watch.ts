import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { watch } from "../cli/watch.ts";

export default class Watch extends BaseCommand {
  static override readonly summary = "Keep what runs equal to the spec, each time that a file of it changes.";
  static override readonly usage = "watch [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> watch", "<%= config.bin %> watch --no-up"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    "no-up": Flags.boolean({ summary: "Wait for the first change before anything is done." }),
    quiet: Flags.boolean({ summary: "Show no progress." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Watch);
    const settings = flags.quiet ? { ...flags, progress: "quiet" } : flags;
    await this.work(settings, (session) => watch(session, { services: args.service ?? [], up: !flags["no-up"] }));
  }
}
