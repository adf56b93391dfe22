import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { saveImages } from "../../cli/image-archives.ts";

export default class ImageSave extends BaseCommand {
  static override readonly summary = "Write images as one archive, which load, docker load and others read.";
  static override readonly usage = "image save [FLAGS] NAME...";
  static override readonly examples = [
    "<%= config.bin %> image save -o shop.tar shop/web:1 shop/db:1",
    "<%= config.bin %> image save shop/web:1 | ssh host wharf image load",
  ];
  static override readonly args = { name: ARG.some("Images, by name or id.") };
  static override readonly flags = {
    output: Flags.string({ char: "o", helpValue: "FILE", summary: "Write here instead of standard output." }),
    format: Flags.string({
      options: ["docker-archive", "oci-archive"],
      default: "docker-archive",
      helpValue: "docker-archive|oci-archive",
      summary: "The form of the archive.",
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageSave);
    const { output, format } = flags;
    await this.work(flags, (session) => saveImages(session, args.name, { output, format }));
  }
}
