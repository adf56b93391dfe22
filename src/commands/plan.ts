import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { formatFlag, SELECTION_FLAGS, selection } from "../cli/flags.ts";
import { plan } from "../cli/up.ts";

export default class Plan extends BaseCommand {
  static override readonly summary = "Show what `up` would do and why, and change nothing.";
  static override readonly usage = "plan [FLAGS] [SERVICE...]";
  static override readonly examples = [
    "<%= config.bin %> plan",
    "<%= config.bin %> plan --format json",
    "<%= config.bin %> plan --detailed-exitcode || echo changes",
  ];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    ...SELECTION_FLAGS,
    format: formatFlag,
    "detailed-exitcode": Flags.boolean({ summary: "End with 2 when there is something to do." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Plan);
    const { format, "detailed-exitcode": detailed } = flags;
    await this.work(flags, (session) => plan(session, { ...selection(flags, args.service), format, detailed }));
  }
}
