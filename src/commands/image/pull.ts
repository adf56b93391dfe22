import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { pullImages } from "../../cli/transfers.ts";

export default class ImagePull extends BaseCommand {
  static override readonly summary = "Fetch images.";
  static override readonly usage = "image pull [FLAGS] NAME...";
  static override readonly examples = ["<%= config.bin %> image pull nginx:1.27"];
  static override readonly args = { name: ARG.some("Images by name.") };
  static override readonly flags = {
    platform: Flags.string({ helpValue: "OS/ARCH", summary: "For another platform than this machine's." }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImagePull);
    const options = { platform: flags.platform ?? null, quiet: flags.quiet };
    await this.work(flags, (session) => pullImages(session, args.name, options));
  }
}
