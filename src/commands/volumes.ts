import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { templateFlag } from "../cli/flags.ts";
import { listProjectVolumes } from "../cli/volumes.ts";

export default class Volumes extends BaseCommand {
  static override readonly summary = "List the volumes of the project.";
  static override readonly usage = "volumes [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> volumes", "<%= config.bin %> volumes --format json db"];
  static override readonly args = { service: ARG.any("Only those that these services mount.") };
  static override readonly flags = {
    quiet: Flags.boolean({ char: "q", summary: "Only names." }),
    format: templateFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Volumes);
    const { quiet, format } = flags;
    await this.work(flags, (session) => listProjectVolumes(session, args.service ?? [], { quiet, format }));
  }
}
