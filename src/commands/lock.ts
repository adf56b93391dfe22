import { Flags } from "@oclif/core";
import { ARG, BaseCommand } from "../cli/base-command.ts";
import { lock } from "../cli/lock.ts";

export default class Lock extends BaseCommand {
  static override readonly summary = "Pin every image to what its name stands for, in wharf.lock; `up --locked` runs exactly that.";
  static override readonly usage = "lock [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> lock", "<%= config.bin %> lock --update web", "<%= config.bin %> lock --check"];
  static override readonly args = { service: ARG.any("With --update or --check: only the images of these services.") };
  static override readonly flags = {
    update: Flags.boolean({ summary: "Also move what is pinned already to what its name stands for now." }),
    check: Flags.boolean({ summary: "Only say what is newer or not pinned; end with 1 when something is.", exclusive: ["update"] }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Lock);
    await this.work(flags, (session) => lock(session, { services: args.service ?? [], ...flags }));
  }
}
