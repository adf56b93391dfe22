import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { wait } from "../cli/listings.ts";

export default class Wait extends BaseCommand {
  static override readonly summary = "Wait until containers ended, and print their exit statuses.";
  static override readonly usage = "wait [FLAGS] SERVICE...";
  static override readonly examples = ["<%= config.bin %> wait migrate", "<%= config.bin %> wait --down-project tests"];
  static override readonly args = { service: ARG.some("Services or containers.") };

  static override readonly flags = {
    "down-project": Flags.boolean({ summary: "Remove the project when the first of them ended." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Wait);
    await this.work(flags, (session) => wait(session, args.service, { down: flags["down-project"] }));
  }
}
