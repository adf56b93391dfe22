import { Flags } from "@oclif/core";
import { BaseCommand } from "../cli/base-command.ts";
import { formatFlag, several } from "../cli/flags.ts";
import { ls } from "../cli/listings.ts";

export default class Ls extends BaseCommand {
  static override readonly summary = "List all projects of the engine.";
  static override readonly usage = "ls [FLAGS]";
  static override readonly examples = ["<%= config.bin %> ls", "<%= config.bin %> ls -a --format json"];
  static override readonly flags = {
    all: Flags.boolean({ char: "a", summary: "Those too of which nothing runs." }),
    quiet: Flags.boolean({ char: "q", summary: "Only names." }),
    filter: several("As name=PATTERN.", { helpValue: "KEY=VALUE" }),
    format: formatFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Ls);
    const { all, quiet, format, filter: filters = [] } = flags;
    await this.work(flags, (session) => ls(session, { all, quiet, format, filters }));
  }
}
