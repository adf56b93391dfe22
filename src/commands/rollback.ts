import { Args, Flags } from "@oclif/core";
import { BaseCommand } from "../cli/base-command.ts";
import { rollback } from "../cli/revisions.ts";

export default class Rollback extends BaseCommand {
  static override readonly summary =
    "Make true again what an earlier `up` did: services, settings and images. Volumes keep what is in them.";
  static override readonly usage = "rollback [FLAGS] [REVISION]";
  static override readonly examples = ["<%= config.bin %> rollback", "<%= config.bin %> rollback 3 --dry-run"];
  static override readonly args = {
    revision: Args.integer({
      ignoreStdin: true,
      description: "Its number, as `history` lists it; the one before the newest unless given.",
    }),
  };
  static override readonly flags = {
    yes: Flags.boolean({ char: "y", summary: "Say yes to every question." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Rollback);
    const options = { revision: args.revision, dryRun: flags["dry-run"], assumeYes: flags.yes };
    await this.work(flags, (session) => rollback(session, options));
  }
}
