import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { SELECTION_FLAGS, selection } from "../cli/flags.ts";
import { up } from "../cli/up.ts";

export default class Create extends BaseCommand {
  static override readonly summary = "Create containers for the services, and start none.";
  static override readonly usage = "create [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> create", "<%= config.bin %> create --scale web=2"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    ...SELECTION_FLAGS,
    "quiet-pull": Flags.boolean({ summary: "Do not show how far pulls are." }),
    yes: Flags.boolean({ char: "y", summary: "Say yes to every question." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Create);
    const options = { assumeYes: flags.yes, quietPull: flags["quiet-pull"], attach: null };
    await this.work(flags, (session) => up(session, { ...selection(flags, args.service), ...options, start: false }));
  }
}
