import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { scale } from "../cli/up.ts";

export default class Scale extends BaseCommand {
  static override readonly summary = "Give services another number of containers.";
  static override readonly usage = "scale [FLAGS] SERVICE=COUNT...";
  static override readonly examples = ["<%= config.bin %> scale web=3 worker=2"];
  static override readonly args = { service: ARG.some("Services with the number of containers that each shall have.") };
  static override readonly flags = {
    "no-deps": Flags.boolean({ summary: "Leave the services alone that those named depend on." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Scale);
    await this.work(flags, (session) => scale(session, args.service, { dependencies: !flags["no-deps"] }));
  }
}
