import { ARG, BaseCommand } from "../cli/base-command.ts";
import { inspect } from "../cli/listings.ts";

export default class Inspect extends BaseCommand {
  static override readonly summary = "Show everything about containers or images, in the form of Docker.";
  static override readonly usage = "inspect [FLAGS] NAME...";
  static override readonly examples = ["<%= config.bin %> inspect shop-web-1", "<%= config.bin %> inspect web"];
  static override readonly args = { name: ARG.some("Containers, services or images.") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Inspect);
    await this.work(flags, (session) => inspect(session, args.name));
  }
}
