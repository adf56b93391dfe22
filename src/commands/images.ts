import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { formatFlag } from "../cli/flags.ts";
import { showProjectImages } from "../cli/project-images.ts";

export default class Images extends BaseCommand {
  static override readonly summary = "List the images that the project's containers were made from.";
  static override readonly usage = "images [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> images", "<%= config.bin %> images --format json web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    quiet: Flags.boolean({ char: "q", summary: "Only ids." }),
    format: formatFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Images);
    const { quiet, format } = flags;
    await this.work(flags, (session) => showProjectImages(session, args.service ?? [], { quiet, format }));
  }
}
