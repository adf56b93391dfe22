import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { formatFlag } from "../../cli/flags.ts";
import { listImages } from "../../cli/images.ts";

export default class ImageLs extends BaseCommand {
  static override readonly summary = "List the images of the store.";
  static override readonly usage = "image ls [FLAGS] [NAME]";
  static override readonly examples = ["<%= config.bin %> image ls", "<%= config.bin %> image ls nginx --digests"];
  static override readonly args = { name: ARG.optional("Only this repository or image.") };
  static override readonly flags = {
    quiet: Flags.boolean({ char: "q", summary: "Only ids." }),
    digests: Flags.boolean({ summary: "The digests too." }),
    format: formatFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageLs);
    const { quiet, digests, format } = flags;
    await this.work(flags, (session) => listImages(session, { name: args.name, quiet, digests, format }));
  }
}
