import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../../cli/base-command.ts";
import { formatFlag } from "../../cli/flags.ts";
import { showHistory } from "../../cli/image-care.ts";

export default class ImageHistory extends BaseCommand {
  static override readonly summary = "Show the steps that made an image, the newest first, with what each added.";
  static override readonly usage = "image history [FLAGS] NAME";
  static override readonly examples = ["<%= config.bin %> image history nginx"];
  static override readonly args = { name: ARG.required("Image, by name or id.") };
  static override readonly flags = {
    quiet: Flags.boolean({ char: "q", summary: "Only ids." }),
    "no-trunc": Flags.boolean({ summary: "Everything in full." }),
    format: formatFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImageHistory);
    const { quiet, format } = flags;
    await this.work(flags, (session) => showHistory(session, args.name, { quiet, noTrunc: flags["no-trunc"], format }));
  }
}
