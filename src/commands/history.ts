import { Flags } from "@oclif/core";
import { BaseCommand } from "../cli/base-command.ts";
import { formatFlag } from "../cli/flags.ts";
import { showRevisions } from "../cli/revisions.ts";

export default class History extends BaseCommand {
  static override readonly summary = "List what earlier runs of `up` made true, and what each changed: `rollback` goes back there.";
  static override readonly usage = "history [FLAGS]";
  static override readonly examples = ["<%= config.bin %> history", "<%= config.bin %> history --format json"];
  static override readonly flags = {
    format: formatFlag,
    quiet: Flags.boolean({ char: "q", summary: "Only print the numbers." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(History);
    await this.work(flags, (session) => showRevisions(session, flags));
  }
}
