import { Flags } from "@oclif/core";
import { BaseCommand } from "../../cli/base-command.ts";
import { several, templateFlag } from "../../cli/flags.ts";
import { listVolumes } from "../../cli/volumes.ts";

export default class VolumeLs extends BaseCommand {
  static override readonly summary = "List the volumes of all projects.";
  static override readonly usage = "volume ls [FLAGS]";
  static override readonly examples = ["<%= config.bin %> volume ls", "<%= config.bin %> volume ls --filter dangling=true -q"];
  static override readonly flags = {
    filter: several("Only volumes that fit: dangling, driver, label, name, project.", { helpValue: "KEY=VALUE" }),
    quiet: Flags.boolean({ char: "q", summary: "Only names." }),
    format: templateFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(VolumeLs);
    const { filter: filters = [], quiet, format } = flags;
    await this.work(flags, (session) => listVolumes(session, { filters, quiet, format }));
  }
}
