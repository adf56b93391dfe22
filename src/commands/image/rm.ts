import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { removeImages } from "../../cli/images.ts";

export default class ImageRm extends BaseCommand {
  static override readonly summary = "Take names off images, and remove what nobody needs any more.";
  static override readonly usage = "image rm [FLAGS] NAME...";
  static override readonly examples = ["<%= config.bin %> image rm shop/web:1"];
  static override readonly args = { name: ARG.some("Images, by name or id.") };
  static override readonly flags = {
    force: Flags.boolean({ char: "f", summary: "Even if a container uses it: what that needs is kept." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageRm);
    await this.work(flags, (session) => removeImages(session, args.name, { force: flags.force }));
  }
}
