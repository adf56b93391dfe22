import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { pushImages } from "../../cli/transfers.ts";

export default class ImagePush extends BaseCommand {
  static override readonly summary = "Upload images.";
  static override readonly usage = "image push [FLAGS] NAME...";
  static override readonly examples = ["<%= config.bin %> image push registry.example/shop/web:1"];
  static override readonly args = { name: ARG.some("Images by name.") };
  static override readonly flags = {
    quiet: Flags.boolean({ char: "q", summary: "Show no progress." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImagePush);
    await this.work(flags, (session) => pushImages(session, args.name, { quiet: flags.quiet }));
  }
}
