import { Flags } from "@oclif/core";
import { BaseCommand } from "../../cli/base-command.ts";
import { several } from "../../cli/flags.ts";
import { pruneImages } from "../../cli/image-care.ts";

export default class ImagePrune extends BaseCommand {
  static override readonly summary = "Remove images that have no tag, and with -a all that no container uses.";
  static override readonly usage = "image prune [FLAGS]";
  static override readonly examples = ["<%= config.bin %> image prune", "<%= config.bin %> image prune -a --filter until=240h -y"];
  static override readonly flags = {
    all: Flags.boolean({ char: "a", summary: "All images that no container uses." }),
    filter: several("Only images that fit: until, label, label!.", { helpValue: "KEY=VALUE" }),
    yes: Flags.boolean({ char: "y", summary: "Do not ask." }),
    force: Flags.boolean({ char: "f", summary: "Do not ask, as Docker spells it." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ImagePrune);
    const { all, filter: filters = [], yes, force } = flags;
    const options = { all, filters, yes: yes || force, dryRun: flags["dry-run"] };
    await this.work(flags, (session) => pruneImages(session, options));
  }
}
