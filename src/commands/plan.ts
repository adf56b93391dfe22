import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { SELECTION_FLAGS, selection } from "../cli/flags.ts";
import { plan } from "../cli/plan.ts";

export default class Plan extends BaseCommand {
  static override readonly summary = "Show what `up` would do and why, and change nothing.";
  static override readonly usage = "plan [FLAGS] [SERVICE...]";
  static override readonly examples = [
    "<%= config.bin %> plan",
    "<%= config.bin %> plan --format markdown > review.md",
    "<%= config.bin %> plan -o shop.plan && <%= config.bin %> up -d --plan shop.plan",
    "<%= config.bin %> plan --detailed-exitcode || echo changes",
  ];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    ...SELECTION_FLAGS,
    format: Flags.string({
      options: ["table", "json", "markdown"],
      default: "table",
      helpValue: "table|json|markdown",
      summary: "How the plan is printed: for reading, for programs (schemas/plan.schema.json), for a review.",
    }),
    full: Flags.boolean({ summary: "Also show what stays as it is." }),
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "Keep the plan in a file as well; `up --plan FILE` does exactly that." }),
    "detailed-exitcode": Flags.boolean({ summary: "End with 2 when there is something to do." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Plan);
    const { format, full, output, "detailed-exitcode": detailed } = flags;
    await this.work(flags, (session) => plan(session, { ...selection(flags, args.service), format, full, output, detailed }));
  }
}
