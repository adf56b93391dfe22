import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { timeoutFlag } from "../cli/flags.ts";
import { down } from "../cli/up.ts";

export default class Down extends BaseCommand {
  static override readonly summary = "Stop and remove the containers and networks of the project.";
  static override readonly usage = "down [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> down", "<%= config.bin %> down -v", "<%= config.bin %> -p shop down"];
  static override readonly args = { service: ARG.any("Services; none means all.") };
  static override readonly flags = {
    volumes: Flags.boolean({ char: "v", summary: "Remove the project's volumes too: their data is lost." }),
    "remove-orphans": Flags.boolean({ summary: "Accepted for Compose's sake: everything of the project goes in any case." }),
    rmi: Flags.string({
      options: ["all", "local"],
      helpValue: "all|local",
      summary: "Remove images too: all that the services use, or those without a name of their own.",
    }),
    timeout: timeoutFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Down);
    const { volumes, timeout, rmi } = flags;
    await this.work(flags, (session) => down(session, { services: args.service ?? [], volumes, timeout, images: rmi === "all" }));
  }
}
