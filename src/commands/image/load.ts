import { Flags } from "@oclif/core";
import { BaseCommand } from "../../cli/base-command.ts";
import { loadImages } from "../../cli/image-archives.ts";

export default class ImageLoad extends BaseCommand {
  static override readonly summary = "Take in the images of an archive: docker-archive or oci-archive, plain or compressed.";
  static override readonly usage = "image load [FLAGS]";
  static override readonly examples = ["<%= config.bin %> image load -i shop.tar", "docker save shop/web:1 | <%= config.bin %> image load"];
  static override readonly flags = {
    input: Flags.string({ char: "i", helpValue: "FILE", summary: "Read this instead of standard input." }),
    quiet: Flags.boolean({ char: "q", summary: "Show no progress." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ImageLoad);
    await this.work(flags, (session) => loadImages(session, { input: flags.input, quiet: flags.quiet }));
  }
}
