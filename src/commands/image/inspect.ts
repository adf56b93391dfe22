import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { inspectImages } from "../../cli/images.ts";

export default class ImageInspect extends BaseCommand {
  static override readonly summary = "Show everything about images, in the form of Docker.";
  static override readonly usage = "image inspect [FLAGS] NAME...";
  static override readonly examples = ["<%= config.bin %> image inspect nginx"];
  static override readonly args = { name: ARG.some("Images, by name or id.") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageInspect);
    await this.work(flags, (session) => inspectImages(session, args.name));
  }
}
