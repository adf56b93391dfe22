import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { formatFlag } from "../../cli/flags.ts";
import { verifyImages } from "../../cli/image-care.ts";

export default class ImageVerify extends BaseCommand {
  static override readonly summary = "Hold images against their digests, and say what is damaged.";
  static override readonly description =
    "Manifests, configurations and compressed layers are hashed and held against their digests. The files of each unpacked layer are held against what its archive says of them: names, kinds, sizes, modes, owners, times, links and extended attributes, not their content; a layer that was completed from those below it is only weighed as a whole.";
  static override readonly usage = "image verify [FLAGS] [NAME...]";
  static override readonly examples = ["<%= config.bin %> image verify", "<%= config.bin %> image verify --repair nginx"];
  static override readonly args = { name: ARG.any("Images, by name or id; none means all.") };
  static override readonly flags = {
    repair: Flags.boolean({ summary: "Make damaged parts again: from what is kept of them, else from their registry." }),
    format: formatFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageVerify);
    const { repair, format } = flags;
    await this.work(flags, (session) => verifyImages(session, args.name ?? [], { repair, format }));
  }
}
