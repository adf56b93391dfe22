import { Flags } from "@oclif/core";
import { version } from "../cli/about.ts";
import { BaseCommand } from "../cli/base-command.ts";

export default class Version extends BaseCommand {
  static override readonly summary = "Print the version.";
  static override readonly usage = "version [FLAGS]";
  static override readonly examples = ["<%= config.bin %> version", "<%= config.bin %> version --short"];
  static override readonly flags = {
    short: Flags.boolean({ summary: "Only the number." }),
    format: Flags.string({
      char: "f",
      options: ["pretty", "json"],
      default: "pretty",
      helpValue: "pretty|json",
      summary: "How it is printed.",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Version);
    const { short, format } = flags;
    await this.work(flags, async (session) => version(session, { short, format }));
  }
}
