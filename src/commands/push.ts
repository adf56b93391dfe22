import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { pushServices } from "../cli/transfers.ts";

export default class Push extends BaseCommand {
  static override readonly summary = "Upload the images of services.";
  static override readonly usage = "push [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> push", "<%= config.bin %> push web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    quiet: Flags.boolean({ char: "q", summary: "Show no progress." }),
    "include-deps": Flags.boolean({ summary: "The images of services that those named depend on too." }),
    "ignore-push-failures": Flags.boolean({ summary: "Go on, and end well, when an image cannot be uploaded." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Push);
    const choice = { quiet: flags.quiet, ignoreFailures: flags["ignore-push-failures"], dependencies: flags["include-deps"] };
    await this.work(flags, (session) => pushServices(session, args.service ?? [], choice));
  }
}
