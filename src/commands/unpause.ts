import { ARG, BaseCommand } from "../cli/base-command.ts";
import { operate } from "../cli/operate.ts";

export default class Unpause extends BaseCommand {
  static override readonly summary = "Let paused containers go on.";
  static override readonly usage = "unpause [FLAGS] [SERVICE...]";
  static override readonly examples = ["<%= config.bin %> unpause", "<%= config.bin %> unpause web"];
  static override readonly args = { service: ARG.any("Services; none means all.") };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Unpause);
    await this.work(flags, (session) => operate(session, { kind: "unpause" }, args.service ?? []));
  }
}
