import { BaseCommand } from "../../cli/base-command.ts";
import { formatFlag } from "../../cli/flags.ts";
import { showUsage } from "../../cli/image-care.ts";

export default class ImageDu extends BaseCommand {
  static override readonly summary = "Show what images take on disk, alone and shared with others.";
  static override readonly usage = "image du [FLAGS]";
  static override readonly examples = ["<%= config.bin %> image du"];
  static override readonly flags = { format: formatFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(ImageDu);
    await this.work(flags, (session) => showUsage(session, { format: flags.format }));
  }
}
