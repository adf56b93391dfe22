import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { formatFlag, several } from "../../cli/flags.ts";
import { listImages } from "../../cli/images.ts";

export default class ImageLs extends BaseCommand {
  static override readonly summary = "List the images of the store.";
  static override readonly usage = "image ls [FLAGS] [NAME]";
  static override readonly examples = [
    "<%= config.bin %> image ls",
    "<%= config.bin %> image ls nginx --digests",
    "<%= config.bin %> image ls --filter dangling=true -q",
  ];
  static override readonly args = { name: ARG.optional("Only this repository or image.") };
  static override readonly flags = {
    filter: several("Only images that fit: dangling, label, reference, before, since, until, id.", { helpValue: "KEY=VALUE" }),
    quiet: Flags.boolean({ char: "q", summary: "Only ids." }),
    "no-trunc": Flags.boolean({ summary: "Ids in full." }),
    digests: Flags.boolean({ summary: "The digests too." }),
    format: formatFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageLs);
    const { filter: filters = [], quiet, digests, format } = flags;
    const options = { name: args.name, filters, quiet, noTrunc: flags["no-trunc"], digests, format };
    await this.work(flags, (session) => listImages(session, options));
  }
}
