import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { tagImage } from "../../cli/image-care.ts";

export default class ImageTag extends BaseCommand {
  static override readonly summary = "Give an image a further name.";
  static override readonly usage = "image tag NAME NEW-NAME";
  static override readonly examples = ["<%= config.bin %> image tag shop/web:1 registry.example/shop/web:1"];
  static override readonly args = { name: ARG.required("Image, by name or id."), target: ARG.required("The further name.") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageTag);
    await this.work(flags, (session) => tagImage(session, args.name, args.target));
  }
}
